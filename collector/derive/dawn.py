"""What is usual on a day that has begun, of many scores at once: each needs it once a day."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from collector.derive.followed import daily_of
from collector.derive.protocols import Journal, Rules
from collector.derive.stands import Stand
from collector.derive.walk import rule_of
from collector.history.card import DAY
from collector.history.spikes import Rule, usual

_Old = tuple[int, float] | None
"""The time (ms) of a score, and the score."""


class Dawn:
    """Looks the closes of the last days up, a day of all scores at a time."""

    def __init__(self, journal: Journal, rules: Rules) -> None:
        self._journal = journal
        self._rules = rules

    def rise(self, day: int, stands: Iterable[Stand]) -> None:
        """Let each of the scores know what is usual on a day (its number since 1970), up to the next break."""
        parts: defaultdict[Rule, list[Stand]] = defaultdict(list)
        for stand in stands:
            parts[rule_of(stand.one, self._rules)].append(stand)
        for rule, its in parts.items():
            for stand, closes in zip(its, self._closes(its, range(max(0, day - rule.window_days), day)), strict=True):
                stand.day, stand.usual = day, usual(closes, rule)

    def _closes(self, stands: Sequence[Stand], days: Sequence[int]) -> Sequence[Sequence[float]]:
        """Return the closes of the days that count for each of the scores, oldest first."""
        every = [series for stand in stands for series in stand.series]
        found = self._journal.across.earlier(every, [(day + 1) * DAY - 1 for day in days])
        closes: Sequence[list[float]] = [[] for _ in stands]
        for day, scores in zip(days, found, strict=True):
            left: list[int] = []
            for n, old in enumerate(each_newest(stands, scores)):
                # What was before a break is no measure of what comes after it.
                if old is None or old[0] < day * DAY:
                    left.append(n)
                elif old[0] >= (stands[n].broken or 0):
                    closes[n].append(old[1])
            if left:
                for n, close in self._pruned(stands, left, day):
                    closes[n].append(close)
        return closes

    def _pruned(self, stands: Sequence[Stand], wanted: Sequence[int], day: int) -> Iterable[tuple[int, float]]:
        """Yield, by the place of their score, the closes of a day whose samples are gone, as the day's point has them.

        Of no place comes more than one.
        """
        its = [n for n in wanted if (day + 1) * DAY > (stands[n].broken or 0)]
        owners = {daily_of(series): n for n in its for series in stands[n].series}
        points = self._journal.across.histories(list(owners), day * DAY, day * DAY + 1)
        lasts = {point.series: float(point.fields["last"]) for point in points}
        # By the last of its series that has one.
        yield from {n: lasts[daily] for daily, n in owners.items() if daily in lasts}.items()


def each_newest(stands: Sequence[Stand], scores: Sequence[_Old]) -> Sequence[_Old]:
    """Return the newest of what the series of each score have. `scores`: of all their series, in order."""
    if len(scores) == len(stands):
        return scores
    rest = iter(scores)
    return [
        max((old for _ in stand.series if (old := next(rest)) is not None), key=lambda its: its[0], default=None)
        for stand in stands
    ]
