"""A CSV file by whoever saved it: what is taken, and how what isn't is told."""

import io

import pytest

from collector.history.cells import Slip
from collector.history.sheet import COLUMNS, MAX_CELL, Record, Sheet, Wrong

WHOLE = ",".join(COLUMNS)


def sheet(text: str | bytes) -> Sheet:
    """Return a file of that content."""
    return Sheet(io.BytesIO(text if isinstance(text, bytes) else text.encode()))


def cells(text: str | bytes) -> list[tuple[int, list[str]]]:
    """Return the lines of a file in which each can be read."""
    found = []
    for record in sheet(text).records():
        assert isinstance(record, Record), record
        found.append((record.line, list(record.cells)))
    return found


def wrongs(text: str | bytes) -> list[tuple[int, str]]:
    """Return what is wrong in a file, by line."""
    return [(each.line, each.text) for each in sheet(text).records() if isinstance(each, Wrong)]


@pytest.mark.parametrize(
    "text",
    [
        "time,score,rbacGroupName\n2026-01-01,5,a\n",
        "\ufefftime,score,rbacGroupName\r\n2026-01-01,5,a\r\n",
        "\ufeffTime;Score;RBACGROUPNAME\r\n2026-01-01;5;a",
        "time\tscore\trbacGroupName\r2026-01-01\t5\ta\r",
        "\n\ntime,score,rbacGroupName,,\n2026-01-01,5,a,,\n".lstrip("\n"),
        '"rbacGroupName","score","time"\n"a","5","2026-01-01"\n',
        ' time , score , rbacGroupName \n2026-01-01,5,a\n\n,,\n"",,\n',
    ],
)
def test_a_plain_file_is_read_however_it_was_saved(text: str) -> None:
    """A mark, any line end, commas, semicolons or tabs, quotes, any order, empty cells and lines."""
    assert cells(text) == [(2, ["2026-01-01", "5", "a"])]
    assert sheet(text).plain


def test_a_decimal_comma_is_one_where_commas_separate_nothing() -> None:
    """In a file with semicolons or tabs, as Excel saves it in half of Europe."""
    assert not sheet("time,score\n").comma
    assert sheet("time;score\n").comma
    assert sheet("time\tscore\n").comma


def test_a_file_without_groups_has_empty_ones() -> None:
    """Each line then has its two cells, and an empty group."""
    assert cells("score,time\n5,2026-01-01\n") == [(2, ["2026-01-01", "5", ""])]


def test_a_whole_table_is_told_by_its_names() -> None:
    """Seven names, whatever their order; a cell may have commas, quotes and line ends."""
    text = f'{WHOLE}\r\n1,2,3,4,5,6,"a,""b""\r\nc"\r\n\r\n1,2,3,4,5,6,\r\n'
    assert not sheet(text).plain
    assert cells(text) == [(2, [*"123456", 'a,"b"\r\nc']), (5, [*"123456", ""])]
    backwards = ";".join(reversed(COLUMNS))
    assert cells(f"{backwards}\n7;6;5;4;3;2;1\n") == [(2, list("1234567"))]


def test_a_file_can_be_read_twice() -> None:
    """From its start each time, also when the first time was broken off."""
    file = sheet("\ufefftime,score\n2026-01-01,5\n2026-01-02,6\n")
    next(iter(file.records()))
    assert list(file.records()) == list(file.records())
    assert len(list(file.records())) == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty; the first line is `measurement,time"),
        (b"\r\n\r\n", "empty"),
        ("time,score\n".encode("utf-16"), "UTF-16, or no text at all: save it as"),
        ("time,score\n".encode("utf-16-le"), "UTF-16"),
        (b"PK\x03\x04\x14\x00", "a workbook, or another zip file"),
        (b"SQLite format 3\0" + bytes(100), "no text at all"),
        (b"2026-01-01,5\n", "'2026-01-01,5' are not the names of a table of points"),
        (b"time;score,rbacGroupName\n", "not the names"),
        (b"time,score,score\n", "not the names"),
        (b'"time,score\n', "not the names"),
        (b"x" * (MAX_CELL + 1), "a line is longer than"),
    ],
)
def test_a_file_that_is_no_table_of_points_is_told_what_would_be_one(content: bytes, said: str) -> None:
    """UTF-16, a workbook, a file without names: each by what it is."""
    with pytest.raises(Slip, match=said):
        sheet(content)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "time,score\n\n1,41,5\n",
            [(3, "of cells there are 3, and of names in the first line 2; one with a comma in it stands in quotes")],
        ),
        ("time,score,rbacGroupName\n1\n1,2\n", [(2, "of cells there are 1, and of names in the first line 3")]),
        (f"{WHOLE}\n1,2,3,4,5,6\n", [(2, "of cells there are 6, and of names in the first line 7")]),
        ("time;score\n1;2;3\n", [(2, "of cells there are 3, and of names in the first line 2")]),
        ('time,score\n1,"2"x\n1,"3\n\n', [(2, "two of them stand for one"), (3, "never closed")]),
        (
            b"time,score,rbacGroupName\n1,2,Qualit\xe4t\n",
            [(2, "'Qualit\ufffdt' is not UTF-8: save it as \"CSV UTF-8\"")],
        ),
        (f'time,score\n1,2\n1,"{"x" * (MAX_CELL // 2)}\n{"x" * (MAX_CELL // 2)}\n', [(3, "never closed")]),
        (f"time,score\n1,2\n1,{'x' * MAX_CELL}\n1,2\n", [(3, "a line is longer")]),
    ],
)
def test_a_line_that_can_not_be_read_is_told_by_its_number(text: str | bytes, expected: list[tuple[int, str]]) -> None:
    """The lines around it are read, where it ends."""
    found = wrongs(text)
    assert [line for line, _ in found] == [line for line, _ in expected]
    for (_, said), (_, wanted) in zip(found, expected, strict=True):
        assert wanted in said
