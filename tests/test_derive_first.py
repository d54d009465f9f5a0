"""Of scores that stand nowhere yet (the first poll, or the first after a start) the past is asked for together."""

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import MIDNIGHT, org
from test_derive import EACH, Lived, group, lived

from collector.derive.again import Again
from collector.derive.changes import Change
from collector.derive.followed import Followed
from collector.point import Point, Series

__all__ = ["lived"]

_LEVELS = (20.0, 20.5, 24.0, 31.0, 52.0)


def polls(dice: random.Random, days: int, groups: int) -> list[list[Point]]:
    """Return polls in order, a few of whose groups are missing."""
    found = []
    for n in range(days * 4):
        time = MIDNIGHT + n * EACH
        its = [group(time, dice.choice(_LEVELS), f"g{each}", str(each)) for each in range(groups)]
        found.append([org(time, dice.choice(_LEVELS)), *(point for point in its if dice.random() < 0.9)])
    return found


def asked(lived: Lived, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what will hold, by its name, each question about the past."""
    found: list[str] = []

    def counted(name: str, ask: Callable[..., Any]) -> Callable[..., Any]:
        def once(*arguments: Any) -> Any:
            found.append(name)
            return ask(*arguments)

        return once

    for whose, name in ((lived.journal, "before"), (lived.journal.across, "before")):
        monkeypatch.setattr(whose, name, counted(type(whose).__name__, whose.before))
    return found


@pytest.mark.parametrize("start", [False, True])
def test_the_past_of_many_groups_is_asked_for_as_often_as_that_of_one(
    lived: Lived, monkeypatch: pytest.MonkeyPatch, *, start: bool
) -> None:
    """The first poll that a consumer derives from costs no look at the closes of days for each group."""
    counts = []
    for n, many in enumerate((1, 60)):
        if start:
            for day in range(6):
                its = [
                    group(MIDNIGHT + (8 * n + day) * 4 * EACH, 20.0, f"{n} {each}", f"{n}{each}")
                    for each in range(many)
                ]
                lived.came(*its)
            lived.restart()
        questions = asked(lived, monkeypatch)
        time = MIDNIGHT + (8 * n + 6) * 4 * EACH + EACH
        lived.came(*(group(time, 20.0, f"{n} {each}", f"{n}{each}") for each in range(many)))
        counts.append(len(questions))
        monkeypatch.undo()
    few, many = counts
    assert 0 < many <= few + 2


@settings(max_examples=8, deadline=None)
@given(dice=st.randoms(use_true_random=False), days=st.integers(1, 6), groups=st.integers(1, 3))
def test_what_is_asked_together_says_what_each_score_says_by_itself(
    dice: random.Random, days: int, groups: int
) -> None:
    """Restarted before whichever polls, one thing is derived."""
    every = polls(dice, days, groups)
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        together = life(Path(folder) / "together.db", every, dice)

        def nothing(again: Again, every: Mapping[Followed, Change]) -> None:
            """Let each score ask for its own."""

        patch.setattr(Again, "look_ahead", nothing)
        assert life(Path(folder) / "alone.db", every, dice) == together


def life(path: Path, every: Sequence[Sequence[Point]], dice: random.Random) -> dict[str, Sequence[Point]]:
    """Return what is derived from polls that come one by one, with a restart now and then."""
    lived = Lived(path)
    for poll in every:
        if dice.random() < 0.3:
            lived.restart()
        lived.came(*poll)
    found = lived.all()
    lived.journal.close()
    return found


def test_a_tenant_that_never_had_a_spike_costs_no_look_at_all_names(
    lived: Lived, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many tenants are polled for the first time, the spikes of all are looked for together."""
    looks: list[str] = []
    between = lived.journal.between

    def counted(measurement: str, *arguments: Any) -> Sequence[Point]:
        looks.append(measurement)
        return between(measurement, *arguments)

    monkeypatch.setattr(lived.journal, "between", counted)
    points = [group(MIDNIGHT, 20.0, f"g{each}", str(each)) for each in range(30)]
    for n, point in enumerate(points):
        tags = (("tenant", f"customer-{n}"), *point.series.tags[1:])
        lived.came(Point(Series(point.series.measurement, tags), MIDNIGHT, point.fields))
    assert len(lived.points("exposure_trend_by_group")) == len(points)
    assert len(looks) <= 2
