"""Lets what follows from the scores be derived: a turn a job, whenever something was appended."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from collector.batch import DERIVE, DERIVED_FROM, Backlog
from collector.derive import Derive, Rules
from collector.errors import CollectorError, JournalError
from collector.journal import Journal
from collector.log import logger
from collector.pipeline import Backoff
from collector.pipeline.protocols import Workers
from collector.service.left_out import LeftOut

DERIVING = "derive"
"""The lane: one worker, so that what is derived is nobody's wait."""
_FAULT = CollectorError("a fault of the collector; its log has the trace", mend="it is tried again, ever more rarely")

_log = logger()


class Deriving:
    """Runs turns of `derive` on the workers. `derived` is called after each turn that went well."""

    def __init__(
        self,
        journal: Journal,
        rules: Rules,
        workers: Workers,
        derived: Callable[[], None],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal = journal
        self._left_out = LeftOut()
        self._derive = Derive(journal, rules, apart=self._left_out)
        self._workers = workers
        self._derived = derived
        self._monotonic = monotonic
        self._backoff = Backoff(base=10.0, most=600.0)
        self._lock = threading.Lock()
        self._turning = threading.Lock()
        self._running = False
        self._nudged = False
        self._faults = 0
        self._not_before = 0.0
        self._noted: str | None = None
        self.up_to_date = False
        """Whether a turn has found nothing more to do since the last one that had something."""
        self.error: CollectorError | None = None
        """Why the last turn failed; None when it went well."""

    @property
    def left_out(self) -> int:
        """How much could not be derived, while all else was."""
        return self._left_out.count

    @property
    def failing(self) -> str:
        """What it fails of, or has left out, in words; empty when it is well."""
        return f"{self.error.name}: {self.error}" if self.error else self._left_out.words

    def backlog(self) -> Backlog:
        """Return what is yet to be derived from."""
        return self._journal.gauge(self._journal.cursor(DERIVE), DERIVED_FROM)

    def begin(self) -> None:
        """Take up what a process that was stopped had yet to say; before anything is polled."""
        with suppress(JournalError):  # then each turn fails of it, and says so
            self._derive.take_up()

    def follow(self, rules: Rules) -> None:
        """Derive by these rules from the next turn on, as a process that is started with them would."""

        def follow() -> None:
            with self._turning:
                self._derive = Derive(self._journal, rules, apart=self._left_out)
            self.nudge()

        self._workers.soon(DERIVING, follow)

    def nudge(self) -> None:
        """Look for new rows soon."""
        with self._lock:
            self._nudged = True
            if self._running or self._monotonic() < self._not_before:
                return
            self._running = True
        self._workers.soon(DERIVING, self._run)

    def finish(self, seconds: float = float("inf")) -> bool:
        """Return once all is derived, and all is said of what began; or it failed, or the time is over.

        Whether there was time for all of it.
        """
        until = self._monotonic() + seconds
        while self._turn(last=True):
            if self._monotonic() >= until:
                return False
        return True

    def _run(self) -> None:
        self._nudged = False
        more = self._turn()
        with self._lock:
            again = more or (self._nudged and self._monotonic() >= self._not_before)
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
            self._failed(error)
            return False
        except Exception as fault:  # noqa: BLE001 - a lane that dies of a fault would stand still unseen
            self._faults += 1
            self._not_before = self._monotonic() + self._backoff.wait(self._faults)
            self._failed(_FAULT, fault)
            return False
        finally:
            # A turn that fails leaves something to do.
            self.up_to_date = not more
        if self.error is not None:
            _log.info("derive.recovered")
        self.error, self._faults = None, 0
        self._note()
        if more:
            self._derived()
        return more

    def _failed(self, error: CollectorError, fault: Exception | None = None) -> None:
        if self.error is None or (str(self.error), self.error.name) != (str(error), error.name):
            say = _log.error if fault else _log.warning
            say("derive.failed", error=str(error), mend=error.mend, exc_info=fault)
        self.error = error
        self._note()

    def _note(self) -> None:
        """Keep, for whoever asks from another process, what it fails of."""
        if self.failing != self._noted:
            # The journal may be what fails; then its own words are in the log.
            with suppress(JournalError):
                self._journal.note(DERIVE, self.failing)
                self._noted = self.failing
