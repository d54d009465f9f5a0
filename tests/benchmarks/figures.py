"""Repeated measurements, and what may be said of them: a median, with the least and the greatest beside it.

Is not statistics: with three or five repetitions on a shared machine, the spread is shown and nothing is concluded.
"""

import gc
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Spread:
    """What one job measured, a value a repetition, in their order. Every value is finite."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.values or not all(map(math.isfinite, self.values)):
            raise ValueError(f"a spread has finite values, and one at least: {self.values}")

    @property
    def median(self) -> float:
        """The value in the middle."""
        return statistics.median(self.values)

    def times(self, factor: float) -> Self:
        """Return the same in another unit."""
        return type(self)(tuple(value * factor for value in self.values))

    def over(self, other: Self) -> Self:
        """Return the ratio of each repetition: what ran side by side met the same machine."""
        return type(self)(tuple(mine / theirs for mine, theirs in zip(self.values, other.values, strict=True)))

    def beyond(self, other: Self) -> Self:
        """Return by how much each repetition is more."""
        return type(self)(tuple(mine - theirs for mine, theirs in zip(self.values, other.values, strict=True)))

    def said(self, unit: str, *, signed: bool = False) -> str:
        """Return the median with its unit, and the range where there is one: `1.25 s (1.1 to 1.4)`."""
        median = f"{'+' if signed and self.median > 0 else ''}{short(self.median)} {unit}"
        if len(self.values) == 1:
            return median
        return f"{median} ({short(min(self.values))} to {short(max(self.values))})"


def short(number: float) -> str:
    """Return a number with three digits that count, written without an exponent; an integer part stays whole."""
    if number == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(number))))
    return f"{number:,.{digits}f}"


def interleaved(times: int, *jobs: Callable[[], float]) -> Sequence[Spread]:
    """Return what each job measured, a spread a job. They run in turns, A B A B: a busy machine strikes all alike."""
    rounds = []
    for _ in range(times):
        measured = []
        for job in jobs:
            gc.collect()  # what one job left behind is not the next one's cost
            measured.append(job())
        rounds.append(measured)
    return [Spread(values) for values in zip(*rounds, strict=True)]
