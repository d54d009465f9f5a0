"""Where in the order of rows a moment begins: what a cursor has to be moved back to. Is not a reader of rows."""

from collector.journal.database import Database
from collector.journal.days import following
from collector.journal.schema import DAY
from collector.point import MAX_TIME

_SPAN = 50_000
"""Entries of the index that one view looks at, at the most."""
# By the index alone, which holds day, series, time and id.
_FOUND = f"""SELECT id, series, time FROM point
    WHERE time / {DAY} = ? AND (series, time) > (?, ?) AND time >= ? AND id < ?
    ORDER BY series, time LIMIT ?"""


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
    while True:
        with database.reading() as connection:
            found = connection.execute(_FOUND, (day, *after, since, before, _SPAN)).fetchall()
        before = min((id_ for id_, _, _ in found), default=before)
        if len(found) < _SPAN:
            return before
        after = found[-1][1:]
