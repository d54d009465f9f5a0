"""One score, judged sample by sample: what is told of each, and the episodes that come of it.

Whatever was the reason (a new sample, a late one, a break), the walk begins at the first sample that may have changed
and ends where nothing it says is new. What it says of a sample it says by what stood before it alone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from collector.derive.followed import ORGANIZATION, Followed, spike_of
from collector.derive.moments import Moments
from collector.derive.protocols import Rules
from collector.derive.stands import Kept, Stand
from collector.history.card import DAY, HIGH, MEDIUM, SPANS, Sample, changes, moments
from collector.history.rises import OPEN
from collector.history.spikes import Episode, Judged, Rule, Usual, closes_before, judge, usual
from collector.point import MAX_TIME, Point, Series

_CHANGES = tuple(f"change_{days}d" for days in SPANS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is told of a sample."""

    series: Series
    now: Sample
    changes: Sequence[float | None]
    judged: Judged


class Walk:
    """Goes through a score from `episode` on, the one that was open before. `unseen`: see `gone`."""

    def __init__(
        self,
        one: Followed,
        rules: Rules,
        breaks: Sequence[int],
        past: Moments,
        unseen: Callable[[int, int], bool],
    ) -> None:
        self._one = one
        self._rule = rule_of(one, rules)
        self._breaks = breaks
        self._past = past
        self._unseen = unseen
        self._usual: dict[tuple[int, int | None], Usual | None] = {}
        self.open: Kept | None = None
        self.last: int | None = None
        """The time of the last sample."""
        self.episodes: list[Kept] = []
        """Those that are over, in the order in which they began."""

    def go(self, samples: Mapping[int, tuple[Series, float]]) -> Iterator[Told]:
        """Yield what is told of each sample, in the order of time."""
        times = sorted(samples)
        self._past.look((series, then) for time in times for then in moments(time) for series in self._one.series)
        days = {day for time in times for day in self._window(time)}
        self._past.look_for_closes([(self._one, sorted(days))])
        for time in times:
            series, score = samples[time]
            yield self._tell(series, Sample(time, score))

    def usual(self, time: int, broken: int | None = None) -> Usual | None:
        """Return what is usual at a time; its closes have been looked for."""
        key = time // DAY, broken
        if key not in self._usual:
            closes = self._past.closes(self._one, self._window(time))
            self._usual[key] = usual(closes_before(closes, time // DAY, self._rule, broken), self._rule)
        return self._usual[key]

    def stand(self) -> Stand | None:
        """Return where the score stands after the last sample; None where it has none."""
        if self.last is None:
            return None
        broken = self.broken(self.last)
        today = self.usual(self.last, broken)
        return Stand(self._one.short, self.last, self.last // DAY, today, broken, self.breaks(self.last), self.open)

    def broken(self, time: int) -> int | None:
        """Return the last break up to a time."""
        return max((moment for moment in self._breaks if moment <= time), default=None)

    def breaks(self, time: int) -> int:
        """Return the first break after a time; one that never is where there is none."""
        return min((moment for moment in self._breaks if moment > time), default=MAX_TIME)

    def _tell(self, series: Series, now: Sample) -> Told:
        self.gone(now.time)
        broken = self.broken(now.time)
        before = self.open
        judged = judge(now, self.usual(now.time, broken), before.episode if before else None, self._rule, broken)
        if judged.over is not None and before is not None:
            self.episodes.append(replace(before, episode=judged.over))
        self.open = None
        if judged.open is not None:
            begun = before is None or judged.open.begin != before.episode.begin
            self.open = Kept(spike_of(series) if begun or before is None else before.spike, judged.open)
        self.last = now.time
        old = [self._past.before(self._one, moment) for moment in moments(now.time)]
        return Told(series=series, now=now, changes=changes(now, old), judged=judged)

    def gone(self, now: int) -> None:
        """Let an episode be over that no sample went on with for a day, while others of its tenant were seen."""
        if self.open is None or self.last is None or self._one.measurement == ORGANIZATION:
            return
        end = self.last + DAY
        if end <= now and self._unseen(end, now):
            self.episodes.append(replace(self.open, episode=replace(self.open.episode, end=end)))
            self.open = None

    def _window(self, time: int) -> range:
        return window(time, self._rule)


def window(time: int, rule: Rule) -> range:
    """Return the days (their numbers since 1970) by whose closes it is told what is usual at a time."""
    return range(max(0, time // DAY - rule.window_days), time // DAY)


def rule_of(one: Followed, rules: Rules) -> Rule:
    """Return the rule by which a score is judged."""
    return rules.organization if one.measurement == ORGANIZATION else rules.groups


def trend_fields(now: Sample, moved: Sequence[float | None], judged: Judged) -> dict[str, float | int]:
    """Return the fields of a trend point. `moved`: how far over each of the spans of a change, as far as known."""
    fields: dict[str, float | int] = {"score": now.score, "baseline": judged.baseline, "rise": judged.rise}
    fields |= {name: change for name, change in zip(_CHANGES, moved, strict=True) if change is not None}
    fields["level"] = grade(now.score)
    fields["spike"] = int(judged.open is not None)
    fields["verdict"] = int(judged.known)
    return fields


def first_fields(score: float) -> dict[str, float | int]:
    """Return the fields of the trend point of a score that has no past: nothing is known of it but itself."""
    return {"score": score, "baseline": score, "rise": 0.0, "level": grade(score), "spike": 0, "verdict": 0}


def grade(score: float) -> int:
    """Return the level of a score as a number."""
    return 1 if score < MEDIUM else 2 if score < HIGH else 3


def kept_of(point: Point) -> Kept:
    """Return the episode that a spike's point tells of. Its threshold is not in the point."""
    fields = point.fields
    return Kept(
        point.series,
        Episode(
            begin=point.time,
            baseline=float(fields["baseline"]),
            threshold=0.0,
            peak=float(fields["peak"]),
            end=int(fields["end_time"]) if fields["state"] != OPEN else None,
        ),
    )
