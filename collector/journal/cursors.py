"""The cursors as they stand in the file: a row proves by its checksum that it is whole.

A cursor that was damaged could skip rows that its consumer never took. It is placed at the first row again instead:
taking a point twice changes nothing. Every function runs inside a transaction of the caller's.
"""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from collector.batch import Cursor
from collector.journal.codec import checksum
from collector.log import logger

FIRST = 1
"""The id of the first row."""

_log = logger()


class Words(NamedTuple):
    """What a consumer writes to, and what it fails of; empty where that is not known."""

    target: str
    error: str


def tail(connection: sqlite3.Connection) -> int:
    """Return the id that the next row will have."""
    # The greater of both: were the number on record damaged, a new row must not replace one that is there.
    return 1 + int(
        connection.execute(
            "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'point'), 0),"
            " coalesce((SELECT max(id) FROM point), 0))"
        ).fetchone()[0]
    )


def find(connection: sqlite3.Connection, consumer: str) -> Cursor | None:
    """Return the consumer's cursor, None where it has none."""
    row = connection.execute("SELECT consumer, next, moves, crc FROM cursor WHERE consumer = ?", (consumer,)).fetchone()
    return None if row is None else _proven(*row)


def every(connection: sqlite3.Connection) -> Sequence[Cursor]:
    """Return every consumer's cursor."""
    return [_proven(*row) for row in connection.execute("SELECT consumer, next, moves, crc FROM cursor")]


def words(connection: sqlite3.Connection, consumer: str) -> Words:
    """Return what stands beside the consumer's cursor, nothing where it has none."""
    row = connection.execute("SELECT target, error FROM cursor WHERE consumer = ?", (consumer,)).fetchone()
    return Words(*map(str, row)) if row else Words("", "")


def put(connection: sqlite3.Connection, cursor: Cursor, target: str = "") -> None:
    """Let the cursor stand as it is given; a new one gets `target` on record."""
    crc = checksum(cursor.consumer, cursor.next, cursor.moves)
    connection.execute(
        "INSERT INTO cursor (consumer, next, moves, crc, target, error) VALUES (?1, ?2, ?3, ?4, ?5, '')"
        " ON CONFLICT (consumer) DO UPDATE SET next = ?2, moves = ?3, crc = ?4",
        (cursor.consumer, cursor.next, cursor.moves, crc, target),
    )


def take(connection: sqlite3.Connection, cursor: Cursor, after: int) -> bool:
    """Move the cursor to `after` if it still stands where its holder read it; return whether it did."""
    if find(connection, cursor.consumer) != cursor:
        return False
    put(connection, Cursor(cursor.consumer, after, cursor.moves))
    return True


def move(connection: sqlite3.Connection, consumer: str, to: int) -> Cursor | None:
    """Move a cursor back to a row, never forward; return where it stands, None where the consumer has none."""
    before = find(connection, consumer)
    if before is None or to > before.next:
        return before
    moved = Cursor(consumer, max(to, FIRST), before.moves + 1)
    put(connection, moved)
    return moved


def taken(connection: sqlite3.Connection, consumers: Sequence[str]) -> int:
    """Return the first row that one of `consumers` has yet to take; a consumer without a cursor has taken nothing."""
    stand = {cursor.consumer: cursor.next for cursor in every(connection)}
    return min((stand.get(consumer, FIRST) for consumer in consumers), default=tail(connection))


def _proven(consumer: str, following: object, moves: object, crc: object) -> Cursor:
    if isinstance(following, int) and isinstance(moves, int) and checksum(consumer, following, moves) == crc:
        return Cursor(consumer, following, moves)
    _log.error("journal.cursor_damaged", consumer=consumer, next=FIRST)
    return Cursor(consumer, FIRST, 0)
