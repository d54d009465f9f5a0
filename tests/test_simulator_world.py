"""collector.simulator.world: the made-up scores, at any moment."""

import itertools
import re
import time
from datetime import date, timedelta
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.simulator.life import born
from collector.simulator.names import group_names, tenant_names
from collector.simulator.weaknesses import LONGEST_DAYS, drawn, written
from collector.simulator.world import DEFAULT_SEED, World

TODAY = date(2026, 3, 14)
HOUR = 3600 * 1000
DAY = 24 * HOUR
ORGANIZATION = "(organization)"

seeds = st.integers(min_value=0, max_value=2**32)
days = st.dates(min_value=date(2020, 1, 1), max_value=date(2060, 1, 1))


def midnight(day: date) -> int:
    """Return the milliseconds since the epoch at which a day begins."""
    return (day - date(1970, 1, 1)).days * DAY


NOW = midnight(TODAY) + DAY - 1


def contoso(*, seed: int = DEFAULT_SEED, today: date = TODAY, groups: int = 7) -> World:
    """Return a world of one tenant."""
    return World(tenants=["contoso"], today=today, seed=seed, groups=groups)


def scores(world: World, at: int, tenant: str = "contoso") -> dict[str, float]:
    """Return the scores by the groups' names, and the organization's."""
    groups = {row["rbacGroupName"]: row["score"] for row in world.groups(tenant, at)["value"]}
    return {**groups, ORGANIZATION: world.organization(tenant, at)["score"]}


def steps(old: dict[str, float], new: dict[str, float]) -> dict[str, float]:
    """Return how far each has moved that has both scores."""
    return {name: new[name] - old[name] for name in new if name in old}


def daily(world: World, today: date, count: int) -> list[dict[str, float]]:
    """Return the scores at the end of each of the last `count` days."""
    return [scores(world, midnight(today) - (back - 1) * DAY - 1) for back in range(count, 0, -1)]


@given(seed=seeds, groups=st.integers(1, 30), at=st.integers(NOW - 900 * DAY, NOW + 900 * DAY))
def test_every_score_is_between_0_and_100(seed: int, groups: int, at: int) -> None:
    """A score is a number from 0 to 100, for any seed, number of groups and moment."""
    world = contoso(seed=seed, groups=groups)
    assert len(scores(world, NOW)) == groups + 1
    assert all(0 <= score <= 100 for score in scores(world, at).values())


@given(seed=seeds, at=st.integers(NOW - 90 * DAY, NOW))
@settings(deadline=None, max_examples=40)  # weeks of scores an example: a busy machine takes its time
def test_scores_change_once_a_day_and_all_at_one_minute(seed: int, at: int) -> None:
    """Within 24 hours the scores change once, all of a tenant at the same minute."""
    world = contoso(seed=seed)
    minutes = [scores(world, at + minute * 60_000) for minute in range(0, 24 * 60, 15)]
    changes = [pair for pair in itertools.pairwise(minutes) if pair[0] != pair[1]]
    assert len(changes) <= 1
    assert all(step for pair in changes for step in steps(*pair).values())
    assert minutes[0] != scores(world, at + DAY)


def test_tenants_have_their_new_scores_at_different_minutes() -> None:
    """Not every tenant's score is recomputed at the same time of the day."""
    world = World(tenants=tenant_names(5), today=TODAY)

    def hour_of_change(tenant: str) -> int:
        hours = [scores(world, midnight(TODAY) + hour * HOUR, tenant) for hour in range(25)]
        return next(hour for hour, (old, new) in enumerate(itertools.pairwise(hours)) if old != new)

    assert len({hour_of_change(tenant) for tenant in world.tenants}) > 1


@given(moments=st.lists(st.integers(NOW - 90 * DAY, NOW + 90 * DAY), min_size=2, max_size=6))
@settings(deadline=None, max_examples=40)  # weeks of scores an example: a busy machine takes its time
def test_history_does_not_depend_on_what_is_asked_first(moments: list[int]) -> None:
    """Two worlds of one seed tell the same history, in whatever order they are asked."""
    one, other = contoso(), contoso()
    forwards = [(one.organization("contoso", at), one.groups("contoso", at)) for at in moments]
    backwards = [(other.organization("contoso", at), other.groups("contoso", at)) for at in reversed(moments)]
    assert forwards == backwards[::-1]


@given(one=seeds, other=seeds)
def test_another_seed_is_another_history(one: int, other: int) -> None:
    """The scores of two seeds are the same only if the seeds are."""
    assert (scores(contoso(seed=one), NOW) == scores(contoso(seed=other), NOW)) == (one == other)


@given(shift=st.integers(-2000, 2000))
@settings(deadline=None, max_examples=40)  # weeks of scores an example: a busy machine takes its time
def test_the_picture_is_the_same_on_whatever_day_it_starts(shift: int) -> None:
    """Who starts the simulator on another day sees the same last weeks."""
    moved = TODAY + timedelta(days=shift)
    assert daily(contoso(today=moved), moved, 5) == daily(contoso(), TODAY, 5)


@given(today=days)
@settings(deadline=None, max_examples=40)  # weeks of scores an example: a busy machine takes its time
def test_the_default_seed_shows_steps_whatever_the_date(today: date) -> None:
    """In the last 60 days a group rose by more than 10 points in a day, and the organization by 5 and more."""
    _has_steps(contoso(today=today), today)


@given(seed=seeds, groups=st.integers(1, 12))
@settings(deadline=None, max_examples=40)  # weeks of scores an example: a busy machine takes its time
def test_every_seed_shows_steps(seed: int, groups: int) -> None:
    """The steps of the last 60 days are there for any seed and number of groups."""
    _has_steps(contoso(seed=seed, groups=groups), TODAY)


def _has_steps(world: World, today: date) -> None:
    rises = [steps(*pair) for pair in itertools.pairwise(daily(world, today, 61))]
    assert max(rise for found in rises for name, rise in found.items() if name != ORGANIZATION) > 10
    assert max(rise[ORGANIZATION] for rise in rises) >= 5


def test_a_step_is_remediated_over_weeks() -> None:
    """The organization's highest score of the last 60 days is followed by a slow fall, not by another step."""
    organization = [found[ORGANIZATION] for found in daily(contoso(), TODAY, 60)]
    top = organization.index(max(organization))
    after = organization[top : top + LONGEST_DAYS]
    assert after[7] > after[0] - 0.7 * (after[0] - after[-1])
    assert min(new - old for old, new in itertools.pairwise(after)) > -3
    assert after[-1] < after[0] - 5


@given(seed=seeds, groups=st.integers(1, 12), at=st.integers(NOW - 90 * DAY, NOW + 90 * DAY))
def test_the_organization_is_near_the_mean_of_its_devices(seed: int, groups: int, at: int) -> None:
    """The organization's score is within 1.5 points of the groups' mean, weighted with their devices."""
    world = contoso(seed=seed, groups=groups)
    found = scores(world, at)
    groups_then = world.groups_of("contoso", at)
    assert len(found) == len(groups_then) + 1
    weighted = sum(found[group.name or ""] * group.devices for group in groups_then)
    assert abs(found[ORGANIZATION] - weighted / sum(group.devices for group in groups_then)) < 1.5


def test_small_groups_are_jumpier() -> None:
    """A tenant's smallest group moves more from day to day than its largest."""

    def unrest_by_size(seed: int) -> tuple[float, float]:
        world = contoso(seed=seed)
        by_size = sorted(world.groups_of("contoso", NOW - 110 * DAY), key=lambda group: group.devices)
        pairs = list(itertools.pairwise(daily(world, TODAY - timedelta(days=110), 30)))
        small, large = (
            mean(abs(steps(*pair)[group.name or ""]) for pair in pairs) for group in (by_size[0], by_size[-1])
        )
        return small, large

    small, large = zip(*(unrest_by_size(seed) for seed in range(10)), strict=True)
    assert mean(small) > 1.5 * mean(large)


def test_ninety_days_of_hourly_history_take_less_than_a_second() -> None:
    """90 days of hourly scores of ten groups can be asked for before a demo starts."""
    world = contoso(groups=10)
    start = time.process_time()
    for hour in range(90 * 24):
        world.groups("contoso", NOW - hour * HOUR)
        world.organization("contoso", NOW - hour * HOUR)
    assert time.process_time() - start < 1


@given(at=st.integers(NOW - 900 * DAY, NOW + 900 * DAY))
def test_times_have_six_or_seven_digits_and_never_a_trailing_zero(at: int) -> None:
    """`time` is the moment of the call, and its rows follow each other by ticks of 100 ns."""
    world = contoso()
    times = [row["time"] for row in world.groups("contoso", at)["value"]]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{5,6}[1-9]Z", text) for text in times)
    padded = [text.rstrip("Z").ljust(27, "0") for text in times]
    assert padded == sorted(set(padded))
    assert world.organization("contoso", at)["time"] == times[0]


@pytest.mark.parametrize(("nameless", "name"), [("empty", ""), ("null", None)])
def test_devices_in_no_group_are_a_row_without_a_name(nameless: str, name: str | None) -> None:
    """When asked for, the last row is that of the devices in no group: without a name, with the id 0."""
    world = World(tenants=["contoso"], today=TODAY, nameless=nameless)  # type: ignore[arg-type]
    *named, last = world.groups("contoso", NOW)["value"]
    assert (last["rbacGroupName"], last["rbacGroupId"]) == (name, 0)
    assert len(named) == 7
    assert all(row["rbacGroupName"] for row in named)


@given(count=st.integers(1, 300), seed=seeds)
def test_group_names_are_all_different_and_as_odd_as_real_ones(count: int, seed: int) -> None:
    """From three groups on there is a name with a letter that isn't ASCII, one with a comma, one with a space."""
    names = group_names(count, seed, "contoso")
    assert len(set(names)) == len(names) == count
    if count >= 3:
        assert any(not name.isascii() for name in names)
        assert any("," in name for name in names)
        assert any(" " in name for name in names)


@given(groups=st.integers(1, 20), day=st.integers(-2000, 2000), seed=seeds)
def test_a_weakness_is_felt_for_two_to_four_weeks(groups: int, day: int, seed: int) -> None:
    """A weakness is whole on its first day, only ever less after, and gone within 14 to 28 days."""
    places = [born(place, f"Site {place}", place, seed) for place in range(groups)]
    for weakness in (*written(places, seed), *drawn(groups, day, seed)):
        left = [weakness.left(weakness.day + age) for age in range(-1, LONGEST_DAYS + 2)]
        assert left[:2] == [0, 1]
        assert left[1:] == sorted(left[1:], reverse=True)
        assert 14 <= weakness.days <= LONGEST_DAYS
        assert left[1 + weakness.days] == 0
        assert len(weakness.heights) == groups


def test_tenants_are_contoso_then_others_then_numbers() -> None:
    """The first tenants have names of companies, the others numbers, and none has another's."""
    names = tenant_names(12)
    assert names[0] == "contoso"
    assert names[3:5] == ("tenant-0004", "tenant-0005")
    assert len(set(names)) == 12
    assert tenant_names(1) == ("contoso",)


def test_a_stranger_has_no_score() -> None:
    """A tenant that isn't there is a KeyError, not a made-up score."""
    with pytest.raises(KeyError, match="umbrella"):
        contoso().organization("umbrella", NOW)
