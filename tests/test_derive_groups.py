"""What is derived of device groups is the same whatever came first: others, gaps, new names and breaks."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import DAY, HOUR, MIDNIGHT, org
from test_derive import BEGAN, EACH, GROUP, RULES, Lived, both_ways, broken, group, history, lived, risen, told

from collector.derive import Derive, Rules
from collector.history.spikes import Rule
from collector.point import Point, Series, Value

__all__ = ["lived"]


@pytest.mark.parametrize("others", ["first", "with it", "last", "each by itself"])
def test_a_gap_ends_a_spike_also_when_it_is_known_later_that_others_were_seen(lived: Lived, others: str) -> None:
    """As an import has it that has one group after the other."""
    samples = risen(45.0, days=6)
    mine = [group(sample.time, sample.score) for n, sample in enumerate(samples) if n not in range(26, 34)]
    theirs = [group(sample.time, 30.0, "there", "9") for sample in samples]
    lived.now = samples[-1].time
    orders = {
        "first": [theirs, mine],
        "with it": [[*mine, *theirs]],
        "last": [mine, theirs],
        "each by itself": [mine, *([point] for point in reversed(theirs))],
    }
    for points in orders[others]:
        lived.came(*points)
    spikes = [point for point in lived.points("exposure_spike") if point.series.tag("rbacGroupName") == "a"]
    last, back = samples[25].time, samples[34].time
    assert told(spikes) == [(BEGAN, 20.0, 45.0, last + DAY), (back, 20.0, 45.0, 0)]
    trends = [point for point in lived.points("exposure_trend_by_group") if point.series.tag("rbacGroupName") == "a"]
    assert [point.fields["spike"] for point in trends] == [0] * 24 + [1] * 16


def test_a_spike_that_others_have_ended_ends_earlier_where_its_own_scores_come_after_all(lived: Lived) -> None:
    """Its next score was only late: of a time before the day was over after which it counted as gone."""
    samples = risen(45.0)
    lived.now = samples[-1].time
    lived.came(*(group(sample.time, 30.0, "there", "9") for sample in samples))
    lived.came(*(group(sample.time, sample.score) for sample in samples[:25]))
    assert told(lived.points("exposure_spike")) == [(BEGAN, 20.0, 45.0, BEGAN + DAY)]
    lived.came(group(BEGAN + EACH, 20.0))
    assert told(lived.points("exposure_spike")) == [(BEGAN, 20.0, 45.0, BEGAN + EACH)]


def test_a_spike_of_a_group_of_which_no_score_is_there_is_left_as_it_is(lived: Lived) -> None:
    """As an import brings it in that has spikes alone: nothing is known by which it would be over."""
    fields: dict[str, Value] = {"baseline": 20.0, "peak": 40.0, "rise": 20.0, "state": 1, "end_time": 0}
    tags = (("tenant", "contoso"), ("rbacGroupName", "gone"), ("rbacGroupId", "5"))
    spike = Point(Series("exposure_spike", tags), MIDNIGHT, {**fields, "title": "", "text": "contoso: usual was 20.0."})
    lived.came(spike, *(group(sample.time, 30.0, "there", "9") for sample in risen()))
    assert [(point.time, point.fields["state"]) for point in lived.points("exposure_spike")] == [(MIDNIGHT, 1)]


def test_a_new_name_that_comes_with_the_rise_is_no_second_spike(lived: Lived) -> None:
    """Also where the group was known before under the old name alone."""
    samples = risen(45.0)
    lived.came(*(group(sample.time, sample.score) for sample in samples[:20]))
    lived.came(
        *(group(sample.time, sample.score, "a" if n < 28 else "b") for n, sample in enumerate(samples) if n > 19)
    )
    assert told(lived.points("exposure_spike")) == [(BEGAN, 20.0, 45.0, 0)]


def _world(dice: random.Random) -> list[Point]:
    """Return the points of two groups that are there, away and renamed, of the organization, and a break."""
    days = dice.randint(5, 12)
    points = []
    for name, id_ in (("a", "7"), ("b", "8")):
        levels = [dice.choice((20.0, 20.0, 20.0, 24.0, 31.0, 45.0, 60.0)) for _ in range(days)]
        away = range(gone := dice.randrange(days * 4), gone + dice.randint(3, 9))
        renamed = dice.randrange(days * 8)
        points += [
            group(MIDNIGHT + n * EACH, levels[n // 4], name if n < renamed else f"{name}2", id_)
            for n in range(days * 4)
            if n not in away and dice.random() < 0.95
        ]
    points += [org(MIDNIGHT + n * EACH, dice.choice((20.0, 20.0, 31.0))) for n in range(days * 4)]
    return [*points, *([broken(MIDNIGHT + dice.randrange(days * 24) * HOUR)] if dice.random() < 0.5 else [])]


def _all(lived: Lived) -> dict[str, Sequence[Point]]:
    # Whether a first day counts depends on which of its neighbours were there when it was looked at.
    return lived.all() | {"exposure_score_daily": ()}


@settings(max_examples=8, deadline=None)
@given(dice=st.randoms(use_true_random=False))
def test_groups_are_told_of_alike_whatever_came_first(dice: random.Random) -> None:
    """All at once, or late and in any order, with restarts in between: the same trends, spikes and words."""
    points = _world(dice)
    with both_ways(points, dice, 60) as (once, late):
        assert _all(late) == _all(once)


@pytest.mark.parametrize("late", [True, False])
def test_a_baseline_that_changes_late_changes_all_of_its_spike(lived: Lived, *, late: bool) -> None:
    """Also where the spike is open still, longer after the late day than any change is told."""
    rules = Rules(organization=Rule(rise=5.0, window_days=30), groups=GROUP, interval=3600, links=RULES.links)
    lived.derive = Derive(lived.journal, rules, clock=lambda: lived.now / 1000)
    days = [20.0, 26.0] * 12 + [20.0] + [40.0] * 32
    points = [org(sample.time, sample.score) for sample in history([level for level in days for _ in range(4)])]
    lived.now = points[-1].time
    for some in (points[4:], points[:4]) if late else (points,):
        lived.came(*some)
    spike = lived.points("exposure_spike")[-1]
    assert told([spike]) == [(MIDNIGHT + 25 * DAY, 20.0, 40.0, MIDNIGHT + 55 * DAY)]
    trends = lived.points("exposure_trend")
    assert [point.fields["spike"] for point in trends[-9:]] == [1] + [0] * 8


def test_a_break_of_many_tenants_is_taken_tenant_by_tenant(lived: Lived) -> None:
    """A turn holds what one break touches, however many are set at once."""
    names = ("contoso", "fabrikam", "adatum")
    lived.came(*(org(sample.time, sample.score, name) for name in names for sample in risen()))
    breaks = [broken(BEGAN) for _ in names]
    tags = [(("tenant", name), *point.series.tags[1:]) for name, point in zip(names, breaks, strict=True)]
    lived.journal.append(
        [
            Point(Series("exposure_annotation", its), BEGAN, point.fields)
            for its, point in zip(tags, breaks, strict=True)
        ]
    )
    withdrawn = []
    while lived.derive.turn():
        withdrawn.append(sum(point.fields["state"] == 2 for point in lived.points("exposure_spike")))
    assert withdrawn[:3] == [1, 2, 3]
