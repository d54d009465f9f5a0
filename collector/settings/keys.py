"""The tree of keys that settings may have, drawn from the models, so that no list of keys is kept by hand.

Is not the settings: it says where a value may stand and of what kind it is, for the environment and for messages.
"""

import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic.fields import FieldInfo

from collector.settings.secret import Secret
from collector.settings.section import Section, plain_type

Place = tuple[str | int, ...]
"""Where a value stands: keys, names, and indexes of lists."""
TENANTS = "tenants"
TENANTS_DIR = "tenants_dir"
DEFAULTS = "tenant_defaults"
"""The table of the tenants, the folder of those that are files, and the table of what they share."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A key with a value: its Python type, and what it is in words (empty where its name says it)."""

    type: type
    about: str = ""
    secret_file: bool = False
    """Whether this is the `X_file` of a secret `X`."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with keys that are known."""

    keys: Mapping[str, "Node"]
    about: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """A table of tables, one for each name that a person chose."""

    each: Table
    about: str = ""


@dataclass(frozen=True, slots=True)
class Kinds:
    """A table whose `kind` says which keys it may have."""

    kinds: Mapping[str, Table]
    about: str = ""

    @property
    def keys(self) -> Mapping[str, "Node"]:
        """The keys of all kinds together."""
        return {key: node for table in self.kinds.values() for key, node in table.keys.items()}

    def owners(self, key: str) -> list[str]:
        """Return the kinds that may have `key`."""
        return [kind for kind, table in self.kinds.items() if key in table.keys]


Node = Leaf | Table | Named | Kinds


@cache
def tree(section: type[Section], about: str = "") -> Table:
    """Return the keys of a model, each secret `X` with its `X_file`."""
    keys: dict[str, Node] = {}
    for key, field in section.model_fields.items():
        keys[key] = _node(field)
        if key in section.secret_keys():
            keys[f"{key}_file"] = Leaf(Path, secret_file=True)
    return Table(keys, about)


def _node(field: FieldInfo) -> Node:
    about = field.description or ""
    kind = plain_type(field.annotation)
    if field.discriminator is not None:
        members = [each for each in typing.get_args(field.annotation) if each is not type(None)]
        return Kinds({typing.get_args(each.model_fields["kind"].annotation)[0]: tree(each) for each in members}, about)
    if typing.get_origin(kind) is dict:
        return Named(tree(plain_type(typing.get_args(kind)[1])), about)
    if typing.get_origin(kind) is tuple:
        return Leaf(tuple, about)
    if typing.get_origin(kind) is typing.Literal:
        return Leaf(str, about)
    return tree(kind, about) if issubclass(kind, Section) else Leaf(kind, about)


def is_secret(node: Node) -> bool:
    """Whether a value there is a secret, or the path of its file."""
    return isinstance(node, Leaf) and (node.type is Secret or node.secret_file)


def within(place: Place, variables: Mapping[Place, str]) -> bool:
    """Whether a variable gave the value at `place`, or a table around it."""
    return any(place[:end] in variables for end in range(1, len(place) + 1))


def at(root: Node, place: Place) -> Node | None:
    """Return what stands at `place`; None for a stranger and for the parts of a list."""
    node: Node | None = root
    for part in place:
        node = None if node is None else below(node, part)
    return node


def below(node: Node, key: str | int) -> Node | None:
    """Return what stands under `key`; None for a stranger and for the parts of a list."""
    if isinstance(node, Named):
        return node.each
    return None if isinstance(node, Leaf) else node.keys.get(str(key))
