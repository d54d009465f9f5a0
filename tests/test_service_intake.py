"""Points that are taken in: what is there stays, what differs is superseded, and nothing is appended twice."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import HOUR, MIDNIGHT, every, flip, group, org, place
from points import NOW, file, points

from collector.batch import Row
from collector.history.table import Table, lines
from collector.journal import Journal
from collector.point import Point, Series
from collector.service.ids import last_ids
from collector.service.intake import Intake


def taken(journal: Journal | None, points: Sequence[Point], *, dry: bool = False, scores: bool = False) -> Intake:
    """Take points in, two at a time."""
    intake = Intake(journal, dry=dry, scores=scores)
    for start in range(0, len(points), 2):
        intake.take(points[start : start + 2])
    return intake


def counts(intake: Intake) -> tuple[int, int, int]:
    """Return how many were new, changed and the same."""
    return intake.new, intake.changed, intake.same


def nameless(name: str, time: int = MIDNIGHT, value: float = 33.25) -> Point:
    """Return a group's point without an id."""
    tags = (("tenant", "contoso"), ("rbacGroupName", name), ("rbacGroupId", "none"))
    return Point(Series("exposure_score_by_group", tags), time, {"score": value})


@settings(deadline=None, max_examples=60)
@given(st.lists(points(), max_size=12), st.booleans())
def test_what_a_journal_holds_comes_back_into_another(
    tmp_path_factory: pytest.TempPathFactory,
    given: list[Point],
    spreadsheet: bool,  # noqa: FBT001
) -> None:
    """Every point, tag, time, field and type, in the same order; a second time nothing is written."""
    folder: Path = tmp_path_factory.mktemp("journals")
    with Journal(folder / "one.db") as one, Journal(folder / "other.db") as other:
        one.append(given)
        there = every(one)
        sheet = file(row for point in there for row in lines(point, spreadsheet=spreadsheet))
        back = [point for point in Table(now=NOW).points(sheet.records()) if isinstance(point, Point)]
        assert counts(taken(other, back)) == (len(there), 0, 0)
        assert [repr(point) for point in every(other)] == [repr(point) for point in there]
        tail = other.tail()
        assert counts(taken(other, back)) == (0, 0, len(there))
        assert other.tail() == tail


def test_what_is_there_is_left_alone_and_what_differs_is_superseded(journal: Journal) -> None:
    """Only the new and the changed get rows, at the tail, so that no sink is flooded."""
    journal.append([org(), group("a"), group("b")])
    tail = journal.tail()
    intake = taken(journal, [org(), group("a", value=1.0), group("b"), group("c"), org(MIDNIGHT + HOUR)])
    assert counts(intake) == (2, 1, 2)
    assert every(journal, since=tail) == [group("a", value=1.0), group("c"), org(MIDNIGHT + HOUR)]
    assert [(change.point, change.before) for change in intake.changes] == [(group("a", value=1.0), {"score": 33.25})]


def test_a_value_of_another_type_or_sign_is_another_value(journal: Journal) -> None:
    """5 is not 5.0, and -0.0 is not 0.0: what comes back is what was exported."""
    series = group("a").series
    journal.append([Point(series, MIDNIGHT, {"score": 5}), Point(series, MIDNIGHT + HOUR, {"score": 0.0})])
    again = [Point(series, MIDNIGHT, {"score": 5.0}), Point(series, MIDNIGHT + HOUR, {"score": -0.0})]
    assert counts(taken(journal, again)) == (0, 2, 0)
    assert [repr(point.fields["score"]) for point in every(journal)] == ["5.0", "-0.0"]


def test_of_two_points_of_one_identity_the_later_stands(journal: Journal) -> None:
    """In one chunk the earlier is not even written; a second time changes nothing."""
    twice = [group("a", value=1.0), group("a", value=2.0)]
    for expected in ((1, 0, 0), (0, 0, 1)):
        intake = taken(journal, twice)
        assert counts(intake) == expected
        assert (intake.doubled, intake.points) == (1, 2)
    assert [row.point for row in _rows(journal)] == [group("a", value=2.0)]
    assert journal.tail() == 2


def _rows(journal: Journal) -> Sequence[Row]:
    return journal.read(journal.cursor("test"), 100).rows


def test_a_dry_run_counts_the_same_and_writes_nothing(journal: Journal, tmp_path: Path) -> None:
    """Also where there is no journal yet."""
    journal.append([org(), group("a")])
    before = (tmp_path / "journal.db").read_bytes()
    intake = taken(journal, [org(), group("a", value=1.0), group("b")], dry=True)
    assert counts(intake) == (1, 1, 1)
    assert len(intake.changes) == 1
    assert (tmp_path / "journal.db").read_bytes() == before
    assert counts(taken(None, [org(), group("a")], dry=True)) == (2, 0, 0)


def test_a_score_alone_leaves_what_else_the_journal_knows_of_the_point(journal: Journal) -> None:
    """When the API answered is kept from the poll; where there was none it is the time of the score."""
    journal.append([org(value=5.0), org(MIDNIGHT + HOUR, 6.0)])
    tail = journal.tail()
    times = (MIDNIGHT, MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR)
    scores = [Point(org().series, time, {"score": 5.0}) for time in times]
    assert counts(taken(journal, scores, scores=True)) == (1, 1, 1)
    assert every(journal, since=tail) == [
        org(MIDNIGHT + HOUR, 5.0),
        Point(org().series, times[2], {"score": 5.0, "api_time": times[2] * 1_000_000}),
    ]


def test_a_group_that_was_taken_in_without_an_id_stays_one_point_when_its_id_is_known(journal: Journal) -> None:
    """So a file that was taken in before the first poll changes nothing when it is taken in after it."""
    assert counts(taken(journal, [nameless("a")], scores=True)) == (1, 0, 0)
    journal.append([group("a", MIDNIGHT + HOUR)])
    with_id = [group("a"), group("a", MIDNIGHT + 2 * HOUR)]
    assert counts(taken(journal, with_id, scores=True)) == (1, 0, 1)
    assert every(journal) == [nameless("a"), group("a", MIDNIGHT + HOUR), group("a", MIDNIGHT + 2 * HOUR)]


def test_only_the_first_changes_are_kept_to_be_shown(journal: Journal) -> None:
    """The others are counted: memory does not grow with a file."""
    journal.append([group("a", MIDNIGHT + n * HOUR) for n in range(30)])
    intake = taken(journal, [group("a", MIDNIGHT + n * HOUR, 1.0) for n in range(30)])
    assert (intake.changed, len(intake.changes)) == (30, 10)


def test_a_damaged_row_is_written_anew(tmp_path: Path) -> None:
    """What can't be read is not taken for what is there: an export of better days mends it."""
    with Journal(tmp_path / "journal.db") as journal:
        journal.append([group("a"), group("a", MIDNIGHT + HOUR)])
    flip(tmp_path / "journal.db", place(tmp_path / "journal.db", 2))
    with Journal(tmp_path / "journal.db") as journal:
        assert counts(taken(journal, [group("a"), group("a", MIDNIGHT + HOUR)])) == (1, 0, 1)
        assert every(journal) == [group("a"), group("a", MIDNIGHT + HOUR)]


def test_the_last_id_of_a_name_is_found(journal: Journal) -> None:
    """The newest by its time, not by its row; a point without an id is none."""
    tags = (("tenant", "contoso"), ("rbacGroupName", "a"), ("rbacGroupId", "8"))
    newer = Point(Series("exposure_score_by_group", tags), MIDNIGHT + HOUR, {"score": 1.0})
    journal.append([newer, group("a"), nameless("a", MIDNIGHT + 2 * HOUR), nameless("b"), group("c", tenant="other")])
    assert last_ids(journal, "contoso", 0) == {"a": "8"}
    assert last_ids(journal, "contoso", MIDNIGHT + 2 * HOUR) == {}
