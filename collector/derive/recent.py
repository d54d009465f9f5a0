"""The spikes of the last weeks, in memory: there are few, and in each turn it is asked which of them goes on."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from collector.derive.protocols import Journal
from collector.history.card import DAY
from collector.history.rises import SPIKES
from collector.point import MAX_TIME, Point, Series

_SLACK = 3 * DAY
"""What is kept beyond what is needed, so that it isn't read again for each sample that is a little late."""


class Recent:
    """Reads all spikes since some moment at once; what is older is asked of the journal each time."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._wanted = 0
        self.forget()

    def forget(self) -> None:
        """Read them anew."""
        self._since: int | None = None
        self._tenants: dict[str, dict[tuple[Series, int], Point]] = {}
        self._ever: set[str] = set()
        """The tenants that ever had a spike. Of the others the journal need not be asked, however far back."""

    def want(self, since: int) -> None:
        """Hold those from about a moment (ms) on, and let go of those before."""
        self._wanted = max(0, since - _SLACK)
        if self._since is not None and self._since < self._wanted - _SLACK:
            self.forget()

    def ever(self, tenant: str) -> bool:
        """Whether a tenant ever had a spike."""
        self._read()
        return tenant in self._ever

    def of(self, tenant: str, since: int, until: int) -> Sequence[Point]:
        """Return the points of a tenant's spikes that began from `since` to before `until` (ms), in that order."""
        if since < self._read() and tenant in self._ever:
            return self._journal.between(SPIKES, max(0, since), until, tenant)
        found = [point for point in self._tenants.get(tenant, {}).values() if since <= point.time < until]
        return sorted(found, key=lambda point: point.time)

    def since(self, moment: int) -> Sequence[Point]:
        """Return the points of all tenants' spikes that began at a moment (ms) or later, in that order."""
        if moment < self._read():
            return self._journal.between(SPIKES, max(0, moment), MAX_TIME)
        every = [point for points in self._tenants.values() for point in points.values() if point.time >= moment]
        return sorted(every, key=lambda point: point.time)

    def of_series(self, tenant: str, every: Collection[Series], since: int) -> Sequence[Point]:
        """Return the points of some spikes' series of a tenant that began at `since` (ms) or later, in that order."""
        if since < self._read():
            return self._journal.across.histories(every, max(0, since), MAX_TIME)
        return [point for point in self.of(tenant, since, MAX_TIME) if point.series in every]

    def keep(self, points: Iterable[Point]) -> None:
        """Take note of points that were appended."""
        for point in points:
            if point.series.measurement == SPIKES and self._since is not None:
                self._ever.add(tenant := point.series.tag("tenant"))
                if point.time >= self._since:
                    self._tenants.setdefault(tenant, {})[point.series, point.time] = point

    def _read(self) -> int:
        """Return since when they are in memory."""
        if self._since is None:
            tenants: defaultdict[str, dict[tuple[Series, int], Point]] = defaultdict(dict)
            for point in self._journal.between(SPIKES, self._wanted, MAX_TIME):
                tenants[point.series.tag("tenant")][point.series, point.time] = point
            self._ever = {series.tag("tenant") for series in self._journal.series(SPIKES)}
            self._since, self._tenants = self._wanted, dict(tenants)
        return self._since
