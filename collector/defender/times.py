"""The API's times, exact to the nanosecond. Is not datetime: that ends at microseconds, the API has 100 ns ticks."""

import datetime as dt
import re

_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?:\.([0-9]{1,9}))?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SECOND = dt.timedelta(seconds=1)


def nanoseconds(text: str) -> int | None:
    """Return an RFC 3339 time as int64 nanoseconds since the Unix epoch.

    None when it isn't one, has no zone, has more than 9 digits after the point, or lies beyond the years 1678 to 2261.
    """
    if (found := _TIME.fullmatch(text)) is None:
        return None
    day, clock, fraction, zone = found.groups()
    try:
        moment = dt.datetime.fromisoformat(f"{day}T{clock}{zone.upper()}")
    except ValueError:
        return None
    whole = (moment - _EPOCH) // _SECOND * 10**9 + int((fraction or "").ljust(9, "0"))
    return whole if -(2**63) <= whole < 2**63 else None
