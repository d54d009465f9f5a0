"""What is known of a time that is drawn: each sample, or of a long time the day's points that stand for its samples.

It costs by the days that are drawn, however often each was polled. Is not a drawing.
"""

from collections.abc import Iterator, Sequence

from collector.history.card import DAY, sample
from collector.history.drawing import Piece
from collector.history.past import Past
from collector.point import Point, Series

_FINE = 92
"""Days up to which each sample is looked at."""


def pieces(past: Past, every: Sequence[Series], since: int, now: int) -> Iterator[Piece]:
    """Yield what is known of the time: its days where it is long, and the samples where there is no day."""
    days: dict[int, Point] = {}
    if now - since > _FINE * DAY:
        # Of two names in a day the one that follows in order of time has its end.
        for series in every:
            days |= {point.time: point for point in past.history(daily(series), -(-since // DAY) * DAY, now + 1)}
    first, last = min(days, default=now + 1), max(days, default=now + 1) + DAY
    yield from _samples(past, every, since, min(first, now + 1))
    for time in sorted(days):
        fields = days[time].fields
        low, high, end = (float(fields[name]) for name in ("min", "max", "last"))
        yield Piece(time, time + DAY, low, high, end)
    if last <= now:
        yield from _samples(past, every, last, now + 1)


def daily(series: Series) -> Series:
    """Return the series of a score's daily points."""
    return series.of(f"{series.measurement}_daily")


def _samples(past: Past, every: Sequence[Series], since: int, until: int) -> Iterator[Piece]:
    found = {one.time: one.score for series in every for one in map(sample, past.history(series, since, until))}
    for time in sorted(found):
        yield Piece(time, time, found[time], found[time], found[time])
