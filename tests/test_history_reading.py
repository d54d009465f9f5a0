"""What a score card asks of a real journal, and what it costs there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import group, score
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import DAY, HOUR, MIDNIGHT, flip, look, place, steps

from collector.history import Card, Note, Sample, rank, read
from collector.journal import Journal
from collector.point import Point

NOW = MIDNIGHT + 13 * HOUR
LATE = 3 * HOUR


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """An empty journal whose clock stands at noon, and a bit."""
    with Journal(tmp_path / "journal.db", clock=lambda: NOW / 1000) as journal:
        yield journal


def card(journal: Journal, *, days: int = 30, group: str | None = None, drawn: bool = False) -> Card:
    """Return the card of contoso."""
    (only,) = read(journal, ["contoso"], now=NOW, late_ms=LATE, days=days, group=group, drawn=drawn)
    return only


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.sampled_from("abc"), st.integers(0, 33 * 4).map(lambda n: NOW - n * 6 * HOUR)),
        st.floats(0.0, 100.0),
        max_size=60,
    ),
    st.integers(1, 40),
)
def test_a_card_says_what_all_the_points_say(
    tmp_path_factory: pytest.TempPathFactory, points: dict[tuple[str, int], float], days: int
) -> None:
    """Whatever was polled and missed, scores and changes are those of looking at every point there is."""
    with Journal(tmp_path_factory.mktemp("card") / "journal.db", clock=lambda: NOW / 1000) as journal:
        journal.append([group("contoso", name, time, value, id_=name) for (name, time), value in points.items()])
        shown = card(journal, days=days)
    newest = max((time for _, time in points), default=0)
    expected = {}
    for name in "abc":
        past = {time: value for (of, time), value in points.items() if of == name}
        if past and max(past) >= newest - DAY:
            expected[name] = (past[max(past)], max(past), *(_change(past, n) for n in (1, 7, 30)))
    assert {
        one.name: (
            one.standing.score,
            one.standing.at,
            one.standing.change_1d,
            one.standing.change_7d,
            one.standing.change_30d,
        )
        for one in shown.groups
    } == expected


def _change(past: dict[int, float], days: int) -> float | None:
    now = max(past)
    moment = now - days * DAY
    old = [time for time in past if moment - DAY <= time <= moment]
    return past[now] - past[max(old)] if old else None


def test_a_renamed_group_has_the_changes_of_its_old_name(journal: Journal) -> None:
    """A group is followed by its id through its names, in its changes and in what is drawn of it."""
    journal.append([group("contoso", "Büro", NOW - n * DAY, 10.0 + n, id_="7") for n in range(1, 40)])
    journal.append([group("contoso", "Office", NOW, 50.0, id_="7")])
    (office,) = card(journal).groups
    assert (office.name, office.id) == ("Office", "7")
    assert (office.standing.change_1d, office.standing.change_7d, office.standing.change_30d) == (39.0, 33.0, 10.0)
    assert office.samples == ()
    (office,) = card(journal, group="Büro", drawn=True, days=2).groups
    assert office.samples == [Sample(NOW - 2 * DAY, 12.0), Sample(NOW - DAY, 11.0), Sample(NOW, 50.0)]


def test_a_break_parts_the_scores_that_it_speaks_of(journal: Journal) -> None:
    """One of all groups marks every change across it, one of a group that group's alone, one taken back none.

    That is so in a ranking too, and whatever days are shown.
    """
    days = (0, 1, 7, 30)
    journal.append([score("contoso", NOW - n * DAY, 40.0) for n in days])
    journal.append([group("contoso", name, NOW - n * DAY, id_=name) for name in ("a", "b") for n in days])

    def noted(id_: str, age: int, kind: str = "break", of: str | None = None, *, withdrawn: bool = False) -> None:
        note = Note(
            id=id_, at=NOW - age * DAY, kind=kind, tenant="contoso", group=of, title="New model", withdrawn=withdrawn
        )
        journal.append([note.point()])

    noted("n", 0, "note")
    noted("w", 0, withdrawn=True)
    assert across(journal) == [set(), set(), set()]
    noted("g", 6, of="b")
    assert across(journal) == [set(), set(), {7, 30}]
    noted("o", 20)
    assert across(journal) == [{30}, {30}, {7, 30}]


def across(journal: Journal) -> list[frozenset[int]]:
    """Return the days whose changes reach across a break: the organization's, and each group's by its name."""
    found = card(journal, days=1)
    (ranked,) = rank(journal, ["contoso"], now=NOW, late_ms=LATE)
    assert found.standing is not None
    assert found.standing == ranked.standing
    named = [group for name in ("a", "b") for group in card(journal, days=1, group=name).groups]
    assert {(one.name, one.standing) for one in named} == {(one.name, one.standing) for one in found.groups}
    return [found.standing.across, *(group.standing.across for group in named)]


def test_a_group_that_is_gone_is_counted_and_shown_when_it_is_asked_for(journal: Journal) -> None:
    """A group that no answer had for a day is counted with when it was seen last, and is found by its name."""
    journal.append([group("contoso", "here", NOW, id_="1")])
    journal.append([group("contoso", "gone", NOW - n * DAY, id_="2") for n in (3, 4)])
    journal.append([group("contoso", "long gone", NOW - 90 * DAY, id_="3")])
    found = card(journal)
    assert [one.name for one in found.groups] == ["here"]
    assert (found.unseen, found.unseen_since) == (1, NOW - 3 * DAY)
    assert card(journal, days=100).unseen == 2
    named = card(journal, group="long gone")
    assert [(one.name, one.seen) for one in named.groups] == [("long gone", False)]
    assert (named.unseen, named.late) == (0, [])


def test_a_tenant_that_is_polled_no_more_keeps_its_card(journal: Journal) -> None:
    """Of a tenant that is silent for years the last scores are shown, with their time, and said to be late."""
    then = NOW - 800 * DAY
    journal.append([score("contoso", then - DAY, 40.0), score("contoso", then, 42.0), group("contoso", "g", then)])
    found = card(journal, drawn=True)
    assert found.standing is not None
    assert (found.standing.at, found.standing.change_1d, found.polled) == (then, 2.0, then)
    assert [one.name for one in found.groups] == ["g"]
    assert found.samples == []
    assert found.late == ["organization", "device_groups"]


def test_a_point_ahead_of_the_clock_is_not_now(journal: Journal) -> None:
    """What a clock that is gone has left ahead of the present is no score of now, and isn't drawn."""
    journal.append([score("contoso", NOW, 40.0), score("contoso", NOW + 1, 90.0), group("contoso", "g", NOW + DAY)])
    found = card(journal, drawn=True)
    assert found.standing is not None
    assert found.standing.score == 40.0
    assert found.samples == [Sample(NOW, 40.0)]
    assert [one.name for one in found.groups] == []


def test_tenants_are_ranked_and_apart(journal: Journal) -> None:
    """Each tenant has its own card, the worst first; one that was never polled is the last, with nothing."""
    for tenant, value in (("a", 20.0), ("b", 60.0), ("left", 99.0)):
        journal.append([score(tenant, NOW, value), group(tenant, "g", NOW, value, id_="7")])
    asked = ["a", "new", "b"]
    for cards in (
        read(journal, asked, now=NOW, late_ms=LATE, days=30),
        rank(journal, asked, now=NOW, late_ms=LATE),
    ):
        assert [one.tenant for one in cards] == ["b", "a", "new"]
        assert [one.standing and one.standing.score for one in cards] == [60.0, 20.0, None]
    cards = read(journal, asked, now=NOW, late_ms=LATE, days=30)
    assert [[each.standing.score for each in one.groups] for one in cards] == [[60.0], [20.0], []]
    assert [one.polled for one in cards] == [NOW, NOW, None]


def test_a_subject_is_late_by_itself(journal: Journal) -> None:
    """The organization's polls may go well while the groups' fail: what is late is named."""
    journal.append([score("contoso", NOW), group("contoso", "g", NOW - LATE - 1)])
    assert card(journal).late == ["device_groups"]
    journal.append([group("contoso", "g", NOW - LATE)])
    assert card(journal).late == []


_HOURS = st.integers(-60, 60).map(lambda n: MIDNIGHT + n * HOUR)
_EDGES = st.one_of(
    _HOURS, st.builds(lambda day, edge: MIDNIGHT + day * DAY + edge, st.integers(-2, 2), st.integers(-1, 1))
)


@settings(max_examples=60, deadline=None)
@given(
    st.sets(st.tuples(st.sampled_from("ab"), _EDGES), max_size=20), st.lists(st.tuples(st.sampled_from("abc"), _EDGES))
)
def test_the_point_before_a_moment_is_the_newest_of_a_day(
    tmp_path_factory: pytest.TempPathFactory, points: set[tuple[str, int]], asked: list[tuple[str, int]]
) -> None:
    """For each series and moment: its newest point up to then, that very moment and a whole day included."""
    with Journal(tmp_path_factory.mktemp("before") / "journal.db") as journal:
        journal.append([group("contoso", *point) for point in sorted(points)])
        found = journal.before([(group("contoso", name, 0).series, moment) for name, moment in asked])
    for (name, moment), point in zip(asked, found, strict=True):
        times = [time for of, time in points if of == name and moment - DAY <= time <= moment]
        assert (point and point.time) == max(times, default=None)
        assert point is None or point.series.tag("rbacGroupName") == name


def test_a_damaged_row_gives_way_to_the_one_before_it(tmp_path: Path) -> None:
    """Where the newest point before a moment can't be read the one before it is taken, if there is one."""
    path = tmp_path / "journal.db"
    points = [group("contoso", name, NOW - n * HOUR, 10.0 + n) for name in ("many", "one") for n in (1, 0)]
    with Journal(path) as journal:
        journal.append([points[0], points[1], points[3]])
    for row in (2, 3):
        flip(path, place(path, row))
    with Journal(path, readonly=True) as journal:
        assert journal.before([(points[0].series, NOW), (points[3].series, NOW)]) == [points[0], None]


def test_a_card_costs_what_it_shows(journal: Journal) -> None:
    """A year of history makes a card of today no dearer than a month of it does."""

    def hours(first: int, last: int) -> list[Point]:
        times = [NOW - n * HOUR for n in range(first, last)]
        return [group("contoso", f"g{n}", time, id_=str(n)) for time in times for n in range(20)]

    journal.append(hours(0, 24 * 32))
    taken = steps(journal)
    assert len(card(journal).groups) == 20
    month = len(taken)
    journal.append(hours(24 * 32, 24 * 200))
    taken.clear()
    assert len(card(journal).groups) == 20
    assert len(taken) <= month + 5
    assert look(journal._database.path, "SELECT count(*) FROM point") == [(24 * 200 * 20,)]
