"""Times as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.cli.moments import moment
from collector.point import MAX_TIME, rfc3339

NOW = 1_700_000_000.25
DAY = 86_400_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-11-14T00:00:00Z", 1_699_920_000_000),
        ("2023-11-14T01:00:00+01:00", 1_699_920_000_000),
        ("2023-11-13t19:00:00-05:00", 1_699_920_000_000),
        ("2023-11-14 00:00Z", 1_699_920_000_000),
        ("2023-11-14T00:00:00.5z", 1_699_920_000_500),
        ("2023-11-14T00:00:00.123456789Z", 1_699_920_000_123),
        ("2023-11-14", 1_699_920_000_000),
        (" 2023-11-14 ", 1_699_920_000_000),
        ("0d", 1_700_000_000_250),
        ("7d", 1_700_000_000_250 - 7 * DAY),
        ("12h", 1_700_000_000_250 - DAY // 2),
        ("1970-01-01", 0),
    ],
)
def test_each_form_is_understood(text: str, expected: int) -> None:
    """RFC 3339 with any offset, a date as its midnight in UTC, and days or hours ago."""
    assert moment(text, NOW) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "7", "7 d", "-7d", "7w", "1.5h", "d", "1700000000", "2023-11-14T00:00:00"),
        *("14.11.2023", "2023-02-30", "2023-11-14T25:00:00Z", "2023-11-14T00:00:00+99:00"),
        *("\u0667d", "2023-11-1\uff14"),
    ],
)
def test_anything_else_is_answered_with_the_forms_that_there_are(text: str) -> None:
    """A time without its zone, a day that isn't one: never guessed at."""
    with pytest.raises(ValueError, match="2026-03-01T06:00:00Z") as caught:
        moment(text, NOW)
    assert str(caught.value).startswith(repr(text))


@pytest.mark.parametrize(
    ("text", "how"),
    [("99999d", "early"), ("1969-12-31", "early"), ("2262-04-12", "late"), ("2999-01-01", "late")],
)
def test_a_time_that_no_database_keeps_is_answered_with_those_that_are(text: str, how: str) -> None:
    """A date is a date in whichever year: what is said is which are taken."""
    assert moment("1970-01-01", NOW) == 0
    assert moment("2262-04-11", NOW) < MAX_TIME
    with pytest.raises(ValueError, match=f"^'{text}' is too {how}: times from 1970-01-01 to 2262-04-11 are taken$"):
        moment(text, NOW)


@given(st.integers(0, 4_000_000_000_000))
def test_a_time_that_we_print_is_read_back(time: int) -> None:
    """What `status` shows can be pasted as a TIME."""
    assert moment(rfc3339(time), NOW) == time


@given(st.text(max_size=30))
def test_any_text_is_a_moment_or_a_slip(text: str) -> None:
    """No text ends in another error."""
    try:
        found = moment(text, NOW)
    except ValueError:
        return
    assert 0 <= found < MAX_TIME
