"""The way of collected points into the journal, and the place where they wait while it can't be written.

Is not a second journal: what waits here is gone with the process, and whoever asks is told so.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence

import structlog

from collector.errors import JournalError
from collector.pipeline.protocols import Journal
from collector.point import Point

MOST = 200_000
"""Points that wait in memory at the most: a whole poll of 1,000 tenants with 200 groups each. Further ones are lost,
and the log says how many."""

_log = structlog.get_logger()


class Hold:
    """Appends polls in the order in which they came; `appended` is called after each append."""

    def __init__(self, journal: Journal, *, appended: Callable[[], None], most: int = MOST) -> None:
        self._journal = journal
        self._appended = appended
        self._most = most
        self._waiting: deque[Sequence[Point]] = deque()
        self._lock = threading.Lock()
        self._held = 0
        self.error: JournalError | None = None
        """Why the last append failed; None while the journal can be written."""

    @property
    def held(self) -> int:
        """How many points wait in memory."""
        return self._held

    def keep(self, points: Sequence[Point]) -> bool:
        """Return True once the points are safe in the journal, False when they wait in memory or were lost."""
        with self._lock:
            if self._held + len(points) > self._most:
                _log.error("points.lost", count=len(points), held=self._held, most=self._most)
                return False
            self._waiting.append(points)
            self._held += len(points)
            return self._flush()

    def flush(self) -> bool:
        """Try again to append what waits; return whether all is safe."""
        with self._lock:
            return self._flush()

    def _flush(self) -> bool:
        while self._waiting:
            try:
                self._journal.append(self._waiting[0])
            except JournalError as error:
                self.error = error
                _log.error("journal.failed", error=str(error), mend=error.mend, held=self._held)
                return False
            self._held -= len(self._waiting.popleft())
            if self.error is not None:
                _log.warning("journal.recovered", held=self._held)
                self.error = None
            self._appended()
        return True
