"""When a score has risen so far that a person should be told, and until when that lasts.

Pure: samples and closes in, episodes out. Is not a forecast, and not where closes come from (`derive`).

The score moves in daily steps and hourly samples repeat it, so what counts is the day. The *close* of a closed UTC day
is its last score; what is *usual* comes from the closes of the last `window_days` days, at least three, none of them
from before a break. An episode keeps the baseline and the threshold that it began with: a level that lasts must not
raise them while it is looked at. What comes and goes (a group of few machines) is said twice, not each time.
"""

import math
import struct
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from statistics import median
from typing import Self

from collector.history.card import DAY, Sample

LEAST = 3
"""Closes without which nothing is said."""
_SIGMA = 1.4826
"""By it a median deviation is a standard deviation, where what is seen is normally distributed."""
_NEWS = 2
"""The rises to a level, within the window, of which a person is told; another is no news."""
_NOWHERE = -math.inf
_FLOATS = struct.Struct("<5d")
_FLOAT: Callable[[bytes, int], tuple[float]] = struct.Struct("<d").unpack_from
GRAIN = 1e-9
"""Scores are decimal fractions, which floats are not: from 30.6 to 35.6 is 5, and as floats a little less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`rise`: the points above the baseline that it takes at the least.

    `window_days`: how far back what is usual is looked for, and how long a new level takes to be usual itself.
    """

    rise: float
    window_days: int


class Usual(bytes):
    """What is usual on a day: the baseline, and the rise above it that is too much; the last closes' extremes.

    Is these numbers in one piece: it is held of each score, and takes 96 bytes there, where as floats they take 200.
    """

    __slots__ = ()

    def __new__(
        cls, *, baseline: float, threshold: float, least: float, greatest: float, worn: float = _NOWHERE
    ) -> Self:
        """Pack them."""
        return super().__new__(cls, _FLOATS.pack(baseline, threshold, least, greatest, worn))

    def __repr__(self) -> str:
        return f"Usual{_FLOATS.unpack(self)}"

    @property
    def baseline(self) -> float:
        """The median of the closes in the window."""
        return _FLOAT(self, 0)[0]

    @property
    def threshold(self) -> float:
        """The points above it that are too many."""
        return _FLOAT(self, 8)[0]

    @property
    def least(self) -> float:
        """The least of the last three closes."""
        return _FLOAT(self, 16)[0]

    @property
    def greatest(self) -> float:
        """The greatest of the last two."""
        return _FLOAT(self, 24)[0]

    @property
    def worn(self) -> float:
        """The level that two rises in the window have reached; without two it is nowhere."""
        return _FLOAT(self, 32)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A rise, from the sample in which it began to before `end` (ms; None while it is open)."""

    begin: int
    baseline: float
    threshold: float
    peak: float
    end: int | None = None

    @property
    def rise(self) -> float:
        """How far above the baseline it went."""
        return _above(self.peak, self.baseline)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is said of a sample. `over`: the episode that it ended; `open`: the one that goes on or begins with it."""

    baseline: float
    rise: float
    known: bool
    """False: there is too little history for baseline and rise to count; they are then the score and 0."""
    over: Episode | None = None
    open: Episode | None = None


def usual(closes: Sequence[float], rule: Rule) -> Usual | None:
    """Return what is usual by the closes of the window, oldest first; None where they are too few."""
    if len(closes) < LEAST:
        return None
    baseline = median(closes)
    spread = _SIGMA * median([abs(close - baseline) for close in closes])
    threshold = max(rule.rise, 3 * spread)
    if not math.isfinite(threshold):  # from closes of 1e308, of which nothing can be said
        return None
    peaks = sorted(_peaks(closes, baseline, threshold / 2), reverse=True)
    return Usual(
        baseline=baseline,
        threshold=threshold,
        least=min(closes[-3:]),
        greatest=max(closes[-2:]),
        worn=peaks[_NEWS - 1] if len(peaks) >= _NEWS else _NOWHERE,
    )


def _peaks(closes: Sequence[float], baseline: float, points: float) -> Iterator[float]:
    """Yield the greatest of each run of closes that are so many points above the baseline."""
    for up, run in groupby(closes, key=lambda close: _reaches(close - baseline, points)):
        if up:
            yield max(run)


def judge(
    sample: Sample, today: Usual | None, episode: Episode | None, rule: Rule, broken: int | None = None
) -> Judged:
    """Return what is said of a sample. `episode`: the one open before it; `broken`: the last break up to it (ms)."""
    if episode is None:
        begun = _begun(sample, today) if today is not None and _begins(sample, today) else None
        return _said(sample, today, None, begun)
    if _ends(sample, episode, rule, broken):
        return _said(sample, today, replace(episode, end=sample.time), None)
    if today is not None and _another(sample, today, episode):
        # What made the first one a rise makes the next one, too: by now its own level is in what is usual.
        second = replace(_begun(sample, today), threshold=min(today.threshold, episode.threshold))
        return _said(sample, today, replace(episode, end=sample.time), second)
    higher = replace(episode, peak=sample.score) if sample.score > episode.peak else episode
    return _said(sample, today, None, higher)


def _reaches(rise: float, points: float) -> bool:
    return rise >= points - GRAIN


def _begins(sample: Sample, today: Usual) -> bool:
    return (
        _reaches(sample.score - today.baseline, today.threshold)
        # What rose above the baseline days ago, and was no episode then, is none now.
        and _reaches(sample.score - today.least, today.threshold)
        # A few machines that come and go make a rise each time.
        and _reaches(sample.score - today.worn, today.threshold / 2)
    )


def _another(sample: Sample, today: Usual, episode: Episode) -> bool:
    return sample.time - episode.begin >= DAY and _reaches(sample.score - today.greatest, episode.threshold)


def _ends(sample: Sample, episode: Episode, rule: Rule, broken: int | None) -> bool:
    return (
        not _reaches(sample.score - episode.baseline, episode.threshold / 2)
        or sample.time >= episode.begin + rule.window_days * DAY
        or (broken is not None and broken > episode.begin)
    )


def _begun(sample: Sample, today: Usual) -> Episode:
    return Episode(begin=sample.time, baseline=today.baseline, threshold=today.threshold, peak=sample.score)


def _said(sample: Sample, today: Usual | None, over: Episode | None, now: Episode | None) -> Judged:
    baseline = now.baseline if now else today.baseline if today else None
    if baseline is None:
        return Judged(baseline=sample.score, rise=0.0, known=False, over=over, open=now)
    return Judged(baseline=baseline, rise=_above(sample.score, baseline), known=True, over=over, open=now)


def _above(score: float, level: float) -> float:
    """Return by how much it is more: a finite number, even where a server's scores are near the greatest."""
    return min(max(score - level, -sys.float_info.max), sys.float_info.max)


def closes_before(closes: Sequence[Sample], day: int, rule: Rule, broken: int | None) -> Sequence[float]:
    """Return the scores of `closes` that tell what is usual on a day (its number since 1970), oldest first."""
    return [
        close.score
        for close in closes
        if day - rule.window_days <= close.time // DAY < day and (broken is None or close.time >= broken)
    ]


def episodes(samples: Sequence[Sample], rule: Rule, breaks: Sequence[int] = ()) -> Iterator[Episode]:
    """Yield the episodes of a whole history (in the order of time), each when it is over, the open one at the end.

    Is the rule at its plainest, all samples in hand; what is derived as they come is held against it.
    """
    closes: list[Sample] = []
    last: Sample | None = None
    episode: Episode | None = None
    broken: int | None = None
    today: Usual | None = None
    ahead = deque(sorted(breaks))
    for sample in samples:
        day = sample.time // DAY
        dawned = last is not None and last.time // DAY < day
        if last is not None and dawned:
            closes = [*closes[-rule.window_days :], last]
        while ahead and ahead[0] <= sample.time:
            broken, dawned = ahead.popleft(), True
        if dawned:  # within a day nothing changes what is usual on it
            today = usual(closes_before(closes, day, rule, broken), rule)
        judged = judge(sample, today, episode, rule, broken)
        if judged.over:
            yield judged.over
        last, episode = sample, judged.open
    if episode:
        yield episode
