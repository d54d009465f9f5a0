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
from collector.history.notes import ANNOTATION, EVERY_GROUP
from collector.point import MAX_TIME, Series


@dataclass(frozen=True, slots=True)
class _Break:
    group: str
    moment: int


class Known:
    """Learns names once, for all tenants, and again after `forget`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.forget()

    def forget(self) -> None:
        """Learn all anew: the journal may have changed otherwise than by what was derived."""
        self._followed: dict[str, dict[str, Mapping[Series, Followed]]] = {}
        self._breaks: dict[str, Sequence[_Break]] | None = None

    def meet(self, every: Iterable[Series]) -> tuple[Collection[Series], Collection[Followed]]:
        """Learn the series of scores that are new.

        Return the known ones by which another is followed now, and who is another by that than what was told of him.
        """
        new: defaultdict[tuple[str, str], list[Series]] = defaultdict(list)
        for series in every:
            if series not in self._of(series.measurement, tenant := series.tag("tenant")):
                new[series.measurement, tenant].append(series)
        changed: set[Series] = set()
        reshaped: set[Followed] = set()
        for (measurement, tenant), its in new.items():
            before = self._of(measurement, tenant)
            after = followed([*before, *its])
            self._followed[measurement][tenant] = after
            changed |= {series for series, one in before.items() if after[series] != one}
            reshaped |= {one for one in after.values() if _reshaped(one, before)}
        return changed, reshaped

    def who(self, series: Series) -> Followed:
        """Return who is followed by a series of scores that was met."""
        return self._of(series.measurement, series.tag("tenant"))[series]

    def knows(self, series: Series) -> bool:
        """Whether a series of scores was met."""
        return series in self._of(series.measurement, series.tag("tenant"))

    def every(self, measurement: str, tenant: str) -> Collection[Followed]:
        """Return all of a tenant who are followed by one measurement."""
        return set(self._of(measurement, tenant).values())

    def groups(self, tenant: str) -> Collection[Series]:
        """Return the series of all device groups of a tenant."""
        return self._of(GROUPS, tenant).keys()

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

    def _of(self, measurement: str, tenant: str) -> Mapping[Series, Followed]:
        if measurement not in self._followed:
            self._followed[measurement] = self._read_names(measurement)
        return self._followed[measurement].get(tenant, {})

    def _read_names(self, measurement: str) -> dict[str, Mapping[Series, Followed]]:
        tenants: defaultdict[str, list[Series]] = defaultdict(list)
        # The journal's own objects, where it has them: there may be hundreds of thousands.
        scores = {series.tags: series for series in self._journal.series(measurement)}
        for trend in self._journal.series(TRENDS[measurement]):
            series = scores.get(trend.tags) or Series(measurement, trend.tags)
            tenants[series.tag("tenant")].append(series)
        return {tenant: followed(every) for tenant, every in tenants.items()}

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
