"""Most new samples: the next one of a score on a day that is known, with nothing near that could begin or end.

A short way to what `onward.py` says, for many scores at once. Whatever else may be the case is left to it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from collector.batch import Row
from collector.derive.dawn import Dawn, each_newest
from collector.derive.followed import trend_of
from collector.derive.protocols import Journal, Rules
from collector.derive.samples import LIKELY
from collector.derive.stands import Stand, Stands
from collector.derive.walk import grade
from collector.history.card import DAY, moments
from collector.history.spikes import GRAIN, Usual
from collector.point import Point, Value

_Step = tuple[Row, Stand, int, Usual | None]
"""A sample of a score that stands, the time of the sample before it, and what is usual on its day."""


class Steady:
    """Takes what is steady of a turn's rows."""

    def __init__(self, journal: Journal, rules: Rules, stands: Stands) -> None:
        self._journal = journal
        self._stands = stands
        self._dawn = Dawn(journal, rules)

    def go(self, rows: Sequence[Row]) -> tuple[list[Point], list[Row]]:
        """Return the trend points of what is steady, and the rows of all other scores; let the steady ones go on."""
        waves, rest = self._waves(rows)
        steps: dict[int, list[_Step]] = {}
        others: set[int] = set()
        for time, wave in sorted(waves.items()):
            day = time // DAY
            self._dawn.rise(day, (stand for _, stand in wave if stand.day < day and stand.last < time < stand.breaks))
            its = steps[time] = []
            for row, stand in wave:
                last = stand.last
                if last < time < stand.breaks and stand.day == day and stand.open is None and _quiet(stand, row.point):
                    stand.last = time
                    its.append((row, stand, last, stand.usual))
                else:
                    rest.append(row)
                    others.add(id(stand))
        if others:
            # A score is taken one way or the other, with all its samples of this turn.
            rest += _given_back(steps, others)
        return [point for time, its in steps.items() if its for point in self._told(time, its)], rest

    def _waves(self, rows: Iterable[Row]) -> tuple[Mapping[int, Sequence[tuple[Row, Stand]]], list[Row]]:
        """Return the rows of which it is known where their score stands, by their times; and those of all others."""
        waves: defaultdict[int, list[tuple[Row, Stand]]] = defaultdict(list)
        rest: list[Row] = []
        find = self._stands.of
        for row in rows:
            stand = find(row.point.series)
            if stand is None:
                rest.append(row)
            else:
                waves[row.point.time].append((row, stand))
        return waves, rest

    def _told(self, time: int, steps: Sequence[_Step]) -> Iterable[Point]:
        """Yield the trend points of samples of one time."""
        stands = [stand for _, stand, *_ in steps]
        every = [series for stand in stands for series in stand.series]
        old = [each_newest(stands, scores) for scores in self._journal.across.earlier(every, moments(time))]
        for (row, _, _, usual), day, week, month in zip(steps, *old, strict=True):
            score = float(row.point.fields["score"])
            # No difference here is too great for a float: what is likely is far from the greatest.
            fields: dict[str, Value] = {"score": score}
            fields["baseline"] = baseline = score if usual is None else usual.baseline
            fields["rise"] = score - baseline
            if day is not None:
                fields["change_1d"] = score - day[1]
            if week is not None:
                fields["change_7d"] = score - week[1]
            if month is not None:
                fields["change_30d"] = score - month[1]
            fields["level"] = grade(score)
            fields["spike"] = 0
            fields["verdict"] = 0 if usual is None else 1
            yield Point(trend_of(row.point.series), time, fields)


def _quiet(stand: Stand, point: Point) -> bool:
    """Whether nothing can begin with a sample."""
    score = float(point.fields["score"])
    usual = stand.usual
    return -LIKELY <= score <= LIKELY and (usual is None or score - usual.baseline < usual.threshold - GRAIN)


def _given_back(steps: dict[int, list[_Step]], others: Collection[int]) -> Iterable[Row]:
    """Yield the rows of these scores (by the ids of their stands), which stand again where they stood."""
    for time in reversed(steps):
        kept = []
        for step in steps[time]:
            row, stand, last, _ = step
            if id(stand) in others:
                stand.last = min(last, stand.last)
                yield row
            else:
                kept.append(step)
        steps[time] = kept
