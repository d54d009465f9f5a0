"""Lets what follows from the scores be derived: a turn a job, whenever something was appended."""

import threading
from collections.abc import Callable

import structlog

from collector.derive import Derive
from collector.errors import JournalError
from collector.pipeline.protocols import Workers

DERIVING = "derive"
"""The lane: one worker, so that what is derived is nobody's wait."""

_log = structlog.get_logger()


class Deriving:
    """Runs `derive` on the workers. `derived` is called after each turn that went well."""

    def __init__(self, derive: Derive, workers: Workers, derived: Callable[[], None]) -> None:
        self._derive = derive
        self._workers = workers
        self._derived = derived
        self._lock = threading.Lock()
        self._turning = threading.Lock()
        self._running = False
        self._nudged = False
        self.up_to_date = False
        """Whether a turn has found nothing more to do since the last one that had something."""
        self.error: JournalError | None = None
        """Why the last turn failed; None when it went well."""

    def nudge(self) -> None:
        """Look for new rows soon."""
        with self._lock:
            self._nudged = True
            if self._running:
                return
            self._running = True
        self._workers.soon(DERIVING, self._run)

    def finish(self) -> None:
        """Return once there is nothing more to derive, and all is said of what began; or it failed."""
        while self._turn(last=True):
            pass

    def _run(self) -> None:
        self._nudged = False
        more = False
        try:
            more = self._turn()
        finally:
            # Also when something unforeseen is on its way up: the next nudge tries again.
            with self._lock:
                again = more or self._nudged
                self._running = again
            if again:
                self._workers.soon(DERIVING, self._run)

    def _turn(self, *, last: bool = False) -> bool:
        """Take one turn; return whether there may be more to do. `last`: nothing more is polled."""
        more = True
        try:
            with self._turning:
                more = self._derive.turn(last=last)
        except JournalError as error:
            if self.error is None:
                _log.warning("derive.failed", error=str(error), mend=error.mend)
            self.error = error
            return False
        finally:
            # A turn that fails leaves something to do.
            self.up_to_date = not more
        if self.error is not None:
            _log.info("derive.recovered")
        self.error = None
        if more:
            self._derived()
        return more
