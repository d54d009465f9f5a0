"""The way of collected points into the journal, and the place where they wait while it can't be written.

Is not a second journal: what waits here is gone with the process, and whoever asks is told so.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence

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

    Polls that come while another is being synced to disk go into the next transaction together.
    """

    def __init__(self, journal: Journal, *, appended: Callable[[], None], most: int = MOST) -> None:
        self._journal = journal
        self._appended = appended
        self._most = most
        self._waiting: deque[Sequence[Point]] = deque()
        self._lock = threading.Lock()
        self._appending = threading.Lock()
        self._came = 0
        self._safe = 0
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
            self._waiting.append(points)
            self.held += len(points)
            self._came += 1
            ticket = self._came
        if self.error is None:
            with self._appending:
                # Whoever was here before may have taken these points along, or have found that nothing can be written.
                if self._safe < ticket and self.error is None:
                    self._append()
        return self._safe >= ticket

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
            waiting = list(self._waiting)
        if not waiting:
            return
        try:
            self._journal.append([point for points in waiting for point in points])
        except JournalError as error:
            self.error = error
            _log.error("journal.failed", error=str(error), mend=error.mend, held=self.held)
            return
        with self._lock:
            for _ in waiting:
                self.held -= len(self._waiting.popleft())
            self._safe += len(waiting)
        if self.error is not None:
            self.error = None
            _log.warning("journal.recovered", appended=sum(map(len, waiting)))
        self._appended()
