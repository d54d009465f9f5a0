"""What is said of damage: one line a look, with every number in it."""

from pathlib import Path

import pytest
from journals import HOUR, MIDNIGHT, every, flip, group, place
from pytest_structlog import StructuredLogCapture

from collector.batch import Cursor
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
