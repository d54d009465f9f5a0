"""The samples of a series, as far as something can be derived from them."""

from collections.abc import Sequence

from collector.derive.protocols import Journal
from collector.history.card import Sample, sample
from collector.point import Series

LIKELY = 1e12
"""A score beyond it is kept as it came, and nothing is derived from it: sums of such leave what a float can hold."""


def samples_of(journal: Journal, series: Series, since: int, until: int) -> Sequence[Sample]:
    """Return what a series has from `since` to before `until` (ms), in the order of time."""
    return [one for point in journal.history(series, since, until) if likely((one := sample(point)).score)]


def likely(score: float) -> bool:
    """Whether something is derived from a score."""
    return abs(score) <= LIKELY
