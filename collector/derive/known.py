"""What is known of a journal from one turn to the next: who is followed, who ever had a spike, where the breaks are.

Is no window of samples: what is kept is names, and a moment for each break.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from collector.derive.followed import GROUPS, ORGANIZATION, Followed, followed
from collector.derive.protocols import Journal
from collector.history.notes import ANNOTATION, EVERY_GROUP
from collector.history.rises import SPIKES
from collector.point import MAX_TIME, Point, Series


@dataclass(frozen=True, slots=True)
class _Break:
    group: str
    moment: int


class Known:
    """Learns a tenant when it is asked for, and again after `changed`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._followed: dict[tuple[str, str], Mapping[Series, Followed]] = {}
        self._spiked: dict[str, set[Series]] = {}
        self._breaks: dict[str, Sequence[_Break]] = {}

    def who(self, series: Series) -> Followed:
        """Return who is followed by a series of scores."""
        key = series.measurement, series.tag("tenant")
        if series not in self._followed.get(key, {}):
            self._followed[key] = followed({*self._journal.series(*key), series})
        return self._followed[key][series]

    def every(self, measurement: str, tenant: str) -> Collection[Followed]:
        """Return all of a tenant who are followed by one measurement."""
        key = measurement, tenant
        if key not in self._followed:
            self._followed[key] = followed(self._journal.series(*key))
        return set(self._followed[key].values())

    def groups(self, tenant: str) -> Sequence[Series]:
        """Return the series of all device groups of a tenant."""
        return [series for one in self.every(GROUPS, tenant) for series in one.series]

    def both(self, tenant: str) -> Iterable[Followed]:
        """Return all of a tenant who are followed."""
        return [*self.every(ORGANIZATION, tenant), *self.every(GROUPS, tenant)]

    def spiked(self, tenant: str) -> Collection[Series]:
        """Return the series of all spikes that a tenant ever had."""
        if tenant not in self._spiked:
            self._spiked[tenant] = set(self._journal.series(SPIKES, tenant))
        return self._spiked[tenant]

    def breaks(self, one: Followed) -> Sequence[int]:
        """Return the moments of the breaks in a score, in order."""
        if one.tenant not in self._breaks:
            self._breaks[one.tenant] = self._read_breaks(one.tenant)
        wanted = {EVERY_GROUP, *one.names}
        return [each.moment for each in self._breaks[one.tenant] if each.group in wanted]

    def changed(self, tenant: str) -> None:
        """Take note that something was annotated."""
        self._breaks.pop(tenant, None)

    def derived(self, points: Sequence[Point]) -> None:
        """Take note of points that were appended."""
        for point in points:
            if point.series.measurement == SPIKES:
                self._spiked.setdefault(point.series.tag("tenant"), set()).add(point.series)

    def _read_breaks(self, tenant: str) -> Sequence[_Break]:
        series = [each for each in self._journal.series(ANNOTATION, tenant) if each.tag("kind") == "break"]
        points = [point for each in series for point in self._journal.history(each, 0, MAX_TIME)]
        standing = [point for point in points if not point.fields["withdrawn"]]
        return sorted(
            (_Break(point.series.tag("rbacGroupName"), point.time) for point in standing), key=lambda each: each.moment
        )
