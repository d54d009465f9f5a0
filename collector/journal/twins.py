"""Two numbers of one series become one. Is no mend: nothing is damaged any more where this has something to do.

A row of names that can't be read for a while, and can be again, has a twin by then: what came meanwhile got a new
number, and of one identity there may be two points.
"""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import suppress

from collector.journal.codec import Damaged, Key, encode
from collector.journal.database import Database
from collector.journal.rows import Rows, delete
from collector.journal.schema import DAY

_CHUNK = 5_000
"""Rows of one transaction: no writer waits long for it."""
_TWINS = """SELECT json_group_array(id) FROM series GROUP BY measurement, tenant, tags HAVING count(*) > 1"""
_OF = """SELECT id, series, time, shape, data FROM point WHERE series = ? AND id > ? ORDER BY id LIMIT ?"""
_AT = f"""SELECT id FROM point WHERE time / {DAY} = ?1 AND series = ?2 AND time BETWEEN ?3 AND ?3"""
_LETTERS = "SELECT id, row, series, time, shape, data FROM dead_letter WHERE series = ?"
_FORGET = """DELETE FROM series WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM point WHERE series = ?1)
    AND NOT EXISTS (SELECT 1 FROM dead_letter WHERE series = ?1)"""


def unite(database: Database, rows: Rows) -> int:
    """Let each series have one number, the newest; return how many had more.

    A point keeps its row; of two of one identity the later row stands. What can't be read stays where it is.
    """
    with database.reading() as connection:
        twins = [sorted(json.loads(ids)) for (ids,) in connection.execute(_TWINS)]
        sound = [every for every in twins if _sound(connection, rows, every)]
    for *others, number in sound:
        for other in others:
            after: int | None = 0
            while after is not None:
                with database.writing() as connection:
                    after = _bring(connection, rows, other, number, after)
            with database.writing() as connection:
                _bring_letters(connection, rows, other, number)
                connection.execute(_FORGET, (other,))
                # In here: whoever appends next must not use the number that is no more.
                rows.names.forget()
    return len(sound)


def _sound(connection: sqlite3.Connection, rows: Rows, numbers: Sequence[int]) -> bool:
    with suppress(Damaged):
        return len({rows.names.series(connection, number) for number in numbers}) == 1
    return False


def _bring(connection: sqlite3.Connection, rows: Rows, other: int, number: int, after: int) -> int | None:
    """Give some rows of the series `other` its new number; return behind which id to go on, None at the end."""
    raw = connection.execute(_OF, (other, after, _CHUNK)).fetchall()
    shapes = {id_: shape for id_, _, _, shape, _ in raw}
    for row in rows.decoded(connection, raw):
        point = row.point
        for (rival,) in connection.execute(_AT, (point.time // DAY, number, point.time)).fetchall():
            delete(connection, [min(rival, row.id)])
            if rival > row.id:
                break
        else:
            key = Key(row.id, number, point.time, shapes[row.id])
            values = (number, encode(key, point.fields), row.id)
            connection.execute("UPDATE point SET series = ?, data = ? WHERE id = ?", values)
    return raw[-1][0] if len(raw) == _CHUNK else None


def _bring_letters(connection: sqlite3.Connection, rows: Rows, other: int, number: int) -> None:
    letters = connection.execute(_LETTERS, (other,)).fetchall()
    for letter, *raw in letters:
        row, _, time, shape, _ = raw
        for whole in rows.decoded(connection, [(row, other, time, shape, raw[-1])]):
            data = encode(Key(row, number, time, shape), whole.point.fields)
            connection.execute("UPDATE dead_letter SET series = ?, data = ? WHERE id = ?", (number, data, letter))
