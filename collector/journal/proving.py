"""Whether a journal is sound and takes points, for the doctor. Leaves nothing behind, and mends nothing.

Every row proves by its checksum that it is what was written. They are proven from the newest back, in short views that
let a running service write between them, until all are done or the time is over.
"""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from collector.batch import Filter
from collector.errors import JournalError
from collector.journal import cursors
from collector.journal.database import Database
from collector.journal.rows import Rows

_SPAN = 5_000
"""Rows of one view."""
_QUICK_BYTES = 32 << 20
"""Up to this size the pages of the file are looked at too: that is one view, over in a moment."""
_TRIAL_BYTES = 128 << 10
_TRIAL_PAGES = 8
"""The write that is tried doesn't fit into so many pages of memory: it reaches the disk before it is taken back."""
_EVERYTHING = Filter()


@dataclass(frozen=True, slots=True)
class Proof:
    """`rows`: how many were looked at, from the newest back; `whole`: whether those are all that there are."""

    rows: int
    whole: bool
    damaged: Sequence[str]
    """What isn't as it was written, one by one."""


def prove(database: Database, seconds: float, most: int) -> Proof:
    """Return what was found in at most `seconds`, and about `most` rows. Raise JournalError for an unreadable file."""
    until = time.monotonic() + seconds
    damaged: dict[str, None] = {}
    rows = Rows(lambda what, **_: damaged.setdefault(what))
    with database.reading() as connection:
        end = cursors.tail(connection)
        first = connection.execute("SELECT min(id) FROM point").fetchone()[0] or end
    looked = 0
    while end > first and looked < most and time.monotonic() < until:
        start = max(first, end - _SPAN)
        before = len(damaged)
        with database.reading() as connection:
            found = rows.between(connection, start, end, _SPAN, _EVERYTHING).columns
        looked += len(found) + len(damaged) - before
        end = start
    pages = _pages(database) if database.size() <= _QUICK_BYTES else ()
    return Proof(looked, end <= first, [*damaged, *pages])


def attempt(database: Database) -> None:
    """Return if the file takes a write of 128 KiB now. It is taken back before anybody could see it."""
    try:
        with database.trying() as connection, _little_memory(connection):
            connection.execute(
                "INSERT INTO point (series, time, shape, data) VALUES (0, -1, 0, zeroblob(?))", (_TRIAL_BYTES,)
            )
    except JournalError:
        # What a failed write left is taken back by the next look at the file, and not every process may do that.
        with suppress(JournalError), database.reading():
            pass
        raise


@contextmanager
def _little_memory(connection: sqlite3.Connection) -> Iterator[None]:
    """Let pages go to the disk as soon as they are more than a few."""
    before = connection.execute("PRAGMA cache_size").fetchone()[0]
    connection.execute(f"PRAGMA cache_size = {_TRIAL_PAGES}")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA cache_size = {before}")


def _pages(database: Database) -> Sequence[str]:
    """Return what SQLite says of the file's pages and indexes, nothing when they are well."""
    with database.reading() as connection:
        said = [str(words) for (words,) in connection.execute("PRAGMA integrity_check(3)")]
    return [] if said == ["ok"] else [" ".join(words.split()) for words in said]
