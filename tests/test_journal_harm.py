"""What is said of damage: one line a look, with every number in it."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from journals import DAY, HOUR, MIDNIGHT, every, flip, group, look, org, place
from pytest_structlog import StructuredLogCapture
from salvages import PAGE

from collector.batch import Backlog, Cursor, Filter
from collector.errors import JournalError
from collector.journal import Journal, rows
from collector.journal.harm import united

_POINTS = [group(f"grüße {n % 3}", MIDNIGHT + n * HOUR, n / 7) for n in range(9)]
_FIRST = Cursor("main", 1, 0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a journal with nine points of three series, an hour apart: rows 1 to 9."""
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        for point in _POINTS:
            journal.append([point])
    return path


def test_a_file_of_which_much_can_not_be_read_is_not_passed_over(
    path: Path, log: StructuredLogCapture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where more is damaged than some rows a consumer stops instead of going past what a backup may bring back."""
    monkeypatch.setattr(rows, "_UNREADABLE", 2)
    for row in (2, 4, 6):
        flip(path, place(path, row) - 11, 5)
    with Journal(path) as journal:
        with pytest.raises(JournalError, match="malformed") as caught:
            journal.read(_FIRST, 100)
        assert "backup" in caught.value.mend
        assert journal.read(_FIRST, 2).after == 4
    assert log.has("journal.damaged", what="rows 2, 4", count=2, how="it can't be read")


def test_a_count_goes_around_a_page_that_is_lost_and_says_it(path: Path, log: StructuredLogCapture) -> None:
    """What a sink has yet to take is known, with its oldest, also behind rows that can't even be counted."""
    with Journal(path) as journal:
        journal.append([group("many", MIDNIGHT + n * HOUR) for n in range(600)])
        journal.append([org(MIDNIGHT + DAY), org(MIDNIGHT)])
    start = place(path, 300) // PAGE * PAGE
    content = path.read_bytes()
    path.write_bytes(content[:start] + bytes(PAGE) + content[start + PAGE :])
    with Journal(path) as journal:
        assert journal.backlog(_FIRST, Filter(measurements=("nothing",))) == Backlog(0, None)
        assert len(log.events) > 1, "also where nothing of what is wanted was met, which may not be all"
        assert journal.backlog(_FIRST, Filter(measurements=("exposure_score",))) == Backlog(2, MIDNIGHT + DAY)
        (said,) = (event for event in log.events if event["level"] == "error")
        assert 50 < said["count"] < 150
        assert said["how"] == "it can't be read"
        assert journal.backlog(_FIRST) == Backlog(611 - said["count"], MIDNIGHT)


@pytest.mark.parametrize("harm", ["series", "shape"])
def test_a_name_that_is_damaged_is_said_with_the_row_that_it_was_met_at(
    path: Path, log: StructuredLogCapture, harm: str
) -> None:
    """Which row is left out for it first, and of what series and time that is, by their numbers."""
    look(path, f"UPDATE {harm} SET crc = crc + 1 WHERE id = 1")  # noqa: S608 - from above
    with Journal(path) as journal:
        journal.read(_FIRST, 9)
    assert log.has("journal.damaged", what=f"{harm} 1", row=1, series=1, time=MIDNIGHT, how="the checksum differs")


@pytest.mark.parametrize(
    "ask",
    [
        lambda journal: journal.read(_FIRST, 9),
        lambda journal: journal.history(_POINTS[0].series, 0, MIDNIGHT + DAY),
        lambda journal: journal.at("exposure_score_by_group", MIDNIGHT),
        lambda journal: journal.before([(_POINTS[0].series, MIDNIGHT)]),
    ],
)
def test_whoever_meets_damage_says_it(path: Path, log: StructuredLogCapture, ask: Callable[[Journal], object]) -> None:
    """Which row it is, and of which series and time, by as much of it as stands in the file."""
    flip(path, place(path, 1))
    with Journal(path) as journal:
        ask(journal)
    assert log.has("journal.damaged", what="row 1", row=1, series=1, time=MIDNIGHT, how="the checksum differs")
    assert len(log.events) == 1


def test_a_row_that_can_not_be_read_is_said_by_its_number(path: Path, log: StructuredLogCapture) -> None:
    """Nothing else is known of it."""
    flip(path, place(path, 4) - 11, 5)
    with Journal(path) as journal:
        journal.read(_FIRST, 9)
    assert log.has("journal.damaged", what="row 4", row=4, how="it can't be read")


def test_what_fails_for_another_reason_is_no_damage(path: Path, log: StructuredLogCapture) -> None:
    """No row is passed over because it can't be read just now."""
    with Journal(path) as journal:
        connection = journal._database._connection
        connection.set_authorizer(
            lambda action, table, column, *_: action == sqlite3.SQLITE_READ and (table, column) == ("point", "data")
        )
        with pytest.raises(JournalError, match="prohibited"):
            journal.read(_FIRST, 9)
        connection.set_authorizer(None)
        assert every(journal) == _POINTS
    assert log.events == []


@pytest.mark.parametrize(
    ("ids", "named"), [((2, 3, 4, 5, 8), "rows 2-5, 8"), ((1, 2), "rows 1-2"), ((3, 6, 9), "rows 3, 6, 9")]
)
def test_what_one_look_finds_is_one_line(
    path: Path, log: StructuredLogCapture, ids: tuple[int, ...], named: str
) -> None:
    """However many rows are damaged, there is one line with their count and all their numbers; debug has each."""
    for row in ids:
        flip(path, place(path, row))
    with Journal(path) as journal:
        for _ in range(2):
            assert every(journal) == [point for n, point in enumerate(_POINTS, 1) if n not in ids]
    loud = [event for event in log.events if event["level"] != "debug"]
    assert [(event["what"], event["count"], event["how"]) for event in loud] == [
        (named, len(ids), "the checksum differs")
    ]
    assert [event["row"] for event in log.events if event["level"] == "debug"] == list(ids)


@pytest.mark.parametrize(
    ("things", "said"),
    [
        (["row 4"], "row 4"),
        (["row 9", "row 3", "row 2", "row 4", "series 8", "series 7", "shape 1"], "rows 2-4, 9; series 7-8; shape 1"),
        (
            ["row 1", "row None", "Tree 5 page 12 cell 0: out of order"],
            "row 1; row None; Tree 5 page 12 cell 0: out of order",
        ),
    ],
)
def test_things_of_a_kind_are_named_by_their_numbers(things: list[str], said: str) -> None:
    """Numbers that follow one another are a range; what has no number is named as it is."""
    assert united(things) == said
