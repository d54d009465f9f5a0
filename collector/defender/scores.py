"""What the API answered, as points; and what in it can't be one, in words. Pure: no clock, no network, no memory.

The measurements are those of `config/measurements.toml`. A fault never takes a good row with it.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from collector.defender.document import MAX_DIGITS, Ambiguous, kind
from collector.defender.groups import Groups
from collector.defender.last_ids import PART
from collector.defender.times import nanoseconds
from collector.errors import BadResponse
from collector.point import Point, Series, scored

_SHOWN = 60
"""Characters of a group's name in a message."""
_MOST_ID = 2**63
"""The API's own bound: any other number is an id too, and read with care."""
_NAMES = frozenset({str, type(None)})
_IDS = frozenset({int, str, type(None)})
_NUMBERS = frozenset({float, int})


Say = Callable[[str], None]
"""Is told each fault, in words: what is wrong in a part of an answer, the row and the field."""


def organization(tenant: str, slot: int, answer: Mapping[str, Any], arrived: int, say: Say) -> Iterator[list[Point]]:
    """Yield the organization's point. Without a readable time, its `api_time` is `arrived` (ns since the epoch).

    That is what the API's `time` says, too: when the call was made.
    """
    if (score := finite(answer.get("score"))) is None:
        say(_unscored(answer))
        return
    time = answer.get("time")
    api_time = nanoseconds(time) if isinstance(time, str) else None
    if api_time is None:
        say(f"time is {_said(answer, 'time')}, not a time with a zone; the score is kept")
    fields = {"score": score, "api_time": arrived if api_time is None else api_time}
    yield [Point(Series("exposure_score", (("tenant", tenant),)), slot, fields)]


def device_secure_score(tenant: str, slot: int, answer: Mapping[str, Any], say: Say) -> Iterator[list[Point]]:
    """Yield the point of the devices' secure score."""
    if (score := finite(answer.get("score"))) is None:
        say(_unscored(answer))
        return
    yield [Point(Series("device_secure_score", (("tenant", tenant),)), slot, {"score": score})]


def device_groups(slot: int, answer: Mapping[str, Any], groups: Groups, say: Say) -> Iterator[list[Point]]:
    """Yield a point a row, many at once; say what is wrong with any, also where a score is good and its id isn't.

    The answer's rows are used up. Raise BadResponse when it holds no list of rows.
    """
    rows = answer.get("value")
    if not isinstance(rows, list):
        raise BadResponse(f"value is {_said(answer, 'value')}, not a list of groups")
    before = 0
    while rows:
        # Of a long answer memory holds the rows or the points, not both; and who has enough of it asks for no more.
        part = rows[:PART]
        del rows[:PART]
        names, ids, scores = _columns(part) or _sifted(part, before, say)
        before += len(part)
        yield scored(groups.every(names, ids), slot, scores)


_Columns = tuple[list[str | None], list[str | None], list[float]]
"""Names and ids as the API has them, None where it has none, and scores; the same number of each."""


def _columns(rows: list[Any]) -> _Columns | None:
    """Return what the rows hold where nothing is wrong with any of them, which is seen at once; else None."""
    if not set(map(type, rows)) <= {dict}:
        return None
    names = [row.get("rbacGroupName") for row in rows]
    ids = [row.get("rbacGroupId") for row in rows]
    scores = [row.get("score") for row in rows]
    if not set(map(type, names)) <= _NAMES or not set(map(type, scores)) <= _NUMBERS:
        return None
    kinds = set(map(type, ids))
    if kinds == {int}:
        if min(ids) < 0 or max(ids) >= _MOST_ID:
            return None
        ids = list(map(str, ids))
    elif kinds <= _IDS and all(not isinstance(id_, int) or 0 <= id_ < _MOST_ID for id_ in ids):
        ids = [str(id_) if isinstance(id_, int) else id_ or None for id_ in ids]
    else:
        return None
    try:
        scores = list(map(float, scores))
    except OverflowError:
        return None
    return (names, ids, scores) if all(map(math.isfinite, scores)) else None


def _sifted(rows: list[Any], before: int, say: Say) -> _Columns:
    """Return the same of the rows that can be a point, and say what is wrong with any; `before`: rows before these."""
    names, ids, scores = [], [], []
    for number, row in enumerate(rows, before + 1):
        if (found := _row(number, row, say)) is not None:
            name, id_, score = found
            names.append(name)
            ids.append(id_)
            scores.append(score)
    return names, ids, scores


def _row(number: int, row: object, say: Say) -> tuple[str | None, str | None, float] | None:
    """Return the name, the id and the score of one row, None where it can't be a point."""
    if not isinstance(row, dict) or isinstance(row, Ambiguous):
        held = "an object that has a key twice" if isinstance(row, Ambiguous) else f"{kind(row)}, not an object"
        say(f"row {number} is {held}")
        return None
    name, said, score = row.get("rbacGroupName"), row.get("rbacGroupId"), finite(row.get("score"))
    if name is not None and not isinstance(name, str):
        say(f"row {number}: rbacGroupName is {kind(name)}, not text")
        return None
    if score is None:
        say(f"row {number}{_named(name)}: {_unscored(row)}")
        return None
    id_ = _id(said)
    if id_ is None and said is not None and said != "":
        say(f"row {number}{_named(name)}: rbacGroupId is {kind(said)}; the score is kept")
    return name, id_, score


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
