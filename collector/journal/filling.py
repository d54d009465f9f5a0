"""What is sound in a damaged journal, written into a new one. Nothing is believed that doesn't prove itself.

A row keeps its id, its series and its shape; so a cursor means what it meant. The files are `salvage`'s care.
"""

import math
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from collector.journal import schema
from collector.journal.carving import Carving, Cell, Value
from collector.journal.codec import checksum, proven


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What was carried over. `lost`: rows that the damaged file names or holds, and that are not sound."""

    rows: int
    lost: int
    series: int
    cursors: int
    letters: int


def carry(carving: Carving, connection: sqlite3.Connection) -> Carried:
    """Fill the empty tables of a new journal with all that is sound, inside the caller's transaction."""
    return _Filling(connection, carving).run()


def ours(carving: Carving) -> bool:
    """Whether something in the file proves that it was a journal."""
    return any(_series(cell) or _shape(cell) for cell in carving.cells())


class _Filling:
    """Names first, then what is told by them."""

    def __init__(self, connection: sqlite3.Connection, carving: Carving) -> None:
        self._connection = connection
        self._carving = carving
        self._shapes: set[int] = set()
        self._series: set[int] = set()
        self._cursors: dict[str, Cell] = {}
        self._last = 0
        """The greatest row id that was ever given."""
        self._counted: dict[Value, set[int]] = {"point": set(), "dead_letter": set()}
        """What is on record as the greatest id of a table."""
        self._safe: dict[tuple[type, ...], float] = {}
        """Up to which id a row may have been safe, by its kinds."""

    def run(self) -> Carried:
        for cell in chain(self._carving.cells(), self._carving.overwritten()):
            self._names(cell)
            self._place(cell)
        cursors = sum(self._insert("cursor", *cell.values) for cell in self._cursors.values())
        # Behind what a cursor has passed, too: it was safe, whatever a damaged number says.
        self._safe = {_POINT: max(self._least("point"), self._last), _LETTER: self._least("dead_letter")}
        self._last = max([self._last, *(number for number in self._counted["point"] if number <= self._safe[_POINT])])
        for cell in self._carving.overwritten():
            if self._is(_POINT, cell):
                self._point(cell)
        unsound, letters = 0, 0
        for cell in self._carving.cells():
            if self._is(_POINT, cell):
                unsound += not self._point(cell)
            elif self._is(_LETTER, cell):
                letters += self._letter(cell)
        for cell in self._carving.overwritten():
            if self._is(_LETTER, cell):
                letters += self._letter(cell)
        rows = int(self._connection.execute("SELECT count(*) FROM point").fetchone()[0])
        # The index names rows also where their own pages are gone.
        indexed = sum(_kinds(entry) == _ENTRY for entry in self._carving.entries())
        self._connection.execute("DELETE FROM sqlite_sequence WHERE name = 'point'")
        self._connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('point', ?)", (self._last,))
        return Carried(
            rows=rows,
            lost=max(unsound, indexed - rows),
            series=len(self._series),
            cursors=cursors,
            letters=letters,
        )

    def _least(self, table: str) -> float:
        """Return the least number on record: where a write was cut short no row behind it was ever safe."""
        return min(self._counted[table], default=math.inf) if self._carving.rollback else math.inf

    def _is(self, kinds: tuple[type, ...], cell: Cell) -> bool:
        """Whether it is such a row, and not one of a write that was cut short."""
        return _kinds(cell.values) == kinds and cell.id <= self._safe[kinds]

    def _names(self, cell: Cell) -> None:
        if _series(cell):
            self._insert("series", cell.id, *cell.values[1:])
            self._series.add(cell.id)
        elif _shape(cell):
            self._insert("shape", cell.id, *cell.values[1:])
            self._shapes.add(cell.id)

    def _place(self, cell: Cell) -> None:
        """Note a cursor, and the number that the last row had."""
        if _kinds(cell.values) == _SEQUENCE and cell.values[0] in self._counted:
            self._counted[cell.values[0]].add(_number(cell.values[1]))
        elif _kinds(cell.values) == _CURSOR:
            consumer, following, moves, crc, *_ = cell.values
            if checksum(str(consumer), _number(following), _number(moves)) == crc:
                known = self._cursors.get(str(consumer))
                # Of two the one that is less far: to skip a point would lose it.
                if known is None or _number(known.values[1]) > _number(following):
                    self._cursors[str(consumer)] = cell
                # A cursor stands behind rows that were there, also where they are lost: their ids never come again.
                self._last = max(self._last, _number(following) - 1)

    def _point(self, cell: Cell) -> bool:
        _, series, moment, shape, data = cell.values
        if not self._sound(cell.id, series, moment, shape, data):
            return False
        self._last = max(self._last, cell.id)
        self._connection.execute(_CARRY, (cell.id, series, moment, shape, data))
        return True

    def _letter(self, cell: Cell) -> bool:
        _, sink, row, series, moment, shape, data, at, words = cell.values
        if not self._sound(row, series, moment, shape, data):
            return False
        return self._insert("dead_letter", cell.id, sink, row, series, moment, shape, data, at, words)

    def _sound(self, row: Value, series: Value, moment: Value, shape: Value, data: Value) -> bool:
        key = (_number(row), _number(series), _number(moment), _number(shape))
        return shape in self._shapes and series in self._series and isinstance(data, bytes) and proven(key, data)

    def _insert(self, table: str, *values: Value) -> bool:
        places = ", ".join("?" * len(values))
        return self._connection.execute(f"INSERT OR IGNORE INTO {table} VALUES ({places})", values).rowcount == 1


# Of two rows of one identity the later one stands.
_CARRY = f"""INSERT OR REPLACE INTO point (id, series, time, shape, data) SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS
    (SELECT 1 FROM point WHERE time / {schema.DAY} = ?3 / {schema.DAY} AND series = ?2 AND time = ?3 AND id > ?1)"""

# The kinds of each table's columns, by which its rows are told apart where the way to them is lost.
_POINT = (type(None), int, int, int, bytes)
_LETTER = (type(None), str, int, int, int, int, bytes, int, str)
_SERIES = (type(None), str, str, str, int)
_SHAPE = (type(None), str, int)
_CURSOR = (str, int, int, int, str, str)
_SEQUENCE = (str, int)
_ENTRY = (int, int, int, int)
"""An entry of the index of points: day, series, time, id."""


def _kinds(values: Sequence[Value]) -> tuple[type, ...]:
    return tuple([type(value) for value in values])


def _number(value: Value) -> int:
    """Return a column that is known to be a number."""
    if not isinstance(value, int):
        raise TypeError(value)
    return value


def _series(cell: Cell) -> bool:
    if _kinds(cell.values) != _SERIES:
        return False
    _, *texts, crc = cell.values
    return checksum(cell.id, *map(str, texts)) == crc


def _shape(cell: Cell) -> bool:
    if _kinds(cell.values) != _SHAPE:
        return False
    _, fields, crc = cell.values
    return checksum(cell.id, str(fields)) == crc
