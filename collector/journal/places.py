"""Where in the order of rows a moment begins: what a cursor has to be moved back to. Is not a reader of rows."""

from collector.journal.database import Database
from collector.journal.days import following
from collector.journal.schema import DAY
from collector.point import MAX_TIME

_SPAN = 50_000
"""Entries of the index that one view looks at, at the most."""
_LAST = (2**63 - 1, 2**63 - 1)
# By the index alone, which holds day, series, time and id. What is of an earlier moment counts as looked at, too: to
# pass it over could make a view as long as the day.
_OF_DAY = f"FROM point INDEXED BY point_by_day WHERE time / {DAY} = ? AND (series, time) > (?, ?)"
_END = f"SELECT series, time {_OF_DAY} ORDER BY series, time LIMIT 1 OFFSET ?"
_FIRST = f"SELECT min(id) {_OF_DAY} AND (series, time) <= (?, ?) AND time >= ? AND id < ?"


def first(database: Database, since: int, before: int) -> int:
    """Return the least id below `before` of a row with a time of `since` (ms) or later; `before` where there is none.

    Rows mostly come in the order of time, but what was imported or superseded doesn't: every day counts.
    """
    day = following(database, since // DAY - 1, MAX_TIME // DAY)
    while day is not None:
        before = _first_of_day(database, day, since, before)
        day = following(database, day, MAX_TIME // DAY)
    return before


def _first_of_day(database: Database, day: int, since: int, before: int) -> int:
    after = (-1, 0)
    while after:
        with database.reading() as connection:
            end = connection.execute(_END, (day, *after, _SPAN - 1)).fetchone()
            found = connection.execute(_FIRST, (day, *after, *(end or _LAST), since, before)).fetchone()[0]
        before, after = before if found is None else found, end
    return before
