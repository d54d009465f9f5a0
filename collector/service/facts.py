"""What the running service knows of itself and of the history, for the pages."""

import time
from collections.abc import Collection, Mapping, Sequence

from collector.batch import Backlog
from collector.errors import JournalError
from collector.history import view
from collector.history.view import Ranking, View
from collector.pipeline import Outcome
from collector.point import Point
from collector.service.engine import Engine
from collector.service.expiry import Expiry
from collector.service.polled import Polled
from collector.service.reload import Reload
from collector.service.soundness import Soundness
from collector.web import DeriveFacts, PollFacts, SettingsFacts, SinkFacts

_FRESH_INTERVALS = 3
_TURN_SECONDS = 60.0


class Watching:
    """Meets the web room's `Facts`. Of polls it has taken note as they came; the rest is asked of the journal."""

    def __init__(self, engine: Engine, expiry: Expiry, soundness: Soundness, reload: Reload | None = None) -> None:
        self._engine = engine
        self._reload = reload or Reload()
        self._expiry = expiry
        self._soundness = soundness
        self._polled = Polled(
            engine.journal, {source.tenant for source in engine.sources}, engine.settings.poll.subjects
        )
        self._turned = time.monotonic()

    def settled(self, outcome: Outcome) -> None:
        """Take note of a poll that is settled."""
        self._polled.settled(outcome)

    def left(self, tenants: Collection[str]) -> None:
        """Take note that tenants are polled no longer: nothing more is told of them."""
        self._polled.left(tenants)

    def joined(self, tenants: Collection[str]) -> None:
        """Take note that tenants are polled from now on."""
        self._polled.joined(tenants)

    def take_up(self, tenants: Collection[str]) -> None:
        """Take up what the journal knows of their polls, which may take its time."""
        self._polled.take_up(tenants, self._engine.settings.poll.subjects)

    def turned(self) -> None:
        """Take note that the clock fired and a worker ran."""
        self._turned = time.monotonic()

    def turns(self) -> bool:
        return time.monotonic() - self._turned < _TURN_SECONDS

    def reasons(self) -> Sequence[str]:
        reasons = []
        if self._engine.hold.error is not None:
            reasons.append(f"the journal can't be written: {self._engine.hold.error}")
        else:
            try:
                self._engine.journal.tail()
            except JournalError as error:
                reasons.append(f"the journal can't be read: {error}")
        if self._soundness.fault:
            reasons.append(f"the journal does not hold what was written: {self._soundness.fault}")
        if self._engine.hold.lost:
            reasons.append(f"{self._engine.hold.lost} points found no room in memory, and are lost")
        now = time.time()
        fresh_since = now - self._fresh_seconds()
        tenants = {source.tenant for source in self._engine.sources}
        # A shard that has no tenant has nothing to be late with.
        if tenants and not any(
            fresh_since <= at <= now for (tenant, _), at in self.successes().items() if tenant in tenants
        ):
            reasons.append(f"no tenant was polled with success within {_FRESH_INTERVALS} intervals")
        return reasons

    def warnings(self) -> Sequence[str]:
        failing = self._engine.deriving.failing
        derived = [f"what follows from the scores is not all derived: {failing}"] if failing else []
        faulty = self._engine.hold.faulty
        held = [f"{faulty} points can't be stored by a fault of the collector; its log has the trace"] if faulty else []
        return [*held, *derived, *self._reload.warnings]

    def settings(self) -> SettingsFacts:
        settings = self._engine.settings
        return SettingsFacts(
            ok=self._reload.ok,
            taken_up=self._reload.at,
            shard=str(settings.shard or "0/1"),
            here=len(self._engine.sources),
            elsewhere=len(settings.elsewhere),
        )

    def derived(self) -> DeriveFacts:
        deriving = self._engine.deriving
        backlog = deriving.backlog()
        return DeriveFacts(
            backlog=backlog.points,
            oldest_seconds=_age(backlog),
            left_out=deriving.left_out,
            ok=not deriving.failing,
        )

    def scores(self, most: int) -> Sequence[Point]:
        since = int((time.time() - self._fresh_seconds()) * 1000)
        journal = self._engine.journal
        return [
            *journal.latest("exposure_score", since),
            *journal.first_of("exposure_score_by_group", since, most),
        ]

    def scored(self) -> Mapping[str, float]:
        newest = self._engine.journal.latest("exposure_score", 0)
        times = {point.series.tag("tenant"): point.time / 1000 for point in newest}
        return {tenant: times[tenant] for tenant in self.tenants() if tenant in times}

    def tenants(self) -> Sequence[str]:
        return [source.tenant for source in self._engine.sources]

    def ranking(self, days: int, place: int) -> Ranking:
        now, late_ms = self._moments()
        journal = self._engine.journal
        return view.ranking(journal, self.tenants(), now=now, late_ms=late_ms, days=days, place=place)

    def view(self, tenant: str, days: int | None, group: str | None, place: int) -> View | None:
        journal = self._engine.journal
        if tenant not in self.tenants() and tenant not in journal.tenants():
            return None
        now, late_ms = self._moments()
        return view.view(journal, tenant, now=now, late_ms=late_ms, days=days, group=group, place=place)

    def successes(self) -> Mapping[tuple[str, str], float]:
        return self._polled.successes()

    def polls(self) -> Mapping[tuple[str, str, str], int]:
        return self._polled.outcomes()

    def polled(self) -> Mapping[tuple[str, str], PollFacts]:
        return self._polled.last()

    def expiries(self) -> Mapping[str, float]:
        return self._expiry.moments

    def sinks(self) -> Sequence[SinkFacts]:
        journal = self._engine.journal
        cursors = {cursor.consumer: cursor for cursor in journal.cursors()}
        facts = []
        for delivery in self._engine.deliveries:
            name = delivery.sink.name
            backlog = journal.gauge(cursors[name], delivery.wanted)
            dead = journal.dead_letters(name)
            facts.append(SinkFacts(sink=name, backlog=backlog.points, oldest_seconds=_age(backlog), dead_letters=dead))
        return facts

    def journal_bytes(self) -> int:
        return self._engine.journal.bytes()

    def journal_ok(self) -> bool:
        return self._engine.hold.error is None and not self._soundness.fault

    def _moments(self) -> tuple[int, int]:
        """Return the time (ms), and the age (ms) from which a score is late."""
        return int(time.time() * 1000), int(self._fresh_seconds() * 1000)

    def _fresh_seconds(self) -> float:
        return float(_FRESH_INTERVALS * self._engine.settings.poll.interval_seconds)


def _age(backlog: Backlog) -> float:
    return max(0.0, time.time() - backlog.oldest / 1000) if backlog.oldest is not None else 0.0
