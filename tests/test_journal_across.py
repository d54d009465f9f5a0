"""What is asked across many series at once: the scores of a poll, found in one stretch where they stand in one."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import DAY, HOUR, MIDNIGHT, group, org, steps

from collector.journal import Journal, across, past
from collector.point import Point, Series, Value

_NAMES = ("a", "b", "c", "d")
_POLLS = st.lists(
    st.tuples(st.integers(0, 30), st.permutations(_NAMES), st.integers(0, 4), st.booleans()), min_size=1, max_size=8
)


def _said(time: int, tenant: str = "contoso") -> Point:
    """Return what is said of a poll, behind its scores."""
    tags = (("tenant", tenant), ("subject", "device_groups"), ("collector", "host-1"))
    fields: dict[str, Value] = {"ok": 1, "seconds": 0.2, "points": 4, "tries": 1, "throttled": 0, "error": ""}
    return Point(Series("collector_poll", tags), time, fields)


@settings(max_examples=60, deadline=None)
@given(polls=_POLLS, asked=st.permutations(_NAMES), hour=st.integers(0, 31))
def test_one_stretch_says_what_single_looks_say(
    tmp_path_factory: pytest.TempPathFactory,
    polls: Sequence[tuple[int, Sequence[str], int, bool]],
    asked: Sequence[str],
    hour: int,
) -> None:
    """Whatever the order of the polls and of their groups, whoever is missing, and whatever stands between them."""
    every = [*(group(name).series for name in asked), org().series, group("nobody").series]
    moment = MIDNIGHT + hour * HOUR
    with Journal(tmp_path_factory.mktemp("across") / "journal.db") as journal:
        for n, (at, names, most, said) in enumerate(polls):
            time = MIDNIGHT + at * HOUR
            points = [group(name, time, float(n)) for name in names[:most]]
            journal.append([*points, *([_said(time)] if said else []), org(time, float(n))])
        (found,) = journal.across.earlier(every, [moment])
        single = journal.across.before({moment: every})[moment]
    assert list(found) == [single.get(series) for series in every]


def test_the_scores_of_a_poll_are_one_look(journal: Journal) -> None:
    """In the order of the poll, and whoever is missing costs one of his own; in another hardly more than by series."""
    names = [f"g{n}" for n in range(300)]
    every = [group(name).series for name in names]
    journal.append([group(name) for name in names])
    journal.append([group(name, MIDNIGHT + HOUR) for n, name in enumerate(names) if n % 97])
    taken, read = steps(journal), _reads(journal)

    def cost(moment: int, asked: Sequence[Series]) -> int:
        single = journal.across.before({moment: asked})[moment]
        taken.clear()
        read.clear()
        assert journal.across.earlier(asked, [moment]) == [[single[series] for series in asked]]
        return len(taken)

    journal.across.before({MIDNIGHT: every})
    by_series = len(taken)
    assert cost(MIDNIGHT, every) < by_series / 2
    assert len(read) == 1
    assert cost(MIDNIGHT + HOUR, every) < by_series / 2
    assert len(read) == 1 + 3 + 1, "stretches between those who are missing, and these"
    assert cost(MIDNIGHT, every[::-1]) < by_series * 1.2
    assert cost(MIDNIGHT + 2 * HOUR, every) < by_series * 1.2
    assert len(read) == 1


def _reads(journal: Journal) -> list[str]:
    """Return a list that grows by each statement that reads what rows hold."""
    read: list[str] = []
    journal._database._connection.set_trace_callback(lambda sql: read.append(sql) if "data FROM" in sql else None)
    return read


def test_a_score_of_the_next_poll_is_none_of_this_one(journal: Journal) -> None:
    """Where the rows of two polls stand one behind the other in the order that is asked for."""
    journal.append([group("a")])
    journal.append([group("b", MIDNIGHT + HOUR)])
    assert journal.across.earlier([group(name).series for name in "ab"], [MIDNIGHT]) == [[(MIDNIGHT, 33.25), None]]


def test_whose_rows_are_new_is_told_where_they_are_not_very_many(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each measurement of each tenant that has any, from the very row on."""
    monkeypatch.setattr(across, "SPAN", 3)
    journal.append([org(), group("a"), *(group(name, tenant="fabrikam") for name in "bc")])
    groups = "exposure_score_by_group"
    assert journal.across.whose(1) is None
    assert journal.across.whose(2) == {(groups, "contoso"), (groups, "fabrikam")}
    assert journal.across.whose(4) == {(groups, "fabrikam")}
    assert journal.across.whose(5) == set()


def test_what_is_said_of_polls_does_not_part_the_scores_of_many_tenants(tmp_path: Path) -> None:
    """It stands behind each tenant's organization and groups: a look costs about what it does without it."""
    counts = []
    for said in (False, True):
        with Journal(tmp_path / f"{said}.db") as journal:
            every = []
            for time in (MIDNIGHT, MIDNIGHT + DAY):
                for n in range(12):
                    tenant = f"customer {n}"
                    scores = [org(time, 1.0, tenant), *(group(name, time, 2.0, tenant) for name in map(str, range(30)))]
                    between = [_said(time, tenant)] if said else []
                    journal.append([scores[0], *between, *scores[1:], *between])
                    every += [point.series for point in scores] if time == MIDNIGHT else []
            journal.across.earlier(every, [MIDNIGHT])
            taken = steps(journal)
            journal.across.earlier(every, [MIDNIGHT])
            counts.append(len(taken))
    assert counts[1] < 2 * counts[0]


def _asked(journal: Journal, every: Sequence[Series]) -> None:
    """Assert what is said of the series a, b and c: their scores are the second, fourth and sixth hour's of a day."""
    times = [MIDNIGHT + hour * HOUR for hour in (2, 4, 6)]
    scores = dict(zip(every, [(times[0], 1.5), (times[1], 2.5), (times[2], 3.5)], strict=True))
    before = {**scores, every[0]: (times[0] - HOUR, 0.5), every[2]: (times[0] - DAY, 9.5)}
    assert journal.across.before({times[2]: every, times[0] - HOUR: every}) == {
        times[2]: scores,
        times[0] - HOUR: {series: score for series, score in before.items() if score[0] < times[0]},
    }
    assert journal.across.earlier(every, [times[0], times[2] - 1, times[2]]) == [
        [scores[every[0]], None, before[every[2]]],
        [scores[every[0]], scores[every[1]], None],
        [*scores.values()],
    ]
    assert journal.across.of_day(every, MIDNIGHT // DAY) == {
        every[0]: [before[every[0]], scores[every[0]]],
        every[1]: [scores[every[1]]],
        every[2]: [scores[every[2]]],
    }


def _refuse(*_: object) -> NoReturn:
    raise sqlite3.DatabaseError("database disk image is malformed")


def _points(*kinds: dict[str, Value]) -> Sequence[Point]:
    """Return the points that `_asked` asks for, the newest first, and what neither their day nor their name is."""
    first, second, third = kinds
    hours = ((6, "c", 3.5, third), (2, "a", 1.5, first), (4, "b", 2.5, second), (1, "a", 0.5, first))
    far = ((2 - 24, "c", 9.5, third), (-1 - 24, "b", 8.5, second), (24, "a", 7.5, third), (6, "d", 6.5, third))
    return [
        Point(group(name).series, MIDNIGHT + hour * HOUR, {**fields, "score": score})
        for hour, name, score, fields in (*hours, *far)
    ]


def test_a_score_is_found_wherever_it_stands(journal: Journal) -> None:
    """Behind other floats, or behind an int or a text that has another length in each row."""
    journal.append(_points({"max": 100.0, "mean": 50.0}, {"devices": 1000}, {"name": "Ünïts of the north"}))
    _asked(journal, [group(name).series for name in "abc"])


def test_a_score_that_is_whole_is_found(journal: Journal) -> None:
    """Someone else's import may have written a score as an int: it is no other score."""
    journal.append([Point(group("a").series, MIDNIGHT, {"score": 70}), group("b", MIDNIGHT, 71.0)])
    every = [group(name).series for name in "ab"]
    assert journal.across.earlier(every, [MIDNIGHT]) == [[(MIDNIGHT, 70.0), (MIDNIGHT, 71.0)]]
    assert journal.across.of_day(every, MIDNIGHT // DAY) == {
        series: [(MIDNIGHT, 70.0 + n)] for n, series in enumerate(every)
    }


def test_where_scores_have_their_place_no_point_is_made(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of rows of floats the scores are read alone."""
    journal.append(_points({"max": 100.0}, {"mean": 50.0, "max": 100.0}, {}))
    for name in ("between", "before"):
        monkeypatch.setattr(past, name, _refuse)
    _asked(journal, [group(name).series for name in "abc"])


def test_what_can_not_be_read_at_once_is_read_by_points(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file has lost a page that the quick way needs, each score is looked for by itself."""
    journal.append(_points({"max": 100.0}, {}, {"name": "a"}))
    monkeypatch.setattr(across, "_scores", _refuse)
    _asked(journal, [group(name).series for name in "abc"])
