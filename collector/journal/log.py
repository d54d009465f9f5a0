"""The log itself: append, read, and the cursors that say who has read how far."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from collector.batch import Backlog, Batch, Cursor, DeadLetter, Filter
from collector.errors import JournalError
from collector.journal import counting, cursors, forgetting, twins
from collector.journal.across import Across
from collector.journal.database import Database
from collector.journal.edges import Summary, edge
from collector.journal.forgetting import Holdings
from collector.journal.letters import Letters, words
from collector.journal.places import first
from collector.journal.proving import Proof, attempt, prove
from collector.journal.pruning import prune
from collector.journal.reader import Reader
from collector.journal.rows import Rows
from collector.journal.salvage import Salvaged
from collector.point import Point

_EVERYTHING = Filter()


class Journal(Reader):
    """One journal file: what a `Reader` answers, and all that changes it.

    Any thread may call; every method raises JournalError when the file can't be used.
    `untouched`: it can be written to, and opening it changes nothing; raise OldFormat where it would have to.
    """

    def __init__(
        self, path: Path, *, readonly: bool = False, untouched: bool = False, clock: Callable[[], float] = time.time
    ) -> None:
        self.path = path
        self.era = 0
        """Grows whenever the file may have changed otherwise than by what this process appends or prunes."""
        self._united = 0
        rows = Rows()

        def stale() -> None:
            self.era += 1
            rows.names.doubt()
            rows.shapes.forget()

        # Opening the file calls it, too.
        database = Database(
            path,
            readonly=readonly,
            untouched=untouched,
            stale=stale,
            undone=rows.names.take_back,
            another=rows.names.forget,
        )
        super().__init__(database, rows, clock)
        self.across = Across(database, rows)
        """What is asked across many series at once."""
        self.letters = Letters(self._database, self._rows, clock)
        """What sinks have refused for good."""

    @property
    def file(self) -> int:
        """A number that grows whenever what was read before may be otherwise now: by another file, or other names."""
        return self._database.opened + self._united

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; nothing is pending."""
        self._database.close()

    def append(self, points: Sequence[Point], taken: tuple[Cursor, int] | None = None) -> bool:
        """Return once the points would survive a power cut, each in a new row at the tail.

        `taken`: a cursor, and the `after` that it moves to in the same transaction. Return False, with nothing done,
        when that cursor was moved meanwhile.
        """
        with self._database.writing() as connection:
            if taken is not None and not cursors.take(connection, *taken):
                return False
            self._rows.append(connection, cursors.tail(connection), points)
        return True

    def probe(self) -> None:
        """Return if the journal takes a write of 128 KiB now; nothing is changed."""
        attempt(self._database)

    def prove(self, seconds: float, most: int) -> Proof:
        """Return whether the newest rows, at most about `most` and in at most `seconds`, are what was written."""
        return prove(self._database, seconds, most)

    def mend(self) -> Salvaged:
        """Set the damaged file aside, and go on with all that is sound in it. The caller has the role.

        Meanwhile every other call raises JournalError at once; so does this one, with nothing changed, where it fails.
        """
        return self._database.mend()

    def unite(self) -> int:
        """Let series that have two numbers, since their names could not be read for a while, have one; how many had."""
        united = twins.unite(self._database, self._rows)
        self._united += united
        return united

    def tail(self) -> int:
        """Return the id that the next row will have."""
        with self._database.reading() as connection:
            return cursors.tail(connection)

    def read(self, cursor: Cursor, limit: int, wanted: Filter = _EVERYTHING) -> Batch:
        """Return at most `limit` (1 and up) wanted rows from the cursor on; a damaged row is left out and logged."""
        with self._database.reading() as connection:
            tail = cursors.tail(connection)
            end = min(counting.first_row(connection, cursor.next, tail) + counting.SPAN, tail)
            batch = self._rows.between(connection, cursor.next, end, limit, wanted)
        return replace(batch, after=max(batch.after, cursor.next))

    def stands(self, cursor: Cursor, batch: Batch, wanted: Filter = _EVERYTHING) -> bool:
        """Whether `batch`, read at `cursor`, is what would be read there now, but for what has come behind it.

        No row ever comes between others and no id comes again: it is enough that none is gone.
        """
        with self._database.reading() as connection:
            return self._rows.count(connection, cursor.next, batch.after, wanted) == batch.stood

    def cursor(self, consumer: str, target: str = "") -> Cursor:
        """Return the consumer's cursor. A new consumer starts at the first row, with `target` on record."""
        with self._database.reading() as connection:
            known = cursors.find(connection, consumer)
        if known is not None:
            return known
        with self._database.writing() as connection:
            cursor = cursors.find(connection, consumer) or Cursor(consumer, cursors.FIRST, 0)
            cursors.put(connection, cursor, target)
        return cursor

    def cursors(self) -> Sequence[Cursor]:
        """Return every consumer's cursor, also of those that are no longer in the settings."""
        with self._database.reading() as connection:
            return cursors.every(connection)

    def target(self, consumer: str) -> str:
        """Return what the consumer writes to by what is on record, empty when there is nothing."""
        with self._database.reading() as connection:
            return cursors.words(connection, consumer).target

    def retarget(self, consumer: str, target: str) -> str | None:
        """Put what the consumer writes to on record; return what stood there before if it was another, else None."""
        with self._database.writing() as connection:
            before = connection.execute("SELECT target FROM cursor WHERE consumer = ?", (consumer,)).fetchone()
            connection.execute("UPDATE cursor SET target = ? WHERE consumer = ?", (target, consumer))
        return str(before[0]) if before and before[0] != target else None

    def advance(self, cursor: Cursor, after: int, rejected: Sequence[DeadLetter] = ()) -> Cursor | None:
        """Move the cursor and keep the dead letters, both or neither; None when it was moved meanwhile."""
        with self._database.writing() as connection:
            if not cursors.take(connection, cursor, after):
                return None
            if rejected:
                self.letters.bury(connection, cursor.consumer, rejected)
        return Cursor(cursor.consumer, after, cursor.moves)

    def move(self, consumer: str, to: int) -> Cursor:
        """Move a cursor back to a row, never forward: whatever its consumer has under way then won't count.

        Return where it stands. Raise JournalError when there is no such consumer.
        """
        with self._database.writing() as connection:
            moved = cursors.move(connection, consumer, to)
            if moved is None:
                known = ", ".join(sorted(cursor.consumer for cursor in cursors.every(connection))) or "none"
                raise JournalError(f"{self.path}: no consumer {consumer!r}", mend=f"it has cursors of: {known}")
        return moved

    def place(self, since: int, before: int) -> int:
        """Return the first row below `before` whose point has a time of `since` (ms) or later, else `before`."""
        return first(self._database, since, before)

    def note(self, consumer: str, error: str) -> None:
        """Keep what the consumer fails of, for whoever asks from another process; empty when it is well."""
        with self._database.writing() as connection:
            connection.execute("UPDATE cursor SET error = ? WHERE consumer = ?", (words(error), consumer))

    def noted(self, consumer: str) -> str:
        """Return what the consumer fails of, empty when it is well or not known."""
        with self._database.reading() as connection:
            return cursors.words(connection, consumer).error

    def backlog(self, cursor: Cursor, wanted: Filter = _EVERYTHING, until: int | None = None) -> Backlog:
        """Return what is wanted from the cursor on (to before the row `until`), counted a span a view."""
        tail = self.tail() if until is None else min(until, self.tail())
        return counting.count(self._database, self._rows, range(cursor.next, tail), wanted)

    def gauge(self, cursor: Cursor, wanted: Filter = _EVERYTHING) -> Backlog:
        """Return what `backlog` does, of a long one by a part of its rows: to say it costs the same however long."""
        return counting.gauge(self._database, self._rows, range(cursor.next, self.tail()), wanted)

    def dead_letters(self, sink: str) -> int:
        """Return how many points the sink has refused for good."""
        return self.letters.count(sink)

    def bytes(self) -> int:
        """Return the size of the file."""
        return self._database.size()

    def summary(self) -> Summary:
        """Return what the whole journal holds, counted as `gauge` does."""
        held = self.gauge(Cursor("", cursors.FIRST, 0))
        with self._database.reading() as connection:
            oldest, newest = edge(connection, "min"), edge(connection, "max")
        return Summary(held.points, self.bytes(), oldest, newest, held.exact)

    def prune(self, before: int, consumers: Sequence[str]) -> int:
        """Delete the points of a time before `before` (ms) that every one of `consumers` has taken; return how many.

        Daily, spike and annotation points stay. A consumer without a cursor has taken nothing.
        """
        return prune(self._database, before, consumers)

    def tenants(self) -> Sequence[str]:
        """Return the names of all tenants that it has something of, also of those no longer in the settings."""
        return forgetting.tenants(self._database)

    def holdings(self, tenant: str) -> Holdings:
        """Return how much it holds of a tenant."""
        return forgetting.holdings(self._database, tenant)

    def forget(self, tenant: str, went: Callable[[int], None] = lambda _: None) -> Holdings:
        """Delete a tenant's points, dead letters and names, also what no consumer has taken; return what went.

        `went` is called with the rows of each transaction.
        """
        return forgetting.forget(self._database, self._rows.names, tenant, went)

    def copy(self, to: Path, seen: Callable[[int, int], None] = lambda _done, _of: None) -> None:
        """Let the empty file `to` be a whole copy; `seen` is called with pages copied, and of how many."""
        self._database.copy(to, seen)
