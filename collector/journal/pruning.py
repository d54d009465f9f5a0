"""What goes when the journal is pruned, day by day and some rows a transaction: no writer waits long."""

from collections.abc import Sequence

from collector.journal import cursors, letters
from collector.journal.database import Database
from collector.journal.days import following
from collector.journal.rows import delete
from collector.journal.schema import DAY

CHUNK = 10_000
"""Rows that go in one transaction at the most."""
_KEPT = ("*_daily", "exposure_spike", "exposure_annotation")
_OLD = f"""SELECT p.id FROM point p CROSS JOIN series s ON s.id = p.series
    WHERE p.time / {DAY} = ? AND p.time < ? AND p.id < ? AND NOT ({" OR ".join(["s.measurement GLOB ?"] * len(_KEPT))})
    LIMIT ?"""


def prune(database: Database, before: int, consumers: Sequence[str]) -> int:
    """Delete the rows of a time before `before` (ms) that every one of `consumers` has taken; return how many went.

    Daily, spike and annotation points stay.
    """
    gone = 0
    day = following(database, -1, before // DAY)
    while day is not None:
        went = _delete(database, day, before, consumers)
        gone += went
        if went < CHUNK:
            day = following(database, day, before // DAY)
    return gone


def _delete(database: Database, day: int, before: int, consumers: Sequence[str]) -> int:
    with database.writing() as connection:
        # Asked in each transaction: a person may move a cursor back meanwhile.
        taken = cursors.taken(connection, consumers)
        letters.drop_superseded(connection, before)
        old = connection.execute(_OLD, (day, before, taken, *_KEPT, CHUNK)).fetchall()
        return delete(connection, [id_ for (id_,) in old])
