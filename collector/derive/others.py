"""What the scores of other groups change of a spike: that it is over, and how many rose with it."""

from collections.abc import Collection, Iterator, Sequence

from collector.derive.followed import GROUPS, Followed
from collector.derive.known import Known
from collector.derive.moments import Moments
from collector.derive.protocols import Rules
from collector.derive.recent import Recent
from collector.derive.telling import Telling
from collector.derive.walk import kept_of
from collector.history.card import DAY
from collector.history.rises import EVERYBODY, WITHDRAWN
from collector.point import MAX_TIME, Point, Series


class Others:
    """Looks at the spikes that stand, in one turn. `moments`: of new scores of a tenant's groups."""

    def __init__(self, known: Known, rules: Rules, past: Moments, telling: Telling, recent: Recent) -> None:
        self._known = known
        self._rules = rules
        self._past = past
        self._telling = telling
        self._recent = recent

    def unseen(self, tenant: str, moments: Sequence[int]) -> Iterator[tuple[Followed, int]]:
        """Yield each group that had not been seen for a day at one of the moments (others were), and the first such.

        Those alone of which a spike is said to have gone on then. The moments are in the order of time.
        """
        window = (self._rules.groups.window_days + 2) * DAY
        for point in self._recent.of(tenant, moments[0] - window, moments[-1]):
            name = point.series.tag("rbacGroupName")
            end = kept_of(point).episode.end or MAX_TIME
            during = [moment for moment in moments if point.time + DAY <= moment < end]
            if name == EVERYBODY or point.fields["state"] == WITHDRAWN or not during:
                continue
            one = self._known.who(Series(GROUPS, point.series.tags))
            if (moment := self._missed(one, during)) is not None:
                yield one, moment

    def told_anew(self, tenant: str, moments: Collection[int]) -> Iterator[Point]:
        """Yield the spikes of which more is known of how many groups rose: scores of these moments have come."""
        closed = {moment // DAY + 1 for moment in moments}
        for point in self._recent.of(tenant, min(moments), (max(closed) + 1) * DAY):
            touched = point.time in moments or point.time // DAY in closed
            if touched and point.fields["state"] != WITHDRAWN:
                text = self._telling.text(point.series, kept_of(point).episode, str(point.fields["text"]))
                if point.fields["text"] != text:
                    yield Point(point.series, point.time, {**point.fields, "text": text})

    def _missed(self, one: Followed, moments: Sequence[int]) -> int | None:
        """Return the first of the moments before which a score has no sample for a day."""
        self._past.look((series, moment) for series in one.series for moment in moments)
        for moment in moments:
            last = self._past.before(one, moment)
            if last is None or last.time + DAY <= moment:
                return moment
        return None
