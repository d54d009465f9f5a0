"""The facts of a score card, worked out of points alone."""

import math
from collections.abc import Sequence

import pytest
from fakes import group
from hypothesis import given
from hypothesis import strategies as st

from collector.history.card import (
    DAY,
    SPANS,
    Card,
    Group,
    Sample,
    called,
    follow,
    level,
    moments,
    rank_groups,
    seen,
    stand,
    worst_first,
)
from collector.point import Point

NOW = 1_700_000_000_000
_SCORES = st.floats(0.0, 100.0)
_AGES = st.one_of(
    st.integers(0, 40 * DAY), st.sampled_from([0, *(n * DAY for days in SPANS for n in (days, days + 1))])
)


@pytest.mark.parametrize(
    ("score", "is_level"),
    [(0.0, "low"), (29.999, "low"), (30.0, "medium"), (69.999, "medium"), (70.0, "high"), (100.0, "high")],
)
def test_a_level_begins_at_30_and_at_70(score: float, is_level: str) -> None:
    """Low is under 30, medium under 70, high from there."""
    assert level(score) == is_level


@given(
    _SCORES, st.lists(st.none() | st.builds(Sample, _AGES.map(lambda age: NOW - age), _SCORES), min_size=3, max_size=3)
)
def test_a_change_is_the_difference_of_two_points_or_unknown(score: float, before: Sequence[Sample | None]) -> None:
    """A change is now less a point that exists, between N and N + 1 days old; without one it is not known."""
    standing = stand(Sample(NOW, score), before)
    changes = (standing.change_1d, standing.change_7d, standing.change_30d)
    for days, change, old in zip(SPANS, changes, before, strict=True):
        if old is not None and days * DAY <= NOW - old.time <= (days + 1) * DAY:
            assert change == score - old.score
        else:
            assert change is None


@given(
    _SCORES,
    st.lists(st.none() | st.builds(Sample, _AGES.map(lambda age: NOW - age), _SCORES), min_size=3, max_size=3),
    st.lists(_AGES.map(lambda age: NOW - age), max_size=3),
)
def test_a_change_that_reaches_across_a_break_is_told_as_such(
    score: float, before: Sequence[Sample | None], breaks: Sequence[int]
) -> None:
    """Where a break came after the one point and no later than the other; a change that isn't known reaches nowhere."""
    standing = stand(Sample(NOW, score), before, breaks)
    known = {days: old for (days, change), old in zip(standing.changes, before, strict=True) if change is not None}
    assert standing.across == {days for days, old in known.items() if old and any(old.time < at for at in breaks)}
    assert standing.changes == stand(Sample(NOW, score), before).changes


def test_a_score_of_the_very_moment_of_a_break_is_one_since_then() -> None:
    """A break that lies ahead, or at the older of the two points, parts nothing."""
    old = Sample(NOW - DAY, 10.0)
    across = [
        stand(Sample(NOW, 20.0), [old, None, None], [at]).across for at in (NOW - DAY, NOW - DAY + 1, NOW, NOW + 1)
    ]
    assert across == [set(), {1}, {1}, set()]


def test_a_change_that_no_number_can_hold_is_not_known() -> None:
    """What would be infinite is no change."""
    old = Sample(NOW - DAY, -1.7e308)
    assert stand(Sample(NOW, 1.7e308), [old, None, None]).change_1d is None
    assert math.isfinite(stand(Sample(NOW, 1.7e308), [Sample(NOW - DAY, 1.0), None, None]).change_1d or math.nan)


def test_changes_are_looked_for_a_day_a_week_and_a_month_before() -> None:
    """The moments are those of 1, 7 and 30 days before the newest point, to the millisecond."""
    assert moments(NOW) == [NOW - DAY, NOW - 7 * DAY, NOW - 30 * DAY]


def test_a_renamed_group_keeps_its_past_under_its_newest_name() -> None:
    """One id is one group: its newest name is its name, and the series of all its names are its past."""
    old, new = group("t", "Büro", NOW - DAY, id_="7"), group("t", "Office", NOW, id_="7")
    (only,) = follow([new, old], [old.series, new.series])
    assert (only.name, only.id, only.newest) == ("Office", "7", new)
    assert set(only.series) == {old.series, new.series}


def test_groups_of_one_name_stay_apart() -> None:
    """Two ids are two groups, whatever they are called; what was kept of the name without an id is neither's."""
    points = [group("t", "Twin", NOW, id_=id_) for id_ in ("7", "8", "none")]
    found = follow(points, [point.series for point in points])
    assert sorted(one.id for one in found) == ["7", "8", "none"]
    assert all(len(one.series) == 1 for one in found)


def test_what_was_kept_before_an_id_was_seen_is_the_past_of_its_name() -> None:
    """A group that was first answered without its id has one history."""
    first, later = group("t", "Office", NOW - DAY, id_="none"), group("t", "Office", NOW, id_="7")
    other = group("t", "Other", NOW, id_="none")
    found = {one.name: one for one in follow([first, later, other], [p.series for p in (first, later, other)])}
    assert found["Office"].newest == later
    assert set(found["Office"].series) == {first.series, later.series}
    assert found["Other"].id == "none"
    assert len(found) == 2


def test_a_group_that_was_in_no_answer_for_a_day_is_not_seen() -> None:
    """A day before the newest point of any group is the edge, and belongs to what is seen."""
    points = [group("t", name, NOW - age, id_=name) for name, age in (("a", 0), ("b", DAY), ("c", DAY + 1))]
    fresh, others = seen(follow(points, [point.series for point in points]))
    assert {one.name for one in fresh} == {"a", "b"}
    assert [one.name for one in others] == ["c"]
    assert seen([]) == ([], [])


def test_a_group_is_found_by_its_name_an_earlier_one_or_its_id() -> None:
    """The name of now goes before an earlier one of another group, and both go before an id."""
    points = [
        group("t", "Office", NOW - DAY, id_="7"),
        group("t", "8", NOW, id_="7"),
        group("t", "Lab", NOW - DAY, id_="8"),
        group("t", "Office", NOW, id_="8"),
    ]
    groups = follow(points, [point.series for point in points])
    assert [one.id for one in called(groups, "Office")] == ["8"]
    assert [one.id for one in called(groups, "Lab")] == ["8"]
    assert [one.id for one in called(groups, "8")] == ["7"]
    assert [one.id for one in called(groups, "7")] == ["7"]
    assert called(groups, "nobody") == []


@given(st.lists(st.tuples(_SCORES, st.sampled_from("abc"), st.integers(0, 2).map(str)), max_size=8))
def test_the_worst_comes_first(drawn: Sequence[tuple[float, str, str]]) -> None:
    """Groups and tenants go by score, the highest first, ties by name; a tenant without a score is the last."""
    groups = [Group(name=name, id=id_, standing=stand(Sample(NOW, score), [None] * 3)) for score, name, id_ in drawn]
    keys = [(-one.standing.score, one.name, one.id) for one in rank_groups(groups)]
    assert keys == sorted(keys)
    cards = [Card(tenant="never", standing=None), *(Card(tenant=one.name, standing=one.standing) for one in groups)]
    ranked = worst_first(cards)
    assert ranked[-1].tenant == "never"
    assert [card.standing.score for card in ranked if card.standing] == [-key[0] for key in keys]


def test_a_card_was_polled_when_its_newest_score_came() -> None:
    """The newest score counts, the organization's or a group's; without any the tenant was never polled."""

    def at(point: Point) -> Group:
        return Group(name="g", id="7", standing=stand(Sample(point.time, 1.0), [None] * 3))

    organization = stand(Sample(NOW - 5, 1.0), [None] * 3)
    assert Card(tenant="t", standing=organization, groups=[at(group("t", "g", NOW))]).polled == NOW
    assert Card(tenant="t", standing=organization).polled == NOW - 5
    assert Card(tenant="t", standing=None).polled is None
