"""A CSV file as lines of cells, whoever saved it: by its names in the first line, its separator, its marks.

Taken are UTF-8 with or without a mark, any line ends, and commas, semicolons or tabs between cells. Is not what the
cells mean (`table.py`, `plain.py`). A file is never held whole.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from collector.history.cells import Slip, shown

COLUMNS = ("measurement", "time", "tenant", "rbacGroupName", "rbacGroupId", "field", "value")
"""Of a whole table."""
PLAIN = ("time", "score", "rbacGroupName")
"""Of a plain one; the last may be missing."""

MAX_CELL = 16 << 20
"""Characters of a cell, and of a line: more is a quote that nobody closed, or no text at all."""
_RIGHT = f"the first line is `{','.join(COLUMNS)}`, or `time,score` with or without `,rbacGroupName`"
_SEPARATORS = ",;\t"
_UNDECODED = re.compile(r"[\udc80-\udcff]")
_AS_UTF8 = 'save it as "CSV UTF-8"'


class Record(NamedTuple):
    """The cells of a line, in the order of the columns; a plain one's group is empty where there is none."""

    line: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong in a line, and what would be right."""

    line: int
    text: str


class Sheet:
    """An open file of points; raise Slip when it is none.

    `plain`: it has the columns `PLAIN`, else it has `COLUMNS`. `comma`: a number may have a decimal comma.
    """

    def __init__(self, stream: BinaryIO) -> None:
        _want_text(stream)
        # Undecoded bytes are told by their line.
        self._text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
        names, self._separator = _header(self._header())
        self.plain = "score" in names
        self.comma = self._separator != ","
        self._width = len(names)
        self._places = [
            names.index(name.lower()) for name in (PLAIN if self.plain else COLUMNS) if name.lower() in names
        ]

    def records(self) -> Iterator[Record | Wrong]:
        """Yield the lines from the second on, each time from the start again; empty ones are left out."""
        self._text.seek(0)
        self._header()
        # The module's own bound is for all its readers, and less than a text may have.
        csv.field_size_limit(MAX_CELL)
        reader = csv.reader(self._lines(), delimiter=self._separator, strict=True)
        while True:
            line = self._above + reader.line_num + 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except Slip as slip:
                yield Wrong(line, str(slip))
                return
            except csv.Error as error:
                yield Wrong(line, _csv_fault(error))
                if "limit" in str(error):
                    return
                continue
            if any(row):
                yield self._record(line, row)

    def _record(self, line: int, row: list[str]) -> Record | Wrong:
        while len(row) > self._width and not row[-1]:
            row.pop()
        least = 2 if self.plain else self._width
        if not least <= len(row) <= self._width:
            hint = "" if self.comma or len(row) < self._width else "; one with a comma in it stands in quotes"
            return Wrong(line, f"of cells there are {len(row)}, and of names in the first line {self._width}{hint}")
        row += [""] * (self._width - len(row))
        cells = [row[place] for place in self._places]
        for cell in cells:
            if not cell.isascii() and _UNDECODED.search(cell):
                whole = cell.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
                return Wrong(line, f"{shown(whole)} is not UTF-8: {_AS_UTF8}")
        return Record(line, cells if not self.plain or len(cells) == len(PLAIN) else [*cells, ""])

    def _header(self) -> str:
        """Return the first line that isn't empty; the next one is the first of the points."""
        self._above = 0
        for line in self._lines():
            self._above += 1
            if line.strip():
                return line
        raise Slip(f"the file is empty; {_RIGHT}")

    def _lines(self) -> Iterator[str]:
        while line := self._text.readline(MAX_CELL):
            if len(line) == MAX_CELL and line[-1] not in "\r\n":
                raise Slip(f"a line is longer than {MAX_CELL:,} characters: this is no table of points")
            yield line


def _want_text(stream: BinaryIO) -> None:
    start = stream.read(4096)
    stream.seek(0)
    if start.startswith(b"PK\x03\x04"):
        raise Slip(f"this is a workbook, or another zip file, not CSV: {_AS_UTF8}")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in start.partition(b"\n")[0]:
        raise Slip(f"this is UTF-16, or no text at all: {_AS_UTF8}")


def _header(line: str) -> tuple[Sequence[str], str]:
    """Return the names of the first line in lower case, and what separates them; raise Slip for any others."""
    for separator in _SEPARATORS:
        try:
            (row,) = csv.reader([line], delimiter=separator, strict=True)
        except csv.Error:
            continue
        names = [name.strip().lower() for name in row]
        while names and not names[-1]:
            names.pop()
        columns, plain = ([name.lower() for name in known] for known in (COLUMNS, PLAIN))
        if sorted(names) in (sorted(columns), sorted(plain), sorted(plain[:2])):
            return names, separator
    raise Slip(f"{shown(line.rstrip())} are not the names of a table of points: {_RIGHT}")


def _csv_fault(error: csv.Error) -> str:
    said = str(error)
    if "unexpected end" in said or "limit" in said:
        return "a quote that begins here is never closed"
    return "a quote stands inside of a cell in quotes: two of them stand for one"
