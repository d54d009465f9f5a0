"""What is known of each tenant's polls: counted as they come, and taken up from the journal at a start."""

import threading
import time
from collections import Counter
from collections.abc import Collection, Mapping

from collector.journal import Journal
from collector.pipeline import Outcome
from collector.point import Point
from collector.web import PollFacts

_LOOK_BACK_MS = 30 * 86_400_000


class Polled:
    """Keeps, by (tenant, subject), the last poll, the last success, and counts of this process. Any thread may call."""

    def __init__(self, journal: Journal, tenants: Collection[str], subjects: Collection[str]) -> None:
        self._journal = journal
        self._lock = threading.Lock()
        self._gone: frozenset[str] = frozenset()
        self._outcomes: Counter[tuple[str, str, str]] = Counter()
        self._throttled: Counter[tuple[str, str]] = Counter()
        self._last: dict[tuple[str, str], tuple[float, float]] = {}
        self._successes: dict[tuple[str, str], float] = {}
        self.take_up(tenants, subjects)

    def left(self, tenants: Collection[str]) -> None:
        """Take note that tenants are polled no longer: nothing more is told of them."""
        with self._lock:
            self._gone = self._gone.union(tenants)
            for outcome in [outcome for outcome in self._outcomes if outcome[0] in tenants]:
                del self._outcomes[outcome]
            for kept in (self._throttled, self._last, self._successes):
                for subject in [subject for subject in kept if subject[0] in tenants]:
                    del kept[subject]

    def joined(self, tenants: Collection[str]) -> None:
        """Take note that tenants are polled from now on."""
        with self._lock:
            self._gone = self._gone.difference(tenants)

    def take_up(self, tenants: Collection[str], subjects: Collection[str]) -> None:
        """Take up what the journal knows of their polls, but for those that have left meanwhile. May take its time."""
        since = int(time.time() * 1000) - _LOOK_BACK_MS
        lasts: dict[tuple[str, str], tuple[float, float]] = {}
        successes: dict[tuple[str, str], float] = {}
        polls = self._journal.latest("collector_poll", since) if tenants else ()
        for last in sorted(polls, key=lambda point: point.time):
            subject = (last.series.tag("tenant"), last.series.tag("subject"))
            if subject[0] in tenants and subject[1] in subjects:
                lasts[subject] = last.time / 1000, float(last.fields["seconds"])
                at = _success(self._journal, last, since)
                if at is not None:
                    successes[subject] = max(successes.get(subject, 0.0), at)
        with self._lock:
            # What was polled meanwhile is newer.
            self._last = {key: last for key, last in lasts.items() if key[0] not in self._gone} | self._last
            self._successes = {key: at for key, at in successes.items() if key[0] not in self._gone} | self._successes

    def settled(self, outcome: Outcome) -> None:
        """Take note of a poll that is settled."""
        subject = (outcome.tenant, outcome.subject)
        with self._lock:
            if outcome.tenant in self._gone:
                return
            self._outcomes[*subject, outcome.error.name if outcome.error else "ok"] += 1
            self._throttled[subject] += outcome.throttled
            self._last[subject] = outcome.slot / 1000, outcome.seconds
            if outcome.error is None:
                known = self._successes.get(subject, 0.0)
                # What lies ahead of the clock was told by a clock that is gone.
                self._successes[subject] = max(known if known <= time.time() else 0.0, outcome.slot / 1000)

    def successes(self) -> Mapping[tuple[str, str], float]:
        """Return the slot of each last success, in seconds since the epoch."""
        with self._lock:
            return dict(self._successes)

    def outcomes(self) -> Mapping[tuple[str, str, str], int]:
        """Return how many polls of (tenant, subject) ended in "ok" or an error's name, in this process."""
        with self._lock:
            return dict(self._outcomes)

    def last(self) -> Mapping[tuple[str, str], PollFacts]:
        """Return the last poll of each (tenant, subject), and how often one was throttled in this process."""
        with self._lock:
            return {
                subject: PollFacts(at=at, seconds=seconds, throttled=self._throttled[subject])
                for subject, (at, seconds) in self._last.items()
            }


def _success(journal: Journal, last: Point, since: int) -> float | None:
    """Return when the last success of a subject was, in seconds since the epoch, None where there is none."""
    polls = [last] if last.fields["ok"] else journal.history(last.series, since, last.time)
    return max((point.time / 1000 for point in polls if point.fields["ok"]), default=None)
