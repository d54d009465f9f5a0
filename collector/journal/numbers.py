"""How a series or a shape gets its number: no other ever had it, also where damage hides who had which."""

import sqlite3

_MOST = 1 << 50
"""A greater number on record is damaged: nobody has given so many."""


def new_number(connection: sqlite3.Connection, table: str, last: int, count: int = 1) -> int:
    """Return the first of `count` numbers that no row ever had, and put them on record.

    `last`: the greatest that can be read. Where a greater one can't be read any more its points are still there, and
    are not to become another's.
    """
    row = connection.execute(
        "SELECT seq FROM sqlite_sequence WHERE name = ? AND seq BETWEEN 0 AND ?", (table, _MOST)
    ).fetchone()
    number = 1 + (last if row is None else max(last, row[0]))
    statement = "UPDATE sqlite_sequence SET seq = ?1 WHERE name = ?2"
    if row is None:
        statement = "INSERT INTO sqlite_sequence (name, seq) VALUES (?2, ?1)"
    connection.execute(statement, (number + count - 1, table))
    return number
