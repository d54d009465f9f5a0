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


class Hold:
    """Appends polls in the order in which they came; `appended` is called after each append.

    Polls that come while another is being synced to disk go into the next transaction together. One that can't be
    stored by a fault of ours is set aside, and keeps no other from the journal, nor from memory.
    """

    def __init__(self, journal: Journal, *, appended: Callable[[], None], most: int = MOST) -> None:
        self._journal = journal
        self._appended = appended
        self._most = most
        self._waiting: dict[int, Sequence[Point]] = {}
        """By a number that grows: in the order in which they came."""
        self._aside: dict[int, Sequence[Point]] = {}
        """By the same number, in the order in which they are tried again."""
        self._lock = threading.Lock()
        self._appending = threading.Lock()
        self._came = 0
        self.held = 0
        """How many points wait in memory, those set aside among them."""
        self.faulty = 0
        """How many are set aside: they can't be stored, by a fault of ours."""
        self.lost = 0
        """How many found no room there."""
        self.error: JournalError | None = None
        """Why the last append failed; None while the journal can be written."""

    def keep(self, points: Sequence[Point]) -> bool:
        """Return True once the points are safe in the journal, False when they wait in memory or were lost.

        After a failure points only wait until a `flush` has gone well: asking a full disk for each poll mends nothing.
        """
        while self.error is None and self._full(points):
            with self._appending:
                self._append()  # by now another may have made room: a journal that is well is waited for
        if self._full(points):
            self.flush()  # before anything is lost the journal is asked once more
        with self._lock:
            self._give_way(points)
            if self.held + len(points) > self._most:
                self._lose(points)
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
        with self._lock:
            return ticket not in self._waiting and ticket not in self._aside

    def flush(self) -> bool:
        """Try to append all that waits, in one transaction; return whether nothing waits any more.

        While another thread tries, this one doesn't.
        """
        if self._appending.acquire(blocking=False):
            try:
                self._append()
                if not self._waiting:  # neither a journal that failed nor those that have come meanwhile
                    self._append_aside()
            finally:
                self._appending.release()
        return not self.held

    def _full(self, points: Sequence[Point]) -> bool:
        """Whether there is no room for these beside those that wait for the journal."""
        with self._lock:
            waiting = self.held - self.faulty
            return waiting > 0 and waiting + len(points) > self._most

    def _give_way(self, points: Sequence[Point]) -> None:
        """Lose of what is set aside as much as takes the room of points that may well be stored."""
        fits = self.held - self.faulty + len(points) <= self._most
        while fits and self.held + len(points) > self._most:
            gone = self._aside.pop(next(iter(self._aside)))
            self.held -= len(gone)
            self.faulty -= len(gone)
            self._lose(gone)

    def _lose(self, points: Sequence[Point]) -> None:
        self.lost += len(points)
        _log.error("points.lost", count=len(points), held=self.held, most=self._most)

    def _append(self) -> None:
        with self._lock:
            waiting = dict(self._waiting)
        if not waiting:
            return
        error: JournalError | None = None
        try:
            self._store(waiting)
        except JournalError as failure:
            error = failure
        except Exception:  # noqa: BLE001 - whatever is wrong with one poll is nobody else's
            error = self._each_alone(waiting)
        with self._lock:
            gone = [ticket for ticket in waiting if ticket not in self._waiting and ticket not in self._aside]
        self._tell(error, sum(len(waiting[ticket]) for ticket in gone))

    def _each_alone(self, waiting: Mapping[int, Sequence[Point]]) -> JournalError | None:
        """Append what can be, after a fault of ours with one of these polls, and set that one aside.

        Return why the journal took no more, None where it did.
        """
        for ticket, points in waiting.items():
            try:
                self._store({ticket: points})
            except JournalError as failure:
                return failure
            except Exception:  # noqa: BLE001 - as above
                self._set_aside(ticket)
                _log.exception(
                    "points.unstored",
                    tenant=next((point.series.tag("tenant") for point in points), ""),
                    count=len(points),
                    held=self.held,
                    mend="report it: it is a fault of the collector; the points wait until the process ends",
                )
        return None

    def _append_aside(self) -> None:
        """Try again what is set aside, until there is one that still can't be stored: its turn is after the others'."""
        while True:
            with self._lock:
                ticket, points = next(iter(self._aside.items()), (0, ()))
            if not ticket:
                return
            try:
                self._store({ticket: points})
            except JournalError as failure:
                self._tell(failure, 0)
                return
            except Exception:  # noqa: BLE001 - said when it was set aside
                self._set_aside(ticket)
                return
            else:
                self._tell(None, len(points))

    def _store(self, polls: Mapping[int, Sequence[Point]]) -> None:
        """Append these polls in one transaction, and let them wait no more."""
        self._journal.append([point for points in polls.values() for point in points])
        with self._lock:
            for ticket in polls:
                self.held -= len(self._waiting.pop(ticket, ()))
                points = self._aside.pop(ticket, ())
                self.held -= len(points)
                self.faulty -= len(points)

    def _set_aside(self, ticket: int) -> None:
        """Let a poll be the last of those that are set aside."""
        with self._lock:
            if ticket in self._waiting:
                self._aside[ticket] = self._waiting.pop(ticket)
                self.faulty += len(self._aside[ticket])
            elif ticket in self._aside:  # else it has given way meanwhile
                self._aside[ticket] = self._aside.pop(ticket)

    def _tell(self, error: JournalError | None, appended: int) -> None:
        before, self.error = self.error, error
        if error is not None:
            _log.error("journal.failed", error=str(error), mend=error.mend, held=self.held)
        elif before is not None:
            _log.warning("journal.recovered", appended=appended)
        if appended:
            self._appended()
