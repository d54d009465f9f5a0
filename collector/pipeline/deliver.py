"""Delivering: what the journal holds, in order, to one sink; as often as it takes, and without end.

Each sink has its own `Delivery`, and each batch is a job of its own: a sink that is down keeps only itself waiting.
"""

import enum
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from collector.batch import Columns, DeadLetter, Filter, Write
from collector.errors import CollectorError, Expired, JournalError, Rejected, TooLarge, Unauthorized, Unavailable
from collector.log import logger
from collector.pipeline.backoff import Backoff
from collector.pipeline.batches import Batches, Ready
from collector.pipeline.protocols import Journal, Sink, Workers
from collector.point import rfc3339

DELIVER = "deliver"
BATCH = 5_000
"""Points that are sent in one request at the most."""
SUSPECT = 100
"""Where at least so many points are rejected to the last one, the setting is wrong, not the points."""

_log = logger()


@dataclass(frozen=True, slots=True)
class State:
    """How a sink is doing: whether it has everything, and what the last try failed of."""

    up_to_date: bool = False
    error: CollectorError | None = None


class _Phase(enum.Enum):
    IDLE = enum.auto()
    RUNNING = enum.auto()
    RESTING = enum.auto()


@dataclass(slots=True)
class _Sent:
    """What became of a batch so far: its bad points, how many points one request took, whether one was too large."""

    dead: list[DeadLetter] = field(default_factory=list)
    taken: int = 0
    too_large: bool = False


class Delivery:
    """Brings one sink up to date whenever it is nudged. `changed` is called with each new state.

    While an answer is waited for, the cursor of the batch before is moved, and the next batch is read.
    """

    def __init__(
        self,
        *,
        sink: Sink,
        journal: Journal,
        workers: Workers,
        changed: Callable[[State], None],
        backoff: Backoff | None = None,
    ) -> None:
        self.sink = sink
        tenants = None if sink.tenants is None else tuple(sink.tenants)
        self.wanted = Filter(measurements=tuple(sink.measurements), tenants=tenants)
        self.state = State()
        self.delivered = 0
        """Points that the sink took since the process began."""
        self.expired = 0
        """Points that were too old for it."""
        self._journal = journal
        self._workers = workers
        self._changed = changed
        self._backoff = backoff or Backoff(base=1.0, most=60.0)
        self._lock = threading.Lock()
        self._phase = _Phase.IDLE
        self._nudged = False
        self._tries = 0
        self._most = BATCH
        self._suspect = False
        self._noted: str | None = None
        self._batches = Batches(journal, self.wanted, self._prepare)

    @property
    def reached(self) -> int:
        """The next row that the sink has yet to take, by its cursor."""
        return self._batches.reached

    def nudge(self) -> None:
        """Look for new rows soon. While the sink rests after a failure, nothing changes."""
        self._start(_Phase.IDLE)

    def wake(self) -> None:
        """Try again soon, also while the sink rests after a failure."""
        self._start(_Phase.IDLE, _Phase.RESTING)

    def _start(self, *phases: "_Phase") -> None:
        with self._lock:
            self._nudged = True
            if self._phase not in phases:
                return
            self._phase = _Phase.RUNNING
        self._workers.soon(DELIVER, self._run)

    def _run(self) -> None:
        """Deliver one batch; go on, rest or stand still by how that went."""
        self._nudged = False
        try:
            more = self._deliver()
        except (Unavailable, JournalError) as error:
            self._rest(error.alone())
        except BaseException:
            # A sink rests, it never stops for good.
            self._rest(CollectorError("a fault of the collector; its log has the trace"))
            raise
        else:
            self._go_on(more=more)

    def _go_on(self, *, more: bool) -> None:
        self._tries = 0
        if self.state.error is not None:
            _log.info("sink.recovered", sink=self.sink.name)
        self._become(State(up_to_date=not more))
        with self._lock:
            again = more or self._nudged
            self._phase = _Phase.RUNNING if again else _Phase.IDLE
        if again:
            self._workers.soon(DELIVER, self._run)

    def _rest(self, error: CollectorError) -> None:
        self._batches.rest()
        self._tries += 1
        wait = self._backoff.wait(self._tries, error if isinstance(error, Unavailable) else None)
        say = _log.error if isinstance(error, Unauthorized) else _log.warning
        say(
            "sink.failed",
            sink=self.sink.name,
            tries=self._tries,
            error=error.name,
            what=str(error),
            mend=error.mend,
            again_in=round(wait, 1),
        )
        with self._lock:
            self._phase = _Phase.RESTING
        self._workers.later(wait, DELIVER, self.wake)
        self._become(State(error=error))

    def _become(self, state: State) -> None:
        self.state = state
        words = f"{state.error.name}: {state.error}" if state.error else ""
        if words != self._noted:
            # The journal may be what fails; then its own words are in the log.
            with suppress(JournalError):
                self._journal.note(self.sink.name, words)
                self._noted = words
        self._changed(state)

    def _deliver(self) -> bool:
        """Take the next batch to the sink; return whether there may be more."""
        limit = SUSPECT if self._suspect else self._most
        ready = self._batches.next(self.sink.name, self.sink.target, limit)
        if ready is None:
            return False
        started, expired = time.monotonic(), self.expired
        dead = self._write_all(ready)
        self._batches.taken(ready, dead)
        rows = ready.batch.columns
        if rows:
            count = len(rows) - len(dead) - (self.expired - expired)
            self.delivered += count
            seconds = round(time.monotonic() - started, 3)
            _log.info("points.delivered", sink=self.sink.name, count=count, dead_letters=len(dead), seconds=seconds)
        return True

    def _write_all(self, ready: Ready) -> Sequence[DeadLetter]:
        sent = _Sent()
        rows = ready.batch.columns
        if rows:
            self._write(rows, sent, partial(ready.write, partial(self._batches.meanwhile, ready, self._most)))
        dead = sent.dead
        if sent.too_large:
            # What was taken is the size to go on with; one point that is too large alone says little of it.
            self._most = max(SUSPECT, sent.taken)
        # Where all was rejected the next look has to cost little: only so many points are tried one by one.
        self._suspect = len(dead) == len(rows) >= SUSPECT
        if self._suspect:
            raise Unauthorized(
                f"every one of {len(dead)} points was rejected: {dead[0].words}",
                mend="that is a wrong setting or another program's data, not bad points: nothing was dropped;"
                " mend it, and delivery goes on by itself",
            )
        for letter in dead:
            _log.error(
                "point.rejected",
                sink=self.sink.name,
                measurement=letter.row.point.series.measurement,
                point_time=rfc3339(letter.row.point.time),
                words=letter.words,
            )
        return dead

    def _write(self, rows: Columns, sent: _Sent, write: Callable[[], None]) -> None:
        """Write rows, halving where the sink wants it, until what it rejects stands alone in `sent.dead`."""
        try:
            write()
            sent.taken = max(sent.taken, len(rows))
        except Expired as error:
            if error.dropped is None and len(rows) > 1:
                self._halve(rows, sent)
            else:
                self._expire(error, len(rows) if error.dropped is None else error.dropped)
        except (Rejected, TooLarge) as error:
            if len(rows) > 1:
                sent.too_large |= isinstance(error, TooLarge)
                self._halve(rows, sent)
            else:
                sent.dead.append(DeadLetter(rows.rows()[0], str(error)))

    def _prepare(self, rows: Columns) -> Write:
        return self.sink.prepare(rows)

    def _halve(self, rows: Columns, sent: _Sent) -> None:
        # What was read ahead had the size of this batch: the next one may have to be smaller.
        self._batches.drop()
        middle = len(rows) // 2
        for part in (rows.part(0, middle), rows.part(middle, len(rows))):
            self._write(part, sent, partial(self._prepare(part), None))

    def _expire(self, error: Expired, count: int) -> None:
        if self.expired == 0:
            _log.warning("points.expired", sink=self.sink.name, count=count, what=str(error), mend=error.mend)
        self.expired += count
