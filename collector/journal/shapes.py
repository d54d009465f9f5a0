"""The shapes that rows of the journal have, by number and back: there are few, and all in use are kept in memory."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress

from collector.batch import Shape
from collector.journal.codec import FLOAT_BYTES, Damaged, checksum, shape_of
from collector.journal.numbers import new_number
from collector.journal.packing import Packer
from collector.point import Value


class Shapes:
    """Learnt as they are asked for. Every method runs inside a transaction of the caller's."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Learn all anew: what was learnt may not stand in the file."""
        self._shapes: dict[int, Shape] = {}
        self._numbers: dict[Shape, int] = {}
        self._packers: dict[tuple[object, ...], Packer] = {}
        """By the names of a point's fields and the types of their values."""

    def packer(self, connection: sqlite3.Connection, fields: Mapping[str, Value]) -> Packer:
        """Return what packs the fields of a point; their shape gets a new number where it has none."""
        # By the very types: of a subclass it has yet to be told what it is in a row.
        known = *fields, *map(type, fields.values())
        packer = self._packers.get(known)
        if packer is None:
            shape = shape_of(fields)
            packer = self._packers[known] = Packer(self._number(connection, shape), shape)
        return packer

    def _number(self, connection: sqlite3.Connection, shape: Shape) -> int:
        """Return the shape's number, a new one where it has none."""
        known = self._numbers.get(shape)
        if known is not None:
            return known
        last = 0
        for last, *row in connection.execute("SELECT id, fields, crc FROM shape ORDER BY id"):
            with suppress(Damaged):
                self._keep_shape(last, row)
        return self._numbers.get(shape) or self._add_shape(connection, last, shape)

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

    def _add_shape(self, connection: sqlite3.Connection, last: int, shape: Shape) -> int:
        number = new_number(connection, "shape", last)
        fields = json.dumps(shape, separators=(",", ":"))
        row = (fields, checksum(number, fields))
        connection.execute("INSERT INTO shape (id, fields, crc) VALUES (?, ?, ?)", (number, *row))
        self._shapes[number] = shape
        self._numbers[shape] = number
        return number

    def _keep_shape(self, number: int, row: Sequence[object] | None) -> Shape:
        if row is None:
            raise Damaged(f"shape {number}", "it is gone")
        fields, crc = str(row[0]), row[1]
        if checksum(number, fields) != crc:
            raise Damaged(f"shape {number}", "the checksum differs")
        shape = tuple((name, kind) for name, kind in json.loads(fields))
        self._shapes[number] = shape
        self._numbers[shape] = number
        return shape
