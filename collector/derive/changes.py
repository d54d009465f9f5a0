"""What a turn's rows change: since when each score, which days that had closed, and of whom groups were seen when."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from collector.batch import Row
from collector.derive.followed import GROUPS, Followed
from collector.derive.known import Known
from collector.derive.samples import likely
from collector.history.card import DAY, sample
from collector.history.notes import ANNOTATION, EVERY_GROUP
from collector.point import MAX_TIME, Point, Series

Fresh = Mapping[int, tuple[Series, float]]
"""New samples by their times."""


@dataclass(slots=True)
class Change:
    """Of a score: since when (ms), and its new samples. `whole`: from there on all may differ, however far away."""

    since: int = MAX_TIME
    fresh: dict[int, tuple[Series, float]] = field(default_factory=dict)
    whole: bool = False


class Changes:
    """Gathers them. `today`: the day (its number since 1970) that it is now."""

    def __init__(self, known: Known, today: int) -> None:
        self._known = known
        self._today = today
        self.of: defaultdict[Followed, Change] = defaultdict(Change)
        self.days: dict[tuple[Series, int], None] = {}
        """Closed days of which samples came."""
        self.seen: defaultdict[str, set[int]] = defaultdict(set)
        """When groups of a tenant were seen."""

    def note(self, rows: Sequence[Row]) -> None:
        """Take note of the days of scores, and of the moments where they are groups'."""
        midnight = self._today * DAY
        last, whose = -1, ""
        for row in rows:
            point = row.point
            series, time = point.series, point.time
            # The groups of a tenant come together.
            if series.measurement == GROUPS and (time != last or series.tag("tenant") != whose):
                last, whose = time, series.tag("tenant")
                self.seen[whose].add(time)
            if time < midnight and likely(sample(point).score):
                self.days[series, time // DAY] = None

    def take(self, row: Row) -> None:
        """Take what has to be derived anew by a row."""
        point = row.point
        if point.series.measurement == ANNOTATION:
            for one in self._struck(point):
                self.since(one, point.time)
        elif likely((new := sample(point)).score):
            one = self._known.who(point.series)
            self.of[one].fresh[new.time] = point.series, new.score
            self.since(one, new.time)

    def since(self, one: Followed, moment: int, *, whole: bool = False) -> None:
        """Let a score be derived anew from a moment (ms) on."""
        change = self.of[one]
        change.since = min(change.since, moment)
        change.whole |= whole

    def _struck(self, note: Point) -> Sequence[Followed]:
        """Return the scores that an annotation changes: those of its group, where it is a break."""
        tenant, group = note.series.tag("tenant"), note.series.tag("rbacGroupName")
        self._known.annotated()
        if note.series.tag("kind") != "break":
            return []
        return [one for one in self._known.both(tenant) if group == EVERY_GROUP or group in one.names]
