"""What makes scores jump: a weakness becomes known and is remediated over weeks, or Microsoft counts in a new way.

Days are counted from the day on which the simulator starts: 0 is that day, -1 the day before. Is not a list of real
vulnerabilities.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from collector.simulator.dice import between, roll, whole
from collector.simulator.events import Kind
from collector.simulator.life import Group

LONGEST_DAYS = 28
"""The longest that a weakness is felt."""

_MONTH = 30
_QUIET = 0.3
"""The share of months in which nothing becomes known."""
_WRITTEN = range(-100, 1)
"""The days before the start are written, not drawn: whoever looks at them sees each kind of step."""
_ROUND_DAYS = 2
"""Updates are rolled out in rounds: between two of them a large weakness stays as it is."""
_MOST = 0.85
"""The share of the devices, at least, that the spike of the whole organization strikes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weakness:
    """Found on `day`, gone `days` later. `heights`: the points that it adds on its first day, by the place of a group.

    `round_days`: how often its remediation goes on. `told`: whom it strikes, empty where it is nothing to speak of.
    """

    kind: ClassVar[Kind] = "spike"
    day: int
    days: int
    heights: tuple[float, ...]
    round_days: int = 1
    told: str = ""

    def left(self, day: int) -> float:
        """Return the share of it that is still open: 1 on its first day, 0 before and after."""
        age = day - self.day
        if not 0 <= age < self.days:
            return 0.0
        # Remediation starts slowly, goes quickly, and has a tail.
        return (1.0 + math.cos(math.pi * (age - age % self.round_days) / self.days)) / 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewModel:
    """From `day` on Microsoft computes the score in another way. `heights`: the points that it adds, by place."""

    kind: ClassVar[Kind] = "model change"
    day: int
    heights: tuple[float, ...]
    told: str

    def left(self, day: int) -> float:
        """Return the share of it that is felt: all of it, for good."""
        return float(day >= self.day)


def written(groups: Sequence[Group], *key: str | int) -> tuple[Weakness, ...]:
    """Return those of the last weeks, for `groups` (1 and more), each at its place.

    One is in some groups, one is in most devices and lifts the organization by about 15 points, one is large in a
    single group (17 and more), and one is so new that it has hardly been remediated.
    """
    count = len(groups)
    some = tuple(between(4.0, 8.0, *key, "some", place) * (place % 2) for place in range(count))
    struck, rise = _spread(groups), between(14.5, 15.5, *key, "wide")
    share = sum(groups[place].devices for place in struck) / sum(group.devices for group in groups)
    wide = tuple(rise / share if place in struck else 0.0 for place in range(count))
    # Those that strike one group strike a small one: the organization's own steps stay its own.
    by_size = sorted(range(count), key=lambda place: groups[place].devices)
    first, second = by_size[(count - 1) // 3], by_size[(count - 1) // 2]
    large, new = between(17.0, 20.0, *key, "large"), between(12.0, 15.0, *key, "new")
    return (
        Weakness(day=whole(-74, -66, *key, "day", "old"), days=_days("old", *key), heights=some),
        Weakness(
            day=whole(-45, -41, *key, "day", "wide"),
            days=21,
            heights=wide,
            round_days=_ROUND_DAYS,
            told=f"the organization +{rise:.0f}, by {len(struck)} of its groups, gone in 3 weeks",
        ),
        Weakness(
            day=whole(-25, -18, *key, "day", "large"),
            days=_days("large", *key),
            heights=_alone(first, count, large),
            told=f"{groups[first].title} alone +{large:.0f}",
        ),
        Weakness(
            day=whole(-4, -2, *key, "day", "new"),
            days=_days("new", *key),
            heights=_alone(second, count, new),
            told=f"{groups[second].title} alone +{new:.0f}",
        ),
    )


def modelled(count: int, *key: str | int) -> NewModel:
    """Return the new model of a tenant whose groups have `count` places: some 8 to 11 days ago, 6.5 to 8.5 points."""
    heights = tuple(between(6.5, 8.5, *key, "model", place) for place in range(count))
    return NewModel(
        day=whole(-11, -8, *key, "day", "model"),
        heights=heights,
        told="every group by about 7 points, for good, and no threat",
    )


def drawn(count: int, day: int, *key: str | int) -> Iterator[Weakness]:
    """Yield those that chance has made and that may be felt on `day`; there are none in the written days."""
    for month in range((day - LONGEST_DAYS) // _MONTH, day // _MONTH + 1):
        found = month * _MONTH + int(_MONTH * roll(*key, "found", month))
        if found in _WRITTEN or roll(*key, "any", month) < _QUIET:
            continue
        reach = between(0.3, 0.9, *key, "reach", month)
        top = between(4.0, 14.0, *key, "top", month)
        heights = tuple(
            between(0.5, 1.2, *key, "height", month, place) * top if roll(*key, "hit", month, place) < reach else 0.0
            for place in range(count)
        )
        yield Weakness(day=found, days=_days(month, *key), heights=heights)


def _spread(groups: Sequence[Group]) -> frozenset[int]:
    """Return the places of the largest groups that together have `_MOST` of the devices."""
    left = _MOST * sum(group.devices for group in groups)
    struck = set()
    for group in sorted(groups, key=lambda one: -one.devices):
        if left > 0:
            struck.add(group.place)
            left -= group.devices
    return frozenset(struck)


def _alone(place: int, count: int, height: float) -> tuple[float, ...]:
    return tuple(height if index == place else 0.0 for index in range(count))


def _days(which: str | int, *key: str | int) -> int:
    return int(between(14, LONGEST_DAYS + 1, *key, "days", which))
