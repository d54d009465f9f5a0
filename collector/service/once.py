"""One poll of every tenant, what follows from it, then delivery until every sink has everything."""

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from collector.errors import CollectorError
from collector.journal import Journal, in_charge
from collector.pipeline import Outcome, Terms
from collector.service.engine import Engine
from collector.service.patience import BACKOFF, Delivered, Patience
from collector.service.slots import slot_of, succeeded
from collector.service.soundness import Soundness
from collector.settings import Settings

_LOOK_SECONDS = 0.5
_DERIVE_SECONDS = 60.0
"""For what follows from the scores: a journal of years, of which nothing was derived yet, is gone through in parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What `once` did. `lost`: points that the journal would not take, gone with the process.

    `underived`: why what follows from the scores is not all there, None when nothing failed; `left_out`: what of it
    could not be derived; `waiting`: points from which the next run derives, since there was no time for all.
    """

    slot: int
    polls: Sequence[Outcome]
    sinks: Sequence[Delivered]
    lost: int
    underived: CollectorError | None = None
    left_out: str = ""
    waiting: int = 0

    @property
    def ok(self) -> bool:
        """Whether every poll succeeded, every point is safe, all is derived, and every sink has taken all of it."""
        failed = any(poll.error for poll in self.polls) or any(sink.error or sink.refused for sink in self.sinks)
        return not failed and not self.lost and not self.underived and not self.left_out

    def kept(self, poll: Outcome) -> bool:
        """Whether the journal has a poll: what it did not take at once it may have taken at the end."""
        return poll.safe or not self.lost


def once(settings: Settings, *, name: str, tenants: Sequence[str], patience: float) -> Report:
    """Poll `tenants` now and deliver; what is unavailable gets `patience` seconds of retries, and the journal the rest.

    Raise JournalError when the journal can't be opened, or another process has the role.
    """
    path = settings.journal.path
    with in_charge(path) as journal:
        return _Once(settings, journal, name=name, tenants=tenants, patience=patience).run()


class _Once:
    def __init__(
        self, settings: Settings, journal: Journal, *, name: str, tenants: Sequence[str], patience: float
    ) -> None:
        self._seconds = patience
        self._changed = threading.Condition()
        self._polls: list[Outcome] = []
        self._engine = Engine(
            settings,
            journal,
            name=name,
            tenants=tenants,
            delivered=lambda _: self._notify(),
            backoff=BACKOFF,
        )
        self._patience = Patience(journal, self._engine.deliveries, patience)

    def run(self) -> Report:
        engine = self._engine
        slot = slot_of(time.time(), engine.settings.poll.interval_seconds)
        terms = Terms(last_start=math.inf, end=math.inf, backoff=BACKOFF, patient=False, patience=self._seconds)
        engine.deriving.begin()
        engine.lanes.start()
        try:
            started = engine.poll(slot, terms, self._settled, succeeded=succeeded(engine.journal, slot))
            with self._changed:
                while len(self._polls) < started:
                    self._changed.wait(_LOOK_SECONDS)
            if not engine.hold.flush() and engine.damage:
                Soundness(engine.journal).mend(*engine.damage)
                engine.hold.flush()
            derived = engine.deriving.finish(_DERIVE_SECONDS)
            engine.nudge()
            tail = engine.journal.tail()
            with self._changed:
                while not self._patience.over(tail):
                    self._changed.wait(_LOOK_SECONDS)
        finally:
            engine.stop()
        return Report(
            slot=slot,
            polls=sorted(self._polls, key=lambda outcome: (outcome.tenant, outcome.subject)),
            sinks=self._patience.delivered(tail),
            lost=engine.hold.held + engine.hold.lost,
            underived=engine.deriving.error,
            left_out="" if engine.deriving.error else engine.deriving.failing,
            waiting=0 if derived else engine.deriving.backlog().points,
        )

    def _settled(self, outcome: Outcome) -> None:
        with self._changed:
            self._polls.append(outcome)
            self._changed.notify_all()

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()
