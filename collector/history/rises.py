"""The spikes of the past as a journal has them. Is not the rule by which they were found (`spikes.py`)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from collector.history.card import DAY
from collector.history.notes import Written
from collector.point import MAX_TIME, Point, Series

SPIKES = "exposure_spike"
EVERYBODY = "(organization)"
"""The `rbacGroupName` of the organization's own spikes."""
OVER, OPEN, WITHDRAWN = 0, 1, 2
"""The field `state` of a spike's point."""

_LONGEST = 365 * DAY
"""A spike is over after the window of its rule, and that is a year at the most."""

State = Literal["over", "open", "withdrawn"]
_STATES: Sequence[State] = ("over", "open", "withdrawn")


class Past(Protocol):
    """A journal, as far as it is asked here. Times are ms since the epoch."""

    def series(self, measurement: str, tenant: str | None = None) -> Sequence[Series]:
        """Return every series that there is, of one tenant or of all."""

    def history(self, series: Series, since: int, until: int) -> Sequence[Point]:
        """Return the points of a series from `since` to before `until`, in the order of time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """One episode, from `begin` to before `end` (ms; None while it is open). A break may have withdrawn it."""

    tenant: str
    group: str
    """A device group's name, or `(organization)`."""
    id: str
    begin: int
    end: int | None
    state: State
    baseline: float
    peak: float
    rise: float


def spikes(past: Past, tenants: Collection[str], since: int = 0) -> Sequence[Spike]:
    """Return the spikes that began at `since` (ms) or later, the newest first."""
    points = [
        point
        for tenant in tenants
        for series in past.series(SPIKES, tenant)
        for point in past.history(series, since, MAX_TIME)
    ]
    return sorted(map(_spike, points), key=lambda one: (-one.begin, one.tenant, one.group != EVERYBODY, -one.rise))


def felt(past: Written, tenant: str, since: int, until: int) -> Sequence[Spike]:
    """Return a tenant's spikes that stood at a time from `since` to before `until` (ms), the newest first.

    Those that a break withdrew are not among them. It costs by what is there of those days.
    """
    found = map(_spike, past.between(SPIKES, max(0, since - _LONGEST), until, tenant))
    stood = [one for one in found if one.state != "withdrawn" and (one.end is None or one.end > since)]
    return sorted(stood, key=lambda one: (-one.begin, one.group != EVERYBODY, -one.rise))


def _spike(point: Point) -> Spike:
    fields = point.fields
    end, state = int(fields["end_time"]), int(fields["state"])
    if not 0 < end < MAX_TIME:
        end = 0
    # Of a state that no release writes nothing is known; whether it has an end is.
    said: State = _STATES[state] if state in range(len(_STATES)) else "over" if end else "open"
    return Spike(
        tenant=point.series.tag("tenant"),
        group=point.series.tag("rbacGroupName"),
        id=point.series.tag("rbacGroupId"),
        begin=point.time,
        end=end or None,
        state=said,
        baseline=float(fields["baseline"]),
        peak=float(fields["peak"]),
        rise=float(fields["rise"]),
    )
