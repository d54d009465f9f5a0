"""Two numbers of one series become one. Is no mend: nothing is damaged any more where this has something to do.

A row of names that can't be read for a while, and can be again, has a twin by then: what came meanwhile got a new
number, and of one identity there may be two points.
"""

import json
import sqlite3
from collections.abc import Collection, Sequence
from contextlib import suppress

from collector.journal import cursors
from collector.journal.codec import Damaged, Key, encode
from collector.journal.counting import SPAN, first_row
from collector.journal.database import Database
from collector.journal.days import following
from collector.journal.rows import Rows, delete
from collector.journal.schema import DAY
from collector.point import MAX_TIME

_LAST_DAY = MAX_TIME // DAY
_TWINS = """SELECT json_group_array(id) FROM series GROUP BY measurement, tenant, tags HAVING count(*) > 1"""
_OF_DAY = f"""SELECT id, series, time, shape, data FROM point WHERE time / {DAY} = ? AND series = ? ORDER BY id"""
_HAVING = """SELECT DISTINCT series FROM point WHERE id >= ? AND id < ?
    AND series IN (SELECT value FROM json_each(?))"""
_NEW = "SELECT 1 FROM point WHERE id >= ? AND series = ? LIMIT 1"
_AT = f"""SELECT id FROM point WHERE time / {DAY} = ?1 AND series = ?2 AND time BETWEEN ?3 AND ?3"""
_LETTERS = "SELECT id, row, series, time, shape, data FROM dead_letter WHERE series = ?"
_FORGET = """DELETE FROM series WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM dead_letter WHERE series = ?1)"""


def unite(database: Database, rows: Rows) -> int:
    """Let each series have one number, the newest; return how many had more.

    A point keeps its row; of two of one identity the later row stands. What can't be read stays where it is.
    """
    with database.reading() as connection:
        twins = [sorted(json.loads(ids)) for (ids,) in connection.execute(_TWINS)]
        sound = [every for every in twins if _sound(connection, rows, every)]
        tail = cursors.tail(connection)
    old = {other: number for *others, number in sound for other in others}
    for other, number in old.items():
        _bring_days(database, rows, other, number)
    left = _left(database, old, tail)
    for other, number in old.items():
        with database.writing() as connection:
            _bring_letters(connection, rows, other, number)
            # What came meanwhile under the old number is brought the next time.
            if other not in left and connection.execute(_NEW, (tail, other)).fetchone() is None:
                connection.execute(_FORGET, (other,))
            # In here: whoever appends next must not use the number that is no more.
            rows.names.forget()
    return len(sound)


def _sound(connection: sqlite3.Connection, rows: Rows, numbers: Sequence[int]) -> bool:
    with suppress(Damaged):
        return len({rows.names.series(connection, number) for number in numbers}) == 1
    return False


def _bring_days(database: Database, rows: Rows, other: int, number: int) -> None:
    """Give the rows of the series `other` its new number, a day a transaction: no writer waits long for it."""
    day = following(database, -1, _LAST_DAY)
    while day is not None:
        with database.reading() as connection:
            found = connection.execute(_OF_DAY, (day, other)).fetchone()
        if found:
            with database.writing() as connection:
                _bring(connection, rows, other, number, day)
        day = following(database, day, _LAST_DAY)


def _bring(connection: sqlite3.Connection, rows: Rows, other: int, number: int, day: int) -> None:
    """Give the rows of a day their new number."""
    raw = connection.execute(_OF_DAY, (day, other)).fetchall()
    shapes = {id_: shape for id_, _, _, shape, _ in raw}
    for row in rows.decoded(connection, raw):
        point = row.point
        for (rival,) in connection.execute(_AT, (day, number, point.time)).fetchall():
            delete(connection, [min(rival, row.id)])
            if rival > row.id:
                break
        else:
            key = Key(row.id, number, point.time, shapes[row.id])
            values = (number, encode(key, point.fields), row.id)
            connection.execute("UPDATE point SET series = ?, data = ? WHERE id = ?", values)


def _left(database: Database, numbers: Collection[int], tail: int) -> Collection[int]:
    """Return those of the numbers that rows before `tail` still have, also such as the index by day doesn't name."""
    left: set[int] = set()
    start = cursors.FIRST if numbers else tail
    while start < tail:
        with database.reading() as connection:
            start = first_row(connection, start, tail)
            left.update(n for (n,) in connection.execute(_HAVING, (start, start + SPAN, json.dumps([*numbers]))))
        start += SPAN
    return left


def _bring_letters(connection: sqlite3.Connection, rows: Rows, other: int, number: int) -> None:
    letters = connection.execute(_LETTERS, (other,)).fetchall()
    for letter, *raw in letters:
        row, _, time, shape, _ = raw
        for whole in rows.decoded(connection, [(row, other, time, shape, raw[-1])]):
            data = encode(Key(row, number, time, shape), whole.point.fields)
            connection.execute("UPDATE dead_letter SET series = ?, data = ? WHERE id = ?", (number, data, letter))
