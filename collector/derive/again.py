"""Deriving one score again, from the first sample that may have changed on: only what differs becomes a point."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from collector.derive.followed import GROUPS, Followed, spike_of, trend_of
from collector.derive.known import Known
from collector.derive.moments import Moments
from collector.derive.protocols import Journal, Rules
from collector.derive.samples import samples_of
from collector.derive.telling import Telling
from collector.derive.walk import Kept, Walk, kept_of, rule_of, trend_fields
from collector.history.card import DAY
from collector.history.rises import EVERYBODY, OPEN, OVER, WITHDRAWN
from collector.point import MAX_TIME, Point, Series

_CHANGES_DAYS = 31
"""So long after a sample it is the one before some moment by which a change is told."""
_CHAIN_DAYS = 400
"""How far back the first of episodes is looked for of which each began as another ended."""

Fresh = Mapping[int, tuple[Series, float]]
"""New samples by their times."""
_Spikes = dict[tuple[Series, int], Point]


@dataclass(slots=True)
class Derived:
    """What came of it. `began`: the spikes that were not there before."""

    points: list[Point] = field(default_factory=list)
    began: list[Kept] = field(default_factory=list)


class Again:
    """Derives scores in one turn."""

    def __init__(self, journal: Journal, known: Known, rules: Rules, past: Moments, telling: Telling) -> None:
        self._journal = journal
        self._known = known
        self._rules = rules
        self._past = past
        self._telling = telling

    def derive(self, one: Followed, since: int, fresh: Fresh, now: int) -> Derived:
        """Derive a score from `since` (ms) on, with the samples that are new.

        `now`: the moment (ms) up to which something may have been seen of others.
        """
        span = max(_CHANGES_DAYS, rule_of(one, self._rules).window_days + 1) * DAY
        walk = Walk(one, self._rules, self._known.breaks(one), self._past, lambda a, b: self._seen(one.tenant, a, b))
        spikes = self._spikes(one, since)
        judged: set[int] = set()
        derived = Derived()
        start, end = since, min(max([since, *fresh]) + span, MAX_TIME - 1)
        while True:
            old = self._trends(one, start, end)
            samples = self._samples(one, start, end, fresh, {time for _, time in old})
            if samples and not judged:
                # From the first that is there: of what is pruned before it the spikes tell.
                walk.open, walk.last = self._before(walk, one, min(samples), spikes)
            judged |= samples.keys()
            for told in walk.go(samples):
                point = Point(trend_of(told.series), told.standing.at, trend_fields(told))
                if old.get((point.series, point.time)) != point:
                    derived.points.append(point)
            # An episode that is open may have begun with another baseline, and so end elsewhere, however far away.
            if (walk.open is None and _open_at(spikes, end) is None) or end >= MAX_TIME - 1:
                break
            start, end = end, (MAX_TIME - 1 if not old else end + span)
        if not judged:
            walk.open, walk.last = self._before(walk, one, since, spikes)
        walk.gone(now + 1)
        self._settle(walk, judged, spikes, derived)
        return derived

    def unseen(self, tenant: str, moments: Sequence[int]) -> Iterator[tuple[Followed, int]]:
        """Yield each group that had not been seen for a day at one of the moments (others were), and the first such.

        Those alone of which a spike is said to have gone on then. The moments are in the order of time.
        """
        window = (self._rules.groups.window_days + 2) * DAY
        for spike in self._known.spiked(tenant):
            if spike.tag("rbacGroupName") == EVERYBODY:
                continue
            one = self._known.who(Series(GROUPS, spike.tags))
            for point in self._journal.history(spike, max(0, moments[0] - window), moments[-1]):
                end = kept_of(point).episode.end or MAX_TIME
                during = [moment for moment in moments if point.time + DAY <= moment < end]
                if point.fields["state"] != WITHDRAWN and (moment := self._missed(one, during)) is not None:
                    yield one, moment

    def told_anew(self, tenant: str, moments: Collection[int]) -> Iterator[Point]:
        """Yield the spikes of which more is known of how many groups rose: scores of these moments have come."""
        closed = {moment // DAY + 1 for moment in moments}
        for spike in self._known.spiked(tenant):
            for point in self._journal.history(spike, min(moments), (max(closed) + 1) * DAY):
                touched = point.time in moments or point.time // DAY in closed
                if touched and point.fields["state"] != WITHDRAWN:
                    text = self._telling.text(spike, kept_of(point).episode, str(point.fields["text"]))
                    if point.fields["text"] != text:
                        yield Point(spike, point.time, {**point.fields, "text": text})

    def _spikes(self, one: Followed, since: int) -> _Spikes:
        """Return the points of the spikes that can be open at `since` or begin later, and of those that led to them."""
        its = {spike_of(series) for series in one.series} & set(self._known.spiked(one.tenant))
        if not its:
            return {}
        window = (rule_of(one, self._rules).window_days + 2) * DAY
        found = self._read_spikes(its, since - window)
        return self._read_spikes(its, since - _CHAIN_DAYS * DAY) if _open_at(found, since) else found

    def _read_spikes(self, its: Collection[Series], since: int) -> _Spikes:
        points = [point for spike in its for point in self._journal.history(spike, max(0, since), MAX_TIME)]
        return {(point.series, point.time): point for point in sorted(points, key=lambda point: point.time)}

    def _before(self, walk: Walk, one: Followed, since: int, spikes: _Spikes) -> tuple[Kept | None, int | None]:
        """Return the episode that was open before `since`, as it stood then, and the time of the sample before."""
        kept = _open_at(spikes, since)
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
        points = [point for series in one.series for point in self._journal.history(trend_of(series), start, end)]
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
        return any(self._journal.history(series, start, end) for series in self._known.groups(tenant))

    def _missed(self, one: Followed, moments: Sequence[int]) -> int | None:
        """Return the first of the moments before which a score has no sample for a day."""
        self._past.look((series, moment) for series in one.series for moment in moments)
        for moment in moments:
            last = self._past.before(one, moment)
            if last is None or last.time + DAY <= moment:
                return moment
        return None


def _open_at(spikes: _Spikes, moment: int) -> Kept | None:
    """Return the episode that was open before what happened at `moment`."""
    for point in reversed(spikes.values()):
        kept = kept_of(point)
        open_then = kept.episode.end is None or kept.episode.end >= moment
        if point.time < moment and open_then and point.fields["state"] != WITHDRAWN:
            return kept
    return None
