"""What is known of a journal from one turn to the next: who is followed, and where the breaks are.

Is no window of samples: what is kept is names, and a moment for each break. Who is followed is told by the series of
which something was derived, and those that came since: so a score that comes to be of other series than before is seen
in the turn that makes it so, and its past is told anew, whoever derived that.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from collector.derive.followed import GROUPS, ORGANIZATION, TRENDS, Followed, followed
from collector.derive.protocols import Journal
from collector.derive.stands import Stands
from collector.history.notes import ANNOTATION, EVERY_GROUP
from collector.point import MAX_TIME, Series


@dataclass(frozen=True, slots=True)
class _Break:
    group: str
    moment: int


class Known:
    """Learns names once, for all tenants, and again after `forget`."""

    def __init__(self, journal: Journal, stands: Stands) -> None:
        self._journal = journal
        self._stands = stands
        self.forget()

    def forget(self) -> None:
        """Learn all anew: the journal may have changed otherwise than by what was derived."""
        self._stands.leave()
        self._read: set[str] = set()
        """The measurements of which names were learnt."""
        self._breaks: dict[str, Sequence[_Break]] | None = None

    def meet(self, every: Iterable[Series]) -> Collection[Followed]:
        """Learn the series of scores that are new; return who is another by them than what was told of him.

        Of whom another is followed now it is not known any more where he stands.
        """
        new: defaultdict[tuple[str, str], list[Series]] = defaultdict(list)
        for series in every:
            if not self.knows(series):
                new[series.measurement, series.tag("tenant")].append(series)
        reshaped: set[Followed] = set()
        for (measurement, tenant), its in new.items():
            before = self._stands.followed(measurement, tenant)
            after = followed([*before, *its])
            self._stands.follow(measurement, tenant, after)
            reshaped |= {one for one in after.values() if _reshaped(one, before)}
        return reshaped

    def who(self, series: Series) -> Followed:
        """Return who is followed by a series of scores that was met."""
        one = self._stands.who(series)
        if one is None:
            raise KeyError(series)
        return one

    def knows(self, series: Series) -> bool:
        """Whether a series of scores was met."""
        return series in self._series(series.measurement, series.tag("tenant"))

    def every(self, measurement: str, tenant: str) -> Collection[Followed]:
        """Return all of a tenant who are followed by one measurement."""
        self._learn(measurement)
        return set(self._stands.followed(measurement, tenant).values())

    def groups(self, tenant: str) -> Collection[Series]:
        """Return the series of all device groups of a tenant."""
        return self._series(GROUPS, tenant)

    def both(self, tenant: str) -> Iterable[Followed]:
        """Return all of a tenant who are followed."""
        return [*self.every(ORGANIZATION, tenant), *self.every(GROUPS, tenant)]

    def breaks(self, one: Followed) -> Sequence[int]:
        """Return the moments of the breaks in a score, in order."""
        if self._breaks is None:
            self._breaks = self._read_breaks()
        its = self._breaks.get(one.tenant)
        if not its:
            return ()
        wanted = {EVERY_GROUP, *one.names}
        return [each.moment for each in its if each.group in wanted]

    def annotated(self) -> None:
        """Take note that something was annotated."""
        self._breaks = None

    def _series(self, measurement: str, tenant: str) -> Collection[Series]:
        self._learn(measurement)
        return self._stands.series(measurement, tenant)

    def _learn(self, measurement: str) -> None:
        if measurement in self._read:
            return
        tenants: defaultdict[str, list[Series]] = defaultdict(list)
        for trend in self._journal.series(TRENDS[measurement]):
            tenants[trend.tag("tenant")].append(trend.of(measurement))
        for tenant, every in tenants.items():
            self._stands.follow(measurement, tenant, followed(every))
        self._read.add(measurement)

    def _read_breaks(self) -> dict[str, Sequence[_Break]]:
        series = [each for each in self._journal.series(ANNOTATION) if each.tag("kind") == "break"]
        found: defaultdict[str, list[_Break]] = defaultdict(list)
        for point in self._journal.across.histories(series, 0, MAX_TIME):
            if not point.fields["withdrawn"]:
                found[point.series.tag("tenant")].append(_Break(point.series.tag("rbacGroupName"), point.time))
        return dict(found)


def _reshaped(one: Followed, before: Mapping[Series, Followed]) -> bool:
    """Whether a score has parts that were others', or lacks some that it had: what was told of it was of another."""
    known = {series for series in one.series if series in before}
    return bool(known) and any(set(before[series].series) != known for series in known)
