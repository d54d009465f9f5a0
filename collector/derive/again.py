"""Deriving one score again, from the first sample that may have changed on: only what differs becomes a point."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from collector.derive.changes import Change, Fresh
from collector.derive.followed import Followed, spike_of, trend_of
from collector.derive.known import Known
from collector.derive.moments import Moments
from collector.derive.protocols import Journal, Rules
from collector.derive.recent import Recent
from collector.derive.samples import samples_of
from collector.derive.stands import Kept, Stand
from collector.derive.telling import Telling
from collector.derive.walk import Walk, kept_of, rule_of, trend_fields, window
from collector.history.card import DAY, moments
from collector.history.rises import OPEN, OVER, WITHDRAWN
from collector.point import MAX_TIME, Point, Series

_CHANGES_DAYS = 31
"""So long after a sample it is the one before some moment by which a change is told."""
_CHAIN_DAYS = 400
"""How far back the first of episodes is looked for of which each began as another ended."""

_Spikes = dict[tuple[Series, int], Point]


@dataclass(slots=True)
class Derived:
    """What came of it. `began`: the spikes that were not there before. `stand`: where the score stands, if known."""

    points: list[Point] = field(default_factory=list)
    began: list[Kept] = field(default_factory=list)
    stand: Stand | None = None


class Again:
    """Derives scores in one turn."""

    def __init__(
        self, journal: Journal, known: Known, rules: Rules, past: Moments, telling: Telling, recent: Recent
    ) -> None:
        self._journal = journal
        self._known = known
        self._rules = rules
        self._past = past
        self._telling = telling
        self._recent = recent

    def look_ahead(self, every: Mapping[Followed, Change]) -> None:
        """Ask at once for what all new samples are told by: each score would ask some thirty times for its own."""
        self._past.look(
            (series, then)
            for one, change in every.items()
            for time in change.fresh
            for then in moments(time)
            for series in one.series
        )
        self._past.look_for_closes(
            (one, sorted({day for time in change.fresh for day in window(time, rule_of(one, self._rules))}))
            for one, change in every.items()
        )

    def derive(self, one: Followed, change: Change, newest: int, now: int) -> Derived:
        """Derive a score from a change on. `newest`: the last of its samples (ms) of which something was told, or -1.

        `now`: the moment (ms) up to which something may have been seen of others.
        """
        since, fresh = change.since, self._with_left_out(one, change.fresh, newest)
        span = max(_CHANGES_DAYS, rule_of(one, self._rules).window_days + 1) * DAY
        walk = Walk(one, self._rules, self._known.breaks(one), self._past, lambda a, b: self._seen(one.tenant, a, b))
        since = min([since, *fresh])
        # The last sample before it of which something was told, -1 where there is none.
        last = newest if newest < since else self._last(one, since)
        spikes = self._spikes(one, since, last)
        judged: set[int] = set()
        derived = Derived()
        # Also of the sample that is so far behind it to the millisecond.
        start, end = since, min(max([since, *fresh]) + span + 1, MAX_TIME - 1)
        while True:
            old = self._trends(one, start, end) if start <= newest else {}
            samples = self._samples(one, start, end, fresh, {time for _, time in old})
            if samples and not judged:
                # From the first that is there: of what is pruned before it the spikes tell.
                walk.open, walk.last = self._before(walk, one, min(samples), spikes, last)
            judged |= samples.keys()
            for told in walk.go(samples):
                point = Point(trend_of(told.series), told.now.time, trend_fields(told.now, told.changes, told.judged))
                if old.get((point.series, point.time)) != point:
                    derived.points.append(point)
            # An episode that is open may have begun with another baseline, and so end elsewhere, however far away.
            goes_on = change.whole or walk.open is not None or _open_at(spikes, end) is not None
            if not goes_on or end >= MAX_TIME - 1:
                break
            start, end = end, (MAX_TIME - 1 if not old else end + span)
        if not judged:
            walk.open, walk.last = self._before(walk, one, since, spikes, last)
        stood = walk.open
        walk.gone(now + 1)
        self._settle(walk, judged, spikes, derived)
        # Where others alone have ended an episode, after the last sample, the next one may be of a time before that.
        if judged and max(judged) >= newest and walk.open is stood:
            derived.stand = walk.stand()
        return derived

    def _with_left_out(self, one: Followed, fresh: Fresh, newest: int) -> Fresh:
        """Return the new samples with those before them of which nothing was told: a fault had left them out."""
        if not fresh or newest + 1 >= min(fresh):
            return fresh
        since, until = newest + 1, min(fresh)
        left_out = {
            each.time: (series, each.score)
            for series in one.series
            for each in samples_of(self._journal, series, since, until)
        }
        return {**left_out, **fresh}

    def _spikes(self, one: Followed, since: int, last: int) -> _Spikes:
        """Return the points of the spikes that can be open at `since` or begin later, and of those that led to them."""
        its = {spike_of(series) for series in one.series}
        window = (rule_of(one, self._rules).window_days + 2) * DAY
        # A spike ends with a sample: through a gap, however long, it stays open.
        found = self._read_spikes(one.tenant, its, last - window)
        return self._read_spikes(one.tenant, its, last - _CHAIN_DAYS * DAY) if _open_at(found, since, last) else found

    def _last(self, one: Followed, until: int) -> int:
        """Return the time of the last sample before `until` of which something was told; -1 where there is none."""
        told = self._journal.across.newest([trend_of(series) for series in one.series], until)
        return max((point.time for point in told), default=-1)

    def _read_spikes(self, tenant: str, its: Collection[Series], since: int) -> _Spikes:
        points = self._recent.of_series(tenant, its, since)
        return {(point.series, point.time): point for point in points}

    def _before(
        self, walk: Walk, one: Followed, since: int, spikes: _Spikes, last: int
    ) -> tuple[Kept | None, int | None]:
        """Return the episode that was open before `since`, as it stood then, and the time of the sample before."""
        kept = _open_at(spikes, since, last)
        if kept is None:
            return None, None
        begin = kept.episode.begin
        samples = [each for series in one.series for each in samples_of(self._journal, series, begin, since)]
        # Of those that are pruned the point tells.
        known = [] if any(each.time == begin for each in samples) else [kept.episode.peak]
        episode = replace(
            kept.episode,
            end=None,
            threshold=self._threshold(walk, one, kept, spikes),
            peak=max([*known, *(each.score for each in samples)]),
        )
        return replace(kept, episode=episode), max((each.time for each in samples), default=begin)

    def _threshold(self, walk: Walk, one: Followed, kept: Kept, spikes: _Spikes) -> float:
        """Return the threshold that an episode began with: one that began as another ended has no greater one."""
        chain = [kept.episode]
        stood = [kept_of(point) for point in spikes.values() if point.fields["state"] != WITHDRAWN]
        ended = {known.episode.end: known.episode for known in stood if known.episode.end}
        while (before := ended.get(chain[-1].begin)) is not None and before.begin < chain[-1].begin:
            chain.append(before)
        days = rule_of(one, self._rules).window_days
        thresholds = []
        for episode in chain:
            day = episode.begin // DAY
            self._past.look_for_closes([(one, range(max(0, day - days), day))])
            usual = walk.usual(episode.begin, walk.broken(episode.begin))
            thresholds.append(usual.threshold if usual else rule_of(one, self._rules).rise)
        return min(thresholds)

    def _trends(self, one: Followed, start: int, end: int) -> Mapping[tuple[Series, int], Point]:
        points = self._journal.across.histories([trend_of(series) for series in one.series], start, end)
        return {(point.series, point.time): point for point in points}

    def _samples(
        self, one: Followed, start: int, end: int, fresh: Fresh, derived: Collection[int]
    ) -> Mapping[int, tuple[Series, float]]:
        """Return what is to be judged: what is new, and of the rest what was judged before. More comes in its turn."""
        found = {time: each for time, each in fresh.items() if start <= time < end}
        if derived:
            for series in one.series:
                for each in samples_of(self._journal, series, start, end):
                    if each.time in derived and each.time not in fresh:
                        found[each.time] = series, each.score
        return found

    def _settle(self, walk: Walk, judged: Collection[int], spikes: _Spikes, derived: Derived) -> None:
        """Make points of the spikes that differ from what is there, and take back those that are none any more.

        Where the sample in which one began is pruned, it stays: what was said of it was said of that sample, too.
        """
        every = [*walk.episodes, *([walk.open] if walk.open else [])]
        for kept in every:
            old = spikes.get((kept.spike, kept.episode.begin))
            point = self._spike_point(kept, old)
            if old != point:
                derived.points.append(point)
            if old is None:
                derived.began.append(kept)
        standing = {(kept.spike, kept.episode.begin) for kept in every}
        for key, point in spikes.items():
            if key not in standing and point.time in judged and point.fields["state"] != WITHDRAWN:
                derived.points.append(Point(point.series, point.time, {**point.fields, "state": WITHDRAWN}))

    def _spike_point(self, kept: Kept, old: Point | None) -> Point:
        episode = kept.episode
        return Point(
            kept.spike,
            episode.begin,
            {
                "baseline": episode.baseline,
                "peak": episode.peak,
                "rise": episode.rise,
                "state": OPEN if episode.end is None else OVER,
                "end_time": episode.end or 0,
                "title": self._telling.title(kept.spike, episode),
                "text": self._telling.text(kept.spike, episode, str(old.fields["text"]) if old else ""),
            },
        )

    def _seen(self, tenant: str, start: int, end: int) -> bool:
        """Whether a group of the tenant has a sample from `start` to before `end`."""
        days = 1
        # Where the samples of years are there, not all of them are read to find one.
        while start < end:
            until = min(start + days * DAY, end)
            if any(self._journal.history(series, start, until) for series in self._known.groups(tenant)):
                return True
            start, days = until, 2 * days
        return False


def _open_at(spikes: _Spikes, moment: int, last: int = -1) -> Kept | None:
    """Return the episode that was open before what happened at `moment`. `last`: the sample before that, if known.

    What ended after that sample others have ended: whether they were seen before `moment` is to be asked anew.
    """
    for point in reversed(spikes.values()):
        kept = kept_of(point)
        end = kept.episode.end
        open_then = end is None or end >= moment or 0 <= last < end
        if point.time < moment and open_then and point.fields["state"] != WITHDRAWN:
            return kept
    return None
