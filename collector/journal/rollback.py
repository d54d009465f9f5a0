"""What SQLite keeps beside a journal while it writes to it: the pages as they were, to undo a write that was cut short.

SQLite undoes as far as it can read that file, and then lets go of it. Where it is damaged a page would be undone into
another's place, the journal be cut, or what is sound in it be gone; so it is looked at before SQLite is let to it.
Read by the documented format. Is not the undoing, and never writes.
"""

import sqlite3
import struct
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import BinaryIO, NamedTuple

from collector.journal.links import followed

FORMAT = b"SQLite format 3\0"
"""How the first page of a file begins, and no other."""
_MAGIC = bytes.fromhex("d9d505f920a163d7")
_HEADER = struct.Struct(">8sIIIII")
_UNSYNCED = bytes(12)
"""How a header begins before what follows it is on the disk: until then nothing of it was overwritten."""
_RECORD = 8
"""Bytes of a record beside the page: its number, and its checksum."""
_SUMMED = 200
"""Each so manieth byte of a page counts in its checksum."""
_FIRST = 100
"""Bytes of the first page that tell of the whole."""
_SECTOR = 512
"""Bytes of a sector by which a header is looked for: those of a larger one begin there, too."""
_TRIED = 32 << 20
"""Bytes of a journal up to which it is tried in memory what would be undone."""
_IN_MEMORY = b"\1\1"
"""What no WAL has in its first page: such a one can't be in memory alone."""
_LOOKS = 10
_PAUSE = 0.05


@dataclass(slots=True)
class Rollback:
    """Pages of `size` bytes as they were: `places` says where in the file each of them stands, by its number.

    `strays`: where others stand that have no number to be believed. `count`: how many pages the journal had, 0 where
    that can't be told. `damaged`: SQLite could not undo all of it. `lost`: not every page of it can be read, so that
    some stand only as the write left them.
    """

    size: int = 0
    count: int = 0
    places: dict[int, int] = field(default_factory=dict)
    strays: list[int] = field(default_factory=list)
    damaged: bool = False
    lost: bool = False


class _Header(NamedTuple):
    magic: bytes
    records: int
    salt: int
    pages: int
    sector: int
    size: int

    @property
    def shape(self) -> tuple[int, int]:
        """What is alike in all headers of one file, and tells where a page stands."""
        return self.sector, self.size

    @property
    def possible(self) -> bool:
        return self.magic == _MAGIC and self.sector in _powers(5, 16) and self.size in _powers(9, 16)


def beside(path: Path) -> Path:
    """Return the name of the file of a rollback."""
    file = followed(path)
    return file.with_name(f"{file.name}-journal")


def damaged(path: Path) -> Rollback | None:
    """Return what can be undone where the file of a rollback is damaged; None where it isn't, or there is none.

    A writer that is at work just now changes the file while it is read: that is no damage.
    """
    for _ in range(_LOOKS):
        before = _stamp(path)
        try:
            found = _read(path)
            if not found.damaged and _fits(path, found):
                return None
        except FileNotFoundError:
            return None
        time.sleep(_PAUSE)  # the clock by which files are stamped ticks slowly
        if _stamp(path) == before:
            return found
    return None


def _fits(path: Path, found: Rollback) -> bool:
    """Whether the journal is well with its pages as they were, as far as it can be tried in memory.

    No checksum covers the number of a page: it could be undone into another's place, of which nothing would be left.
    """
    length = found.count * found.size
    # Not every SQLite was built so that it takes a file from memory.
    if not found.places or length > _TRIED or not hasattr(sqlite3.Connection, "deserialize"):
        return True
    image = bytearray(length)
    with path.open("rb") as file, beside(path).open("rb") as undo:
        file.readinto(image)
        for number, place in found.places.items():
            undo.seek(place)
            image[(number - 1) * found.size : number * found.size] = undo.read(found.size)
    image[18:20] = _IN_MEMORY
    # What SQLite says of a damaged table's definition holds the damaged bytes.
    broken = sqlite3.DatabaseError, UnicodeDecodeError
    with closing(sqlite3.connect(":memory:")) as connection, suppress(*broken):
        connection.deserialize(image)
        return bool(connection.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",))
    return False


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = beside(path).stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _read(path: Path) -> Rollback:
    found = Rollback()
    with path.open("rb") as file:
        first, length = file.read(_FIRST), path.stat().st_size
    with beside(path).open("rb") as file:
        # SQLite leaves alone what begins with nothing.
        if file.read(1) == b"\0":
            return found
        _read_segments(file, beside(path).stat().st_size, found)
        if not found.size:
            return found
        if 1 in found.places:
            file.seek(found.places[1])
            first = file.read(_FIRST)
    # The write that makes a journal has nothing to undo, and its first page says already what it will have.
    had = _pages(first) if found.count or found.places else 0
    # SQLite would cut the journal to the number in the header, and pass over pages behind that; or draw it out, over
    # terabytes. It is more than the first page says only where a tool has put something behind the last page.
    there = -(-length // found.size)
    found.damaged |= not had <= found.count <= max(had, there) or (found.count > 0 and not there)
    found.count = had or found.count
    for number in [number for number in found.places if number > found.count]:
        found.damaged = True
        found.strays.append(found.places.pop(number))
    return found


def _read_segments(file: BinaryIO, end: int, found: Rollback) -> None:
    """Note every page that proves itself. A transaction that meets a full memory begins a new segment.

    Where none begins where it should, the next one is looked for, sector by sector.
    """
    at, shape = 0, None
    while at < end:
        file.seek(at)
        head = file.read(_HEADER.size).ljust(_HEADER.size, b"\0")
        header = _Header(*_HEADER.unpack(head))
        if not found.damaged and head.startswith(_UNSYNCED) and (not any(head) or header.shape == shape):
            return
        if not header.possible:
            found.damaged = found.lost = True
            at += _SECTOR
            continue
        found.damaged |= shape is not None and header.pages != found.count
        if shape is None:
            shape, found.size, found.count = header.shape, header.size, header.pages
        at = _next(_read_records(file, at + header.sector, header, found), header)


def _read_records(file: BinaryIO, at: int, header: _Header, found: Rollback) -> int:
    """Note the pages of one segment, and return where they end."""
    for number in count(1):
        file.seek(at)
        record = file.read(header.size + _RECORD)
        short, counted = len(record) < header.size + _RECORD, number <= header.records
        proven = not short and _proven(record, header.salt)
        # What proves itself behind those that are counted was counted once: SQLite would not undo it.
        found.damaged |= proven != counted
        found.lost |= counted and not proven
        if proven:
            _note(record, at + 4, found)
        elif short or not counted or _begins(file, _next(at, header)):
            break
        at += len(record)
    return at


def _next(at: int, header: _Header) -> int:
    """Return where the next segment begins if one ends here: where a sector does."""
    return -(-at // header.sector) * header.sector


def _begins(file: BinaryIO, at: int) -> bool:
    file.seek(at)
    return file.read(len(_MAGIC)) == _MAGIC


def _proven(record: bytes, salt: int) -> bool:
    """Whether a page is what was noted, by its checksum; that doesn't cover the number before it."""
    page, said = record[4:-4], int.from_bytes(record[-4:], "big")
    return said == (salt + sum(page[len(page) - _SUMMED : 0 : -_SUMMED])) & 0xFFFFFFFF


def _note(record: bytes, place: int, found: Rollback) -> None:
    number = int.from_bytes(record[:4], "big")
    misplaced = (number == 1) != record.startswith(FORMAT, 4)
    if misplaced or number == 0 or number in found.places:
        found.damaged = True
        found.strays.append(place)
    else:
        found.places[number] = place


def _pages(first: bytes) -> int:
    """Return how many pages a journal has, as its first page says; 0 where that says nothing."""
    # The number counts where it was written by whoever wrote last.
    return int.from_bytes(first[28:32], "big") if first[24:28] == first[92:96] else 0


def _powers(least: int, most: int) -> set[int]:
    return {1 << power for power in range(least, most + 1)}
