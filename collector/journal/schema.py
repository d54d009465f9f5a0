"""The journal's tables, one step a version, and how a file is recognised as a journal."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from functools import cache

APPLICATION = 0x45585043  # "EXPC"
"""By it a file says that it is a journal."""

DAY = 86_400_000
"""Milliseconds. Rows are indexed by day, then series, then time: a poll's rows fall close together in the index even
when thousands of series are polled, and a series' history is one seek a day."""

STEPS: Sequence[Sequence[str]] = (
    (
        # No index by name: who writes learns all names once, and an index could go on naming a damaged row.
        """CREATE TABLE series (
            id INTEGER PRIMARY KEY, measurement TEXT NOT NULL, tenant TEXT NOT NULL, tags TEXT NOT NULL,
            crc INTEGER NOT NULL) STRICT""",
        "CREATE TABLE shape (id INTEGER PRIMARY KEY, fields TEXT NOT NULL, crc INTEGER NOT NULL) STRICT",
        # AUTOINCREMENT: the id of a row that was superseded at the tail must never come again.
        """CREATE TABLE point (
            id INTEGER PRIMARY KEY AUTOINCREMENT, series INTEGER NOT NULL, time INTEGER NOT NULL,
            shape INTEGER NOT NULL, data BLOB NOT NULL) STRICT""",
        f"CREATE UNIQUE INDEX point_by_day ON point (time / {DAY}, series, time)",
        """CREATE TABLE cursor (
            consumer TEXT PRIMARY KEY, next INTEGER NOT NULL, moves INTEGER NOT NULL, crc INTEGER NOT NULL,
            target TEXT NOT NULL, error TEXT NOT NULL) STRICT""",
        """CREATE TABLE dead_letter (
            id INTEGER PRIMARY KEY AUTOINCREMENT, sink TEXT NOT NULL, row INTEGER NOT NULL, series INTEGER NOT NULL,
            time INTEGER NOT NULL, shape INTEGER NOT NULL, data BLOB NOT NULL, at INTEGER NOT NULL,
            words TEXT NOT NULL) STRICT""",
        "CREATE INDEX dead_letter_by_sink ON dead_letter (sink)",
    ),
)
"""The statements that lead from each version to the next; version 0 is an empty file."""


_DEFINITIONS = "SELECT type, name, tbl_name, sql FROM sqlite_schema"


def version(connection: sqlite3.Connection) -> int | None:
    """Return the version of a journal, 0 for an empty file, None for a database of another application."""
    number: int = connection.execute("PRAGMA user_version").fetchone()[0]
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    empty = not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    return number if empty or owner == APPLICATION else None


def intact(connection: sqlite3.Connection, since: int) -> bool:
    """Whether there is what the version `since` has: nothing, or each table and index by its very definition."""
    found = set(connection.execute(_DEFINITIONS))
    return _definitions(since) <= found if since else not found


@cache
def _definitions(since: int) -> frozenset[tuple[str, ...]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        _take(connection, STEPS[:since])
        return frozenset(connection.execute(_DEFINITIONS))


def bring_up(connection: sqlite3.Connection, since: int) -> None:
    """Take every step from the version `since` on, inside the caller's transaction: all of them or none."""
    _take(connection, STEPS[since:])
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {len(STEPS)}")


def _take(connection: sqlite3.Connection, steps: Sequence[Sequence[str]]) -> None:
    for step in steps:
        for statement in step:
            connection.execute(statement)
