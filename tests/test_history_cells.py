"""One cell of a table: what is written is what is read, and what can't be read says why."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from points import NASTY

from collector.history import cells
from collector.history.cells import Slip
from collector.measurements import kind
from collector.point import MAX_TIME, Value, rfc3339

WHEN = 1_767_247_200_000
"""2026-01-01 06:00 UTC."""


@given(st.text() | NASTY, st.booleans())
def test_any_text_is_read_back_whichever_way_it_was_written(text: str, spreadsheet: bool) -> None:  # noqa: FBT001
    """Whoever reads need not know if formulas were made harmless."""
    assert cells.read(cells.written(text, spreadsheet=spreadsheet)) == text


@given(st.text() | NASTY)
def test_for_a_spreadsheet_no_text_is_a_formula(text: str) -> None:
    """None begins with what a spreadsheet runs; one that would has a single quote before it."""
    assert not re.match(r"[=+\-@\t\r\n]", cells.written(text, spreadsheet=True))
    if re.match(r"[=+\-@\t\r]", text):
        assert cells.written(text, spreadsheet=True) == f"'{text}"
        assert cells.written(text, spreadsheet=False) == text


@given(
    st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**63 - 1) | st.text() | NASTY,
    st.booleans(),
)
def test_any_value_comes_back_with_its_type(value: Value, spreadsheet: bool) -> None:  # noqa: FBT001
    """5.0 stays a float, 5 an int, "5" a string; the last bit of a float and a negative nought too."""
    back = cells.value(kind(value), cells.written_value(value, spreadsheet=spreadsheet))
    assert (type(back), repr(back)) == (type(value), repr(value))


@given(st.integers(0, MAX_TIME - 1))
def test_any_time_comes_back(time: int) -> None:
    """To the millisecond, up to the year 2262."""
    assert cells.time(rfc3339(time)) == time


@pytest.mark.parametrize(
    "cell",
    [
        *("2026-01-01T06:00:00Z", "2026-01-01T07:00:00+01:00", "2026-01-01 06:00", "2026-01-01 6:00"),
        *("2026-01-01T06:00:00", "2026-01-01 06:00:00.000", " 2026-01-01 06:00:00 "),
    ],
)
def test_a_time_is_read_in_the_forms_that_spreadsheets_write(cell: str) -> None:
    """RFC 3339, and without a zone, in UTC."""
    assert cells.time(cell) == WHEN


def test_a_date_is_its_midnight() -> None:
    """In UTC."""
    assert cells.time("2026-01-01") == WHEN - 6 * 3_600_000


@pytest.mark.parametrize("cell", ["01.01.2026", "1/2/2026", "46023", "2026-02-30", "2026-01-01 25:00", "", "7d"])
def test_a_time_in_another_form_is_told_those_that_there_are(cell: str) -> None:
    """Never guessed at: 1/2 is two different days."""
    with pytest.raises(Slip, match="no time: a time is 2026-03-01T06:00:00Z, 2026-03-01 06:00"):
        cells.time(cell)


@pytest.mark.parametrize("cell", ["1969-12-31", "2262-04-12"])
def test_a_time_that_no_database_keeps_is_refused(cell: str) -> None:
    """Before 1970, or past InfluxDB's nanoseconds."""
    with pytest.raises(Slip, match="times from 1970-01-01 to 2262-04-11 are taken"):
        cells.time(cell)


@pytest.mark.parametrize(
    ("cell", "comma", "expected"),
    [
        *(("41.5", False, 41.5), ("5", False, 5.0), (" 5 ", False, 5.0), ("1e-7", False, 1e-7), (".5", False, 0.5)),
        *(("41,5", True, 41.5), ("41.5", True, 41.5), ("-0,25", True, -0.25), ("'-1", False, -1.0)),
    ],
)
def test_a_number_is_read_as_it_is_written(cell: str, comma: bool, expected: float) -> None:  # noqa: FBT001
    """With a decimal comma where cells are not separated by commas."""
    assert cells.number(cell, comma=comma) == expected


@pytest.mark.parametrize(
    ("cell", "comma"),
    [
        *(("41,5", False), ("1.234,5", True), ("1,234,5", True), ("", False), ("n/a", False), ("nan", False)),
        *(("inf", True), ("1_0", False), ("\u0663", False), ("0x10", False), ("1e999", False), ("50%", False)),
    ],
)
def test_what_is_no_finite_number_is_refused(cell: str, comma: bool) -> None:  # noqa: FBT001
    """Thousands are not separated, and nothing is guessed at."""
    with pytest.raises(Slip, match=re.escape(repr(cell))):
        cells.number(cell, comma=comma)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        *(("1.78806E+18", "rounded"), ("1,78806E+18", "--spreadsheet"), ("5.0", "no whole number")),
        *(("", "no whole number"), ("9223372036854775808", "64 bits"), ("9" * 5000, "64 bits")),
    ],
)
def test_a_whole_number_that_lost_its_digits_is_refused(cell: str, said: str) -> None:
    """A spreadsheet rounds one of more than 15 digits; the message says how to keep them."""
    with pytest.raises(Slip, match=said):
        cells.whole(cell)


def test_for_a_spreadsheet_a_long_whole_number_is_a_text() -> None:
    """With a quote before it, which is taken back; a short one stays a number."""
    assert cells.written_value(1_735_689_600_000_000_000, spreadsheet=True) == "'1735689600000000000"
    assert cells.written_value(-5, spreadsheet=True) == "-5"
    assert cells.whole("'1735689600000000000") == 1_735_689_600_000_000_000


def test_a_long_cell_is_shown_in_part_and_on_one_line() -> None:
    """Whatever stands in a cell, a message is one line."""
    assert cells.shown("a\nb") == r"'a\nb'"
    assert len(cells.shown("x" * 1000)) < 70
