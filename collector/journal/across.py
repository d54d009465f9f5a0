"""What is asked across many series at once: their points, and their scores as mere numbers.

For who derives from scores, and needs no point of what it only looks at. Each row proves itself as everywhere; where
one doesn't, or can't be read, the way is the one by points, which says so.
"""

import json
import sqlite3
import struct
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from zlib import crc32

from collector.batch import Row
from collector.journal import cursors, past
from collector.journal.codec import WHOLE, key_bytes
from collector.journal.counting import SPAN
from collector.journal.database import Database
from collector.journal.rows import Raw, Rows
from collector.journal.schema import DAY
from collector.point import MAX_TIME, Point, Series

Score = tuple[int, float]
"""A time (ms), and the score at it."""

_FIELD = "score"
_FLOAT = struct.Struct("<d").unpack_from
_COLUMNS = "p.id, p.series, p.time, p.shape, p.data"
# As in `past.py`, of one moment for all.
_BEFORE = f"""SELECT {_COLUMNS} FROM json_each(?1) wanted CROSS JOIN point p ON p.id = coalesce(
        (SELECT id FROM point WHERE time / {DAY} = ?2 AND series = wanted.value AND time <= ?3
            ORDER BY time DESC LIMIT 1),
        (SELECT id FROM point WHERE time / {DAY} = ?2 - 1 AND series = wanted.value AND time >= ?3 - {DAY}
            ORDER BY time DESC LIMIT 1))"""
_WHOSE = """SELECT DISTINCT s.measurement, s.tenant FROM (SELECT DISTINCT series FROM point WHERE id >= ?) its
    CROSS JOIN series s ON s.id = its.series"""
_OF_DAY = f"""SELECT {_COLUMNS} FROM json_each(?1) wanted
    CROSS JOIN point p ON p.time / {DAY} = ?2 AND p.series = wanted.value"""
_FIRST = f"SELECT id FROM point WHERE time / {DAY} = ? AND series = ? AND time BETWEEN ? AND ?"
_FROM = f"SELECT {_COLUMNS} FROM point p WHERE p.id >= ? ORDER BY p.id LIMIT ?"
_SHORT, _PATIENCE = 8, 4
"""A few stretches more than one for so many rows, and the rows are looked up one by one."""


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

    def earlier(self, every: Sequence[Series], moments: Sequence[int]) -> Sequence[Sequence[Score | None]]:
        """Return for each of the moments the newest score of each of the series, in their order; as `before` does.

        Where they were polled at the moment itself, in this order, it is one look for all of them.
        """
        with self._database.reading() as connection:
            asked = [(self._rows.names.known_number(connection, series), series) for series in every]
            return [self._earlier(connection, asked, moment) for moment in moments]

    def named(self, every: Iterable[Series]) -> Collection[Series]:
        """Return those of the series that the journal knows: which ever had a point."""
        with self._database.reading() as connection:
            return [series for _, series in self._rows.names.numbered(connection, every)]

    def begun(self, every: Collection[Series], until: int) -> Collection[Series]:
        """Return those of the series that have a row before `until` (ms); nothing is read of what it holds."""
        with self._database.reading() as connection:
            wanted = dict(self._rows.names.numbered(connection, every))
            return [wanted[number] for number in past.begun(connection, wanted, until)]

    def whose(self, since: int) -> Collection[tuple[str, str]] | None:
        """Return the measurements and tenants of the rows from the id `since` on; None where those are very many."""
        with self._database.reading() as connection:
            if cursors.tail(connection) - since > SPAN:
                return None
            return set(connection.execute(_WHOSE, (since,)))

    def of_day(self, every: Sequence[Series], day: int) -> Mapping[Series, Sequence[Score]]:
        """Return the scores of a day (its number since 1970) of each series that has any, in the order of time."""
        found: defaultdict[Series, list[Score]] = defaultdict(list)
        with self._database.reading() as connection:
            wanted = dict(self._rows.names.numbered(connection, every))
            try:
                raw = connection.execute(_OF_DAY, (json.dumps(list(wanted)), day))
                for number, time, score in _scores(connection, self._rows, raw):
                    found[wanted[number]].append((time, score))
            except (_Damaged, sqlite3.DatabaseError):
                found.clear()
                for row in past.between(connection, self._rows, [*wanted.items()], day * DAY, (day + 1) * DAY):
                    found[row.point.series].append(_of(row))
        return {series: sorted(scores) for series, scores in found.items()}

    def _before(self, connection: sqlite3.Connection, every: Sequence[Series], moment: int) -> Mapping[Series, Score]:
        wanted = dict(self._rows.names.numbered(connection, every))
        found = self._newest(connection, wanted, moment)
        return {wanted[number]: score for number, score in found.items()}

    def _newest(self, connection: sqlite3.Connection, wanted: Mapping[int, Series], moment: int) -> Mapping[int, Score]:
        """Return the newest score at or before a moment of each series that has one, by its number."""
        asked = json.dumps(list(wanted))
        try:
            raw = connection.execute(_BEFORE, (asked, moment // DAY, moment))
            found = _scores(connection, self._rows, raw)
            return {number: (time, score) for number, time, score in found}
        except (_Damaged, sqlite3.DatabaseError):
            whole = past.before(connection, self._rows, [(series, moment) for series in wanted.values()])
            return {number: _of(row) for number, row in zip(wanted, whole, strict=True) if row is not None}

    def _earlier(
        self, connection: sqlite3.Connection, every: Sequence[tuple[int | None, Series]], moment: int
    ) -> Sequence[Score | None]:
        found: Sequence[Score | None]
        try:
            found = _polled(connection, self._rows, [number for number, _ in every], moment)
        except (_Damaged, sqlite3.DatabaseError):
            found = [None] * len(every)
        if None not in found:
            return found
        asked = {number: series for (number, series), its in zip(every, found, strict=True) if its is None and number}
        rest = self._newest(connection, asked, moment)
        return [
            rest.get(number) if its is None and number else its for (number, _), its in zip(every, found, strict=True)
        ]


def _scores(connection: sqlite3.Connection, rows: Rows, raw: Iterable[Raw]) -> Iterator[tuple[int, int, float]]:
    """Yield the number of the series, time and score of each row."""
    known = place = -1
    try:
        for id_, number, time, shape, data in raw:
            if shape != known:
                known, place = shape, rows.shapes.place(connection, shape, _FIELD)
            if place < 0 or crc32(data, crc32(key_bytes(id_, number, time, shape))) != WHOLE:
                raise _Damaged
            yield number, time, _FLOAT(data, place)[0]
    except (struct.error, TypeError):
        # A flipped bit can cut the bytes short, and make NULL or a text of a number.
        raise _Damaged from None


def _polled(
    connection: sqlite3.Connection, rows: Rows, numbers: Sequence[int | None], moment: int
) -> Sequence[Score | None]:
    """Return what the series have at the moment itself, as far as their rows stand one behind the other in this order.

    No other sample can be the newest at or before it.
    """
    found: list[Score | None] = []
    stretches = 0
    while len(found) < len(numbers) and stretches <= _PATIENCE + len(found) // _SHORT:
        at = len(found)
        stretches += 1
        # A range, not `time = ?`: SQLite would no longer know the index.
        first = connection.execute(_FIRST, (moment // DAY, numbers[at], moment, moment)).fetchone()
        if first is not None:
            raw = connection.execute(_FROM, (first[0], len(numbers) - at))
            found += [(time, score) for _, time, score in _scores(connection, rows, _ours(raw, numbers[at:], moment))]
        if len(found) == at:
            found.append(None)
    return found + [None] * (len(numbers) - len(found))


def _ours(raw: Iterable[Raw], numbers: Sequence[int | None], moment: int) -> Iterator[Raw]:
    """Yield rows as long as they are of these series at the moment: what is said of a poll stands behind them."""
    for row, number in zip(raw, numbers, strict=False):
        if row[1] != number or row[2] != moment:
            return
        yield row


def _of(row: Row) -> Score:
    return row.point.time, float(row.point.fields[_FIELD])
