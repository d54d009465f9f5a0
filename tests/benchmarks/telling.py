"""How well a rule tells a person of what has risen, by labelled histories. Is not a test: figures stand beside goals.

A page is right where a person was due to be told in the three days before it, and was not yet; every other is false.
Rules are tuned on even seeds, and what is reported are odd ones.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Self

from benchmarks import rivals
from benchmarks.histories import History
from benchmarks.kinds import STEPLESS, STEPPING, history
from benchmarks.size import Size
from benchmarks.table import lined

from collector.history.card import DAY

_LATE = 3 * DAY
_YEAR = 365 * DAY
_JUDGES: Sequence[tuple[str, Callable[[History], Iterable[int]]]] = (
    ("the rule", rivals.rule),
    ("change in 24 h", rivals.change),
    ("mean + 3 deviations", rivals.deviations),
)
_HEAD = (
    *("histories", "paged by", "due", "at the first sample", "in 3 days", "precision", "delay, samples"),
    *("pages a year", "false a year", "goal"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of some histories of together so many years: who was due to be told, and was, and how late."""

    years: float = 0.0
    due: int = 0
    pages: int = 0
    delays: Sequence[int] = ()
    """Of each page that was right, the samples that it came late."""

    def and_(self, other: Self) -> Self:
        """Return both in one."""
        return type(self)(
            years=self.years + other.years,
            due=self.due + other.due,
            pages=self.pages + other.pages,
            delays=(*self.delays, *other.delays),
        )

    @property
    def false(self) -> int:
        """The pages of which none was due."""
        return self.pages - len(self.delays)

    def cells(self) -> Sequence[str]:
        """Return its figures as the table has them, `-` where there is none."""
        return (
            str(self.due),
            _ratio(self.delays.count(0), self.due, 3),
            _ratio(len(self.delays), self.due, 3),
            _ratio(len(self.delays), self.pages, 3),
            _ratio(sum(self.delays), len(self.delays), 1),
            _ratio(self.pages, self.years, 2),
            _ratio(self.false, self.years, 2),
        )


def _ratio(part: float, whole: float, digits: int) -> str:
    return f"{part / whole:.{digits}f}" if whole else "-"


def tallied(told: History, pages: Iterable[int]) -> Tally:
    """Return what became of one history by the pages (ms, in their order) that somebody got."""
    times = [sample.time for sample in told.samples]
    left = list(pages)
    count, delays = len(left), []
    for due, following in zip_longest(told.due, told.due[1:], fillvalue=math.inf):
        right = next((page for page in left if due <= page < min(due + _LATE, following)), None)
        if right is not None:
            left.remove(right)
            delays.append(bisect_left(times, right) - bisect_left(times, due))
    return Tally(years=(times[-1] - times[0]) / _YEAR, due=len(told.due), pages=count, delays=delays)


def table(size: Size, *, even: bool = False) -> str:
    """Return the table of all kinds and judges, odd seeds unless told otherwise."""
    seeds = range(0 if even else 1, 2 * size.seeds, 2)
    lines: list[Sequence[str]] = []
    for title, kinds, goal in (
        ("all with a step", STEPPING, "0.98 at the first sample at least"),
        ("all without a step", STEPLESS, "0.3 false a year at most"),
    ):
        every = [Tally() for _ in _JUDGES]
        for kind in kinds:
            drawn = [history(kind, seed, size.told) for seed in seeds]
            some = [_all(tallied(one, pages(one)) for one in drawn) for _, pages in _JUDGES]
            lines += _lines(kind.__name__.replace("_", " "), some, "-")
            every = [before.and_(tally) for before, tally in zip(every, some, strict=True)]
        lines += _lines(title, every, goal)
    return lined(_HEAD, lines)


def _all(tallies: Iterable[Tally]) -> Tally:
    whole = Tally()
    for tally in tallies:
        whole = whole.and_(tally)
    return whole


def _lines(title: str, tallies: Sequence[Tally], goal: str) -> Iterator[Sequence[str]]:
    for (judge, _), tally, asked in zip(_JUDGES, tallies, (goal, *["-"] * (len(_JUDGES) - 1)), strict=True):
        yield (title, judge, *tally.cells(), asked)
