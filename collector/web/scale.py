"""Where scores and times stand on a chart, and what its axes say. Pure; draws nothing."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from collector.history.card import DAY, HIGH, MEDIUM

_MOST = 1000.0
"""Scores that no chart can show beside others are drawn at its edge."""
_BEST, _WORST = 0.0, 100.0
"""The scores that the API promises."""
_ENDS = (_BEST, MEDIUM, HIGH, _WORST)
_ROOM = 5.0
"""Points of the next level that are seen, too."""
_LEAST_SPAN = 15.0
_LINES = 8
_STEPS = (5.0, 10.0, 20.0, 25.0, 50.0, 100.0, 250.0, 500.0)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TICKS = 8
_BY_DAYS = 100
"""Days up to which dates are shown, beyond it months."""
_YEARLY = 300
"""Days from which on a month is told with its year."""
_YEAR = 12


@dataclass(frozen=True, slots=True)
class Scale:
    """Scores from `least` to `most`, with a line each `step`."""

    least: float
    most: float
    step: float

    def height(self, score: float) -> float:
        """Return how far from the top a score is, 0 to 1."""
        within = min(max(score, self.least), self.most)
        return (self.most - within) / (self.most - self.least)

    def lines(self) -> Sequence[float]:
        """Return the scores that have a line."""
        return [self.least + n * self.step for n in range(round((self.most - self.least) / self.step) + 1)]


def scale(scores: Iterable[float]) -> Scale:
    """Return a scale that holds the scores and the whole of their levels; it leaves 0 to 100 only where they do."""
    clipped = [min(max(score, -_MOST), _MOST) for score in scores] or [_BEST, _WORST]
    low, high = min(clipped), max(clipped)
    floor = min(low, max(end for end in _ENDS if end <= low) if low >= _BEST else low)
    top = max(high, min(end for end in _ENDS if end >= high) if high <= _WORST else high)
    return _stepped(max(floor - _ROOM, min(_BEST, low)), min(top + _ROOM, max(_WORST, high)))


def close(scores: Iterable[float]) -> Scale:
    """Return a scale that shows of the scores alone how they move, and of small moves that they are small."""
    clipped = [min(max(score, -_MOST), _MOST) for score in scores] or [_BEST, _WORST]
    low, high = min(clipped), max(clipped)
    room = max(_LEAST_SPAN - (high - low), 0.1 * (high - low)) / 2
    return _stepped(low - room, high + room)


def _stepped(floor: float, top: float) -> Scale:
    step = next(step for step in _STEPS if top - floor <= step * _LINES)
    return Scale(math.floor(floor / step) * step, math.ceil(top / step) * step, step)


@dataclass(frozen=True, slots=True)
class Span:
    """Times from `since` to `until` (ms)."""

    since: int
    until: int

    def place(self, time: int) -> float:
        """Return how far from the left a time is, 0 to 1."""
        return min(max((time - self.since) / max(1, self.until - self.since), 0.0), 1.0)

    def ticks(self) -> Iterator[tuple[int, str]]:
        """Yield the times that are told, and how."""
        days = max(1, (self.until - self.since) // DAY)
        if days <= _BY_DAYS:
            step = next(step for step in (1, 2, 3, 5, 7, 14) if days <= step * _TICKS)
            for day in range(-(-self.since // DAY // step) * step, self.until // DAY + 1, step):
                if day * DAY >= self.since:
                    yield day * DAY, dated(day * DAY)
            return
        months = days / 30.44
        step = next((step for step in (1, 2, 3, 6, 12, 24, 60) if months <= step * _TICKS), 120)
        begin = _moment(self.since)
        month = -(-(begin.year * _YEAR + begin.month) // step) * step
        while (time := _begin(month)) <= self.until:
            name = _MONTHS[month % _YEAR]
            yield time, str(month // _YEAR) if step >= _YEAR else f"{name} {month // _YEAR}" if days > _YEARLY else name
            month += step


def dated(time: int) -> str:
    """Return a day as it stands under a chart, 12 Nov."""
    moment = _moment(time)
    return f"{moment.day} {_MONTHS[moment.month - 1]}"


def _begin(month: int) -> int:
    """Return when a month (of all, from the year 0 on) begins."""
    year, of_year = divmod(month, _YEAR)
    return int((datetime(year, of_year + 1, 1, tzinfo=UTC) - _EPOCH) / timedelta(milliseconds=1))


def _moment(time: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=time)
