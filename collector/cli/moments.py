"""Moments as people type them: RFC 3339, a date, or how long ago. Is not a reader of what the API says."""

import re
import time
from typing import Annotated

import typer

from collector.point import MAX_TIME, milliseconds, outside

_UNITS = {"d": 86_400_000, "h": 3_600_000}
_AGO = re.compile(r"([0-9]{1,6})([dh])")
_FORMS = "a time is 2026-03-01T06:00:00Z (or with +01:00), a date like 2026-03-01, or 7d or 12h ago"


def moment(text: str, now: float) -> int:
    """Return the moment (ms since the epoch) that `text` stands for at `now` (seconds); a date is its midnight in UTC.

    Raise ValueError, with the forms that there are, for anything else, and with the years for what lies outside them.
    """
    found = _parsed(text.strip(), now)
    if found is None:
        raise ValueError(f"{text!r} is no time: {_FORMS}")
    if not 0 <= found < MAX_TIME:
        raise ValueError(f"{text!r} {outside(found)}")
    return found


def _parsed(text: str, now: float) -> int | None:
    ago = _AGO.fullmatch(text)
    if ago:
        return int(now * 1000) - int(ago[1]) * _UNITS[ago[2]]
    return milliseconds(text)


def _option(text: str) -> int:
    try:
        # In whole seconds, as a person who reads it back expects.
        return moment(text, int(time.time()))
    except ValueError as error:
        # The option's name is put before it by who calls.
        raise typer.BadParameter(str(error)) from None


Since = Annotated[
    int | None,
    typer.Option(
        "--since", parser=_option, metavar="TIME", help="From then on: RFC 3339, a date (UTC), or 7d, 12h ago."
    ),
]
At = Annotated[
    int | None,
    typer.Option(
        "--at",
        parser=_option,
        metavar="TIME",
        show_default=False,
        help="When it happened, now unless named: RFC 3339, a date (UTC), or 7d, 12h ago. What lies ahead is shown, and"
        " counts, from then on.",
    ),
]
