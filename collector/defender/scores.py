"""What the API answered, as points; and what in it can't be one, as faults. Pure: no clock, no network, no memory.

The measurements are those of `config/measurements.toml`. A fault never takes a good row with it.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from collector.defender.document import MAX_DIGITS, Ambiguous, kind
from collector.defender.times import nanoseconds
from collector.errors import BadResponse
from collector.point import Point, Series

_SHOWN = 60
"""Characters of a group's name in a message."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a part of an answer: the row and the field."""

    text: str


def organization(tenant: str, slot: int, answer: Mapping[str, Any], arrived: int) -> Iterator[Point | Fault]:
    """Yield the organization's point. Without a readable time, its `api_time` is `arrived` (ns since the epoch).

    That is what the API's `time` says, too: when the call was made.
    """
    if (score := finite(answer.get("score"))) is None:
        yield Fault(_unscored(answer))
        return
    time = answer.get("time")
    api_time = nanoseconds(time) if isinstance(time, str) else None
    fields = {"score": score, "api_time": arrived if api_time is None else api_time}
    yield Point(Series("exposure_score", (("tenant", tenant),)), slot, fields)
    if api_time is None:
        yield Fault(f"time is {_said(answer, 'time')}, not a time with a zone; the score is kept")


def device_secure_score(tenant: str, slot: int, answer: Mapping[str, Any]) -> Iterator[Point | Fault]:
    """Yield the point of the devices' secure score."""
    if (score := finite(answer.get("score"))) is None:
        yield Fault(_unscored(answer))
    else:
        yield Point(Series("device_secure_score", (("tenant", tenant),)), slot, {"score": score})


def device_groups(
    slot: int, answer: Mapping[str, Any], series: Callable[[str | None, str | None], Series]
) -> Iterator[Point | Fault]:
    """Yield a point or a fault a row; both for a row whose score is good and whose id isn't.

    `series` makes the series of a name and an id, as the API has them; None where it has none. Raise BadResponse when
    the answer holds no list of rows.
    """
    rows = answer.get("value")
    if not isinstance(rows, list):
        raise BadResponse(f"value is {_said(answer, 'value')}, not a list of groups")
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict) or isinstance(row, Ambiguous):
            held = "an object that has a key twice" if isinstance(row, Ambiguous) else f"{kind(row)}, not an object"
            yield Fault(f"row {number} is {held}")
            continue
        name, said, score = row.get("rbacGroupName"), row.get("rbacGroupId"), finite(row.get("score"))
        if name is not None and not isinstance(name, str):
            yield Fault(f"row {number}: rbacGroupName is {kind(name)}, not text")
        elif score is None:
            yield Fault(f"row {number}{_named(name)}: {_unscored(row)}")
        else:
            id_ = _id(said)
            yield Point(series(name, id_), slot, {"score": score})
            if id_ is None and said is not None and said != "":
                yield Fault(f"row {number}{_named(name)}: rbacGroupId is {kind(said)}; the score is kept")


def finite(value: object) -> float | None:
    """Return a JSON number as a float; None for what is no number, or none that a float holds."""
    if type(value) is float:
        return value if math.isfinite(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _id(value: object) -> str | None:
    if isinstance(value, str):
        return value or None
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    digits = str(value)
    return digits if len(digits) <= MAX_DIGITS else None


def _unscored(row: Mapping[str, Any]) -> str:
    said = _said(row, "score")
    return "score is not a finite number" if said == "a number" else f"score is {said}, not a number"


def _said(row: Mapping[str, Any], key: str) -> str:
    return kind(row[key]) if key in row else "missing"


def _named(name: str | None) -> str:
    return f" ({name[:_SHOWN]!r})" if name else ""
