"""A line for each mistake: `KEY: what is wrong; what would be right`. Nothing of pydantic's wording is left in it."""

import json
import re
from collections.abc import Iterator, Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from collector.settings.keys import Kinds, Named, Node, Place, Table, below, is_secret
from collector.settings.mistakes import nearest, shown

_BARE = re.compile(r"[A-Za-z0-9_-]+")

_LONGEST = 60
"""Characters of a name that a line shows."""

_SENTENCES = {
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "tuple_type": 'must be a list, like ["a", "b"]',
}


def lines(error: ValidationError, root: Table, variables: Mapping[Place, str]) -> Iterator[str]:
    """Yield a line for each mistake. `variables`: which values have come from the environment, and from where in it."""
    for detail in error.errors():
        place, node = _locate(detail, root)
        parent = _parent(place, root)
        if at := detail.get("ctx", {}).get("at"):
            place = (*place[:-1], at)
        elif detail["type"].startswith("union_tag_"):
            place = (*place, "kind")
        label = label_of(place, variables)
        yield f"{label}: {_sentence(detail, label, place, node, parent)}"


def label_of(place: Place, variables: Mapping[Place, str]) -> str:
    """Return the variable that gave the value at `place`, else its dotted key, quoted as TOML would have it."""
    for end in range(len(place), 0, -1):
        if place[:end] in variables:
            return variables[place[:end]] + "".join(_dotted(part) for part in place[end:])
    return "".join(_dotted(part) for part in place).removeprefix(".")


def printable(text: str) -> str:
    """Return `text` on one line, as it is where that is possible, else quoted with escapes."""
    return text if text.isprintable() else json.dumps(text)


def _dotted(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    part = part if len(part) <= _LONGEST else f"{part[:_LONGEST]}…"
    return f".{part}" if _BARE.fullmatch(part) else f".{json.dumps(part, ensure_ascii=not part.isprintable())}"


def _locate(detail: ErrorDetails, root: Table) -> tuple[Place, Node | None]:
    """Return where the mistake is, without what pydantic adds of its own: a union's tag, and that it is about a key."""
    place: Place = ()
    node: Node | None = root
    for part in detail["loc"]:
        if isinstance(node, Kinds):
            node = node.kinds.get(str(part))
        elif part != "[key]" or detail["type"] == "extra_forbidden":
            place = (*place, part)
            node = None if node is None else below(node, part)
    return place, node


def _parent(place: Place, root: Table) -> Node | None:
    node: Node | None = root
    for part in place[:-1]:
        node = None if node is None else below(node, part)
    return node


def _sentence(detail: ErrorDetails, label: str, place: Place, node: Node | None, parent: Node | None) -> str:
    """Return what is wrong and what would be right, in our words whatever pydantic's were."""
    value = shown(detail["input"])
    match detail["type"]:
        case "mistake":
            words = str(detail["ctx"]["words"])
        case "missing":
            words = _missing(label, node)
        case "extra_forbidden":
            words = _stranger(str(place[-1]), parent)
        case "literal_error":
            words = f"must be {detail['ctx']['expected']}".replace("'", '"')
        case "union_tag_not_found":
            words = f"is missing; supported: {_kinds(node)}"
        case "union_tag_invalid":
            words = f"this kind of credential is not supported yet; supported: {_kinds(node)}"
        case "dict_type" | "model_type" | "model_attributes_type":
            words = f"must be a table, like {_table(place, node, parent)}"
        case "string_type":
            # Without the value: where text is wanted, a number may be a secret that lacks its quotes.
            words = "must be text, in quotes"
        case kind:
            words = _SENTENCES.get(kind, "is not right here") + value
    return words


def _kinds(node: Node | None) -> str:
    return ", ".join(node.kinds) if isinstance(node, Kinds) else ""


def _missing(label: str, node: Node | None) -> str:
    if node is not None and is_secret(node):
        return f"is missing; a file can hold it too: {label}{'_FILE' if label.isupper() else '_file'}"
    about = getattr(node, "about", "")
    return f"is missing; it is {about}" if about else "is missing"


def _stranger(key: str, parent: Node | None) -> str:
    known = list(parent.keys) if isinstance(parent, Table | Kinds) else []
    near = nearest(key.lower(), known)
    return f"unknown key; did you mean {near}?" if near else f"unknown key; known here: {', '.join(known)}"


def _table(place: Place, node: Node | None, parent: Node | None) -> str:
    named = isinstance(node, Named) or isinstance(parent, Named)
    return f"[{place[0]}.NAME]" if named else "{ KEY = VALUE }"
