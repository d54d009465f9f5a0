"""collector.defender: what is read at once of a usual answer is what is read of it row by row."""

import copy
import json
from collections.abc import Sequence
from itertools import chain
from typing import Any
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collector.defender import document, last_ids, scores
from collector.defender.groups import Groups
from collector.point import (
    MAX_TIME,
    NO_ID,
    RESERVED_IDS,
    RESERVED_NAMES,
    UNASSIGNED,
    Point,
    Series,
    group_id,
    group_ids,
    group_name,
    group_names,
    of_groups,
    scored,
    tag_value,
)

SLOT = 1_782_903_600_000
NAMES = st.sampled_from(
    [*RESERVED_NAMES, "A", "A", "B", "Büro", "a\\", "a\\,b", "x\ud800", "A~0123abcd", "\x7f", "", "0"]
)
IDS = st.sampled_from(
    [*RESERVED_IDS, "1", "2", "", "none~0123abcd", "a b", "٣", -1, 0, 1, 2, 17, 2**63 - 1, 2**63, 10**450]
)
ODD: st.SearchStrategy[object] = st.sampled_from([None, True, False, 1.5, 1.0, [], {}])
NUMBERS = st.integers(-3, 3) | st.floats() | st.sampled_from([10**400, -(10**400), 2**60 + 1])
ROWS = st.fixed_dictionaries(
    {},
    optional={"rbacGroupName": NAMES | NAMES | ODD, "rbacGroupId": IDS | IDS | ODD, "score": NUMBERS | NUMBERS | ODD},
)
USUAL = st.fixed_dictionaries(
    {"score": st.floats(0, 100) | st.integers(0, 100)},
    optional={"rbacGroupName": NAMES | st.none(), "rbacGroupId": IDS | st.none()},
)
ANSWERS = st.lists(USUAL, max_size=6) | st.lists(USUAL | ROWS | ODD, max_size=6)
JOURNAL = {"A": "17", UNASSIGNED: "9", "Büro": "2"}


def one_by_one(slot: int, rows: Sequence[object], groups: Groups) -> tuple[list[Point], list[str]]:
    """Return what the rows hold, each looked at closely, its series asked for alone and its point made alone."""
    points, faults = [], list[str]()
    for number, row in enumerate(rows, 1):
        found = scores._row(number, row, faults.append)
        if found is not None:
            name, id_, score = found
            points.append(Point(groups.series(name, id_), slot, {"score": score}))
    return points, faults


@pytest.mark.parametrize("at_once", [2, 50_000])
@given(st.lists(ANSWERS, max_size=4))
@example([[{"score": 1, "rbacGroupName": "A", "rbacGroupId": "none"}], [{"score": 1, "rbacGroupName": "A"}]])
@example(
    [
        [{"score": 1.0, "rbacGroupName": "A", "rbacGroupId": 1}],
        [{"score": 1.0, "rbacGroupName": "A", "rbacGroupId": True}],
    ]
)
@example([[{"score": 1.0, "rbacGroupName": "A", "rbacGroupId": group_id("none")}]] * 2)
def test_answers_read_at_once_are_answers_read_row_by_row(at_once: int, answers: list[list[object]]) -> None:
    """Whatever comes, answer after answer: the same points in the same order, and the same faults in the same words."""
    quick, careful = (Groups("contoso", lambda: JOURNAL) for _ in range(2))
    with mock.patch.object(scores, "PART", at_once), mock.patch.object(last_ids, "PART", at_once):
        for rows in answers:
            faults: list[str] = []
            points = [*chain(*scores.device_groups(SLOT, {"value": copy.deepcopy(rows)}, quick, faults.append))]
            assert (points, faults) == one_by_one(SLOT, rows, careful)
            assert [hash(point.series) for point in points] == [hash(copy.deepcopy(point.series)) for point in points]
            for groups in (quick, careful):
                groups.keep({point.series: None for point in points}.keys(), ())
            assert quick._last._parts == careful._last._parts


@pytest.mark.parametrize(
    "more", [{}, {"rbacGroupName": None}, {"rbacGroupId": "17"}, {"rbacGroupId": None}, {"score": 50}, {"more": []}]
)
def test_what_the_api_answers_is_read_at_once(more: dict[str, object]) -> None:
    """Answers as Microsoft words them need no look at each row: also devices in no group, ids as text, or none."""
    row = {"time": "2019-12-03T09:51:28.214338Z", "score": 41.5, "rbacGroupName": "A", "rbacGroupId": 1}
    assert scores._columns([row, {**row, **more}]) is not None


@given(NAMES.filter(bool) | st.text(min_size=1), IDS.filter(bool).map(str) | st.text(min_size=1))
def test_a_plain_name_is_a_tag_as_the_rule_has_it(name: str, id_: str) -> None:
    """A name or an id that is seen at once to need no change is one that the whole rule leaves alone."""
    assert group_name(name) == tag_value(name, RESERVED_NAMES)
    assert group_id(id_) == tag_value(id_, RESERVED_IDS, 1024)


@given(
    st.lists(NAMES.filter(bool) | st.text("ab~", min_size=1) | st.just("x" * 20_000), max_size=3),
    st.lists(IDS.filter(bool).map(str) | st.text("01", min_size=1, max_size=30), max_size=3),
)
def test_many_names_are_tags_as_each_is(names: list[str], ids: list[str]) -> None:
    """Names and ids that are looked at together come to the same tags as one by one."""
    assert list(group_names(names)) == [group_name(name) for name in names]
    assert list(group_ids(ids)) == [group_id(id_) for id_ in ids]


@given(st.lists(st.tuples(st.text(min_size=1).map(group_name), st.text(min_size=1).map(group_id)), max_size=4))
def test_series_made_at_once_are_series(pairs: list[tuple[str, str]]) -> None:
    """They equal, hash and read as those that are made one by one, with every check."""
    made = of_groups("contoso", [name for name, _ in pairs], [id_ for _, id_ in pairs])
    tags = [(("tenant", "contoso"), ("rbacGroupName", name), ("rbacGroupId", id_)) for name, id_ in pairs]
    alone = [Series("exposure_score_by_group", some) for some in tags]
    assert made == alone
    assert [(hash(one), repr(one), one.tags) for one in made] == [(hash(one), repr(one), one.tags) for one in alone]


@given(st.lists(st.floats(), max_size=4), st.sampled_from([-1, 0, SLOT, MAX_TIME - 1, MAX_TIME]))
def test_points_made_at_once_are_points(values: list[float], time: int) -> None:
    """They are those that are made one by one, and what can't be a point is refused in the same words."""
    series = Series("device_secure_score", (("tenant", "contoso"),))

    def outcome(make: Any) -> object:
        try:
            return make()
        except ValueError as error:
            return str(error)

    every = [series] * len(values)
    alone = outcome(lambda: [Point(series, time, {"score": value}) for value in values])
    assert outcome(lambda: scored(every, time, values)) == alone


@pytest.mark.parametrize("value", [1, True, "1", None])
def test_a_score_that_is_no_float_is_not_made_a_point_of_scores(value: Any) -> None:
    """An int is a field of another type, and what is no number is no field: neither passes for a float."""
    series = Series("device_secure_score", (("tenant", "contoso"),))
    with pytest.raises(TypeError):
        scored([series], SLOT, [value])


def test_names_that_have_gone_are_forgotten_and_the_journal_tells_their_ids() -> None:
    """However often groups come and go, no more are remembered than two answers hold; an id that is needed is found."""
    journal: dict[str, str] = {}
    groups = Groups("contoso", lambda: dict(journal))
    groups.series("long gone", None)
    for generation in range(50):
        rows = [{"score": 1.0, "rbacGroupName": f"{generation}-{n}", "rbacGroupId": n} for n in range(20)]
        points = [*chain(*scores.device_groups(SLOT, {"value": rows}, groups, pytest.fail))]
        journal |= {point.series.tag("rbacGroupName"): point.series.tag("rbacGroupId") for point in points}
        groups.keep([point.series for point in points], ())
        assert len(groups._last) <= 40
    assert groups.series("0-7", None).tag("rbacGroupId") == "7"
    assert groups.series("never seen", None).tag("rbacGroupId") == NO_ID


def test_answers_that_break_off_are_forgotten_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that never come to an end fill no memory, whatever names they hold."""
    monkeypatch.setattr("collector.defender.groups._MOST", 10)
    groups = Groups("contoso", dict)
    for number in range(100):
        body = json.dumps(
            {"value": [{"score": 1, "rbacGroupName": f"{number}-{n}", "rbacGroupId": n} for n in range(7)]}
        )
        list(scores.device_groups(SLOT, document.read(body.encode()), groups, pytest.fail))
        assert len(groups._last) <= 10
