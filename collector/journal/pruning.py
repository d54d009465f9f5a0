"""What goes when the journal is pruned, day by day and some rows a transaction: no writer waits long."""

import sqlite3
from collections.abc import Sequence

from collector.journal import cursors
from collector.journal.database import Database
from collector.journal.schema import DAY

CHUNK = 10_000
"""Rows that go in one transaction at the most."""
_KEPT = ("*_daily", "exposure_spike", "exposure_annotation")
_OLD = f"""SELECT p.id FROM point p CROSS JOIN series s ON s.id = p.series
    WHERE p.time / {DAY} = ? AND p.time < ? AND p.id < ? AND NOT ({" OR ".join(["s.measurement GLOB ?"] * len(_KEPT))})
    LIMIT ?"""


def prune(database: Database, before: int, consumers: Sequence[str]) -> int:
    """Delete the rows of a time before `before` (ms) that every one of `consumers` has taken; return how many went.

    Daily, spike and annotation points stay.
    """
    gone = 0
    day = _day_after(database, -1, before)
    while day is not None:
        went = _delete(database, day, before, consumers)
        gone += went
        if went < CHUNK:
            day = _day_after(database, day, before)
    return gone


def _day_after(database: Database, day: int, before: int) -> int | None:
    """Return the next day that has rows, None when that is past `before`."""
    with database.reading() as connection:
        found: int | None = connection.execute(
            f"SELECT min(time / {DAY}) FROM point WHERE time / {DAY} > ? AND time / {DAY} <= ?", (day, before // DAY)
        ).fetchone()[0]
    return found


def _delete(database: Database, day: int, before: int, consumers: Sequence[str]) -> int:
    went = 0
    with database.writing() as connection:
        # Asked in each transaction: a person may move a cursor back meanwhile.
        taken = cursors.taken(connection, consumers)
        for row in connection.execute(_OLD, (day, before, taken, *_KEPT, CHUNK)).fetchall():
            try:
                went += connection.execute("DELETE FROM point WHERE id = ?", row).rowcount
            except sqlite3.DatabaseError as error:
                # A flipped bit: the row and its entry in the index no longer belong together. It stays, alone.
                if error.sqlite_errorcode != sqlite3.SQLITE_CORRUPT_INDEX:
                    raise
    return went
