"""Scores that begin: of the samples of a first day nothing can be told but themselves, of many scores at once.

A short way to what `again.py` would say. It is for scores of which the journal has nothing else: no sample before, no
day, no spike, nothing told. So are all of a new journal, and those of a tenant that joins; whatever has a past, or
changes by more than its new samples, is left to the long way.
"""

from collections.abc import Iterable, Mapping, Sequence

from collector.derive.changes import Change
from collector.derive.followed import Followed, daily_of, spike_of, trend_of
from collector.derive.known import Known
from collector.derive.protocols import Journal
from collector.derive.stands import Stand
from collector.derive.walk import first_fields
from collector.history.card import DAY
from collector.point import MAX_TIME, Point


class Beginning:
    """Takes what begins of the scores that change in a turn."""

    def __init__(self, journal: Journal, known: Known) -> None:
        self._journal = journal
        self._known = known

    def go(self, changed: Mapping[Followed, Change]) -> tuple[Sequence[Point], Sequence[Stand]]:
        """Return the trend points of the scores that begin, and where each of them stands then."""
        points: list[Point] = []
        stands: list[Stand] = []
        same: dict[int, int] = {}  # one object of a time for all scores: there may be hundreds of thousands
        for one in self._without_past({one: change for one, change in changed.items() if _first(change)}):
            fresh = changed[one].fresh
            breaks = self._known.breaks(one)
            times = sorted(fresh)
            for time in times:
                series, score = fresh[time]
                points.append(Point(trend_of(series), time, first_fields(score)))
            last, day = times[-1], times[-1] // DAY
            stands.append(
                Stand(
                    whose=one.short,
                    last=same.setdefault(last, last),
                    day=same.setdefault(day, day),
                    usual=None,
                    broken=max((at for at in breaks if at <= last), default=None) if breaks else None,
                    breaks=min((at for at in breaks if at > last), default=MAX_TIME) if breaks else MAX_TIME,
                    open=None,
                )
            )
        return points, stands

    def _without_past(self, first: Mapping[Followed, Change]) -> Iterable[Followed]:
        """Return those of the scores of which the journal has nothing before, and nothing that was told of them."""
        across = self._journal.across
        told = {
            about: one
            for one in first
            for series in one
            for about in (trend_of(series), daily_of(series), spike_of(series))
        }
        past = {told[about] for about in across.named(told)}
        moments = {change.since for change in first.values()}
        for moment in moments:
            owners = {series: one for one, change in first.items() if change.since == moment for series in one}
            past |= {owners[series] for series in across.begun(list(owners), moment)}
        return [one for one in first if one not in past]


def _first(change: Change) -> bool:
    """Whether nothing changes but by new samples, all of them of one day."""
    if change.whole or not change.fresh:
        return False
    return change.since == min(change.fresh) and change.since // DAY == max(change.fresh) // DAY
