"""How many rows there are, counted a span a view: no writer waits long for it."""

import sqlite3

from collector.batch import Backlog, Filter
from collector.journal.database import Database
from collector.journal.rows import Rows

SPAN = 50_000
"""Rows that one view looks at, at the most: one that stays open keeps every writer waiting."""


def count(database: Database, rows: Rows, ids: range, wanted: Filter) -> Backlog:
    """Return what is wanted of the rows of some ids."""
    points, oldest, start = 0, None, ids.start
    while start < ids.stop:
        with database.reading() as connection:
            end = min(first_row(connection, start, ids.stop) + SPAN, ids.stop)
            found, first = rows.count(connection, start, end, wanted)
        points += found
        oldest = first if oldest is None else oldest
        start = end
    return Backlog(points, oldest)


def first_row(connection: sqlite3.Connection, start: int, tail: int) -> int:
    """Return the id of the first row from `start` on, `tail` where there is none."""
    row = connection.execute("SELECT min(id) FROM point WHERE id >= ?", (start,)).fetchone()
    return tail if row[0] is None else int(row[0])
