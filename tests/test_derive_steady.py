"""The short way of most samples says what the long way says, and is taken wherever nothing can begin."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import DAY, MIDNIGHT, org
from test_derive import EACH, Lived, broken, group, lived

from collector.batch import Row
from collector.point import Point

__all__ = ["lived"]

_GROUPS = 5
_CALM = (20.0, 20.25, 21.0, 24.0, 29.75, 30.0)
_NEAR = (24.999999999, 25.0, 29.9999999999, 30.0, 30.000000001, 35.0, 69.5, 70.0)
"""By less than what floats can't tell, or as much: to the rise of a spike, or to a level."""
_BEYOND = (-0.0, -3.0, 1e12, 1.1e12, 1.5e308)


def _long(lived: Lived) -> None:
    """Let a consumer go the long way alone."""

    def go(rows: Sequence[Row]) -> tuple[list[Point], list[Row]]:
        return [], list(rows)

    lived.derive._taking._onward._steady.go = go  # type: ignore[method-assign]


def counted(lived: Lived) -> list[int]:
    """Return what will hold how many points each turn makes the short way."""
    counts: list[int] = []
    its: Callable[[Sequence[Row]], tuple[list[Point], list[Row]]] = lived.derive._taking._onward._steady.go

    def go(rows: Sequence[Row]) -> tuple[list[Point], list[Row]]:
        points, rest = its(rows)
        counts.append(len(points))
        return points, rest

    lived.derive._taking._onward._steady.go = go  # type: ignore[method-assign]
    return counts


def _polls(dice: random.Random, days: int) -> list[list[Point]]:
    """Return polls in order: most scores stay for a day, some are near to what begins a spike, or in no usual range."""
    levels = [dice.choice(_CALM) for _ in range(_GROUPS + 1)]
    names = [("a", "1"), ("b", "2"), ("c", "3"), ("d", "none"), ("e", "5")]
    polls = []
    for n in range(days * 4):
        time = MIDNIGHT + n * EACH
        if n % 4 == 2:
            levels = [dice.choice(_CALM) if dice.random() < 0.5 else level for level in levels]
        scores = [dice.choice(_NEAR) if dice.random() < 0.02 else level for level in levels]
        scores = [dice.choice(_BEYOND) if dice.random() < 0.01 else score for score in scores]
        if dice.random() < 0.02:
            names[1] = (names[1][0] + "2", "2")
        if dice.random() < 0.1:
            dice.shuffle(names)
        poll = [
            group(time, score, *name) for name, score in zip(names, scores[1:], strict=True) if dice.random() < 0.97
        ]
        polls.append([org(time, scores[0]), *poll])
    if dice.random() < 0.3:
        polls[dice.randrange(len(polls))].append(
            broken(MIDNIGHT + dice.randrange(days) * DAY, dice.choice(("(all)", "a")))
        )
    return polls


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_short_way_says_what_the_long_way_says(seed: int) -> None:
    """Poll by poll and some polls in a turn, across days and a month; and most points come of the short way."""
    dice = random.Random(seed)  # noqa: S311 - nothing is kept secret by it
    with TemporaryDirectory() as folder:
        short, long = Lived(Path(folder) / "short.db"), Lived(Path(folder) / "long.db")
        _long(long)
        counts = counted(short)
        waiting: list[Point] = []
        for poll in _polls(dice, dice.choice((6, 8, 32))):
            waiting += poll
            if dice.random() < 0.3:
                continue
            short.came(*waiting)
            long.came(*waiting)
            waiting = []
        assert short.all() == long.all()
        assert sum(counts) > len(short.points("exposure_trend_by_group")) / 2
        for each in (short, long):
            each.journal.close()


@pytest.mark.parametrize("score", [24.999, 25.0])
def test_what_begins_a_spike_is_not_taken_for_steady(lived: Lived, score: float) -> None:
    """A sample that rises by the threshold begins an episode, one that rises by less goes the short way."""
    for n in range(20):
        lived.came(org(MIDNIGHT + n * EACH, 20.0))
    counts = counted(lived)
    lived.came(org(MIDNIGHT + 20 * EACH, score))
    assert (sum(counts), len(lived.points("exposure_spike"))) == ((1, 0) if score < 25 else (0, 1))


def test_what_is_given_back_across_midnight_knows_the_day_that_has_closed(lived: Lived) -> None:
    """While a spike goes on, two days that come in one turn are told as sample by sample: the second rise is found."""
    scores = [20.0] * 21 + [36.0] * 3 + [30.0] * 8 + [30.0, 30.0, 36.0, 36.0]
    points = [org(MIDNIGHT + n * EACH, score) for n, score in enumerate(scores)]
    for point in points[:-8]:
        lived.came(point)
    lived.came(*points[-8:])
    found = [(spike.time, spike.fields["baseline"]) for spike in lived.points("exposure_spike")]
    assert found == [(points[21].time, 20.0), (points[-2].time, 30.0)]
