"""What is asked across many series at once: their points, and their scores as mere numbers.

For who derives from scores, and needs no point of what it only looks at. Each row proves itself as everywhere; where
one doesn't, or can't be read, the way is the one by points, which says so.
"""

import json
import sqlite3
import struct
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from collector.batch import Row
from collector.journal import past
from collector.journal.codec import proven
from collector.journal.database import Database
from collector.journal.rows import Rows
from collector.journal.schema import DAY
from collector.point import MAX_TIME, Point, Series

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


class Across:
    """Asks a journal's file. Any thread may call; every method raises JournalError when the file can't be used."""

    def __init__(self, database: Database, rows: Rows) -> None:
        self._database = database
        self._rows = rows

    def histories(self, every: Collection[Series], since: int, until: int) -> Sequence[Point]:
        """Return the points of all these series from `since` to before `until` (ms), in the order of time."""
        with self._database.reading() as connection:
            wanted = self._rows.names.numbered(connection, every)
            return [row.point for row in past.between(connection, self._rows, wanted, since, until)]

    def newest(self, every: Collection[Series], until: int = MAX_TIME) -> Sequence[Point]:
        """Return the newest point before `until` (ms) of each of these series that has one, also ahead of the clock."""
        with self._database.reading() as connection:
            wanted = self._rows.names.numbered(connection, every)
            return [row.point for row in past.latest(connection, self._rows, wanted, 0, until)]

    def before(self, asked: Mapping[int, Sequence[Series]]) -> Mapping[int, Mapping[Series, Score]]:
        """Return by each moment (ms) the newest score of its series at or before it, at most a day older."""
        with self._database.reading() as connection:
            return {moment: self._before(connection, every, moment) for moment, every in asked.items()}

    def of_day(self, every: Sequence[Series], day: int) -> Mapping[Series, Sequence[Score]]:
        """Return the scores of a day (its number since 1970) of each series that has any, in the order of time."""
        found: defaultdict[Series, list[Score]] = defaultdict(list)
        with self._database.reading() as connection:
            try:
                for series, score in _scores(connection, self._rows, every, _OF_DAY, (day,)):
                    found[series].append(score)
            except (_Damaged, sqlite3.DatabaseError):
                found.clear()
                wanted = self._rows.names.numbered(connection, every)
                for row in past.between(connection, self._rows, wanted, day * DAY, (day + 1) * DAY):
                    found[row.point.series].append(_of(row))
        return {series: sorted(scores) for series, scores in found.items()}

    def _before(self, connection: sqlite3.Connection, every: Sequence[Series], moment: int) -> Mapping[Series, Score]:
        try:
            return dict(_scores(connection, self._rows, every, _BEFORE, (moment // DAY, moment)))
        except (_Damaged, sqlite3.DatabaseError):
            whole = past.before(connection, self._rows, [(series, moment) for series in every])
            return {row.point.series: _of(row) for row in whole if row is not None}


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
