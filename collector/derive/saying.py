"""What began is said in the log, once, when it is known how many groups rose with it or won't be."""

from collections.abc import Iterable
from functools import partial

from collector.derive.followed import name_of, trend_of
from collector.derive.known import Known
from collector.derive.moments import Moments
from collector.derive.protocols import Apart, Journal, Rules
from collector.derive.recent import Recent
from collector.derive.stands import Kept
from collector.derive.telling import Telling
from collector.derive.walk import kept_of
from collector.history.card import DAY
from collector.history.rises import EVERYBODY, WITHDRAWN
from collector.log import logger
from collector.point import Point, rfc3339

_POLLS = "collector_poll"
_SUBJECT = "device_groups"

_log = logger()


class Saying:
    """Holds what waits to be said. The journal tells that, too: where a process was stopped, the next one says it."""

    def __init__(self, journal: Journal, known: Known, recent: Recent, rules: Rules) -> None:
        self._journal = journal
        self._known = known
        self._recent = recent
        self._rules = rules
        self._untold: list[Kept] = []
        self._taken_up = False

    def add(self, began: Iterable[Kept]) -> None:
        """Let these be said."""
        self._untold += began

    def take_up(self, now: int, apart: Apart) -> None:
        """Take up, once and before anything else, what waited for its groups when the last process was stopped."""
        if self._taken_up or not self._rules.groups_follow:
            return

        def work(spike: Point) -> None:
            if self._waited(spike):
                self._untold.append(kept_of(spike))

        for spike in self._recent.since(now - DAY):
            apart("spike", spike.series.tag("tenant"), name_of(spike.series), partial(work, spike))
        self._taken_up = True

    def say(self, now: int, apart: Apart, *, wait: bool = True) -> None:
        """Log what began, of which the rest is known; without `wait` all of it now."""
        waiting, self._untold = self._untold, []
        telling = Telling(self._known, Moments(self._journal), self._rules)
        try:
            while waiting:
                spike, work = waiting[0].spike, partial(self._say, waiting[0], telling, now, wait=wait)
                apart("spike", spike.tag("tenant"), name_of(spike), work)
                del waiting[0]
        finally:
            self._untold += waiting

    def _say(self, kept: Kept, telling: Telling, now: int, *, wait: bool) -> None:
        begin, tenant = kept.episode.begin, kept.spike.tag("tenant")
        if now - begin > DAY:
            return  # found in what was imported: nobody is to be woken for it
        # In this order: what is appended between the two is counted.
        settled = self._settled(tenant, begin, now)
        rose = telling.rose(tenant, begin)
        if wait and not rose and not settled:
            self._untold.append(kept)
            return
        name = kept.spike.tag("rbacGroupName")
        _log.warning(
            "spike.began",
            tenant=tenant,
            group=name,
            slot=rfc3339(begin),
            baseline=round(kept.episode.baseline, 2),
            score=round(kept.episode.peak, 2),
            rise=round(kept.episode.rise, 2),
            groups=rose or None,
            whole=name == EVERYBODY,
        )

    def _settled(self, tenant: str, slot: int, now: int) -> bool:
        """Whether no scores of groups come any more for a slot."""
        return not self._rules.groups_follow or now - slot >= self._rules.interval * 1000 or self._polled(tenant, slot)

    def _polled(self, tenant: str, slot: int) -> bool:
        """Whether it is on record that the poll of the groups in a slot was settled, well or not."""
        polls = self._journal.at(_POLLS, slot)
        return any(poll.series.tag("tenant") == tenant and poll.series.tag("subject") == _SUBJECT for poll in polls)

    def _waited(self, spike: Point) -> bool:
        """Whether nothing can have been said of a spike: its groups had not come, and nothing came after it."""
        tenant, begin = spike.series.tag("tenant"), spike.time
        if spike.fields["state"] == WITHDRAWN or _counted(str(spike.fields["text"])):
            return False
        scores = [trend_of(series) for one in self._known.both(tenant) for series in one.series]
        derived = max((point.time for point in self._journal.across.newest(scores)), default=0)
        polled = self._journal.latest(_POLLS, begin + 1, tenant)
        if derived > begin or polled:
            return False
        # Had the scores of the groups been taken, the text would have counted them.
        telling = Telling(self._known, Moments(self._journal), self._rules)
        return bool(telling.rose(tenant, begin)) or not self._polled(tenant, begin)


def _counted(text: str) -> bool:
    """Whether a spike's text says how many groups rose."""
    return "groups rose" in text
