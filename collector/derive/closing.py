"""Days that have closed, as points of their own: what is left when the samples are pruned.

A day counts where the record reaches back over its beginning: of a day that began before the first poll, or of which a
part is pruned, nothing true can be said.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

from collector.derive.followed import GROUPS, ORGANIZATION, TRENDS, daily_of, name_of
from collector.derive.known import Known
from collector.derive.moments import Moments
from collector.derive.protocols import Apart, Journal
from collector.derive.samples import likely
from collector.history.card import DAY, Sample
from collector.history.days import day_of, first_slot
from collector.point import Point, Series

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
            reaching = self._reaching_back(past, samples.keys(), day)
            for series in sorted(reaching, key=str):

                def work(series: Series = series, day: int = day, its: Sequence[Sample] = samples[series]) -> None:
                    points.append(Point(daily_of(series), day * DAY, asdict(day_of(its))))

                apart("day", series.tag("tenant"), name_of(series), work)
        there = self._journal.before([(point.series, point.time) for point in points])
        return [point for point, old in zip(points, there, strict=True) if old != point and not _fewer(point, old)]

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
        likely_ones = ((series, [Sample(*each) for each in its if likely(each[1])]) for series, its in scores.items())
        return {series: samples for series, samples in likely_ones if samples}

    def _reaching_back(self, past: Moments, every: Iterable[Series], day: int) -> Sequence[Series]:
        """Return those of the series of which the record reaches back over the beginning of a day."""
        first = first_slot(day, self._interval)
        asked = list(every)
        past.look((series, first) for series in asked)
        found = [series for series in asked if past.newest([(series, first)]) is not None]
        # It may be new that day, or have been silent, where the others of its tenant were there.
        left = set(asked) - set(found)
        for tenant in {series.tag("tenant") for series in left}:
            others = [(other, first) for one in self._known.both(tenant) for other in one.series]
            past.look(others)
            if past.newest(others) is not None:
                found += [series for series in left if series.tag("tenant") == tenant]
        return found


def _fewer(point: Point, old: Point | None) -> bool:
    """Whether a day has lost samples since its point was made: they are pruned, and what it says is the better word."""
    return old is not None and old.time == point.time and int(point.fields["samples"]) < int(old.fields["samples"])
