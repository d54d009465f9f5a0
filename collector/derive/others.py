"""What the scores of other groups change of a spike: that it is over, and how many rose with it."""

from collections.abc import Collection, Sequence

from collector.derive.followed import GROUPS, Followed
from collector.derive.known import Known
from collector.derive.moments import Moments
from collector.derive.protocols import Rules
from collector.derive.recent import Recent
from collector.derive.stands import Stands
from collector.derive.telling import Telling
from collector.derive.walk import kept_of
from collector.history.card import DAY
from collector.history.rises import EVERYBODY, WITHDRAWN
from collector.point import MAX_TIME, Point


class Others:
    """Looks at the spikes that stand, in one turn. `moments`: of new scores of a tenant's groups."""

    def __init__(
        self, known: Known, rules: Rules, past: Moments, telling: Telling, recent: Recent, stands: Stands
    ) -> None:
        self._known = known
        self._rules = rules
        self._past = past
        self._telling = telling
        self._recent = recent
        self._stands = stands

    def standing(self, tenant: str, moments: Sequence[int]) -> Sequence[Point]:
        """Return the groups' spikes that may have stood at one of the moments (in the order of time)."""
        if not self._recent.ever(tenant):
            return ()
        window = (self._rules.groups.window_days + 2) * DAY
        # Through a gap in which nobody was seen a spike stood, however long.
        since = moments[0] - window if self._seen_lately(tenant, moments[0]) else 0
        found = self._recent.of(tenant, since, moments[-1])
        return [
            point
            for point in found
            if point.fields["state"] != WITHDRAWN and point.series.tag("rbacGroupName") != EVERYBODY
        ]

    def unseen(self, spike: Point, moments: Sequence[int]) -> tuple[Followed, int] | None:
        """Return the group of a spike that is said to have gone on when it had not been seen for a day, others were.

        And at which of the moments first.
        """
        end = kept_of(spike).episode.end or MAX_TIME
        during = [moment for moment in moments if spike.time + DAY <= moment < end]
        series = spike.series.of(GROUPS)
        if not during or not self._known.knows(series):  # of a spike that was imported there may be no score at all
            return None
        one = self._known.who(series)
        moment = self._missed(one, during)
        return None if moment is None else (one, moment)

    def begun(self, tenant: str, moments: Collection[int]) -> Sequence[Point]:
        """Return the spikes of which it is told how many groups rose by scores of these moments."""
        closed = {moment // DAY + 1 for moment in moments}
        found = self._recent.of(tenant, min(moments), (max(closed) + 1) * DAY)
        touched = [point for point in found if point.time in moments or point.time // DAY in closed]
        return [point for point in touched if point.fields["state"] != WITHDRAWN]

    def told_anew(self, spike: Point) -> Point | None:
        """Return a spike as it is told now, None where that is nothing new."""
        text = self._telling.text(spike.series, kept_of(spike).episode, str(spike.fields["text"]))
        return None if spike.fields["text"] == text else Point(spike.series, spike.time, {**spike.fields, "text": text})

    def _seen_lately(self, tenant: str, moment: int) -> bool:
        """Whether a group of the tenant has a sample in the day before a moment."""
        groups = self._known.groups(tenant)
        stands = (stand for series in groups if (stand := self._stands.of(series)) is not None)
        if any(moment - DAY <= stand.last < moment for stand in stands):
            return True
        self._past.look((series, moment - 1) for series in groups)
        return self._past.newest((series, moment - 1) for series in groups) is not None

    def _missed(self, one: Followed, moments: Sequence[int]) -> int | None:
        """Return the first of the moments before which a score has no sample for a day."""
        self._past.look((series, moment) for series in one.series for moment in moments)
        for moment in moments:
            last = self._past.before(one, moment)
            if last is None or last.time + DAY <= moment:
                return moment
        return None
