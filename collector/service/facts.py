"""What the running service knows of itself and of the history, for the pages."""

import threading
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from collector.batch import Backlog
from collector.errors import JournalError
from collector.history import view
from collector.history.view import Ranking, View
from collector.journal import Journal
from collector.pipeline import Outcome
from collector.point import Point
from collector.service.engine import Engine
from collector.service.expiry import Expiry
from collector.service.reload import Reload
from collector.service.soundness import Soundness
from collector.web import DeriveFacts, SettingsFacts, SinkFacts

_FRESH_INTERVALS = 3
_TURN_SECONDS = 60.0
_LOOK_BACK_MS = 30 * 86_400_000


class Watching:
    """Meets the web room's `Facts`. Counts outcomes as they come; the rest is asked of the journal."""

    def __init__(self, engine: Engine, expiry: Expiry, soundness: Soundness, reload: Reload | None = None) -> None:
        self._engine = engine
        self._reload = reload or Reload()
        self._expiry = expiry
        self._soundness = soundness
        self._lock = threading.Lock()
        self._polls: Counter[tuple[str, str, str]] = Counter()
        self._gone: frozenset[str] = frozenset()
        self._successes = self._known({source.tenant for source in engine.sources})
        self._turned = time.monotonic()

    def settled(self, outcome: Outcome) -> None:
        """Take note of a poll that is settled."""
        subject = (outcome.tenant, outcome.subject)
        with self._lock:
            if outcome.tenant in self._gone:
                return
            self._polls[*subject, outcome.error.name if outcome.error else "ok"] += 1
            if outcome.error is None:
                known = self._successes.get(subject, 0.0)
                # What lies ahead of the clock was told by a clock that is gone.
                self._successes[subject] = max(known if known <= time.time() else 0.0, outcome.slot / 1000)

    def left(self, tenants: Collection[str]) -> None:
        """Take note that tenants are polled no longer: nothing more is told of them."""
        with self._lock:
            self._gone = self._gone.union(tenants)
            self._successes = {key: at for key, at in self._successes.items() if key[0] not in tenants}
            for outcome in [outcome for outcome in self._polls if outcome[0] in tenants]:
                del self._polls[outcome]

    def joined(self, tenants: Collection[str]) -> None:
        """Take note that tenants are polled from now on, of whom the journal may know already."""
        with self._lock:
            self._gone = self._gone.difference(tenants)
        known = self._known(tenants)
        with self._lock:
            # What was polled meanwhile is newer.
            self._successes = known | self._successes

    def _known(self, tenants: Collection[str]) -> dict[tuple[str, str], float]:
        """Return the last successes of these tenants, as the journal has them."""
        subjects = self._engine.settings.poll.subjects
        found = _last_successes(self._engine.journal) if tenants else {}
        return {key: at for key, at in found.items() if key[0] in tenants and key[1] in subjects}

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
            reasons.append(f"{self._engine.hold.lost} points found no room in memory while the journal failed")
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
        return [*derived, *self._reload.warnings]

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

    def scores(self) -> Sequence[Point]:
        since = int((time.time() - self._fresh_seconds()) * 1000)
        journal = self._engine.journal
        return [*journal.latest("exposure_score", since), *journal.latest("exposure_score_by_group", since)]

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
        with self._lock:
            return dict(self._successes)

    def polls(self) -> Mapping[tuple[str, str, str], int]:
        with self._lock:
            return dict(self._polls)

    def expiries(self) -> Mapping[str, float]:
        return self._expiry.moments

    def sinks(self) -> Sequence[SinkFacts]:
        journal = self._engine.journal
        cursors = {cursor.consumer: cursor for cursor in journal.cursors()}
        facts = []
        for delivery in self._engine.deliveries:
            name = delivery.sink.name
            backlog = journal.backlog(cursors[name], delivery.wanted)
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


def _last_successes(journal: Journal) -> dict[tuple[str, str], float]:
    """Return the last success of each (tenant, subject) of the last 30 days, in seconds since the epoch."""
    now = int(time.time() * 1000)
    found: dict[tuple[str, str], float] = {}
    for last in journal.latest("collector_poll", now - _LOOK_BACK_MS):
        subject = (last.series.tag("tenant"), last.series.tag("subject"))
        polls = [last] if last.fields["ok"] else journal.history(last.series, now - _LOOK_BACK_MS, last.time)
        times = [point.time / 1000 for point in polls if point.fields["ok"]]
        found[subject] = max([found.get(subject, 0.0), *times])
    return {subject: at for subject, at in found.items() if at}
