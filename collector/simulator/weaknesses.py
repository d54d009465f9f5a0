"""What makes scores jump: a weakness becomes known on a day, and is remediated over two to four weeks.

Days are counted from the day on which the simulator starts: 0 is that day, -1 the day before. Is not a list of real
vulnerabilities.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from collector.simulator.dice import between, roll

LONGEST_DAYS = 28
"""The longest that a weakness is felt."""

_MONTH = 30
_QUIET = 0.3
"""The share of months in which nothing becomes known."""
_WRITTEN = range(-100, 1)
"""The days before the start are written, not drawn: whoever looks at them sees each kind of step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weakness:
    """Found on `day`, gone `days` later. `heights`: the points that it adds to each group on its first day."""

    day: int
    days: int
    heights: tuple[float, ...]

    def left(self, day: int) -> float:
        """Return the share of it that is still open: 1 on its first day, 0 before and after."""
        age = day - self.day
        if not 0 <= age < self.days:
            return 0.0
        # Remediation starts slowly, goes quickly, and has a tail.
        return (1.0 + math.cos(math.pi * age / self.days)) / 2.0


def written(groups: int, *key: str | int) -> tuple[Weakness, ...]:
    """Return those of the last weeks, for `groups` groups (1 and more).

    One is in some groups, one everywhere (10 points and more in each), one is large in a single group (17 and more),
    and one is so new that it has hardly been remediated.
    """
    first = int(groups * roll(*key, "first"))
    second = (first + 1) % groups
    everywhere = tuple(between(11.0, 13.0, *key, "everywhere", group) for group in range(groups))
    some = tuple(between(4.0, 8.0, *key, "some", group) * (group % 2) for group in range(groups))
    return (
        _weakness("old", -74, -66, some, *key),
        _weakness("wide", -50, -42, everywhere, *key),
        _weakness("large", -25, -18, _alone(first, groups, between(17.0, 20.0, *key, "large")), *key),
        _weakness("new", -4, -2, _alone(second, groups, between(12.0, 15.0, *key, "new")), *key),
    )


def drawn(groups: int, day: int, *key: str | int) -> Iterator[Weakness]:
    """Yield those that chance has made and that may be felt on `day`; there are none in the written days."""
    for month in range((day - LONGEST_DAYS) // _MONTH, day // _MONTH + 1):
        found = month * _MONTH + int(_MONTH * roll(*key, "found", month))
        if found in _WRITTEN or roll(*key, "any", month) < _QUIET:
            continue
        reach = between(0.3, 0.9, *key, "reach", month)
        top = between(4.0, 14.0, *key, "top", month)
        heights = tuple(
            between(0.5, 1.2, *key, "height", month, group) * top if roll(*key, "hit", month, group) < reach else 0.0
            for group in range(groups)
        )
        yield Weakness(day=found, days=_days(month, *key), heights=heights)


def _weakness(name: str, earliest: int, latest: int, heights: tuple[float, ...], *key: str | int) -> Weakness:
    day = earliest + int((latest - earliest + 1) * roll(*key, "day", name))
    return Weakness(day=day, days=_days(name, *key), heights=heights)


def _days(which: str | int, *key: str | int) -> int:
    return int(between(14, LONGEST_DAYS + 1, *key, "days", which))


def _alone(group: int, groups: int, height: float) -> tuple[float, ...]:
    return tuple(height if index == group else 0.0 for index in range(groups))
