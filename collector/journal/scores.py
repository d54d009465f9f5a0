"""The scores of many series as numbers: for who derives from them, and needs no point of what it only looks at.

Each row proves itself as everywhere; where one doesn't, or can't be read, the way is the one by points, which says so.
All functions run inside a transaction of the caller's.
"""

import json
import sqlite3
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence

from collector.batch import Row
from collector.journal import past
from collector.journal.codec import proven
from collector.journal.rows import Rows
from collector.journal.schema import DAY
from collector.point import Series

Score = tuple[int, float]
"""A time (ms), and the score at it."""

_FIELD = "score"
_FLOAT = struct.Struct("<d")
_COLUMNS = "p.id, p.series, p.time, p.shape, p.data"
# As in `past.py`, of one moment for all.
_BEFORE = f"""SELECT {_COLUMNS} FROM json_each(?1) wanted CROSS JOIN point p ON p.id = coalesce(
        (SELECT id FROM point WHERE time / {DAY} = ?2 AND series = wanted.value AND time <= ?3
            ORDER BY time DESC LIMIT 1),
        (SELECT id FROM point WHERE time / {DAY} = ?2 - 1 AND series = wanted.value AND time >= ?3 - {DAY}
            ORDER BY time DESC LIMIT 1))"""
_OF_DAY = f"""SELECT {_COLUMNS} FROM json_each(?1) wanted
    CROSS JOIN point p ON p.time / {DAY} = ?2 AND p.series = wanted.value"""


class _Damaged(Exception):
    """A row does not prove itself."""


def before(
    connection: sqlite3.Connection, rows: Rows, asked: Mapping[int, Sequence[Series]]
) -> dict[int, dict[Series, Score]]:
    """Return by each moment (ms) the newest score of its series at or before it, where that is at most a day older."""
    found = {}
    for moment, every in asked.items():
        try:
            found[moment] = dict(_scores(connection, rows, every, _BEFORE, (moment // DAY, moment)))
        except (_Damaged, sqlite3.DatabaseError):
            whole = past.before(connection, rows, [(series, moment) for series in every])
            found[moment] = {row.point.series: _of(row) for row in whole if row is not None}
    return found


def of_day(connection: sqlite3.Connection, rows: Rows, every: Sequence[Series], day: int) -> dict[Series, list[Score]]:
    """Return the scores of a day (its number since 1970) of each series that has any, in the order of time."""
    found: dict[Series, list[Score]] = {}
    try:
        for series, score in _scores(connection, rows, every, _OF_DAY, (day,)):
            found.setdefault(series, []).append(score)
    except (_Damaged, sqlite3.DatabaseError):
        found.clear()
        wanted = rows.names.numbered(connection, every)
        for row in past.between(connection, rows, wanted, day * DAY, (day + 1) * DAY):
            found.setdefault(row.point.series, []).append(_of(row))
    for scores in found.values():
        scores.sort()
    return found


def _scores(
    connection: sqlite3.Connection, rows: Rows, every: Iterable[Series], statement: str, values: tuple[int, ...]
) -> Iterator[tuple[Series, Score]]:
    wanted = dict(rows.names.numbered(connection, every))
    places: dict[int, int] = {}
    unpack = _FLOAT.unpack_from
    for id_, number, time, shape, data in connection.execute(statement, (json.dumps(list(wanted)), *values)):
        if shape not in places:
            places[shape] = rows.names.place(connection, shape, _FIELD)
        place = places[shape]
        if place < 0 or not proven((id_, number, time, shape), data):
            raise _Damaged
        yield wanted[number], (time, unpack(data, place)[0])


def _of(row: Row) -> Score:
    return row.point.time, float(row.point.fields[_FIELD])
