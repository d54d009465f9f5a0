"""A made-up history of a score with labels: at which samples a person should be told that it has risen.

A score is recomputed once a day at an hour that nobody knows, polled every hour, and stays between 0 and 100. Labels
are made with the history, from what really happens in it, and know nothing of any rule. Is not what happens (`kinds`).
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from collector.history.card import DAY, Sample

HOUR = 3_600_000
_START = 19_600 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """`samples` in the order of time; `rise`: the points to be told of; `breaks` (ms) as its owner marked them.

    `due`: the times (ms) of the samples at which a person should be told, each the first that shows a new level.
    """

    samples: Sequence[Sample]
    rise: float
    due: Sequence[int] = ()
    breaks: Sequence[int] = ()


@dataclass(slots=True, kw_only=True)
class Draft:
    """A history in the making: its true level day by day, until it has `days`, and on which days that moved at once."""

    draw: random.Random
    days: int
    rise: float
    noise: float
    levels: list[float]
    steps: list[int] = field(default_factory=list)
    breaks: list[int] = field(default_factory=list)
    exact: list[int] = field(default_factory=list)
    """Days whose break is marked at the very sample that shows it; other breaks at the midnight before."""
    gaps: list[tuple[int, int]] = field(default_factory=list)
    """Hours from the start, without samples: the first, and how many."""
    grain: float = 0.0

    @property
    def today(self) -> int:
        """The number of the day that comes next."""
        return len(self.levels)

    @property
    def going_on(self) -> bool:
        """Whether there are days left."""
        return self.today < self.days

    def back(self, level: float, days: int) -> None:
        """Be at that level from the next day on, for that many days."""
        self.levels += [level] * days

    def stay(self, days: int) -> None:
        """Be where it is for that many more days."""
        self.back(self.levels[-1], days)

    def move(self, points: float, days: int) -> None:
        """Be that much higher (or lower) from the next day on, for that many days."""
        self.back(clipped(self.levels[-1] + points), days)

    def step(self, points: float, days: int) -> None:
        """Do the same, and remember the day as one of which a person is told where it rises enough."""
        self.steps.append(self.today)
        self.move(points, days)

    def whole(self) -> History:
        """Return what was drawn, as it was polled."""
        hours = [self.draw.randrange(24) for _ in range(self.days)]
        scores = [self._computed(level) for level in self.levels[: self.days]]
        away = {hour for first, count in self.gaps for hour in range(first, first + count)}
        samples, shown = [], scores[0]
        for hour in range(24 * self.days):
            day, of_day = divmod(hour, 24)
            if of_day == hours[day]:
                shown = scores[day]
            if hour not in away:
                samples.append(Sample(_START + hour * HOUR, shown))
        due = []
        for day in self.steps:
            if day < self.days and self.levels[day] - self.levels[day - 1] >= self.rise:
                first = _START + (24 * day + hours[day]) * HOUR
                due += [sample.time for sample in samples if sample.time >= first][:1]
        breaks = [
            _START + day * DAY + (hours[day] * HOUR if day in self.exact else 0)
            for day in self.breaks
            if day < self.days
        ]
        return History(samples=samples, rise=self.rise, due=due, breaks=breaks)

    def _computed(self, level: float) -> float:
        score = clipped(level + self.draw.gauss(0.0, self.noise)) if self.noise else level
        return clipped(round(score / self.grain) * self.grain) if self.grain else score


def clipped(score: float) -> float:
    """Return what of a score is between 0 and 100."""
    return min(max(score, 0.0), 100.0)
