"""Points to rows and back. What is damaged is left out, alone, and named once: a line for all that one look met.

Every method runs inside a transaction of the caller's.
"""

import json
import math
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import TypeVar

from collector.batch import Filter, Row
from collector.journal.codec import Damaged, Key, decode
from collector.journal.harm import Harm, log
from collector.journal.names import Names
from collector.point import Point

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
        self._tell = tell
        self._damaged: set[str] = set()
        self._news: list[Harm] = []

    def encoded(self, connection: sqlite3.Connection, id_: int, point: Point) -> Raw:
        """Return the row that `point` becomes."""
        series = self.names.number(connection, point.series)
        packer = self.names.shapes.packer(connection, point.fields)
        return id_, series, point.time, packer.number, packer.packed(id_, series, point.time, point.fields)

    def append(self, connection: sqlite3.Connection, first: int, points: Sequence[Point]) -> None:
        """Let each point have a new row, from the id `first` on; the row of the same identity goes."""
        self.names.begin()
        insert(connection, [self.encoded(connection, id_, point) for id_, point in enumerate(points, first)])

    def between(
        self, connection: sqlite3.Connection, start: int, end: int, limit: int, wanted: Filter
    ) -> tuple[list[Row], int]:
        """Return the first `limit` wanted rows from `start` to before `end` (ids), and up to which id that is all."""
        clause, values = matching(wanted)
        statement = f"SELECT {_COLUMNS} FROM point p {clause} p.id >= ? AND p.id <= ? ORDER BY p.id LIMIT ?"

        def fetch(ids: Sequence[int]) -> list[Raw]:
            return connection.execute(statement, (*values, ids[0], ids[-1], limit)).fetchall()

        with self._look():
            found = self._readable(range(start, end), fetch, limit)[:limit]
            return self._whole(connection, found), found[-1][0] + 1 if len(found) == limit else end

    def count(self, connection: sqlite3.Connection, start: int, end: int, wanted: Filter) -> tuple[int, int | None]:
        """Return how many rows from `start` to before `end` (ids) are wanted, and the time (ms) of the first."""
        clause, values = matching(wanted)
        # SQLite gives the column beside a min() from the row that has it.
        statement = f"SELECT count(*), min(p.id), p.time FROM point p {clause} p.id >= ? AND p.id <= ?"

        def fetch(ids: Sequence[int]) -> list[tuple[int, int | None, int | None]]:
            return connection.execute(statement, (*values, ids[0], ids[-1])).fetchall()

        with self._look():
            found = self._readable(range(start, end), fetch)
        return sum(count for count, _, _ in found), next((time for count, _, time in found if count), None)

    def these(self, connection: sqlite3.Connection, ids: Sequence[int]) -> list[Row]:
        """Return the rows of `ids`, in that order."""
        # CROSS JOIN: the order of the ids leads.
        statement = f"SELECT {_COLUMNS} FROM json_each(?) wanted CROSS JOIN point p ON p.id = wanted.value"

        def fetch(ids: Sequence[int]) -> list[Raw]:
            return connection.execute(statement, (json.dumps(ids),)).fetchall()

        with self._look():
            return self._whole(connection, self._readable(ids, fetch))

    def decoded(self, connection: sqlite3.Connection, raw: Iterable[Raw]) -> list[Row]:
        """Return the rows that are what was written, in the order given."""
        with self._look():
            return self._whole(connection, raw)

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

    def _whole(self, connection: sqlite3.Connection, raw: Iterable[Raw]) -> list[Row]:
        rows = []
        for id_, series, time, shape, data in raw:
            try:
                fields = decode(Key(id_, series, time, shape), self.names.shape(connection, shape), data)
                rows.append(Row(id_, Point(self.names.series(connection, series), time, fields)))
            except Damaged as damage:
                self._name(damage, row=id_, series=series, time=time)
        return rows

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
