"""What goes when a tenant is forgotten: its rows, its dead letters, and its names.

The dead letters go first: none must outlive the row that superseded it. The rows go some a transaction, beside whoever
writes. The last transaction takes what came meanwhile, and leaves of each series a row without names: its number never
comes again, so that a row which could not be deleted is never taken for another's. Is not pruning: what no consumer has
taken goes too.
"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from collector.batch import DERIVE
from collector.journal import cursors
from collector.journal.database import Database
from collector.journal.days import following
from collector.journal.names import Names
from collector.journal.rows import delete
from collector.journal.schema import DAY
from collector.point import MAX_TIME

CHUNK = 10_000
"""Rows that go in one transaction at the most."""
_LAST_DAY = MAX_TIME // DAY
_WANTED = "(SELECT value FROM json_each(?))"
_OF_DAY = f"FROM json_each(?) wanted CROSS JOIN point p ON p.time / {DAY} = ? AND p.series = wanted.value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What a journal holds, or held, of a tenant. `stuck`: rows that are damaged and can't be deleted."""

    points: int
    dead_letters: int
    series: int
    stuck: int = 0


def tenants(database: Database) -> Sequence[str]:
    """Return the names of all tenants of which there are series, in order."""
    with database.reading() as connection:
        return [name for (name,) in connection.execute("SELECT DISTINCT tenant FROM series ORDER BY tenant") if name]


def holdings(database: Database, tenant: str) -> Holdings:
    """Return what there is of a tenant."""
    with database.reading() as connection:
        numbers = _numbers(connection, tenant)
        wanted = json.dumps(numbers)
        statement = f"SELECT count(*) FROM dead_letter WHERE series IN {_WANTED}"
        dead: int = connection.execute(statement, (wanted,)).fetchone()[0]
    points = 0
    day = following(database, -1, _LAST_DAY)
    while day is not None:
        with database.reading() as connection:
            points += connection.execute(f"SELECT count(*) {_OF_DAY}", (wanted, day)).fetchone()[0]
        day = following(database, day, _LAST_DAY)
    return Holdings(points=points, dead_letters=dead, series=len(numbers))


def forget(database: Database, names: Names, tenant: str, went: Callable[[int], None]) -> Holdings:
    """Delete all that there is of a tenant; return what went. `went` is called with the rows of each transaction."""
    with database.writing() as connection:
        numbers = _numbers(connection, tenant)
        tail = cursors.tail(connection)
        # First: broken off, a forgetting leaves no letter whose newer value is gone already, to be sent again.
        letters = _drop_letters(connection, numbers)
    points = stuck = 0
    day = following(database, -1, _LAST_DAY)
    while day is not None:
        with database.writing() as connection:
            found = connection.execute(f"SELECT p.id {_OF_DAY} LIMIT ?", (json.dumps(numbers), day, CHUNK)).fetchall()
            gone = delete(connection, [id_ for (id_,) in found])
        points += gone
        went(gone)
        if len(found) < CHUNK or not gone:
            stuck += len(found) - gone
            day = following(database, day, _LAST_DAY)
    with database.writing() as connection:
        numbers = _numbers(connection, tenant)
        wanted = json.dumps(numbers)
        new = connection.execute(f"SELECT id FROM point WHERE id >= ? AND series IN {_WANTED}", (tail, wanted))
        points += delete(connection, [id_ for (id_,) in new.fetchall()])
        letters += _drop_letters(connection, numbers)
        # No checksum is below 0: what is left proves to be nobody's.
        connection.executemany(
            "UPDATE series SET measurement = '', tenant = '', tags = '', crc = -1 WHERE id = ?",
            [(number,) for number in numbers],
        )
        # A server that refuses a point says its line back, with backslashes before some characters.
        connection.execute(
            "UPDATE cursor SET error = substr(error, 1, instr(error, ':')) || ' words about a forgotten tenant'"
            r" WHERE instr(replace(error, '\', ''), 'tenant=' || replace(?, '\', ''))",
            (tenant,),
        )
        # What is being made of rows that were read already must not come back behind them.
        derive = cursors.find(connection, DERIVE)
        if derive is not None:
            cursors.move(connection, DERIVE, derive.next)
        names.forget()
    return Holdings(points=points, dead_letters=letters, series=len(numbers), stuck=stuck)


def _drop_letters(connection: sqlite3.Connection, numbers: Sequence[int]) -> int:
    return connection.execute(f"DELETE FROM dead_letter WHERE series IN {_WANTED}", (json.dumps(numbers),)).rowcount


def _numbers(connection: sqlite3.Connection, tenant: str) -> Sequence[int]:
    return [number for (number,) in connection.execute("SELECT id FROM series WHERE tenant = ?", (tenant,))]
