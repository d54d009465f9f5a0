"""Scores at moments of the past: asked of the journal many at a time, and known until the turn ends."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from collector.derive.followed import Followed, daily_of
from collector.derive.protocols import Journal
from collector.history.card import DAY, Sample
from collector.point import Series

_MOMENTS = 5_000
"""Moments that one view looks before, at the most."""


class Moments:
    """What stood at or before a moment, at most a day before it."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._looked: defaultdict[int, set[Series]] = defaultdict(set)
        self._found: defaultdict[int, dict[Series, Sample]] = defaultdict(dict)
        self._kept: dict[tuple[Series, int], Sample | None] = {}

    def look(self, wanted: Iterable[tuple[Series, int]]) -> None:
        """Ask for all of these at once."""
        asked: defaultdict[int, list[Series]] = defaultdict(list)
        count = 0
        for series, moment in dict.fromkeys(wanted):
            if moment >= 0 and series not in self._looked[moment]:
                asked[moment].append(series)
                count += 1
                if count == _MOMENTS:
                    self._ask(asked)
                    asked.clear()
                    count = 0
        self._ask(asked)

    def before(self, one: Followed, moment: int) -> Sample | None:
        """Return the newest sample at or before a moment (ms) that was looked for."""
        found = self._found[moment]
        if len(one.series) == 1:
            return found.get(one.series[0])
        return max((found[each] for each in one.series if each in found), key=lambda its: its.time, default=None)

    def newest(self, asked: Iterable[tuple[Series, int]]) -> Sample | None:
        """Return the newest sample of several series, each at or before its moment."""
        found = [sample for series, moment in asked if (sample := self._found[moment].get(series)) is not None]
        return max(found, key=lambda one: one.time, default=None)

    def look_for_closes(self, wanted: Iterable[tuple[Followed, Iterable[int]]]) -> None:
        """Ask for the closes of days (their numbers since 1970)."""
        asked = [(one, day) for one, days in wanted for day in days]
        self.look((series, _end(day)) for one, day in asked for series in one.series)
        gone = [(series, day) for one, day in asked if self._last(one, day) is None for series in one.series]
        new = [each for each in dict.fromkeys(gone) if each not in self._kept]
        for first in range(0, len(new), _MOMENTS):
            self._ask_days(new[first : first + _MOMENTS])

    def closes(self, one: Followed, days: Iterable[int]) -> Sequence[Sample]:
        """Return the closes of those of the days that have one, in the order of the days."""
        return [close for day in days if (close := self._last(one, day) or self._pruned(one, day)) is not None]

    def _last(self, one: Followed, day: int) -> Sample | None:
        last = self.before(one, _end(day))
        return last if last is not None and last.time >= day * DAY else None

    def _pruned(self, one: Followed, day: int) -> Sample | None:
        """Return the close of a day whose samples were pruned, as the day's own point has it."""
        kept = [close for series in one.series if (close := self._kept.get((series, day))) is not None]
        return kept[-1] if kept else None

    def _ask(self, asked: Mapping[int, Sequence[Series]]) -> None:
        if asked:
            for moment, scores in self._journal.across.before(asked).items():
                found = self._found[moment]
                for series, score in scores.items():
                    found[series] = Sample(*score)
            # Once that is known: what couldn't be asked is asked again.
            for moment, every in asked.items():
                self._looked[moment].update(every)

    def _ask_days(self, asked: Sequence[tuple[Series, int]]) -> None:
        dailies = {series: daily_of(series) for series in {series for series, _ in asked}}
        found = self._journal.before([(dailies[series], day * DAY) for series, day in asked])
        for (series, day), point in zip(asked, found, strict=True):
            there = point is not None and point.time == day * DAY
            self._kept[series, day] = Sample(_end(day), float(point.fields["last"])) if point and there else None


def _end(day: int) -> int:
    return (day + 1) * DAY - 1
