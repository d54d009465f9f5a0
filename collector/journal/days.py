"""The days that have rows, one after the other: how the journal is walked by time, in short views. Knows no series."""

from collector.journal.database import Database
from collector.journal.schema import DAY


def following(database: Database, day: int, last: int) -> int | None:
    """Return the next day after `day` that has rows, None when that is past `last`; days since the Unix epoch."""
    with database.reading() as connection:
        found: int | None = connection.execute(
            f"SELECT min(time / {DAY}) FROM point WHERE time / {DAY} > ? AND time / {DAY} <= ?", (day, last)
        ).fetchone()[0]
    return found
