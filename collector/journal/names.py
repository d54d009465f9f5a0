"""The numbers that stand for series and shapes in the journal, learnt once and kept in memory.

A row of names that doesn't prove whole is never used for a new point: what is damaged stays behind, and what comes
after it is well.
"""

import json
import sqlite3
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress

from collector.journal.codec import FLOAT_BYTES, Damaged, Shape, checksum
from collector.journal.packing import Packer
from collector.point import Series

_SERIES = "SELECT id, measurement, tenant, tags, crc FROM series"
_MOST = 1 << 50
"""A greater number on record is damaged: nobody has given so many."""


class Names:
    """Series and shapes by number and back. Every method runs inside a transaction of the caller's."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Learn all anew: what was learnt may not stand in the file."""
        self._series: dict[int, Series] = {}
        self._numbers: dict[Series, int] = {}
        self._shapes: dict[int, Shape] = {}
        self._shape_numbers: dict[Shape, int] = {}
        self.packers: dict[tuple[object, ...], Packer] = {}
        """By the names of a point's fields and the types of their values."""
        self._learnt = 0
        """Up to which number the series were learnt."""

    def number(self, connection: sqlite3.Connection, series: Series) -> int:
        """Return the series' number, a new one where it has none."""
        known = self._numbers.get(series)
        if known is not None:
            return known
        self._learn_series(connection)
        return self._numbers.get(series) or self._add_series(connection, series)

    def known_number(self, connection: sqlite3.Connection, series: Series) -> int | None:
        """Return the series' number, or None where it has none."""
        if series not in self._numbers:
            if self._learnt:
                # Who writes knows all names: only those that came since then are looked at.
                self._learn_series(connection)
            else:
                self.of_measurement(connection, series.measurement, series.tag("tenant"))
        return self._numbers.get(series)

    def numbered(self, connection: sqlite3.Connection, every: Iterable[Series]) -> Sequence[tuple[int, Series]]:
        """Return those of the series that have a number, by it."""
        found = ((self.known_number(connection, series), series) for series in every)
        return [(number, series) for number, series in found if number is not None]

    def shape_number(self, connection: sqlite3.Connection, shape: Shape) -> int:
        """Return the shape's number, a new one where it has none."""
        known = self._shape_numbers.get(shape)
        if known is not None:
            return known
        last = 0
        for last, *row in connection.execute("SELECT id, fields, crc FROM shape ORDER BY id"):
            with suppress(Damaged):
                self._keep_shape(last, row)
        return self._shape_numbers.get(shape) or self._add_shape(connection, last, shape)

    def series(self, connection: sqlite3.Connection, number: int) -> Series:
        """Return the series of a number; raise Damaged when its row is gone or not what was written."""
        known = self._series.get(number)
        if known is None:
            row = connection.execute(f"{_SERIES} WHERE id = ?", (number,)).fetchone()
            known = self._keep_series(number, row[1:] if row else None)
        return known

    def of_measurement(
        self, connection: sqlite3.Connection, measurement: str, tenant: str | None = None
    ) -> Sequence[tuple[int, Series]]:
        """Return the series of a measurement, of one tenant or of all, by number; damaged ones are left out."""
        found = []
        for number, *row in connection.execute(
            f"{_SERIES} WHERE measurement = ?1 AND (?2 IS NULL OR tenant = ?2)", (measurement, tenant)
        ):
            with suppress(Damaged):
                found.append((number, self._series.get(number) or self._keep_series(number, row)))
        return found

    def shape(self, connection: sqlite3.Connection, number: int) -> Shape:
        """Return the shape of a number; raise Damaged when its row is gone or not what was written."""
        known = self._shapes.get(number)
        if known is None:
            row = connection.execute("SELECT fields, crc FROM shape WHERE id = ?", (number,)).fetchone()
            known = self._keep_shape(number, row)
        return known

    def place(self, connection: sqlite3.Connection, number: int, field: str) -> int:
        """Return at which byte a float stands in the values of a shape; -1 where it has another place in each row."""
        place = 0
        try:
            for name, kind in self.shape(connection, number):
                if kind != "float":
                    return -1
                if name == field:
                    return place
                place += FLOAT_BYTES
        except Damaged:
            return -1
        return -1

    def _learn_series(self, connection: sqlite3.Connection) -> None:
        for number, *row in connection.execute(f"{_SERIES} WHERE id > ? ORDER BY id", (self._learnt,)):
            self._learnt = number
            with suppress(Damaged):
                self._keep_series(number, row)

    def _add_series(self, connection: sqlite3.Connection, series: Series) -> int:
        (first, tenant), *rest = series.tags
        if first != "tenant":
            raise ValueError(f"{series.measurement}: the first tag of a series is its tenant")
        tags = json.dumps(rest, ensure_ascii=False, separators=(",", ":"))
        number = _new(connection, "series", self._learnt)
        row = (series.measurement, tenant, tags, checksum(number, series.measurement, tenant, tags))
        connection.execute(
            "INSERT INTO series (id, measurement, tenant, tags, crc) VALUES (?, ?, ?, ?, ?)", (number, *row)
        )
        self._learnt = number
        self._series[number] = series
        self._numbers[series] = number
        return number

    def _add_shape(self, connection: sqlite3.Connection, last: int, shape: Shape) -> int:
        number = _new(connection, "shape", last)
        fields = json.dumps(shape, separators=(",", ":"))
        row = (fields, checksum(number, fields))
        connection.execute("INSERT INTO shape (id, fields, crc) VALUES (?, ?, ?)", (number, *row))
        self._shapes[number] = shape
        self._shape_numbers[shape] = number
        return number

    def _keep_series(self, number: int, row: Sequence[object] | None) -> Series:
        measurement, tenant, tags = _proven(f"series {number}", number, row)
        # Interned: of 200,000 series most have these texts in common.
        rest = ((sys.intern(key), value) for key, value in json.loads(tags))
        series = Series(sys.intern(measurement), (("tenant", sys.intern(tenant)), *rest))
        self._series[number] = series
        self._numbers[series] = number
        return series

    def _keep_shape(self, number: int, row: Sequence[object] | None) -> Shape:
        (fields,) = _proven(f"shape {number}", number, row)
        shape = tuple((name, kind) for name, kind in json.loads(fields))
        self._shapes[number] = shape
        self._shape_numbers[shape] = number
        return shape


def _new(connection: sqlite3.Connection, table: str, last: int) -> int:
    """Return a number that no row ever had, and put it on record. `last`: the greatest that can be read.

    Where a greater one can't be read any more its points are still there, and are not to become another's.
    """
    row = connection.execute(
        "SELECT seq FROM sqlite_sequence WHERE name = ? AND seq BETWEEN 0 AND ?", (table, _MOST)
    ).fetchone()
    number = max(last, *row or (0,)) + 1
    statement = "UPDATE sqlite_sequence SET seq = ?1 WHERE name = ?2"
    if row is None:
        statement = "INSERT INTO sqlite_sequence (name, seq) VALUES (?2, ?1)"
    connection.execute(statement, (number, table))
    return number


def _proven(what: str, number: int, row: Sequence[object] | None) -> Sequence[str]:
    """Return the texts of a row that ends in its checksum."""
    if row is None:
        raise Damaged(what, "it is gone")
    *values, crc = row
    texts = [str(value) for value in values]
    if checksum(number, *texts) != crc:
        raise Damaged(what, "the checksum differs")
    return texts
