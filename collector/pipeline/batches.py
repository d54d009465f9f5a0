"""The batches of one sink in their order, and its cursor, which moves behind them as the sink takes them.

While one is on its way the next is made ready, and the cursor of the one before is moved: the server works, the disk
syncs and this process reads at the same time. So a process that is killed may send the last batch but one again.

What was read ahead is only used where it is what would be read now: its turn has come, and none of its rows is gone,
since what superseded it has yet to come, or a person has forgotten it. It is one batch at the most, and never rests.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from collector.batch import Batch, Columns, Cursor, DeadLetter, Filter, Write
from collector.errors import JournalError
from collector.pipeline.protocols import Journal


@dataclass(frozen=True, slots=True)
class Ready:
    """A batch as it was read at a cursor, and what writes it."""

    cursor: Cursor
    batch: Batch
    write: Write

    @property
    def behind(self) -> Cursor:
        """The cursor as it is once this batch was taken."""
        return Cursor(self.cursor.consumer, self.batch.after, self.cursor.moves)


class Batches:
    """What one sink has yet to take; `prepare` is the sink's. For one thread at a time."""

    def __init__(self, journal: Journal, wanted: Filter, prepare: Callable[[Columns], Write]) -> None:
        self._journal = journal
        self._wanted = wanted
        self._prepare = prepare
        self._ahead: Ready | None = None
        self._owed: Ready | None = None
        """What the sink has taken, and whose cursor has yet to move."""
        self.reached = 0
        """The next row that the sink has yet to take, by its cursor."""

    def next(self, consumer: str, target: str, limit: int) -> Ready | None:
        """Return what comes next, None where there is nothing more: at most `limit` rows, or what was read ahead."""
        # Read anew for each batch: a person may move it meanwhile.
        cursor = self._journal.cursor(consumer, target)
        if self._owed and self._owed.cursor != cursor:
            self._owed = None
        self.reached = cursor.next
        at = self._owed.behind if self._owed else cursor
        ready, self._ahead = self._ahead, None
        if ready is None or ready.cursor != at or not self._journal.stands(at, ready.batch, self._wanted):
            ready = self._look(at, limit)
        if ready.batch.after > at.next:
            return ready
        self._settle()
        return None

    def meanwhile(self, ready: Ready, limit: int) -> None:
        """Use the time in which the answer to a batch is waited for. What fails then fails in its turn."""
        # Any fault: the batch on its way would else be sent again and again for what is wrong with the one behind it.
        with suppress(Exception):
            self._settle()
            ahead = self._look(ready.behind, limit)
            # Of an end nothing is kept: by then there may be more.
            self._ahead = ahead if ahead.batch.after > ready.behind.next else None

    def taken(self, ready: Ready, dead: Sequence[DeadLetter]) -> None:
        """Let the cursor move: now where there are dead letters or nothing is ready to follow, else meanwhile."""
        self._settle()
        if dead or self._ahead is None:
            self._advance(ready, dead)
        else:
            self._owed = ready

    def drop(self) -> None:
        """Keep nothing that was read ahead."""
        self._ahead = None

    def rest(self) -> None:
        """Keep nothing in memory, as far as the journal takes what is owed to it."""
        self.drop()
        with suppress(JournalError):
            self._settle()

    def _look(self, cursor: Cursor, limit: int) -> Ready:
        batch = self._journal.read(cursor, limit, self._wanted)
        return Ready(cursor, batch, self._prepare(batch.columns))

    def _settle(self) -> None:
        if self._owed:
            self._advance(self._owed, ())
            self._owed = None

    def _advance(self, ready: Ready, dead: Sequence[DeadLetter]) -> None:
        # None: it was moved while the batch was on its way. What was sent does no harm, and counts for nothing.
        moved = self._journal.advance(ready.cursor, ready.batch.after, dead)
        if moved is not None:
            self.reached = moved.next
