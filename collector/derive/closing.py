"""Days that have closed, as points of their own: what is left when the samples are pruned.

A day counts where the record reaches back over its beginning: of a day that began before the first poll, or of which a
part is pruned, nothing true can be said.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from collector.derive.followed import GROUPS, ORGANIZATION, TRENDS, daily_of, name_of
from collector.derive.known import Known
from collector.derive.moments import Moments
from collector.derive.protocols import Apart, Journal
from collector.derive.samples import likely
from collector.history.card import DAY, Sample
from collector.history.days import Day, day_of, first_slot
from collector.point import Point, Series, Value

PORTION = 2_000
"""Days of a score that are closed in one turn at the most."""
_LOOK_BACK = 35
"""Days that are looked at for one that closed while nobody looked; of those before, only up to the last sample."""

Days = Sequence[tuple[Series, int]]
"""Scores' days, by their numbers since 1970."""


class Closing:
    """Makes the points of days. `interval`: seconds of a slot."""

    def __init__(self, journal: Journal, known: Known, interval: int) -> None:
        self._journal = journal
        self._known = known
        self._interval = interval

    def points(self, wanted: Iterable[tuple[Series, int]], apart: Apart) -> Sequence[Point]:
        """Return the points of days that differ from what is there, or are not there yet."""
        past = Moments(self._journal)
        days: defaultdict[int, list[Series]] = defaultdict(list)
        for series, day in wanted:
            days[day].append(series)
        points: list[Point] = []
        for day, every in sorted(days.items()):
            samples = self._samples(every, day)
            made: list[Point] = []
            for series in self._reaching_back(past, list(samples), day):

                def work(
                    series: Series = series,
                    day: int = day,
                    its: Sequence[Sample] = samples[series],
                    made: list[Point] = made,
                ) -> None:
                    made.append(Point(daily_of(series), day * DAY, _fields(day_of(its))))

                apart("day", series.tag("tenant"), name_of(series), work)
            points += self._news(made, day)
        return points

    def _news(self, points: Sequence[Point], day: int) -> Iterable[Point]:
        """Return those of a day's points that differ from what is there."""
        there = self._journal.across.histories([point.series for point in points], day * DAY, day * DAY + 1)
        old = {point.series: point for point in there}
        return [
            point
            for point in points
            if (its := old.get(point.series)) is None or (its != point and not _fewer(point, its))
        ]

    def closed(self, since: int | None, today: int) -> Iterator[Days]:
        """Return, in portions, the days before `today` that may have closed while no sample of them came afterwards.

        `since`: the day up to which all was looked at, None where that is not known. The older days come first.
        """
        scores = [series for measurement in (ORGANIZATION, GROUPS) for series in self._journal.series(measurement)]
        first = self._last(today) if since is None else since
        return (
            [(series, day) for series in scores[start : start + PORTION]]
            for day in range(first, today if first >= today - _LOOK_BACK else min(today, self._told() + 1))
            for start in range(0, len(scores), PORTION)
        )

    def _last(self, today: int) -> int:
        """Return the last day that has a point; where none has one, the first that is looked at."""
        first = (today - _LOOK_BACK) * DAY
        for since in (first, 0):
            every = (point for each in (ORGANIZATION, GROUPS) for point in self._journal.latest(f"{each}_daily", since))
            if (last := max((point.time for point in every), default=None)) is not None:
                return last // DAY
        return first // DAY

    def _told(self) -> int:
        """Return the last day of which something was told; who was away for weeks has no samples of the days behind."""
        every = (point for each in TRENDS.values() for point in self._journal.latest(each, 0))
        return max((point.time for point in every), default=0) // DAY

    def _samples(self, every: Sequence[Series], day: int) -> dict[Series, list[Sample]]:
        scores = self._journal.across.of_day(every, day)
        likely_ones = (
            (series, [Sample(time, score) for time, score in its if likely(score)]) for series, its in scores.items()
        )
        return {series: samples for series, samples in likely_ones if samples}

    def _reaching_back(self, past: Moments, every: Sequence[Series], day: int) -> Sequence[Series]:
        """Return those of the series of which the record reaches back over the beginning of a day."""
        first = first_slot(day, self._interval)
        (before,) = self._journal.across.earlier(every, [first])
        left = {series for series, old in zip(every, before, strict=True) if old is None}
        # It may be new that day, or have been silent, where the others of its tenant were there.
        for tenant in {series.tag("tenant") for series in left}:
            others = [(other, first) for one in self._known.both(tenant) for other in one.series]
            past.look(others)
            if past.newest(others) is not None:
                left = {series for series in left if series.tag("tenant") != tenant}
        return [series for series in every if series not in left]


def _fields(day: Day) -> Mapping[str, Value]:
    return {"min": day.min, "mean": day.mean, "max": day.max, "last": day.last, "samples": day.samples}


def _fewer(point: Point, old: Point) -> bool:
    """Whether a day has lost samples since its point was made: they are pruned, and what it says is the better word."""
    return int(point.fields["samples"]) < int(old.fields["samples"])
