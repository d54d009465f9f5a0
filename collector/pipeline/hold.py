"""The way of collected points into the journal, and the place where they wait while it can't be written.

Is not a second journal: what waits here is gone with the process, and whoever asks is told so.
"""

import threading
from collections.abc import Callable, Mapping, Sequence

from collector.errors import JournalError
from collector.log import logger
from collector.pipeline.protocols import Journal
from collector.point import Point

MOST = 250_000
"""Points that wait in memory at the most: a whole poll of 1,000 tenants with 200 groups each, and some room. Further
ones are lost, and it is said how many."""

_log = logger()


class _Fault(JournalError):
    """Points that can't be stored by a fault of ours: the journal is well, and takes all others."""


class Hold:
    """Appends polls in the order in which they came; `appended` is called after each append.

    Polls that come while another is being synced to disk go into the next transaction together.
    """

    def __init__(self, journal: Journal, *, appended: Callable[[], None], most: int = MOST) -> None:
        self._journal = journal
        self._appended = appended
        self._most = most
        self._waiting: dict[int, Sequence[Point]] = {}
        """By a number that grows: in the order in which they came."""
        self._lock = threading.Lock()
        self._appending = threading.Lock()
        self._came = 0
        self.held = 0
        """How many points wait in memory."""
        self.lost = 0
        """How many found no room there."""
        self.error: JournalError | None = None
        """Why the last append failed; None while the journal can be written."""

    def keep(self, points: Sequence[Point]) -> bool:
        """Return True once the points are safe in the journal, False when they wait in memory or were lost.

        After a failure points only wait until a `flush` has gone well: asking a full disk for each poll mends nothing.
        """
        if self.held + len(points) > self._most:
            self.flush()  # before anything is lost the journal is asked once more
        with self._lock:
            if self.held + len(points) > self._most:
                self.lost += len(points)
                _log.error("points.lost", count=len(points), held=self.held, most=self._most)
                return False
            self._came += 1
            ticket = self._came
            self._waiting[ticket] = points
            self.held += len(points)
        if self.error is None:
            with self._appending:
                # Whoever was here before may have taken these points along, or have found that nothing can be written.
                if ticket in self._waiting and self.error is None:
                    self._append()
        return ticket not in self._waiting

    def flush(self) -> bool:
        """Try to append all that waits, in one transaction; return whether nothing waits any more.

        While another thread tries, this one doesn't.
        """
        if self._appending.acquire(blocking=False):
            try:
                self._append()
            finally:
                self._appending.release()
        return not self.held

    def _append(self) -> None:
        with self._lock:
            waiting = dict(self._waiting)
        if not waiting:
            return
        try:
            self._store(waiting)
            error = None
        except JournalError as failure:
            error = failure
        except Exception:  # noqa: BLE001 - whatever is wrong with one poll is nobody else's
            error = self._each_alone(waiting)
        safe = [points for ticket, points in waiting.items() if ticket not in self._waiting]
        before, self.error = self.error, error
        if error is None and before is not None:
            _log.warning("journal.recovered", appended=sum(map(len, safe)))
        elif error is not None and not isinstance(error, _Fault):
            _log.error("journal.failed", error=str(error), mend=error.mend, held=self.held)
        if safe:
            self._appended()

    def _store(self, waiting: Mapping[int, Sequence[Point]]) -> None:
        """Append these polls in one transaction, and let them wait no more."""
        self._journal.append([point for points in waiting.values() for point in points])
        with self._lock:
            for ticket, points in waiting.items():
                self.held -= len(points)
                del self._waiting[ticket]

    def _each_alone(self, waiting: Mapping[int, Sequence[Point]]) -> JournalError | None:
        """Append what can be, after a fault of ours with one of these polls: it alone waits on, and is not dropped.

        Return what the last failure was.
        """
        error: JournalError | None = None
        for ticket, points in waiting.items():
            try:
                self._store({ticket: points})
            except JournalError as failure:
                return failure
            except Exception:  # noqa: BLE001 - as above
                error = _Fault("some points can't be stored, by a fault of the collector; its log has the trace")
                if not isinstance(self.error, _Fault):
                    _log.exception("journal.failed", points=len(points), held=self.held)
        return error
