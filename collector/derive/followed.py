"""Who is followed: the organization, and each device group through its names.

A group is its id; what was kept for a name before an id was seen with it belongs to the group of that name, as long as
there is only one. Groups without any id are their names.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from collector.history.rises import EVERYBODY, SPIKES
from collector.point import NO_ID, Series

ORGANIZATION = "exposure_score"
GROUPS = "exposure_score_by_group"
TRENDS = {ORGANIZATION: "exposure_trend", GROUPS: "exposure_trend_by_group"}
"""The measurement of what is told of a score, by the score's own."""


class Followed(tuple[Series, ...]):
    """One score through time: all series that are its past, of one measurement and tenant. Is one object, of many."""

    __slots__ = ()

    @property
    def short(self) -> "Series | Followed":
        """The one series that it has, or itself: what has to be held to know who it is."""
        return self[0] if len(self) == 1 else self

    @property
    def series(self) -> Sequence[Series]:
        """All series that are its past."""
        return self

    @property
    def measurement(self) -> str:
        """The measurement of its scores."""
        return self.series[0].measurement

    @property
    def tenant(self) -> str:
        """Whose it is."""
        return self.series[0].tag("tenant")

    @property
    def names(self) -> frozenset[str]:
        """The names that it has had; none for the organization."""
        return frozenset(name for series in self.series for key, name in series.tags if key == "rbacGroupName")


def followed(every: Iterable[Series]) -> Mapping[Series, Followed]:
    """Return by each of a tenant's series of one measurement who is followed by it."""
    named: defaultdict[str, set[str]] = defaultdict(set)
    parts: defaultdict[tuple[str, ...], list[Series]] = defaultdict(list)
    known = list(every)
    for series in known:
        if (id_ := _id(series)) != NO_ID:
            named[_name(series)].add(id_)
    for series in known:
        ids = {_id(series)} - {NO_ID} or named[_name(series)]
        parts[(*ids,) if len(ids) == 1 else ("", _name(series))].append(series)
    return {series: Followed(part) for part in parts.values() for series in part}


def trend_of(series: Series) -> Series:
    """Return the series of what is told of a score."""
    return series.of(TRENDS[series.measurement])


def daily_of(series: Series) -> Series:
    """Return the series of a score's days."""
    return series.of(f"{series.measurement}_daily")


def spike_of(series: Series) -> Series:
    """Return the series of a score's spikes."""
    if series.measurement == ORGANIZATION:
        return Series(SPIKES, (*series.tags, ("rbacGroupName", EVERYBODY), ("rbacGroupId", NO_ID)))
    return series.of(SPIKES)


def name_of(series: Series) -> str:
    """Return how a score's series is called."""
    return _tag(series, "rbacGroupName", EVERYBODY)


def _id(series: Series) -> str:
    return _tag(series, "rbacGroupId", NO_ID)


def _name(series: Series) -> str:
    return _tag(series, "rbacGroupName", "")


def _tag(series: Series, key: str, without: str) -> str:
    return series.tag(key) if key in series[1::2] else without
