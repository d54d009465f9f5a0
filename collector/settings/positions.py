"""The line on which each key of a TOML document stands, which `tomllib` does not tell. Is no check of the document.

What `tomllib` accepts is read to its end. In what it refuses, this tells which key stands there twice, or where what
has no end begins.
"""

import bisect
import re
import tomllib
from dataclasses import dataclass
from functools import cached_property

from collector.settings.keys import Place

_GAP = re.compile(r"(?:[ \t\n]|#[^\n]*+)*+")
_BLANK = re.compile(r"[ \t]*+")
_BASIC = r'"(?:[^"\\\n]|\\.)*+"'
_LITERAL = r"'[^'\n]*+'"
_KEY = re.compile(rf"[A-Za-z0-9_-]++|{_BASIC}|{_LITERAL}")
_VALUE = re.compile(
    # A text of several lines may end in one or two quotes of its own before the three that close it.
    r'"""(?:[^"\\]|\\.|"(?!""))*+"{3,5}'
    r"|'''(?:[^']|'(?!''))*+'{3,5}"
    rf"|{_BASIC}|{_LITERAL}"
    # A number, a truth or a time: with a blank in it, there is one way to write a time.
    r"|[^\s,\[\]{}#\"'=][^\n,\]}#]*+",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Twice:
    """A key or a table that stands in the document for a second time."""

    place: Place
    first: int
    second: int


def positions(text: str) -> dict[Place, int]:
    """Return the line, from 1, of every key, table and element of a list in a document that `tomllib` accepts.

    A table's line is that of its header, or else that of the first key which speaks of it.
    """
    return _Reader(text).lines


def twice(text: str) -> Twice | None:
    """Return what stands in a document for the second time first; None where nothing does as far as it can be read."""
    return _Reader(text).twice


def endless(text: str) -> int:
    """Return the line, from 1, on which the statement begins that can't be read to its end; 0 where all can be."""
    return _Reader(text).lost


class _Reader:
    """Goes over a document once. Its memory of tables is that of TOML: a header counts until the next one."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Place, int] = {}
        self.twice: Twice | None = None
        self.lost = 0
        # As tomllib does.
        self._text = text.replace("\r\n", "\n")
        self._at = 0
        self._lengths: dict[Place, int] = {}
        """Of the arrays of tables."""
        self._said: dict[Place, int] = {}
        """Tables that can't be opened by a header again, and their lines."""
        self._read()

    def _read(self) -> None:
        table: Place = ()
        self._take(_GAP)
        # tomllib, too, goes no further than to what stands there twice.
        while self._at < len(self._text) and not self.twice:
            line = self._line
            try:
                table = self._statement(table)
            except _Lost:
                self.lost = line
                return
            self._take(_GAP)

    def _statement(self, table: Place) -> Place:
        """Pass over a header or a pair, and return the table that counts from there on."""
        if self._word("[["):
            table = self._header(many=True)
            self._want("]]")
        elif self._word("["):
            table = self._header(many=False)
            self._want("]")
        else:
            self._value(self._pair(table))
        return table

    def _header(self, *, many: bool) -> Place:
        *above, last = self._keys()
        place: Place = ()
        for key in above:
            place = self._within((*place, key))
            self.lines.setdefault(place, self._line)
        place = (*place, last)
        if many:
            self.lines.setdefault(place, self._line)
            number = self._lengths.get(place, 0)
            self._lengths[place] = number + 1
            place = (*place, number)
        elif place in self._said:
            self._again(place, self._said[place])
        self._said[place] = self.lines[place] = self._line
        return place

    def _within(self, place: Place) -> Place:
        """Return the last table of an array of tables; of any other place, that place."""
        return (*place, self._lengths[place] - 1) if place in self._lengths else place

    def _pair(self, table: Place) -> Place:
        """Pass over a key and its `=`, and return where the value stands."""
        *above, last = self._keys()
        place = table
        for key in above:
            place = (*place, key)
            self._said.setdefault(place, self.lines.setdefault(place, self._line))
        place = (*place, last)
        if place in self.lines:
            self._again(place, self.lines[place])
        self._said[place] = self.lines[place] = self._line
        self._want("=")
        return place

    def _keys(self) -> list[str]:
        """Pass over a dotted key, and return its parts."""
        keys = [self._key()]
        while self._word("."):
            keys.append(self._key())
        return keys

    def _key(self) -> str:
        self._take(_BLANK)
        written = self._take(_KEY)
        if written.startswith("'"):
            return written[1:-1]
        if not written.startswith('"'):
            return written
        try:
            return next(iter(tomllib.loads(f"{written} = 0")))
        except tomllib.TOMLDecodeError:
            raise _Lost from None

    def _value(self, place: Place) -> None:
        """Pass over a value, and note what stands in it. Holds no more of the stack for a value that is deep."""
        around: list[tuple[str, Place, int]] = []
        while True:
            self._take(_BLANK)
            if self._word("["):
                around.append(("]", place, 0))
            elif self._word("{"):
                around.append(("}", place, 0))
            else:
                self._take(_VALUE)
            while around:
                closing, table, number = around.pop()
                self._take(_GAP)
                if self._word(","):
                    self._take(_GAP)
                if self._word(closing):
                    continue
                around.append((closing, table, number + 1))
                place = self._pair(table) if closing == "}" else (*table, number)
                self.lines.setdefault(place, self._line)
                break
            else:
                return

    def _again(self, place: Place, first: int) -> None:
        if not self.twice:
            self.twice = Twice(place, first, self._line)

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise _Lost
        self._at = found.end()
        return found[0]

    def _word(self, word: str) -> bool:
        """Pass over blanks and `word` if it is next, and say whether it was."""
        self._take(_BLANK)
        there = self._text.startswith(word, self._at)
        self._at += len(word) if there else 0
        return there

    def _want(self, word: str) -> None:
        if not self._word(word):
            raise _Lost

    @property
    def _line(self) -> int:
        return bisect.bisect_left(self._breaks, self._at) + 1

    @cached_property
    def _breaks(self) -> list[int]:
        return [found.start() for found in re.finditer("\n", self._text)]


class _Lost(Exception):
    """What stands here is no TOML that this reader knows."""
