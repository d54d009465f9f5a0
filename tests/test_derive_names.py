"""Who is followed by what came without an id is told anew when another id of that name comes."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import DAY, MIDNIGHT
from test_derive import EACH, Lived, both_ways, group, history, lived

from collector.point import Point

__all__ = ["lived"]


def _nameless(days: int) -> list[Point]:
    """Return what was kept of a name without an id: it rises on the fifth day."""
    return [group(each.time, each.score, "a", "none") for each in history([20.0] * 16 + [45.0] * 4 * (days - 4))]


def _with_id(id_: str, score: float, first: int, days: int) -> list[Point]:
    return [
        group(each.time, each.score, "a", id_)
        for each in history([score] * 4 * days, MIDNIGHT + first * DAY + EACH // 2)
    ]


@pytest.mark.parametrize("restarted", [True, False])
def test_what_had_no_id_is_followed_by_itself_once_two_ids_have_its_name(
    lived: Lived, tmp_path: Path, *, restarted: bool
) -> None:
    """As where both ids were known first: neither the spike nor the baseline of the one is the other's."""
    parts = [_nameless(8), _with_id("7", 30.0, 2, 6), _with_id("8", 60.0, 3, 5)]
    for part in parts:
        lived.came(*part)
        if restarted:
            lived.restart()
    other = Lived(tmp_path / "other.db")
    for part in reversed(parts):
        other.came(*part)
    once = Lived(tmp_path / "once.db")
    once.came(*(point for part in parts for point in part))
    assert lived.all() == other.all() == once.all()
    trends = {point.series.tag("rbacGroupId"): point.fields for point in once.points("exposure_trend_by_group")}
    assert [trends[id_]["baseline"] for id_ in ("none", "7", "8")] == [20.0, 30.0, 60.0]
    for each in (other, once):
        each.journal.close()


def test_a_restart_between_a_new_id_and_its_first_turn_changes_nothing(lived: Lived, tmp_path: Path) -> None:
    """The point of the new id is there, and the process that read it is gone before it derived anything."""
    parts = [_nameless(8), _with_id("7", 30.0, 2, 6), _with_id("8", 60.0, 3, 5)]
    for part in parts[:2]:
        lived.came(*part)
    lived.came(*parts[2], turn=False)
    lived.restart()
    lived.came()
    once = Lived(tmp_path / "once.db")
    once.came(*(point for part in parts for point in part))
    assert lived.all() == once.all()
    once.journal.close()


def _world(dice: random.Random) -> list[Point]:
    """Return the points of groups of two names, with and without ids."""
    return [
        group(MIDNIGHT + n * EACH + k, dice.choice((20.0, 20.0, 31.0, 45.0)), name, id_)
        for k, (name, id_) in enumerate((("a", "none"), ("a", "7"), ("b", "7"), ("a", "8"), ("b", "none")))
        for n in range(dice.randint(1, 20), dice.randint(20, 36))
        if dice.random() < 0.8
    ]


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_groups_with_and_without_ids_are_told_of_alike_whatever_came_first(seed: int) -> None:
    """All at once, or in any order, with restarts in between: the same trends and spikes."""
    dice = random.Random(seed)  # noqa: S311 - nothing is kept secret by it
    points = _world(dice)
    with both_ways(points, dice, 40) as (once, late):
        assert _trends(late) == _trends(once)


def _trends(lived: Lived) -> Sequence[object]:
    # Whether a first day counts depends on which of its neighbours were there when it was looked at.
    return [points for name, points in lived.all().items() if "daily" not in name]
