"""A write to a small database that was cut short, in pages of any size: the file, and what would undo the write."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from cuts import SECTOR

from collector.journal.rollback import Rollback, damaged

MAGIC = bytes.fromhex("d9d505f920a163d7")
HEADER = 28
"""Bytes of the header of a segment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """The files of a write that was cut short, and the pages as they were before it."""

    path: Path
    size: int
    main: bytes
    undo: bytes
    pages: dict[int, bytes]

    def found(self, undo: bytes, main: bytes | None = None) -> Rollback | None:
        """Return what is made of it where the files are these."""
        self.path.write_bytes(self.main if main is None else main)
        self.path.with_name(f"{self.path.name}-journal").write_bytes(undo)
        return damaged(self.path)

    def undone(self, undo: bytes) -> bytes:
        """Return the file as SQLite leaves it."""
        assert self.found(undo) is None
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        return self.path.read_bytes()

    def records(self) -> Mapping[int, int]:
        """Return where the record of each page begins, if all stand behind one header."""
        places = range(SECTOR, len(self.undo), self.size + 8)
        return {int.from_bytes(self.undo[at : at + 4], "big"): at for at in places}


def half_done(folder: Path, size: int, segments: int = 1, *, first: bool = True) -> Half:
    """Return a write that was cut short, and that has met a full memory so many times: each ends a segment."""
    path = folder / "file.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {size}")
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("CREATE TABLE found (a INTEGER PRIMARY KEY, b BLOB)")
        rows = [(n, bytes([n + 1]) * (size // 3)) for n in range(58)]
        connection.executemany("INSERT INTO found VALUES (?, ?)", rows)
        before = path.read_bytes()
        connection.execute("PRAGMA cache_size = 10")
        connection.execute("BEGIN")
        if first:
            connection.execute("PRAGMA user_version = 7")  # so that the first page is among them
        number, undo = 0, b""
        while undo.count(MAGIC) < segments:
            connection.execute("UPDATE found SET b = zeroblob(?) WHERE a = ?", (size // 3, number))
            number, undo = number + 1, path.with_name("file.db-journal").read_bytes()
        main = path.read_bytes()
        connection.execute("ROLLBACK")
    # What was not synced yet isn't there: SQLite has not touched those pages.
    undo = undo[: undo.rindex(MAGIC)] + _segment(undo[undo.rindex(MAGIC) :], size)
    pages = {at // size + 1: before[at : at + size] for at in range(0, len(before), size)}
    return Half(path=folder / "half.db", size=size, main=main, undo=undo, pages=pages)


def _segment(undo: bytes, size: int) -> bytes:
    """Return what is there up to the last record that the header counts."""
    return undo[: SECTOR + int.from_bytes(undo[8:12], "big") * (size + 8)]
