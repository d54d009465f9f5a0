"""The rows of a journal's file, read from its pages without SQLite: what a damaged file still holds.

SQLite finds a row by a way from the first page through others; where one of them is damaged, all behind it is out of
its reach. Here every page is looked at by itself, by the documented format of a table's leaf. Nothing is believed:
whoever takes a row proves it by its checksum. Is not a repair, and never writes.
"""

import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from collector.journal.rollback import FORMAT, Rollback, beside, damaged

PAGE = 4096
"""Bytes of a page as the journal has them, unless a person's tool gave it others."""
_PAGES = frozenset(2**n for n in range(9, 17))
_HEADER = 100
_LEAF_HEADER = 8
_INNER_HEADER = 12
_INDEX_LEAF = 0x0A
_INDEX_INTERIOR = 0x02
"""A flipped bit makes any other mark of a table's leaf; these are three bits away."""
_WIDTHS = (0, 1, 2, 3, 4, 6, 8, 8)
_FLOAT = 7
_CONSTANTS = {0: None, 8: 0, 9: 1}
_BLOB = 12

Value = int | float | str | bytes | None


class Cell(NamedTuple):
    """One row of one of the tables, as it stands in the file. `id`: its row id; `values`: its columns."""

    id: int
    values: tuple[Value, ...]


class Carving:
    """A file's pages. The file stays open to the end: to close it lets go the locks that this process has on it.

    Where the file of a rollback is damaged (`rollback`), each page that stands sound in it is taken from there.
    """

    def __init__(self, path: Path) -> None:
        self.rollback = damaged(path)
        self._undo = self.rollback or Rollback()
        self._file = path.open("rb", buffering=0)
        self._old = beside(path).open("rb", buffering=0) if self.rollback else self._file
        self._size = PAGE
        head = self._page(1)[:_HEADER]
        self._size = _page_size(head) or self._undo.size or PAGE
        self.application = int.from_bytes(head[68:72], "big")
        """Whose file it says it is."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._old.close()
        self._file.close()

    @cached_property
    def _bytes(self) -> int:
        # Measured at the first look through it: a writer may have been waited for since it was opened.
        length = os.fstat(self._file.fileno()).st_size
        return max(length, max(self._undo.places, default=0) * self._size)

    @cached_property
    def _count(self) -> int:
        pages = -(-self._bytes // self._size)
        # What was written behind the last page that it had belongs to what was cut short.
        return min(pages, self._undo.count or pages)

    @property
    def blank(self) -> bool:
        """Whether it has bytes, and all are zero."""
        pages = (self._page(number) for number in range(1, self._count + 1))
        return self._bytes > 0 and not any(map(any, pages))

    def cells(self) -> Iterator[Cell]:
        """Yield every row that stands in the file, in the order of its pages, and what only looks like one.

        What stands in pages as they were, of which nobody knows where, comes first.
        """
        for page, start in chain(self._strays(), self._pages()):
            yield from self._rows(page, start)

    def overwritten(self) -> Iterator[Cell]:
        """Yield every row of the pages that are taken from the file of a rollback, as the journal itself has them now.

        It may be of the write that was cut short; or of a page that another was taken for, by a damaged number. Which
        of both is told by a page as it was: where one of them is lost none is yielded.
        """
        for number in () if self._undo.lost else self._undo.places:
            self._file.seek((number - 1) * self._size)
            page = self._file.read(self._size)
            if len(page) == self._size:
                yield from self._rows(page, _HEADER if number == 1 else 0)

    def entries(self) -> Iterator[tuple[Value, ...]]:
        """Yield every entry of the indexes, none that stands in more than one page."""
        for page, start in self._pages():
            inner = _INNER_HEADER - _LEAF_HEADER if page[start] == _INDEX_INTERIOR else 0
            if inner or page[start] == _INDEX_LEAF:
                for at in _places(page, start, _LEAF_HEADER + inner):
                    with suppress(IndexError):
                        size, begin = _varint(page, at + inner)
                        yield _record(page[begin : begin + size])

    def _pages(self) -> Iterator[tuple[bytes, int]]:
        """Yield each page, and where in it its own header stands."""
        for number in range(1, self._count + 1):
            page = self._page(number)
            start = _HEADER if number == 1 else 0
            # The file may have been cut off: of what is shorter than a header nothing is told.
            if len(page) >= start + _INNER_HEADER:
                yield page, start

    def _strays(self) -> Iterator[tuple[bytes, int]]:
        for place in self._undo.strays:
            self._old.seek(place)
            page = self._old.read(self._size)
            yield page, _HEADER if page.startswith(FORMAT) else 0

    def _page(self, number: int) -> bytes:
        place = self._undo.places.get(number)
        file = self._file if place is None else self._old
        file.seek((number - 1) * self._size if place is None else place)
        return file.read(self._size)

    def _rows(self, page: bytes, start: int) -> Iterator[Cell]:
        if page[start] not in {_INDEX_LEAF, _INDEX_INTERIOR}:
            for at in _places(page, start, _LEAF_HEADER):
                yield from self._cell(page, at)

    def _cell(self, page: bytes, at: int) -> Iterator[Cell]:
        """Yield the row that stands there, nothing where none does."""
        with suppress(IndexError, struct.error):
            size, at = _varint(page, at)
            id_, at = _varint(page, at)
            yield Cell(_signed(id_), _record(self._payload(page, at, size)))

    def _payload(self, page: bytes, at: int, size: int) -> bytes:
        """Return a row's bytes; those that don't fit into its page stand in a chain of others."""
        if size > self._bytes:
            raise IndexError
        most, least = self._size - 35, (self._size - 12) * 32 // 255 - 23
        if size <= most:
            return page[at : at + size]
        local = least + (size - least) % (self._size - 4)
        local = local if local <= most else least
        parts = [page[at : at + local]]
        (following,) = struct.unpack_from(">I", page, at + local)
        left = size - local
        while left > 0:
            if not following:
                raise IndexError
            page = self._page(following)
            (following,) = struct.unpack_from(">I", page)
            parts.append(page[4 : 4 + left])
            left -= self._size - 4
        return b"".join(parts)


def whole_header(path: Path) -> bool:
    """Whether a file begins as one that SQLite reads and writes; an empty one does.

    Asked before SQLite opens it: to close it here lets go the locks that this process has on it.
    """
    with path.open("rb") as file:
        head = file.read(_HEADER)
    if not head:
        return True
    # The versions say whether it may be written, and whether by a rollback journal (1) or a WAL (2); the rest is fixed.
    return (
        head[:16] == FORMAT
        and _page_size(head) is not None
        and set(head[18:20]) <= {1, 2}
        and head[20:24] == b"\0\x40\x20\x20"
        and head[56:60] in {b"\0\0\0\0", b"\0\0\0\1"}
    )


def _page_size(head: bytes) -> int | None:
    size = int.from_bytes(head[16:18], "big")
    size = 65_536 if size == 1 else size
    return size if size in _PAGES else None


def _places(page: bytes, start: int, header: int) -> Sequence[int]:
    """Return where in a page its cells begin."""
    (count,) = struct.unpack_from(">H", page, start + 3)
    begin = start + header
    room = min(count, (len(page) - begin) // 2)
    return struct.unpack_from(f">{room}H", page, begin)


def _record(payload: bytes) -> tuple[Value, ...]:
    end, at = _varint(payload, 0)
    kinds = []
    while at < end:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    values = []
    for kind in kinds:
        value, at = _value(payload, at, kind)
        values.append(value)
    return tuple(values)


def _value(payload: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind >= _BLOB:
        end = at + (kind - _BLOB) // 2
        if end > len(payload):
            raise IndexError
        raw = payload[at:end]
        return (raw.decode("utf-8", "replace") if kind % 2 else raw), end
    if kind in _CONSTANTS:
        return _CONSTANTS[kind], at
    end = at + _WIDTHS[kind]
    if end > len(payload):
        raise IndexError
    if kind == _FLOAT:
        return float(struct.unpack_from(">d", payload, at)[0]), end
    return int.from_bytes(payload[at:end], "big", signed=True), end


def _varint(page: bytes, at: int) -> tuple[int, int]:
    """Return SQLite's number of 1 to 9 bytes, unsigned, and where it ends."""
    number = 0
    for n in range(8):
        byte = page[at + n]
        number = number << 7 | byte & 0x7F
        if byte < 0x80:  # noqa: PLR2004 - the top bit says that another follows
            return number, at + n + 1
    return number << 8 | page[at + 8], at + 9


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number
