"""collector.defender.times: the API's times, to the tick."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.defender.times import nanoseconds

SECOND = 10**9


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2019-12-03T07:23:53.280499Z", 1575357833_280_499_000),
        ("2019-12-03T09:51:28.2143399Z", 1575366688_214_339_900),
        ("2019-12-03T09:51:28.214339Z", 1575366688_214_339_000),
        ("2019-12-03T09:51:28.2Z", 1575366688_200_000_000),
        ("2019-12-03T09:51:28.123456789Z", 1575366688_123_456_789),
        ("2019-12-03T11:51:28+02:00", 1575366688 * SECOND),
        ("2019-12-03t04:21:28.5-05:30", 1575366688_500_000_000),
        ("1969-12-31T23:59:59.9999999Z", -100),
        ("2262-04-11T23:47:16.854775807Z", 2**63 - 1),
    ],
)
def test_a_time_is_read_to_the_tick(text: str, expected: int) -> None:
    """A time with 0 to 9 fraction digits, in UTC or at an offset, becomes the exact nanosecond."""
    assert nanoseconds(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2019-12-03",
        "2019-12-03T07:23:53",
        "2019-12-03T07:23:53.Z",
        "2019-12-03T07:23:53.1234567890Z",
        "2019-13-03T07:23:53Z",
        "2019-02-29T07:23:53Z",
        "2019-12-03T24:00:01Z",
        "2019-12-03T07:23:60Z",
        "2019-12-03T07:23:53+99:00",
        "2019-12-03T07:23:53Z\n",
        " 2019-12-03T07:23:53Z",
        "٢٠١٩-12-03T07:23:53Z",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:00",
        "9999-12-31T23:59:59Z",
        "2262-04-11T23:47:16.854775808Z",
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    """What isn't a time with a zone, or lies beyond what 64 bits of nanoseconds hold, is no time."""
    assert nanoseconds(text) is None


@given(
    st.datetimes(dt.datetime(1678, 1, 1), dt.datetime(2262, 1, 1)),  # noqa: DTZ001 - the zone is drawn beside it
    st.integers(0, 9_999_999),
    st.integers(-14 * 60, 14 * 60),
)
def test_any_moment_survives_the_apis_way_of_writing_it(moment: dt.datetime, ticks: int, offset: int) -> None:
    """Whatever the moment, its seven digits with their trailing zeros cut, at any offset, come back to the tick."""
    zone = dt.timezone(dt.timedelta(minutes=offset))
    local = moment.replace(microsecond=0, tzinfo=zone)
    fraction = f".{ticks:07}".rstrip("0").rstrip(".")
    sign, (hours, minutes) = "-" if offset < 0 else "+", divmod(abs(offset), 60)
    text = f"{local:%Y-%m-%dT%H:%M:%S}{fraction}{sign}{hours:02}:{minutes:02}"
    whole = round((local - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)).total_seconds())
    assert nanoseconds(text) == whole * SECOND + ticks * 100


@given(st.text() | st.text("0123456789-:.TZ+ "))
def test_any_text_is_read_without_a_crash(text: str) -> None:
    """Whatever stands there, it is a time or none."""
    found = nanoseconds(text)
    assert found is None or -(2**63) <= found < 2**63
