"""Where each value of the settings was written: in which file and on which line, in which variable, or for all tenants.

Is not what stands there: it names a place for messages, and says from which folder a path starts.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from collector.settings.keys import DEFAULTS, TENANTS, Place, within
from collector.settings.positions import positions

_BARE = re.compile(r"[A-Za-z0-9_-]+")

_LONGEST = 60
"""Characters of a name that a line shows."""


@dataclass(frozen=True)
class Document:
    """A file that is TOML, as it was read. `called`: what messages call it, nothing for the settings' own file."""

    path: Path
    text: str
    called: str = ""

    @cached_property
    def lines(self) -> Mapping[Place, int]:
        """The line of each key in it, looked for when the first mistake is told."""
        return positions(self.text)


@dataclass(frozen=True, kw_only=True)
class Sources:
    """`variables`: which variable gave the value at a place; `tenants`: the files of those that have one each.

    `shared`: keys (tenant, key) that the tenant has from the table for all tenants. `document`: None without a file.
    """

    document: Document | None
    variables: Mapping[Place, str]
    tenants: Mapping[str, Document] = field(default_factory=dict)
    shared: Collection[tuple[str, str]] = ()

    def told(self, place: Place) -> Place:
        """Return where the value at `place` was written: for several tenants it may have been written once."""
        if place[:1] == (TENANTS,) and place[1:3] in self.shared and not within(place, self.variables):
            return (DEFAULTS, *place[2:])
        return place

    def label(self, place: Place) -> str:
        """Return the variable or the key that the value at `place` was written as."""
        return label_of(self.told(place), self.variables)

    def line(self, place: Place) -> tuple[int, int]:
        """Return of which file, by number, and on which line a value stands; where it is missing, of its table.

        Line 0 is none: a variable's, or a file as a whole.
        """
        place = self.told(place)
        if within(place, self.variables):
            return 0, 0
        document, number, place = self._where(place)
        lines = document.lines if document else {}
        return number, lines.get(place, lines.get(place[:-1], 0))

    def located(self, place: Place) -> str:
        """Return the label of `place` with its file and line, as far as it has them."""
        document, number, _ = self._where(self.told(place))
        called = document.called if document and number and not within(place, self.variables) else ""
        return located(self.label(place), self.line(place)[1], called)

    def start(self, place: Place) -> Path:
        """Return from which folder a path at `place` starts."""
        place = self.told(place)
        document = None if within(place, self.variables) else self._where(place)[0]
        return document.path.parent if document else Path.cwd()

    def _where(self, place: Place) -> tuple[Document | None, int, Place]:
        """Return the file of a place, its number, and the place in it."""
        name = place[1] if place[:1] == (TENANTS,) and len(place) > 1 else None
        if name in self._numbers:
            return self.tenants[str(name)], self._numbers[str(name)], place[2:]
        return self.document, 0, place

    @cached_property
    def _numbers(self) -> Mapping[str | int | None, int]:
        return {name: number for number, name in enumerate(self.tenants, 1)}


def located(label: str, number: int, file: str = "") -> str:
    """Return a label with the file and the line that it stands on; 0 for no line, nothing for no file."""
    where = ", ".join([*([file] if file else []), *([f"line {number}"] if number else [])])
    return f"{label} ({where})" if where else label


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
