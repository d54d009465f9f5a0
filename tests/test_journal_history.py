"""The past: a series' history, the newest of each series, and all of one moment."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import DAY, HOUR, MIDNIGHT, group, look, org, steps

from collector.journal import Journal, reader
from collector.point import MAX_TIME, Point, Series, carried

_NAMES = ("Finance", "Ünïts 🚨", "a,b=c d")
_TIMES = st.one_of(
    st.builds(lambda day, edge: MIDNIGHT + day * DAY + edge, st.integers(-2, 2), st.integers(-2, 2)),
    st.builds(lambda hour: MIDNIGHT + hour * HOUR, st.integers(-30, 30)),
    st.sampled_from([0, 1, DAY - 1, DAY, MAX_TIME - 1]),
)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """An empty journal whose clock stands at a midnight."""
    with Journal(tmp_path / "journal.db", clock=lambda: MIDNIGHT / 1000) as journal:
        yield journal


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.tuples(st.sampled_from(_NAMES), _TIMES), max_size=8), max_size=6),
    _TIMES,
    _TIMES,
    st.sampled_from([MIDNIGHT, MIDNIGHT + 2 * DAY, 60_000]),
)
def test_the_past_is_what_a_dict_of_the_appends_says(
    tmp_path_factory: pytest.TempPathFactory,
    appends: list[list[tuple[str, int]]],
    since: int,
    until: int,
    now: int,
) -> None:
    """History, newest and moment are those of the last value of each identity, at the edges of days too."""
    points: dict[tuple[str, int], Point] = {}
    with Journal(tmp_path_factory.mktemp("past") / "journal.db", clock=lambda: now / 1000) as journal:
        for n, drawn in enumerate(appends):
            batch = [group(name, time, float(n * 10 + k)) for k, (name, time) in enumerate(drawn)]
            journal.append(batch)
            points |= {(point.series.tag("rbacGroupName"), point.time): point for point in batch}
        for name in _NAMES:
            times = sorted(time for of, time in points if of == name and since <= time < until)
            assert journal.history(group(name).series, since, until) == [points[name, time] for time in times]
            before = min((time for of, time in points if of == name and time < until), default=None)
            assert journal.first(group(name).series, until) == (None if before is None else points[name, before])
        every = [group(name).series for name in (*_NAMES, "never seen")]
        between = journal.between("exposure_score_by_group", since, until)
        assert [point.time for point in between] == sorted(time for _, time in points if since <= time < until)
        assert all(point == points[point.series.tag("rbacGroupName"), point.time] for point in between)
        assert journal.across.histories(every, since, until) == between
        _across(journal, every, points, since)
        newest = {
            name: max(times)
            for name in _NAMES
            if (times := [time for of, time in points if of == name and since <= time <= now])
        }
        found = journal.latest("exposure_score_by_group", since)
        assert {point.series.tag("rbacGroupName"): point.time for point in found} == newest
        assert all(point == points[point.series.tag("rbacGroupName"), point.time] for point in found)
        order = list(dict.fromkeys(name for drawn in appends for name, _ in drawn))
        first = sorted(found, key=lambda point: order.index(point.series.tag("rbacGroupName")))
        for most in range(1, 5):
            assert journal.first_of("exposure_score_by_group", since, most) == first[:most]
        at = [point for (_, time), point in points.items() if time == since]
        assert _by_name(journal.at("exposure_score_by_group", since)) == _by_name(at)


def _across(journal: Journal, every: Sequence[Series], points: dict[tuple[str, int], Point], moment: int) -> None:
    """Hold the scores that are asked of many series at once against a dict of the appends."""
    scores = {
        name: sorted((time, point.fields["score"]) for (of, time), point in points.items() if of == name)
        for name in _NAMES
    }
    newest = {name: its[-1][0] for name, its in scores.items() if its}
    assert {p.series.tag("rbacGroupName"): p.time for p in journal.across.newest(every)} == newest
    begun = {name for name, its in scores.items() if its and its[0][0] < moment}
    assert {series.tag("rbacGroupName") for series in journal.across.begun(every, moment)} == begun
    day = moment // DAY
    of_day = {name: [each for each in its if each[0] // DAY == day] for name, its in scores.items()}
    found = {series.tag("rbacGroupName"): its for series, its in journal.across.of_day(every, day).items()}
    assert found == {name: its for name, its in of_day.items() if its}
    asked = {moment: every, MIDNIGHT: every[:1], DAY - 1: every}
    for at, before in journal.across.before(asked).items():
        last = {name: [each for each in its if at - DAY <= each[0] <= at] for name, its in scores.items()}
        names = {series.tag("rbacGroupName") for series in asked[at]}
        assert {series.tag("rbacGroupName"): score for series, score in before.items()} == {
            name: its[-1] for name, its in last.items() if its and name in names
        }
    of_all = journal.across.before(dict.fromkeys(asked, every))
    for order in (every, every[::-1], [*every[1:], *every]):
        assert journal.across.earlier(order, list(asked)) == [
            [of_all[at].get(series) for series in order] for at in asked
        ]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=40).filter(carried), min_size=1, max_size=10, unique=True))
def test_a_group_may_have_any_name_that_a_tag_can_carry(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    """Groups are told apart by every character of their names, by a process that learns the names from the file too."""
    path = tmp_path_factory.mktemp("names") / "journal.db"
    points = [group(name, value=float(n)) for n, name in enumerate(names)]
    with Journal(path) as journal:
        journal.append(points)
    with Journal(path, readonly=True, clock=lambda: MIDNIGHT / 1000) as journal:
        assert [journal.history(point.series, 0, MAX_TIME) for point in points] == [[point] for point in points]
        assert _by_name(journal.latest("exposure_score_by_group", 0)) == _by_name(points)
        assert _by_name(journal.at("exposure_score_by_group", MIDNIGHT)) == _by_name(points)


def test_the_newest_is_of_one_tenant_or_of_all(journal: Journal) -> None:
    """The newest points are asked for by measurement, and by tenant where one is named."""
    points = [group("a"), group("b"), group("a", tenant="fabrikam"), org()]
    journal.append(points)
    assert _by_name(journal.latest("exposure_score_by_group", 0)) == _by_name(points[:3])
    assert journal.latest("exposure_score_by_group", 0, "fabrikam") == [points[2]]
    assert journal.latest("exposure_score_by_group", 0, "nobody") == []
    assert journal.latest("nothing", 0) == journal.at("nothing", MIDNIGHT) == []


def test_a_point_that_lies_ahead_of_the_clock_is_not_the_newest(journal: Journal) -> None:
    """A time ahead of the clock, after a jump of it, doesn't hide the present; the present moment itself counts."""
    journal.append([org(MIDNIGHT - HOUR), org(MIDNIGHT), org(MIDNIGHT + 1), org(MIDNIGHT + 400 * DAY)])
    assert journal.latest("exposure_score", 0) == journal.first_of("exposure_score", 0, 1) == [org(MIDNIGHT)]


def test_what_begins_with_a_day_has_begun_right_after(journal: Journal) -> None:
    """The first of a series and whether it has begun: at midnight, on a day before which others have points."""
    a, b, c = (group(name).series for name in "abc")
    journal.append([group("c", 9 * DAY), *(group("b", n * DAY) for n in (1, 2, 5))])
    journal.append([group("a", 3 * DAY), group("a", 3 * DAY + 1)])
    assert journal.across.begun([a, b, c], DAY) == []
    assert journal.across.begun([a, b, c], 2 * DAY + 1) == [b]
    assert journal.across.begun([a, b], 3 * DAY) == [b]
    assert set(journal.across.begun([a, b], 3 * DAY + 1)) == set(journal.across.begun([a, b], 9 * DAY)) == {a, b}
    assert journal.first(a, 3 * DAY) is None
    assert journal.first(a, 3 * DAY + 1) == journal.first(a, 9 * DAY) == group("a", 3 * DAY)


def test_who_has_begun_is_looked_for_up_to_the_day_on_which_all_had(journal: Journal) -> None:
    """The days behind it are not looked at, however many there are."""
    journal.append([org(MIDNIGHT - n * DAY) for n in range(400)])
    journal.append([group(name, MIDNIGHT - n * DAY) for n, name in ((398, "a"), (397, "b"))])
    taken = steps(journal)
    asked = [group("a").series, group("b").series, org().series]
    assert set(journal.across.begun(asked, MIDNIGHT + 1)) == {*asked}
    assert len(taken) < 10


def test_an_unknown_series_has_no_history(journal: Journal) -> None:
    """Asking for a series that was never appended gives nothing, and leaves no trace."""
    assert journal.history(org().series, 0, MAX_TIME) == []
    journal.append([group("a")])
    assert journal.history(org().series, 0, MAX_TIME) == []
    assert journal.history(group("b").series, 0, MAX_TIME) == []


def test_no_time_at_all_has_no_history(journal: Journal) -> None:
    """A span that ends before it begins is empty, and one may begin before 1970."""
    journal.append([org(0), org(MIDNIGHT), group("a", 0)])
    assert journal.across.newest([group("a").series]) == [group("a", 0)]
    assert journal.history(org().series, MIDNIGHT, MIDNIGHT) == []
    assert journal.history(org().series, MIDNIGHT + 1, MIDNIGHT) == []
    assert journal.history(org().series, -10 * DAY, 1) == [org(0)]
    assert journal.first(org().series, 1) == org(0)
    assert journal.first(org().series, 0) is None
    assert journal.latest("exposure_score", -10 * DAY) == [org(MIDNIGHT)]


@pytest.mark.parametrize("stray", [MAX_TIME - 1, 0])
def test_a_stray_time_makes_no_question_slow(journal: Journal, stray: int) -> None:
    """One point of 1970 or of 2262 doesn't make every question walk the days between."""
    journal.append([org(MIDNIGHT - n * HOUR) for n in range(48)])
    journal.append([group("stray", stray)])
    journal.append([group("gone", MIDNIGHT - 40 * DAY)])
    taken = steps(journal)
    assert len(journal.history(org().series, 0, MAX_TIME)) == 48
    assert len(journal.latest("exposure_score", 0)) == 1
    assert len(journal.latest("exposure_score_by_group", 0)) == (1 if stray > MIDNIGHT else 2)
    assert journal.prune(MIDNIGHT - 20 * DAY, []) == (1 if stray > MIDNIGHT else 2)
    # 85,000 days lie between, and each would cost ten instructions and more.
    assert len(taken) < 200


def test_a_series_that_stopped_makes_the_newest_no_slower(journal: Journal) -> None:
    """Only the days that were asked for are looked at, also where a series has nothing in them."""
    journal.append([group("gone", MIDNIGHT - 400 * DAY), group("here")])
    journal.append([org(MIDNIGHT - n * DAY) for n in range(400)])
    taken = steps(journal)
    assert journal.latest("exposure_score_by_group", MIDNIGHT - DAY) == [group("here")]
    assert len(taken) < 10
    assert journal.latest("exposure_score", 0) == [org()]
    assert len(taken) < 20, "nor those before it, once all are found"


def test_what_is_one_row_of_each_costs_no_history(journal: Journal) -> None:
    """The newest, the first and what stood before a moment, however many rows each group has, and whoever has none."""
    every = [group(f"g{n}").series for n in range(30)]
    journal.append([Point(series, MIDNIGHT - h * HOUR, {"score": 1.0}) for h in range(100) for series in every])
    taken = steps(journal)
    assert [len(journal.history(series, 0, MIDNIGHT + 1)) for series in every] == [100] * 30
    whole = len(taken)
    taken.clear()
    assert len(journal.latest("exposure_score_by_group", 0)) == 30
    assert len(taken) < whole / 20
    taken.clear()
    found = [journal.first(series, MIDNIGHT + 1) for series in every]
    assert {point.time for point in found if point} == {MIDNIGHT - 99 * HOUR}
    assert len(taken) < whole / 20
    taken.clear()
    stood = journal.before([(series, MIDNIGHT - 7 * HOUR) for series in every])
    assert {point.time for point in stood if point} == {MIDNIGHT - 7 * HOUR}
    some = len(taken)
    assert some < whole / 20
    taken.clear()
    assert journal.before([(series, MIDNIGHT + 7 * DAY) for series in every]) == [None] * 30
    assert len(taken) < 2 * some


@pytest.mark.parametrize("moments_a_view", [1, 2, 100])
def test_what_stood_before_a_moment_is_the_newest_of_a_day(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, moments_a_view: int
) -> None:
    """Of each series that is asked for: at the moment or up to a day before it, else nothing; damage steps aside."""
    monkeypatch.setattr(reader, "_MOMENTS", moments_a_view)
    moments = [MIDNIGHT - DAY - HOUR, MIDNIGHT - HOUR, MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR]
    journal.append([group("a", moment, float(n)) for n, moment in enumerate(moments)])
    journal.append([group("b", MIDNIGHT + 3 * HOUR, 9.0)])
    a, b = group("a").series, group("b").series
    asked = {
        (a, moments[0] - 1): None,
        (a, moments[0]): 0.0,
        (a, moments[1] - 1): 0.0,
        (b, moments[3]): None,
        (a, moments[1]): 1.0,
        (a, moments[2] - 1): 1.0,
        (a, moments[3]): 3.0,
        (a, moments[3] + DAY): 3.0,
        (a, moments[3] + DAY + 1): None,
        (a, moments[0] + DAY): 1.0,
        (b, MIDNIGHT + 3 * HOUR + DAY): 9.0,
        (group("never").series, MIDNIGHT): None,
    }
    found = journal.before(list(asked))
    assert [point and point.fields["score"] for point in found] == list(asked.values())
    assert journal.before([]) == []
    look(journal.path, "UPDATE point SET data = x'00' WHERE id IN (4, 5)")
    found = journal.before([(a, moments[3]), (a, moments[2] + DAY), (a, moments[2] + DAY + 1), (b, MIDNIGHT + DAY)])
    assert [point and point.fields["score"] for point in found] == [2.0, 2.0, None, None]
    journal.append([group("d", MIDNIGHT + n * HOUR, float(n)) for n in (-2, -1)])
    assert journal.before([(group("d").series, MIDNIGHT + HOUR)]) == [group("d", MIDNIGHT - HOUR, -1.0)]
    journal.append([group("c", MIDNIGHT + n, float(n)) for n in (-1, 0, 1)])
    look(journal.path, "UPDATE point SET data = x'00' WHERE id = 9")
    assert journal.before([(group("c").series, MIDNIGHT)]) == [group("c", MIDNIGHT - 1, -1.0)]


def test_every_series_of_a_measurement_is_known(journal: Journal) -> None:
    """Of one tenant, or of all; also where all its points are gone."""
    journal.append([group("a"), group("b"), group("a", tenant="fabrikam"), org()])
    journal.prune(MIDNIGHT + DAY, [])
    assert journal.series("exposure_score_by_group", "fabrikam") == [group("a", tenant="fabrikam").series]
    assert set(journal.series("exposure_score_by_group")) == {
        point.series for point in (group("a"), group("b"), group("a", tenant="fabrikam"))
    }
    assert journal.series("exposure_score_daily") == []


def test_a_history_costs_what_it_holds(journal: Journal) -> None:
    """The history of one series is found by index: it doesn't look at the others."""
    journal.append([group(f"g{n}", MIDNIGHT - h * HOUR) for h in range(20) for n in range(300)])
    taken = steps(journal)
    assert len(journal.history(group("g7").series, MIDNIGHT - DAY, MIDNIGHT + 1)) == 20
    assert len(taken) < 20


def _by_name(points: Sequence[Point]) -> list[tuple[str, str, float]]:
    return sorted((p.series.tag("tenant"), p.series.tag("rbacGroupName"), float(p.fields["score"])) for p in points)


def test_a_series_has_all_its_tags_in_its_history(journal: Journal) -> None:
    """A group that was renamed, or was first seen without an id, has a history of its own for each name and id."""
    named = Series("exposure_score_by_group", (("tenant", "t"), ("rbacGroupName", "a"), ("rbacGroupId", "1")))
    nameless = Series("exposure_score_by_group", (("tenant", "t"), ("rbacGroupName", "a"), ("rbacGroupId", "none")))
    journal.append([Point(named, MIDNIGHT, {"score": 1.0}), Point(nameless, MIDNIGHT, {"score": 2.0})])
    assert [point.fields["score"] for point in journal.history(named, 0, MAX_TIME)] == [1.0]
    assert [point.fields["score"] for point in journal.history(nameless, 0, MAX_TIME)] == [2.0]


def test_the_points_of_one_time_cost_by_how_many_they_are(journal: Journal) -> None:
    """What a slot has is one look into the index a series, however much the journal keeps: a service begins with it."""
    journal.append([group(f"g{n % 50}", MIDNIGHT + n // 50 * HOUR, float(n)) for n in range(20_000)])
    taken = steps(journal)
    assert len(journal.at("exposure_score_by_group", MIDNIGHT)) == 50
    assert len(taken) < 100, "instructions by the hundred, where there are 20,000 rows"


def test_what_lies_between_two_times_costs_the_days_and_not_the_series(journal: Journal) -> None:
    """A thousand series that have their one point elsewhere, and those of others on each day, are not looked at."""
    for day in range(60):
        journal.append([group(f"g{n}", MIDNIGHT - day * DAY - h * HOUR) for h in range(6) for n in range(40)])
    journal.append([_noted(n, MIDNIGHT - 200 * DAY - n) for n in range(1000)])
    journal.append([_noted(1000 + n, MIDNIGHT - n * DAY) for n in range(3)])
    journal.append([group(f"later {n}", MIDNIGHT - n * DAY) for n in range(60)])
    assert len(journal.between("exposure_annotation", 0, MAX_TIME)) == 1003
    taken = steps(journal)
    found = journal.between("exposure_annotation", MIDNIGHT - 59 * DAY, MIDNIGHT + 1, "contoso")
    assert [point.series.tag("id") for point in found] == ["1002", "1001", "1000"]
    # By the hundred: each name is looked at once. A look for each of 1,000 series on each of 60 days takes thousands.
    assert len(taken) < 400


def test_where_no_series_is_wanted_no_day_is_looked_at(journal: Journal) -> None:
    """Nor does it cost more where there are more of them."""
    journal.append([group("g", MIDNIGHT - day * DAY) for day in range(300)])
    taken = steps(journal)
    assert journal.between("exposure_trend", 0, MAX_TIME) == []
    assert len(taken) < 3


def _noted(n: int, time: int) -> Point:
    tags = (("tenant", "contoso"), ("rbacGroupName", "(all)"), ("kind", "note"), ("id", str(n)))
    return Point(Series("exposure_annotation", tags), time, {"title": "t", "text": "", "withdrawn": 0})
