"""Points to rows and back. What is damaged is left out, alone, and named once: a line for all that one look met.

Every method runs inside a transaction of the caller's.
"""

import json
import math
import sqlite3
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import TypeVar
from zlib import crc32

from collector.batch import Batch, Columns, Filter, Row, Shape
from collector.journal.codec import WHOLE, Damaged, Read, key_bytes, reader
from collector.journal.harm import Harm, log
from collector.journal.names import Names
from collector.journal.shapes import Shapes
from collector.point import Point, Series, Value

Raw = tuple[int, int, int, int, bytes]
"""id, series, time, shape, data: a row as SQLite gives it."""
_COLUMNS = "p.id, p.series, p.time, p.shape, p.data"
_INSERT = "INSERT OR REPLACE INTO point (id, series, time, shape, data) VALUES (?, ?, ?, ?, ?)"
_TOGETHER = 50
"""Rows that one statement inserts: of more, each costs no less."""
_INSERT_TOGETHER = _INSERT + ", (?, ?, ?, ?, ?)" * (_TOGETHER - 1)
_UNREADABLE = 256
"""Rows that one look leaves out at the most because the file can't be read where they stand: about two pages."""

_Found = TypeVar("_Found")


class Rows:
    """Encodes and decodes rows, by id. `tell` is called, instead of the log, once for each thing that is damaged."""

    def __init__(self, tell: Callable[[str], object] | None = None) -> None:
        self.names = Names()
        self.shapes = Shapes()
        self._tell = tell
        self._damaged: set[str] = set()
        self._news: list[Harm] = []

    def encoded(self, connection: sqlite3.Connection, id_: int, point: Point) -> Raw:
        """Return the row that `point` becomes."""
        (number,) = self.names.numbers(connection, [point.series])
        return self._encoded(connection, id_, number, point)

    def append(self, connection: sqlite3.Connection, first: int, points: Sequence[Point]) -> None:
        """Let each point have a new row, from the id `first` on; the row of the same identity goes."""
        self.names.begin()
        numbers = self.names.numbers(connection, [point.series for point in points])
        numbered = zip(numbers, points, strict=True)
        insert(
            connection,
            [self._encoded(connection, id_, number, point) for id_, (number, point) in enumerate(numbered, first)],
        )

    def _encoded(self, connection: sqlite3.Connection, id_: int, number: int, point: Point) -> Raw:
        packer = self.shapes.packer(connection, point.fields)
        return id_, number, point.time, packer.number, packer.packed(id_, number, point.time, point.fields)

    def between(self, connection: sqlite3.Connection, start: int, end: int, limit: int, wanted: Filter) -> Batch:
        """Return the first `limit` wanted rows from `start` to before `end` (ids), and up to which id that is all."""
        clause, values = matching(wanted)
        statement = f"SELECT {_COLUMNS} FROM point p {clause} p.id >= ? AND p.id <= ? ORDER BY p.id LIMIT ?"

        def fetch(ids: Sequence[int]) -> list[Raw]:
            return connection.execute(statement, (*values, ids[0], ids[-1], limit)).fetchall()

        with self._look():
            found = self._readable(range(start, end), fetch, limit)[:limit]
            after = found[-1][0] + 1 if len(found) == limit else end
            return Batch(self._whole(connection, found), after, len(found))

    def count(self, connection: sqlite3.Connection, start: int, end: int, wanted: Filter) -> int:
        """Return how many rows from `start` to before `end` (ids) are wanted."""
        clause, values = matching(wanted)
        statement = f"SELECT count(*) FROM point p {clause} p.id >= ? AND p.id <= ?"

        def fetch(ids: Sequence[int]) -> list[tuple[int]]:
            return connection.execute(statement, (*values, ids[0], ids[-1])).fetchall()

        with self._look():
            return sum(count for (count,) in self._readable(range(start, end), fetch))

    def first(self, connection: sqlite3.Connection, start: int, end: int, wanted: Filter) -> int | None:
        """Return the time (ms) of the first wanted row from `start` to before `end` (ids), None where there is none."""
        limit = 1
        while start < end:
            batch = self.between(connection, start, end, limit, wanted)
            if batch.columns.times:
                return batch.columns.times[0]
            # What was damaged there tells no time.
            start, limit = batch.after, 2 * limit
        return None

    def these(self, connection: sqlite3.Connection, ids: Sequence[int]) -> Sequence[Row]:
        """Return the rows of `ids`, in that order."""
        # CROSS JOIN: the order of the ids leads.
        statement = f"SELECT {_COLUMNS} FROM json_each(?) wanted CROSS JOIN point p ON p.id = wanted.value"

        def fetch(ids: Sequence[int]) -> list[Raw]:
            return connection.execute(statement, (json.dumps(ids),)).fetchall()

        with self._look():
            return self._whole(connection, self._readable(ids, fetch)).rows()

    def decoded(self, connection: sqlite3.Connection, raw: Iterable[Raw]) -> Sequence[Row]:
        """Return the rows that are what was written, in the order given."""
        with self._look():
            return self._whole(connection, raw).rows()

    def _readable(
        self, ids: Sequence[int], fetch: Callable[[Sequence[int]], Sequence[_Found]], limit: float = math.inf
    ) -> list[_Found]:
        """Return what `fetch` gives for `ids`, at least `limit` if there are so many.

        Where the file can't be read the ids are halved until the bad rows stand alone.
        """
        found: list[_Found] = []
        unreadable = 0
        parts = [ids] if ids else []
        while parts and len(found) < limit:
            part = parts.pop()
            try:
                found += fetch(part)
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_CORRUPT or unreadable == _UNREADABLE:
                    raise
                middle = len(part) // 2
                if middle:
                    parts += [part[middle:], part[:middle]]
                else:
                    unreadable += 1
                    self._name(Damaged(f"row {part[0]}", "it can't be read"), row=part[0])
        return found

    def _whole(self, connection: sqlite3.Connection, raw: Iterable[Raw]) -> Columns:
        """Return those that are what was written. No point is made, and each name is looked for once."""
        known = _Known(partial(self.names.series, connection))
        forms = _Known(partial(self._form, connection))
        ids: list[int] = []
        every: list[Series] = []
        times: list[int] = []
        shapes: list[Shape] = []
        values: list[tuple[Value, ...]] = []
        for id_, number, time, shape, data in raw:
            # What `proven` does, without a call for each of a million rows.
            try:
                whole = crc32(data, crc32(key_bytes(id_, number, time, shape))) == WHOLE
                if whole:
                    series = known[number]
                    fields, read = forms[shape]
                    values.append(read(data))
            except Damaged as damage:
                self._name(damage, row=id_, series=number, time=time)
                continue
            except (struct.error, TypeError):
                # A flipped bit can make NULL or a text of a number, and a text of the bytes.
                whole = False
            if not whole:
                self._name(Damaged(f"row {id_}", "the checksum differs"), row=id_, series=number, time=time)
                continue
            ids.append(id_)
            every.append(series)
            times.append(time)
            shapes.append(fields)
        return Columns(ids, every, times, shapes, values)

    def _form(self, connection: sqlite3.Connection, shape: int) -> tuple[Shape, Read]:
        fields = self.shapes.shape(connection, shape)
        return fields, reader(fields)

    def _name(self, damage: Damaged, **where: object) -> None:
        if damage.what not in self._damaged:
            self._damaged.add(damage.what)
            self._news.append(Harm(damage.what, str(damage), where))

    @contextmanager
    def _look(self) -> Iterator[None]:
        """Say, at the end, what was met for the first time."""
        try:
            yield
        finally:
            news, self._news = self._news, []
            if self._tell is None:
                log(news)
            else:
                for harm in news:
                    self._tell(harm.what)


class _Known(dict[int, _Found]):
    """What is found by a number, kept for one look."""

    def __init__(self, find: Callable[[int], _Found]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, number: int) -> _Found:
        found = self[number] = self._find(number)
        return found


def insert(connection: sqlite3.Connection, rows: Sequence[Raw]) -> None:
    """Insert rows in their order inside the caller's transaction; the row of the same identity goes."""
    # Many a statement: SQLite looks up and writes back the last id at each of them.
    whole = len(rows) - len(rows) % _TOGETHER
    for start in range(0, whole, _TOGETHER):
        connection.execute(_INSERT_TOGETHER, tuple(chain.from_iterable(rows[start : start + _TOGETHER])))
    connection.executemany(_INSERT, rows[whole:])


def delete(connection: sqlite3.Connection, ids: Iterable[int]) -> int:
    """Delete rows inside the caller's transaction; return how many went. One that is damaged may stay, alone."""
    went = 0
    for id_ in ids:
        try:
            went += connection.execute("DELETE FROM point WHERE id = ?", (id_,)).rowcount
        except sqlite3.DatabaseError as error:
            # A flipped bit: the row and its entry in the index no longer belong together.
            if error.sqlite_errorcode != sqlite3.SQLITE_CORRUPT_INDEX:
                raise
    return went


def matching(wanted: Filter) -> tuple[str, tuple[str, ...]]:
    """Return the join and the start of the condition that `wanted` stands for, and its values."""
    if wanted == Filter():
        return "WHERE", ()
    # CROSS JOIN: the order of the rows leads, whatever the planner makes of the filter.
    patterns = tuple(pattern.replace("[!", "[^") for pattern in wanted.measurements)
    any_of = " OR ".join(["s.measurement GLOB ?"] * len(patterns)) or "0"
    clause = f"CROSS JOIN series s ON s.id = p.series WHERE ({any_of}) AND"
    if wanted.tenants is None:
        return clause, patterns
    return f"{clause} s.tenant IN ({', '.join('?' * len(wanted.tenants))}) AND", patterns + wanted.tenants
