"""Settings from variables: `COLLECTOR__POLL__INTERVAL_SECONDS=60` stands over `poll.interval_seconds` of the file.

Only what begins with `COLLECTOR__` is read here: Kubernetes injects `COLLECTOR_PORT` and the like for a service of that
name. Checks no value: a text that can't become what its key wants is left to the models, which say so.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from collector.settings.keys import DEFAULTS, TENANTS_DIR, Kinds, Leaf, Named, Node, Place, Table, at, is_secret
from collector.settings.mistakes import nearest
from collector.settings.secret import Secret
from collector.settings.sources import label_of, printable

PREFIX = "COLLECTOR__"

Tables = dict[str, Any]
"""Settings as TOML gives them, before any check."""


def overlay(tables: Tables, root: Table, environ: Mapping[str, str]) -> tuple[dict[Place, str], list[str]]:
    """Put the values of the variables into `tables`; return which variable gave what, and a line for each problem."""
    given: dict[Place, str] = {}
    problems = []
    # In this order a table comes before the keys in it, and names that it makes are known to them.
    for variable in sorted((name for name in environ if name.startswith(PREFIX)), key=lambda name: (_form(name), name)):
        meanings = dict(_meanings(variable[len(PREFIX) :], root, tables))
        place: Place = next(iter(meanings), ())
        if not meanings:
            near = nearest(_form(variable), _known(variable, root, tables), likeness=0)
            problems.append(f"{printable(variable)}: unknown variable; did you mean {near}?")
        elif len(meanings) > 1:
            both = " or ".join(label_of(each, {}) for each in meanings)
            problems.append(f"{printable(variable)}: can mean {both}; rename one of them, or set it in the file")
        elif place in given:
            problems.append(f"{printable(variable)}: means the same as {given[place]}; keep one of them")
        else:
            _put(tables, place, root, environ[variable], given)
            given[place] = printable(variable)
    return given, problems


def before_tenants(variable: str) -> bool:
    """Whether a variable says what has to be known before the tenants are: where they are, and what they share."""
    rest = _form(variable).removeprefix(PREFIX)
    return variable.startswith(PREFIX) and (
        rest == _form(TENANTS_DIR) or f"{rest}__".startswith(f"{_form(DEFAULTS)}__")
    )


def _form(name: str) -> str:
    """Return `name` as a variable spells it, as long as it was: capitals, and `_` for what a variable can't hold."""
    return re.sub(r"[^A-Z0-9]", "_", re.sub(r"[a-z]", lambda letter: letter[0].upper(), name))


def _meanings(rest: str, node: Node, tables: object) -> Iterator[tuple[Place, Node]]:
    """Yield each place, and what stands there, that `rest`, the part of a variable after this node's, can mean."""
    keys = _keys(node, tables)
    found = False
    for name, child in keys.items():
        for meaning in _under(rest, name, child, tables):
            found = True
            yield meaning
    new = rest.partition("__")[0].lower()
    if isinstance(node, Named) and not found and new and new not in keys:
        yield from _under(rest, new, node.each, tables)


def _keys(node: Node, tables: object) -> Mapping[str, Node]:
    if isinstance(node, Named):
        return dict.fromkeys(tables, node.each) if isinstance(tables, dict) else {}
    return {} if isinstance(node, Leaf) else node.keys


def _under(rest: str, name: str, child: Node, tables: object) -> Iterator[tuple[Place, Node]]:
    form, spelt = _form(name), _form(rest)
    if spelt == form:
        yield (name,), child
    elif spelt.startswith(f"{form}__"):
        inner = tables.get(name) if isinstance(tables, dict) else None
        for place, node in _meanings(rest[len(form) + 2 :], child, inner):
            yield (name, *place), node


def _known(variable: str, root: Table, tables: Tables) -> Iterator[str]:
    """Yield the variables that there are, with such names of tenants and sinks as `variable` may have meant."""
    for key, node in root.keys.items():
        above = f"{PREFIX}{_form(key)}"
        if isinstance(node, Named):
            names = {_form(name): name for name in tables.get(key, ())} if isinstance(tables.get(key), dict) else {}
            typed = "".join(_form(variable).split("__")[2:3]) or "NAME"
            above = f"{above}__{typed if typed in names else nearest(typed, names) or typed}"
            node = node.each  # noqa: PLW2901 - from here on the one table is what counts
        yield from _variables(above, node)


def _variables(above: str, node: Node) -> Iterator[str]:
    if isinstance(node, Leaf):
        yield above
    for key, child in _keys(node, None).items():
        yield from _variables(f"{above}__{_form(key)}", child)


def _put(tables: Tables, place: Place, root: Table, text: str, given: Iterable[Place]) -> None:
    table: Any = tables
    *above, last = place
    for key in above:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            # The file has something else there, and will hear of it.
            return
    around, node = at(root, tuple(above)), at(root, place)
    before, table[last] = table.get(last), _value(text, node)
    if isinstance(around, Kinds) and last == "kind" and before != text:
        # Another kind stands over all that the file says of its own.
        stays = around.kinds[text].keys if text in around.kinds else around.keys
        for key in [key for key in table if key in around.keys and key not in stays and (*above, key) not in given]:
            del table[key]
    other = _other(str(last))
    if node is not None and is_secret(node) and (*above, other) not in given:
        # A secret from a variable stands over one from the file in either form.
        table.pop(other, None)


def _other(key: str) -> str:
    return key.removesuffix("_file") if key.endswith("_file") else f"{key}_file"


def _value(text: str, node: Node | None) -> object:
    """Return `text` as the node's type; as it is where that is impossible."""
    kind = node.type if isinstance(node, Leaf) else dict
    try:
        if kind in (str, Path, Secret, date):
            return text
        return kind(text) if kind in (int, float) else tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text
