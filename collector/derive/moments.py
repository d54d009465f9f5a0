"""Scores at moments of the past: asked of the journal many at a time, and known until the turn ends."""

from collections.abc import Iterable, Sequence

from collector.derive.followed import Followed, daily_of
from collector.derive.protocols import Journal
from collector.history.card import DAY, Sample, sample
from collector.point import Point, Series


class Moments:
    """What stood at or before a moment, at most a day before it."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._found: dict[tuple[Series, int], Point | None] = {}

    def look(self, wanted: Iterable[tuple[Series, int]]) -> None:
        """Ask for all of these at once."""
        new = [asked for asked in dict.fromkeys(wanted) if asked not in self._found and asked[1] >= 0]
        self._found.update(zip(new, self._journal.before(new), strict=True))

    def before(self, one: Followed, moment: int) -> Sample | None:
        """Return the newest sample at or before a moment (ms) that was looked for."""
        return self.newest([(series, moment) for series in one.series])

    def newest(self, asked: Iterable[tuple[Series, int]]) -> Sample | None:
        """Return the newest sample of several series, each at or before its moment."""
        found = [sample(point) for each in asked if (point := self._found.get(each)) is not None]
        return max(found, key=lambda one: one.time, default=None)

    def look_for_closes(self, wanted: Iterable[tuple[Followed, Iterable[int]]]) -> None:
        """Ask for the closes of days (their numbers since 1970)."""
        asked = [(one, day) for one, days in wanted for day in days]
        self.look((series, _end(day)) for one, day in asked for series in one.series)
        gone = [(one, day) for one, day in asked if self._last(one, day) is None]
        self.look((daily_of(series), day * DAY) for one, day in gone for series in one.series)

    def closes(self, one: Followed, days: Iterable[int]) -> Sequence[Sample]:
        """Return the closes of those of the days that have one, in the order of the days."""
        return [close for day in days if (close := self._last(one, day) or self._kept(one, day)) is not None]

    def _last(self, one: Followed, day: int) -> Sample | None:
        last = self.before(one, _end(day))
        return last if last is not None and last.time >= day * DAY else None

    def _kept(self, one: Followed, day: int) -> Sample | None:
        """Return the close of a day whose samples were pruned, as the day's own point has it."""
        found = [self._found.get((daily_of(series), day * DAY)) for series in one.series]
        kept = [point.fields["last"] for point in found if point is not None and point.time == day * DAY]
        return Sample(_end(day), float(kept[-1])) if kept else None


def _end(day: int) -> int:
    return (day + 1) * DAY - 1
