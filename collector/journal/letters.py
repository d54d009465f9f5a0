"""Dead letters: the rows that a sink refused for good, with its words, until they are sent again or discarded.

A letter is sent again as a new row at the tail, never past the order of the rows: see `resend`. Is not a retry: a
person asks for it.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collector.batch import DeadLetter, Row
from collector.journal import cursors
from collector.journal.database import Database
from collector.journal.rows import Rows
from collector.journal.schema import DAY

CHUNK = 1_000
"""Letters that are read, or that go, in one transaction at the most."""
_WORDS = 1_000
"""Characters that are kept of what a server said."""
_OF = "sink IN (SELECT value FROM json_each(?))"
_COLUMNS = "id, sink, at, words, row, series, time, shape, data"


@dataclass(frozen=True, slots=True)
class Letter:
    """A row that `sink` refused at a moment (ms), and the server's words."""

    id: int
    sink: str
    at: int
    words: str
    row: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Resent:
    """What one `resend` did, in points. `after`: up to which row letters were looked at; `first`: the first new row."""

    sent: int
    superseded: int
    after: int
    first: int
    tail: int


class Letters:
    """The dead letters of one journal."""

    def __init__(self, database: Database, rows: Rows, clock: Callable[[], float]) -> None:
        self._database = database
        self._rows = rows
        self._clock = clock

    def bury(self, connection: sqlite3.Connection, sink: str, rejected: Sequence[DeadLetter]) -> None:
        """Keep what `sink` refused, inside a transaction of the caller's; an earlier letter of the same row goes.

        A row that is gone by now leaves no letter: it was superseded, or its tenant was forgotten.
        """
        wanted = json.dumps([letter.row.id for letter in rejected])
        there = connection.execute("SELECT p.id FROM json_each(?) w CROSS JOIN point p ON p.id = w.value", (wanted,))
        standing = {id_ for (id_,) in there}
        connection.execute(
            "DELETE FROM dead_letter WHERE sink = ? AND row IN (SELECT value FROM json_each(?))", (sink, wanted)
        )
        now = int(self._clock() * 1000)
        for letter in rejected:
            if letter.row.id in standing:
                row = self._rows.encoded(connection, letter.row.id, letter.row.point)
                connection.execute(
                    "INSERT INTO dead_letter (sink, row, series, time, shape, data, at, words)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (sink, *row, now, words(letter.words)),
                )

    def counts(self) -> Mapping[str, int]:
        """Return how many letters each sink has that has any, also of those that are no longer in the settings."""
        with self._database.reading() as connection:
            return dict(connection.execute("SELECT sink, count(*) FROM dead_letter GROUP BY sink ORDER BY sink"))

    def count(self, sink: str) -> int:
        """Return how many points the sink has refused for good."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT count(*) FROM dead_letter WHERE sink = ?", (sink,)).fetchone()
        return int(row[0])

    def rows(self, sinks: Sequence[str]) -> int:
        """Return of how many rows `sinks` have letters: a row that two of them refused is one."""
        with self._database.reading() as connection:
            statement = f"SELECT count(DISTINCT row) FROM dead_letter WHERE {_OF}"
            return int(connection.execute(statement, (json.dumps(sinks),)).fetchone()[0])

    def last(self) -> int:
        """Return the id of the last letter, 0 where there is none."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT coalesce(max(id), 0) FROM dead_letter").fetchone()
        return int(row[0])

    def every(self, sinks: Sequence[str], after: int = 0) -> Iterator[Letter]:
        """Yield the letters of `sinks` with an id past `after`, in the order in which they came; none that is damaged.

        Read some at a time, each in a view of its own.
        """
        statement = f"SELECT {_COLUMNS} FROM dead_letter WHERE id > ? AND {_OF} ORDER BY id LIMIT {CHUNK}"
        while True:
            with self._database.reading() as connection:
                found = connection.execute(statement, (after, json.dumps(sinks))).fetchall()
                letters = self._decoded(connection, found)
            yield from letters
            if len(found) < CHUNK:
                return
            after = found[-1][0]

    def resend(self, sinks: Sequence[str], after: int, until: int, limit: int) -> Resent | None:
        """Append the points of letters of `sinks` anew, each as a new row at the tail, and let the letters go.

        One transaction, for the first `limit` rows past row `after` that have letters of an id up to `until`; None
        where there is none. A point whose identity has a newer value is not sent again. A damaged letter stays.

        Nothing is done, and 0 are sent, while one of `sinks` has rows before the tail to take: among them may be what
        another process sends again, and so many bad points at once are more than a sink bears with.
        """
        chosen = json.dumps(sinks)
        next_rows = f"SELECT DISTINCT row FROM dead_letter WHERE row > ? AND id <= ? AND {_OF} ORDER BY row LIMIT ?"
        with self._database.writing() as connection:
            rows = [row for (row,) in connection.execute(next_rows, (after, until, chosen, limit))]
            if not rows:
                return None
            first = cursors.tail(connection)
            if cursors.taken(connection, sinks) < first:
                return Resent(sent=0, superseded=0, after=after, first=first, tail=first)
            found = connection.execute(
                f"SELECT {_COLUMNS} FROM dead_letter WHERE id <= ? AND {_OF}"
                " AND row IN (SELECT value FROM json_each(?)) ORDER BY row, id",
                (until, chosen, json.dumps(rows)),
            ).fetchall()
            letters = self._decoded(connection, found)
            # Of several sinks that refused one row each has a letter: it is one point.
            refused = {letter.row.id: letter.row for letter in letters}
            # What a damaged letter says of a row is not to be believed beside another's that is sound.
            sound = {letter.id for letter in letters}
            numbers = {row: number for id_, _, _, _, row, number, *_ in found if id_ in sound}
            again = [row for row in refused.values() if not self._superseded(connection, row, numbers[row.id])]
            self._rows.append(connection, first, [row.point for row in again])
            connection.executemany("DELETE FROM dead_letter WHERE id = ?", [(letter.id,) for letter in letters])
        return Resent(
            sent=len(again),
            superseded=len(refused) - len(again),
            after=rows[-1],
            first=first,
            tail=first + len(again),
        )

    def discard(self, sinks: Sequence[str], until: int) -> int:
        """Let the letters of `sinks` with an id up to `until` go, some a transaction; return how many went."""
        gone = 0
        while True:
            with self._database.writing() as connection:
                went = connection.execute(
                    "DELETE FROM dead_letter WHERE id IN"
                    f" (SELECT id FROM dead_letter WHERE id <= ? AND {_OF} LIMIT {CHUNK})",
                    (until, json.dumps(sinks)),
                ).rowcount
            gone += went
            if went < CHUNK:
                return gone

    def _superseded(self, connection: sqlite3.Connection, row: Row, number: int) -> bool:
        moment = row.point.time
        # Not `time = ?`: SQLite would put that value into `time / day` too, and no longer know it for the index's.
        found = connection.execute(
            f"SELECT id FROM point WHERE time / {DAY} = ? AND series = ? AND time BETWEEN ? AND ?",
            (moment // DAY, number, moment, moment),
        )
        return any(id_ > row.id for (id_,) in found)

    def _decoded(self, connection: sqlite3.Connection, found: Sequence[Sequence[Any]]) -> Sequence[Letter]:
        return [
            Letter(id_, sink, at, said, row)
            for id_, sink, at, said, *raw in found
            for row in self._rows.decoded(connection, [tuple(raw)])
        ]


def drop_superseded(connection: sqlite3.Connection, before: int) -> None:
    """Let go the letters of a time before `before` (ms) whose identity has a newer row.

    Called before rows are pruned: with the newer row its proof would go, and `resend` would bring the old value back.
    """
    connection.execute(
        "DELETE FROM dead_letter WHERE time < ? AND EXISTS (SELECT 1 FROM point p WHERE"
        f" p.time / {DAY} = dead_letter.time / {DAY} AND p.series = dead_letter.series AND p.time = dead_letter.time"
        " AND p.id > dead_letter.row)",
        (before,),
    )


def words(text: str) -> str:
    """Return what is kept of a server's words: its JSON may hold a lone surrogate, which SQLite refuses."""
    return text[:_WORDS].encode("utf-8", "replace").decode()
