"""A line for each mistake: `KEY (line N): what is wrong; what would be right`. Nothing of pydantic's wording is in it.

What has come from a variable is told by the variable, and has no line; what many tenants share, by the table for all.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from collector.settings.ecosystem import INSTEAD
from collector.settings.keys import DEFAULTS, TENANTS, Kinds, Named, Node, Place, Table, at, below, is_secret, within
from collector.settings.mistakes import nearest, shown
from collector.settings.positions import endless, twice
from collector.settings.sources import Sources, label_of, located
from collector.settings.tenants import TenantDefaults

_POSITION = re.compile(r"(.*) \(at line ([0-9]+), column ([0-9]+)\)", re.DOTALL)
"""What tomllib ends its words with."""

_NAMED = 3
"""Tenants that a line about what they share names at the most."""
_MANY = 10
"""Tenants that lack the same key by mistakes of their own, at the most."""

_NO_TABLE = ("dict_type", "model_type", "model_attributes_type")

_SENTENCES = {
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "tuple_type": 'must be a list, like ["a", "b"]',
}


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where a mistake is, what stands there and in what; None for what is no key of the settings."""

    place: Place
    node: Node | None
    parent: Node | None
    around: Node | None
    """As `parent`, but where that is a table of one kind, all of its kinds."""


def lines(error: ValidationError, root: Table, sources: Sources) -> Iterator[str]:
    """Yield a line for each mistake, in the order of the files. What stands once for many tenants is told once."""
    found: dict[tuple[tuple[int, int], str], list[str]] = {}
    itself = set()
    spots = [(detail, _locate(detail, root)) for detail in error.errors()]
    nameless = _nameless(spots, sources.variables)
    lacking = _lacking(spots)
    for table, keys in nameless.items():
        found[sources.line((table,)), f"{sources.located((table,))}: {_unnamed(table, keys)}"] = []
    for detail, spot in spots:
        place = spot.place
        if str(place[0]) in nameless and place[1:2] and place[1] in nameless[str(place[0])]:
            continue
        if to_blame := detail.get("ctx", {}).get("at"):
            place = (*place[:-1], to_blame)
        elif detail["type"].startswith("union_tag_"):
            place = (*place, "kind")
        many = lacking.get(str(place[-1]), ()) if detail["type"] == "missing" and place[0] == TENANTS else ()
        if many and place[1] != many[0]:
            continue
        line = sources.line(place), f"{sources.located(place)}: {_sentence(detail, sources.label(place), spot)}"
        if many:
            found[line] = many
            continue
        tenants = found.setdefault(line, [])
        if sources.told(place) == place:
            itself.add(line)
        else:
            tenants.append(str(place[1]))
    for line in sorted(found, key=lambda each: each[0]):
        # What is wrong whoever has it needs no tenant's name.
        yield line[1] if line in itself or not found[line] else f"{line[1]} ({_of(found[line])})"


def _lacking(spots: Sequence[tuple[ErrorDetails, _Spot]]) -> Mapping[str, list[str]]:
    """Return, by key, the tenants that lack what tenants can share, where they are many: one place lacks it for all."""
    found: dict[str, list[str]] = {}
    for detail, spot in spots:
        if detail["type"] == "missing" and spot.place[0] == TENANTS:
            found.setdefault(str(spot.place[-1]), []).append(str(spot.place[1]))
    return {key: names for key, names in found.items() if key in TenantDefaults.model_fields and len(names) > _MANY}


def _of(tenants: Sequence[str]) -> str:
    """Return of which tenants a line about what they share is."""
    named = ", ".join(label_of(("tenants", name), {}) for name in tenants[:_NAMED])
    more = len(tenants) - _NAMED
    return f"for {named}" + (f" and {more} more" if more > 0 else "")


def not_toml(file: str, text: str, said: str, *, inside: str = "") -> str:
    """Return a line for the first thing in `text` that is no TOML. `said`: tomllib's words, which repeat no value.

    `inside`: the file that a line about a key has to name, nothing for the settings' own.
    """
    again = twice(text) if said.startswith(("Cannot", "Duplicate")) else None
    if again is not None:
        there = f"on line {again.first}" if again.first < again.second else "on this line"
        return (
            f"{located(label_of(again.place, {}), again.second, inside)}: stands {there} already; make one of the two"
        )
    if found := _POSITION.fullmatch(said):
        what, line, column = found.groups()
        return f"{located(file, int(line))}: not TOML: {_lowered(what)}, at column {column}"
    return f"{located(file, endless(text))}: not TOML: {_lowered(said.removesuffix(' (at end of document)'))}"


def _lowered(words: str) -> str:
    return words[:1].lower() + words[1:]


def _locate(detail: ErrorDetails, root: Table) -> _Spot:
    """Return where the mistake is, without what pydantic adds of its own: a union's tag, and that it is about a key."""
    place: Place = ()
    node: Node | None = root
    parent: Node | None = None
    for part in detail["loc"]:
        if isinstance(node, Kinds):
            node = node.kinds.get(str(part))
        elif part != "[key]" or detail["type"] == "extra_forbidden":
            place = (*place, part)
            parent, node = node, None if node is None else below(node, part)
    return _Spot(place, node, parent, at(root, place[:-1]))


def _nameless(
    spots: Sequence[tuple[ErrorDetails, _Spot]], variables: Mapping[Place, str]
) -> Mapping[str, Collection[str]]:
    """Return, by table, the keys that stand in it though they belong into a table with a name below it."""
    found: dict[str, list[str]] = {}
    inner: set[Place] = set()
    for detail, spot in spots:
        if detail["type"] in _NO_TABLE and isinstance(spot.parent, Named) and not within(spot.place, variables):
            table, key = map(str, spot.place)
            known = spot.parent.each.keys
            kinds = {each: node for each, node in known.items() if isinstance(node, Kinds)}
            if key in known or any(key in node.keys for node in kinds.values()):
                found.setdefault(table, []).append(key)
                # Such a table among them looks like one with a name.
                inner |= {(table, each) for each in kinds}
    for place in dict.fromkeys(spot.place[:2] for _, spot in spots if spot.place[:2] in inner):
        found[str(place[0])].append(str(place[1]))
    return found


def _unnamed(table: str, keys: Iterable[str]) -> str:
    return (
        f"{', '.join(keys)} can't stand here: each table below {table} has a name of yours; "
        f"write [{table}.NAME] instead of [{table}]"
    )


def _sentence(detail: ErrorDetails, label: str, spot: _Spot) -> str:
    """Return what is wrong and what would be right, in our words whatever pydantic's were."""
    value = shown(detail["input"])
    match detail["type"]:
        case "mistake":
            words = str(detail["ctx"]["words"])
        case "missing":
            words = _missing(label, spot.node)
        case "extra_forbidden" if spot.place == (DEFAULTS, "tenant_id"):
            words = "each tenant has its own; put it into the tenants"
        case "extra_forbidden":
            words = _stranger(str(spot.place[-1]), spot.parent, spot.around)
        case "literal_error":
            words = _choice(detail["ctx"]["expected"].replace("'", '"'), detail["input"])
        case "union_tag_not_found":
            words = f"is missing; it is {_kinds(spot.node, detail['input'])}"
        case "union_tag_invalid":
            words = f"must be {_kinds(spot.node, detail['input'])}"
        case kind if kind in _NO_TABLE:
            words = f"must be a table, like {_table(spot)}"
        case "string_type":
            # Without the value: where text is wanted, a number may be a secret that lacks its quotes.
            words = "must be text, in quotes"
        case kind:
            words = _SENTENCES.get(kind, "is not right here") + value
    return words


def _choice(expected: str, written: object) -> str:
    """Return which texts there are, as pydantic lists them, and the one that `written` is like."""
    near = nearest(written, re.findall('"([^"]*)"', expected)) if isinstance(written, str) else ""
    return f"must be {expected}" + (f'; did you mean "{near}"?' if near else "")


def _kinds(node: Node | None, written: object) -> str:
    """Return which kinds there are, and which one is meant, by its likeness or by the keys that are there."""
    if not isinstance(node, Kinds):
        return ""
    *others, last = (f'"{kind}"' for kind in node.kinds)
    table = written if isinstance(written, dict) else {}
    keys, kind = set(table) - {"kind"}, table.get("kind")
    meant = [each for each, known in node.kinds.items() if keys and keys <= set(known.keys)]
    near = nearest(kind, node.kinds) if isinstance(kind, str) else ""
    near = near or (meant[0] if len(meant) == 1 else "")
    return f"{', '.join(others)} or {last}" + (f'; did you mean "{near}"?' if near else "")


def _missing(label: str, node: Node | None) -> str:
    if node is not None and is_secret(node):
        twin = f"{label}{'_FILE' if label.isupper() else '_file'}"
        return f"is missing; a file can hold it too: {twin}{INSTEAD.get(label, '')}"
    about = getattr(node, "about", "")
    return f"is missing; it is {about}" if about else "is missing"


def _stranger(key: str, parent: Node | None, around: Node | None) -> str:
    known = parent.keys if isinstance(parent, Table | Kinds) else {}
    kinds = around if isinstance(around, Kinds) else Kinds({})
    if owners := kinds.owners(key):
        kind = next(kind for kind, table in kinds.kinds.items() if table is parent)
        return f'{_belongs(owners)}; "{kind}" has {", ".join([*known][1:]) or "no key of its own"}'
    inner = {each: table for table, node in known.items() if isinstance(node, Kinds) for each in node.keys}
    if key in inner:
        return _into(inner[key], known[inner[key]], key)
    near = nearest(key.lower(), [*known, *kinds.keys, *inner])
    if near in known:
        return f"unknown key; did you mean {near}?"
    if near in kinds.keys:
        return f"unknown key; did you mean {near}? That {_belongs(kinds.owners(near))}"
    if near:
        return f"unknown key; did you mean {near}? That {_into(inner[near], known[inner[near]], near)}"
    return f"unknown key; known here: {', '.join(known)}"


def _into(table: str, kinds: Node, key: str) -> str:
    """Return that `key` belongs into a table of one kind, as it would be written there."""
    owners = kinds.owners(key) if isinstance(kinds, Kinds) else []
    kind = " or ".join(f'"{owner}"' for owner in owners)
    rest = "" if key == "kind" else f", {key} = …"
    return f"belongs into {table} = {{ kind = {kind}{rest} }}"


def _belongs(owners: Iterable[str]) -> str:
    quoted = (f'"{kind}"' for kind in owners)
    return f"belongs to kind {' and '.join(quoted)}"


def _table(spot: _Spot) -> str:
    named = isinstance(spot.node, Named) or isinstance(spot.parent, Named)
    return f"[{spot.place[0]}.NAME]" if named else "{ KEY = VALUE }"
