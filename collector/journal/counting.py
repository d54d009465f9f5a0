"""How many rows there are, counted a span a view: no writer waits long for it.

To count costs by the rows, 0.1 s a million. Who only shows a figure gets it by a part of them, where they are many.
"""

import sqlite3

from collector.batch import Backlog, Filter
from collector.journal.database import Database
from collector.journal.rows import Rows

SPAN = 50_000
"""Rows that one view looks at, at the most: one that stays open keeps every writer waiting."""

EXACT = 125_000
"""The newest rows, which are counted also where a figure is only shown."""
_SIZE = 5_000
"""Rows that stand for a part of the older ones; the parts are"""
_PART = 6
"""a sixth of what is left, each: of a pruned journal most is at the tail."""


def count(database: Database, rows: Rows, ids: range, wanted: Filter) -> Backlog:
    """Return what is wanted of the rows of some ids."""
    points, oldest, start = 0, None, ids.start
    while start < ids.stop:
        with database.reading() as connection:
            end = min(first_row(connection, start, ids.stop) + SPAN, ids.stop)
            found = rows.count(connection, start, end, wanted)
            if found and oldest is None:
                oldest = rows.first(connection, start, end, wanted)
        points += found
        start = end
    return Backlog(points, oldest)


def gauge(database: Database, rows: Rows, ids: range, wanted: Filter) -> Backlog:
    """Return about what is wanted of the rows of some ids; none, few, or not many more than `EXACT`: exactly that."""
    with database.reading() as connection:
        start = first_row(connection, ids.start, ids.stop)
    if ids.stop - start <= 2 * EXACT:
        return count(database, rows, range(start, ids.stop), wanted)
    points, begin = 0.0, start
    while ids.stop - begin > EXACT:
        part = (ids.stop - begin) // _PART
        middle = begin + (part - _SIZE) // 2
        with database.reading() as connection:
            points += rows.count(connection, middle, middle + _SIZE, wanted) * part / _SIZE
        begin += part
    points += count(database, rows, range(begin, ids.stop), wanted).points
    if points < EXACT:
        # They are few and far between; that there is nothing is to be sure.
        return count(database, rows, range(start, ids.stop), wanted)
    return Backlog(round(points), _first_time(database, rows, range(start, ids.stop), wanted), exact=False)


def _first_time(database: Database, rows: Rows, ids: range, wanted: Filter) -> int | None:
    """Return the time (ms) of the first wanted row of some ids."""
    for start in range(ids.start, ids.stop, _SIZE):
        with database.reading() as connection:
            first = rows.first(connection, start, min(start + _SIZE, ids.stop), wanted)
        if first is not None:
            return first
    return None


def first_row(connection: sqlite3.Connection, start: int, tail: int) -> int:
    """Return the id of the first row from `start` on, `tail` where there is none."""
    row = connection.execute("SELECT min(id) FROM point WHERE id >= ?", (start,)).fetchone()
    return tail if row[0] is None else int(row[0])
