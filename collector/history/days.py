"""A day of a score: what is left of it when its samples are gone. Pure. Days are UTC's."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from collector.history.card import DAY, Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The extremes, the mean and the last score of a day, and how many samples it has."""

    min: float
    mean: float
    max: float
    last: float
    samples: int


def day_of(samples: Sequence[Sample]) -> Day:
    """Return what the samples of one day (one at least, in the order of time) come to."""
    scores = [sample.score for sample in samples]
    # Of equal scores the mean can be a bit beside them.
    mean = min(max(fmean(scores), min(scores)), max(scores))
    return Day(min=min(scores), mean=mean, max=max(scores), last=scores[-1], samples=len(scores))


def first_slot(day: int, interval: int) -> int:
    """Return the first slot (ms) of a day (its number since 1970), polled each `interval` (seconds)."""
    return -(-day * DAY // (interval * 1000)) * interval * 1000
