"""The usual case: a score goes on from where it stands, and a new sample of it makes a trend point and nothing else.

What is said is what `again.py` would say, at a tenth of the cost. Whatever is not plain (a sample that is late, a break
meanwhile, an episode that begins, rises or ends, a gap in one) is left to it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from collector.batch import Row
from collector.derive.followed import GROUPS, ORGANIZATION, Followed, trend_of
from collector.derive.moments import Moments
from collector.derive.protocols import Journal, Rules
from collector.derive.samples import likely
from collector.derive.stands import Stand, Stands
from collector.derive.steady import Steady
from collector.derive.walk import rule_of, trend_fields
from collector.history.card import DAY, Sample, changes, moments, sample
from collector.history.spikes import Rule, closes_before, judge, usual
from collector.point import Point, Series

_New = tuple[Series, Sample]
_Before = Mapping[int, Mapping[Series, tuple[int, float]]]
"""The (time, score) of series, by the moments before which they are."""


class Onward:
    """Takes what is plain of a turn's rows."""

    def __init__(self, journal: Journal, rules: Rules, stands: Stands) -> None:
        self._journal = journal
        self._rules = rules
        self._stands = stands
        self._steady = Steady(journal, rules, stands)

    def go(self, rows: Sequence[Row], now: int) -> tuple[list[Point], list[Row]]:
        """Return the trend points of what is plain, and the rows that are not.

        `now`: the moment (ms) up to which something may have been seen of others.
        """
        points, others = self._steady.go(rows)
        plain, rest = self._parted(others, now)
        before = self._before(plain)
        past = Moments(self._journal)
        past.look_for_closes((each.stand.one, each.days(self._rule(each.stand))) for each in plain)
        for each in plain:
            told = self._told(each, before, past)
            if told is None:
                rest += each.rows
            else:
                points += told
        self._stands.forget(row.point.series for row in rest)
        return points, sorted(rest, key=lambda row: row.id)

    def _parted(self, rows: Sequence[Row], now: int) -> tuple[Sequence["_Plain"], list[Row]]:
        """Return what may be plain, a score at a time, and the rows of all others."""
        found: dict[int, _Plain] = {}
        rest = []
        for row in rows:
            series = row.point.series
            known = self._stands.of(series) if series.measurement in (ORGANIZATION, GROUPS) else None
            if known is None:
                rest.append(row)
                continue
            each = found.get(id(known))
            if each is None:
                each = found[id(known)] = _Plain(known)
            each.take(row, now)
        for each in found.values():
            if not each.plain:
                rest += each.rows
        return [each for each in found.values() if each.plain], rest

    def _before(self, plain: Iterable["_Plain"]) -> _Before:
        """Return the scores by which the changes are told. Asked once each, they need no `Moments`."""
        asked: defaultdict[int, list[Series]] = defaultdict(list)
        for each in plain:
            for _, new in each.new:
                for moment in moments(new.time):
                    if moment >= 0:
                        asked[moment] += each.stand.series
        return self._journal.across.before(asked) if asked else {}

    def _told(self, each: "_Plain", before: _Before, past: Moments) -> Sequence[Point] | None:
        """Return the trend points of new samples, and let their score stand at the last; None where one isn't plain."""
        stand_, one = each.stand, each.stand.one
        rule = self._rule(stand_)
        today, day = stand_.usual, stand_.day
        episode = stand_.open.episode if stand_.open else None
        points = []
        for series, new in each.new:
            if new.time // DAY != day:
                day = new.time // DAY
                closes = past.closes(one, _window(day, rule))
                today = usual(closes_before(closes, day, rule, stand_.broken), rule)
            judged = judge(new, today, episode, rule, stand_.broken)
            if judged.over is not None or judged.open != episode:
                return None
            old = [_newest(one, before.get(moment, {})) for moment in moments(new.time)]
            points.append(Point(trend_of(series), new.time, trend_fields(new, changes(new, old), judged)))
        stand_.usual, stand_.day, stand_.last = today, day, each.new[-1][1].time
        return points

    def _rule(self, stand_: Stand) -> Rule:
        return rule_of(stand_.one, self._rules)


class _Plain:
    """A score's rows of a turn. `plain`: whether nothing is known yet that makes them more than that."""

    def __init__(self, stand_: Stand) -> None:
        self.stand = stand_
        self.plain = True
        self.rows: list[Row] = []
        self.new: list[_New] = []

    def take(self, row: Row, now: int) -> None:
        """Take the next row."""
        new = sample(row.point)
        last = self.new[-1][1].time if self.new else self.stand.last
        self.plain &= last < new.time < self.stand.breaks and likely(new.score)
        if self.stand.open is not None and self.stand.one.measurement == GROUPS:
            # An episode of a group ends where it was unseen for a day, and that is asked of others.
            self.plain &= new.time < last + DAY and now < new.time + DAY
        self.rows.append(row)
        self.new.append((row.point.series, new))

    def days(self, rule: Rule) -> Iterable[int]:
        """Return the days whose closes are needed: where a sample is of another day than the one before it."""
        # Not just of another than the stand's: that may be the last sample's already, where the short way gave it back.
        known = self.stand.day
        found: set[int] = set()
        for _, new in self.new:
            day = new.time // DAY
            if day != known:
                known = day
                found.update(_window(day, rule))
        return sorted(found)


def _newest(one: Followed, scores: Mapping[Series, tuple[int, float]]) -> Sample | None:
    if len(one.series) == 1:
        found = scores.get(one.series[0])
        return None if found is None else Sample(*found)
    every = (Sample(*scores[series]) for series in one.series if series in scores)
    return max(every, key=lambda its: its.time, default=None)


def _window(day: int, rule: Rule) -> range:
    return range(max(0, day - rule.window_days), day)
