"""collector.simulator.life: what becomes of device groups, and that the world's events tell the truth."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated import connected

from collector.simulator import Simulator
from collector.simulator.events import Event
from collector.simulator.world import DEFAULT_SEED, Payload, World

TODAY = date(2026, 3, 14)
HOUR = 3600 * 1000
DAY = 24 * HOUR
MIDNIGHT = (TODAY - date(1970, 1, 1)).days * DAY
TURNS = ("id missing", "appeared", "made anew", "vanished", "renamed")

seeds = st.integers(min_value=0, max_value=2**32)
lively = st.integers(7, 20)


def contoso(seed: int = DEFAULT_SEED, groups: int = 7, today: date = TODAY) -> World:
    """Return a world of one tenant."""
    return World(tenants=["contoso"], today=today, seed=seed, groups=groups)


def happened(world: World, kind: str) -> list[Event]:
    """Return the events of a kind."""
    return [event for event in world.events("contoso") if event.kind == kind]


def rows(world: World, at: int) -> Sequence[Payload]:
    """Return the rows of the groups' answer."""
    found: Sequence[Payload] = world.groups("contoso", at)["value"]
    return found


def names(world: World, at: int) -> set[str]:
    """Return the names in the groups' answer."""
    return {row["rbacGroupName"] for row in rows(world, at)}


def known(world: World, at: int) -> set[tuple[str | None, int]]:
    """Return the true names and ids of the groups at a moment, whatever ids the answer lacks."""
    return {(group.name, group.id) for group in world.groups_of("contoso", at)}


def organization(world: World, at: int) -> float:
    """Return the organization's score."""
    return float(world.organization("contoso", at)["score"])


def rises(world: World, at: int) -> dict[str, float]:
    """Return how far each group moves at a moment that has new scores, by its name before and after."""
    old, new = ({row["rbacGroupName"]: row["score"] for row in rows(world, moment)} for moment in (at - 1, at))
    return {name: new[name] - old[name] for name in new if name in old}


def hourly(first: int, last: int) -> Iterator[int]:
    """Yield the hours from one day to before another, both counted from today."""
    yield from range(MIDNIGHT + first * DAY, MIDNIGHT + last * DAY, HOUR)


@given(seed=seeds, groups=lively)
def test_a_viewer_of_ninety_days_meets_everything(seed: int, groups: int) -> None:
    """From seven groups on the last 90 days have each kind of event, in the order of time."""
    found = contoso(seed, groups).events("contoso")
    assert {event.kind for event in found} == {*TURNS, "spike", "model change"}
    assert list(found) == sorted(found, key=lambda event: event.at)
    assert all(TODAY - timedelta(days=90) <= event.day < TODAY for event in found)
    assert all(len(event.text) < 70 for event in found)


@given(seed=seeds, shift=st.integers(-2000, 2000))
def test_events_move_with_the_day_on_which_it_starts(seed: int, shift: int) -> None:
    """Whoever starts the simulator on another day meets the same events, as many days before."""
    moved = contoso(seed, today=TODAY + timedelta(days=shift)).events("contoso")
    usual = contoso(seed).events("contoso")
    assert [(event.at - shift * DAY, event.kind, event.text) for event in moved] == [
        (event.at, event.kind, event.text) for event in usual
    ]


@given(seed=seeds, groups=st.integers(1, 20), at=st.integers(MIDNIGHT, MIDNIGHT + 900 * DAY))
def test_from_today_on_there_are_as_many_groups_as_were_asked_for(seed: int, groups: int, at: int) -> None:
    """Whatever was before, from the day of its start on a tenant has exactly its groups."""
    world = contoso(seed, groups)
    assert len(rows(world, at)) == groups
    assert world.groups_of("contoso") == world.groups_of("contoso", at)


@given(seed=seeds, groups=st.integers(1, 6), at=st.integers(MIDNIGHT - 900 * DAY, MIDNIGHT + 900 * DAY))
def test_few_groups_stay_as_they_are(seed: int, groups: int, at: int) -> None:
    """Less than seven groups never change their names and ids, and no answer lacks an id."""
    world = contoso(seed, groups)
    assert {(row["rbacGroupName"], row["rbacGroupId"]) for row in rows(world, at)} == known(world, MIDNIGHT)
    assert {event.kind for event in world.events("contoso")} == {"spike", "model change"}


@given(seed=seeds, groups=lively)
def test_a_group_appears(seed: int, groups: int) -> None:
    """One group is in no answer before its day, and in all from then on."""
    world = contoso(seed, groups)
    (event,) = happened(world, "appeared")
    (new,) = names(world, event.at) - names(world, event.at - 1)
    assert event.text.startswith(new)
    assert names(world, event.at - 1) < names(world, event.at)
    assert new in names(world, MIDNIGHT)


@given(seed=seeds, groups=lively)
def test_a_group_vanishes(seed: int, groups: int) -> None:
    """One group is in all answers before its day, and in none from then on."""
    world = contoso(seed, groups)
    (event,) = happened(world, "vanished")
    (gone,) = names(world, event.at - 1) - names(world, event.at)
    assert event.text.startswith(gone)
    assert names(world, event.at) < names(world, event.at - 1)
    assert gone in names(world, event.at - 80 * DAY)


@given(seed=seeds, groups=lively)
def test_a_group_is_renamed(seed: int, groups: int) -> None:
    """One group has another name from its day on, the same id and a score that goes on from where it was."""
    world = contoso(seed, groups)
    (event,) = happened(world, "renamed")
    ((old, id_),) = known(world, event.at - 1) - known(world, event.at)
    ((new, same),) = known(world, event.at) - known(world, event.at - 1)
    assert same == id_
    assert event.text == f"{old} is now {new}"
    before, after = (
        next(row["score"] for row in rows(world, at) if row.get("rbacGroupId") == id_)
        for at in (event.at - 1, event.at)
    )
    assert abs(after - before) < 5


@given(seed=seeds, groups=lively)
def test_a_group_is_made_anew(seed: int, groups: int) -> None:
    """One group is deleted and made again: the same name, and an id that was never seen."""
    world = contoso(seed, groups)
    (event,) = happened(world, "made anew")
    ((old, before),) = known(world, event.at - 1) - known(world, event.at)
    ((new, after),) = known(world, event.at) - known(world, event.at - 1)
    assert old == new
    assert event.text.startswith(str(new))
    assert after not in {id_ for _, id_ in known(world, event.at - 80 * DAY)}
    assert before not in {id_ for _, id_ in known(world, MIDNIGHT)}


@given(seed=seeds, groups=lively)
def test_a_spike_of_the_organization_is_remediated_in_three_weeks(seed: int, groups: int) -> None:
    """In one day the organization and some groups rise by 12 to 20 points; three weeks later most of that is gone."""
    world = contoso(seed, groups)
    event, *_ = happened(world, "spike")
    assert event.text.startswith("the organization")
    assert event.text.endswith("gone in 3 weeks")
    assert 20 <= (TODAY - event.day).days <= 45
    assert 12 <= organization(world, event.at) - organization(world, event.at - 1) <= 20
    assert max(rises(world, event.at).values()) >= 12
    left = organization(world, event.at + 21 * DAY) - organization(world, event.at - 1)
    assert left < 5


@given(seed=seeds, groups=lively)
def test_a_spike_of_one_group_hardly_moves_the_organization(seed: int, groups: int) -> None:
    """The other spikes strike one small group by 10 points and more: the organization's score alone does not show."""
    world = contoso(seed, groups)
    for event in happened(world, "spike")[1:]:
        struck = {name for name, rise in rises(world, event.at).items() if rise > 8}
        assert len(struck) == 1
        assert event.text.startswith(f"{struck.pop()} alone")
        assert organization(world, event.at) - organization(world, event.at - 1) < 5


@given(seed=seeds, groups=lively)
def test_a_model_change_lifts_all_for_good(seed: int, groups: int) -> None:
    """On one day every group rises, the organization by 5 to 10 points, and three days later it is still there."""
    world = contoso(seed, groups)
    (event,) = happened(world, "model change")
    assert 8 <= (TODAY - event.day).days <= 14
    assert min(rises(world, event.at).values()) > 1
    before = organization(world, event.at - 1)
    assert 5 <= organization(world, event.at) - before <= 10
    assert organization(world, event.at + 3 * DAY) > before + 3


@pytest.mark.parametrize("groups", [7, 12])
def test_one_group_lacks_its_id_in_some_answers(groups: int) -> None:
    """In a fifth of the answers the id of one group is null or absent, its name and score are there."""
    world = contoso(groups=groups)
    (event,) = happened(world, "id missing")
    asked = list(hourly(-79, -3))
    lacking = [row for at in asked for row in rows(world, at) if row.get("rbacGroupId") is None]
    assert {row["rbacGroupName"] for row in lacking} == {event.text.partition(", in one of")[0]}
    assert 0.15 < len(lacking) / len(asked) < 0.25
    absent = [row for row in lacking if "rbacGroupId" not in row]
    assert 0.3 < len(absent) / len(lacking) < 0.7
    assert all(isinstance(row["score"], float) for row in lacking)


def test_ids_are_whole_where_a_first_poll_meets_them() -> None:
    """Before the first missing id, and on the day of the start, each row has its id; days later some lack it again."""
    world = contoso()

    def lacking(first: int, last: int) -> int:
        return sum(row.get("rbacGroupId") is None for at in hourly(first, last) for row in rows(world, at))

    assert lacking(-95, -80) == 0
    assert lacking(-1, 2) == 0
    assert lacking(3, 13) > 20


@given(seed=seeds, at=st.integers(MIDNIGHT - 79 * DAY, MIDNIGHT))
def test_asked_again_within_a_minute_the_same_id_is_missing(seed: int, at: int) -> None:
    """A poll that is tried again at once is told the same ids."""
    world = contoso(seed)
    start = at // 60_000 * 60_000
    ids = [[row.get("rbacGroupId", "absent") for row in rows(world, moment)] for moment in (start, start + 59_999)]
    assert ids[0] == ids[1]


def test_events_are_shown_to_tests_in_another_process(tmp_path: Path) -> None:
    """`/simulator/world` tells the events of a tenant, so that a black box can look for them."""
    with Simulator(folder=tmp_path, today=TODAY) as simulator, connected(simulator) as client:
        shown = client.get("/simulator/world", params={"tenant": "contoso"}).json()["events"]
        assert shown == [
            {"at": event.at, "kind": event.kind, "text": event.text} for event in simulator.world.events("contoso")
        ]
    assert {one["kind"] for one in shown} > set(TURNS)
