"""Days that have closed, as points of their own: what is left when the samples are pruned.

A day counts where the record reaches back over its beginning: of a day that began before the first poll, or of which a
part is pruned, nothing true can be said.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from collector.derive.followed import GROUPS, ORGANIZATION, daily_of
from collector.derive.known import Known
from collector.derive.moments import Moments
from collector.derive.protocols import Journal
from collector.derive.samples import samples_of
from collector.history.card import DAY, Sample
from collector.history.days import day_of, first_slot
from collector.point import Point, Series

_LOOK_BACK = 35
"""Days that are looked at for one that closed while nobody looked, where none is known to have been."""


class Closing:
    """Makes the points of days. `interval`: seconds of a slot."""

    def __init__(self, journal: Journal, known: Known, interval: int) -> None:
        self._journal = journal
        self._known = known
        self._interval = interval

    def days(self, wanted: Iterable[tuple[Series, int]]) -> Sequence[Point]:
        """Return the points of days (numbers since 1970) that differ from what is there, or are not there yet."""
        past = Moments(self._journal)
        points = []
        for series, day in sorted(wanted, key=lambda each: (each[1], str(each[0]))):
            samples = samples_of(self._journal, series, day * DAY, (day + 1) * DAY)
            if samples and self._reaches_back(past, series, day):
                points.append(_point(series, day, samples))
        there = self._journal.before([(point.series, point.time) for point in points])
        return [point for point, old in zip(points, there, strict=True) if old != point and not _fewer(point, old)]

    def since_last(self, today: int) -> Sequence[tuple[Series, int]]:
        """Return each series and day before `today` that may have closed while no sample of it came afterwards."""
        every = [series for measurement in (ORGANIZATION, GROUPS) for series in self._journal.series(measurement)]
        since = (today - _LOOK_BACK) * DAY
        kept = [point.time for each in (ORGANIZATION, GROUPS) for point in self._journal.latest(f"{each}_daily", since)]
        first = max(kept, default=since) // DAY
        return self.of_days(every, range(first, today))

    def of_days(self, every: Sequence[Series], days: Iterable[int]) -> Sequence[tuple[Series, int]]:
        """Return each of the series with each of the days in which it has a sample."""
        asked = [(series, (day + 1) * DAY - 1) for day in days for series in every]
        found = self._journal.before(asked)
        return [
            (series, end // DAY)
            for (series, end), point in zip(asked, found, strict=True)
            if point is not None and point.time // DAY == end // DAY
        ]

    def _reaches_back(self, past: Moments, series: Series, day: int) -> bool:
        first = first_slot(day, self._interval)
        past.look([(series, first)])
        if past.newest([(series, first)]) is not None:
            return True
        # It may be new that day, or have been silent, where the others of its tenant were there.
        others = [(other, first) for one in self._known.both(series.tag("tenant")) for other in one.series]
        past.look(others)
        return past.newest(others) is not None


def _fewer(point: Point, old: Point | None) -> bool:
    """Whether a day has lost samples since its point was made: they are pruned, and what it says is the better word."""
    return old is not None and old.time == point.time and int(point.fields["samples"]) < int(old.fields["samples"])


def _point(series: Series, day: int, samples: Sequence[Sample]) -> Point:
    return Point(daily_of(series), day * DAY, asdict(day_of(samples)))
