"""A point of the history, and the rule by which any name becomes a tag.

Is not line protocol (`influx/line.py`) and not a row (`journal/`): both are made from what stands here.
"""

import hashlib
import math
import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from typing import Self

Value = float | int | str

UNASSIGNED = "(unassigned)"
"""The `rbacGroupName` of the devices that are in no group."""
NO_ID = "none"
"""The `rbacGroupId` of a group that was never seen with an id."""
RESERVED_NAMES = frozenset({UNASSIGNED, "(organization)", "(all)"})
RESERVED_IDS = frozenset({NO_ID})

MAX_TAG_BYTES = 60 * 1024
"""Of a tag as line protocol writes it: a comma, a space and an equals sign take two. InfluxDB 1.x refuses a series key
of 64 KiB and more; this leaves room for the other tags."""
MAX_ID_BYTES = 1024
"""The same of an id, or of a tenant's name."""
MAX_TIME = 2**63 // 1_000_000
"""Milliseconds since the epoch: the first moment that InfluxDB's nanoseconds can't tell."""

_SHORT = MAX_TAG_BYTES // 4
"""Characters of a text that is none too long, whatever they are."""
_DIGITS = 20
"""Of the greatest int64, and room for a sign."""
_FAULT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]|\\(?=[\\,= ]|\Z)")
_ESCAPED = re.compile(r"([,= ])")
_CHANGED = re.compile(r"~[0-9a-f]{8}\Z")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)


def carried(text: str, most: int = MAX_TAG_BYTES) -> bool:
    """Whether every InfluxDB version gives this tag value back as it was written, in at most `most` bytes of line."""
    # What prints, and has no backslash, has no fault: most names are looked at no further.
    if not text or (("\\" in text or not text.isprintable()) and _FAULT.search(text)):
        return False
    # A character takes four bytes at the most, escaped ones two: only long texts are worth counting.
    return 4 * len(text) <= most or len(_ESCAPED.sub(r"\\\1", text).encode()) <= most


def tag_value(text: str, reserved: frozenset[str] = frozenset(), most: int = MAX_TAG_BYTES) -> str:
    """Return `text` (any non-empty str, lone surrogates included) as a tag value; two texts never share one.

    What line protocol can't carry becomes `_`. A value that was changed, or that could be taken for a changed or a
    reserved one, ends in `~` and 8 hex digits of the SHA-256 of the original.
    """
    if text not in reserved and not _CHANGED.search(text) and carried(text, most):
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    line = _ESCAPED.sub(r"\\\1", _FAULT.sub("_", text)).encode()[: most - 9].decode("utf-8", "ignore")
    # The cut may have parted a backslash from what it escapes.
    clean = re.sub(r"\\([,= ])", r"\1", line).rstrip("\\")
    return f"{clean}~{digest}"


def group_name(name: str | None) -> str:
    """Return the `rbacGroupName` tag of a device group as the API names it."""
    # What prints and has neither mark is what `tag_value` would give back; a reserved name has a bracket.
    if name and name.isprintable() and "\\" not in name and "~" not in name and name[0] != "(" and len(name) <= _SHORT:
        return name
    return tag_value(name, RESERVED_NAMES) if name else UNASSIGNED


def group_id(id_: str) -> str:
    """Return the `rbacGroupId` tag of an id (not empty) as the API has it."""
    if len(id_) <= _DIGITS and id_.isascii() and id_.isdecimal():
        return id_
    return tag_value(id_, RESERVED_IDS, MAX_ID_BYTES)


def group_names(names: Sequence[str]) -> Sequence[str]:
    """Return the tag of each name (none is empty), as `group_name` does; together they are looked at in no time."""
    one = "".join(names)
    plain = one.isprintable() and "\\" not in one and "~" not in one and "(" not in one
    return names if plain and max(map(len, names), default=0) <= _SHORT else [*map(group_name, names)]


def group_ids(ids: Sequence[str]) -> Sequence[str]:
    """Return the tag of each id (none is empty), as `group_id` does."""
    one = "".join(ids)
    plain = one.isascii() and one.isdecimal() and max(map(len, ids)) <= _DIGITS
    return ids if plain else [*map(group_id, ids)]


def rfc3339(time: int) -> str:
    """Return a point's time (ms since the epoch) as people read it, in UTC."""
    # Not by a float of seconds: it can't tell milliseconds apart from the year 2242 on.
    moment = _EPOCH + timedelta(milliseconds=time)
    return moment.isoformat(timespec="milliseconds" if time % 1000 else "seconds").replace("+00:00", "Z")


def milliseconds(text: str) -> int | None:
    """Return the time that `rfc3339` would write so (ms since the epoch), any other RFC 3339, or a date's midnight UTC.

    Seconds may be left out, and what is finer than a millisecond is cut off. None for anything else.
    """
    if _DATE.fullmatch(text):
        text += "T00:00Z"
    if not _RFC3339.fullmatch(text):
        return None
    try:
        # Nine digits of a second: datetime reads six.
        parsed = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.upper()))
    except ValueError:
        return None
    return (parsed - _EPOCH) // timedelta(milliseconds=1)


def outside(time: int) -> str:
    """Return what is wrong with a time (ms) that no point can have, and which are taken."""
    return f"is too {'early' if time < 0 else 'late'}: times from 1970-01-01 to 2262-04-11 are taken"


class Series(tuple[str, ...]):
    """A measurement and its tags, in the order of `config/measurements.toml`. Every tag has a value.

    Is its texts, one behind the other: the measurement, then each tag's key and value. There are hundreds of thousands:
    pairs of tags and a hash that is kept would take 240 bytes each, beside the 96 of the texts' places.
    """

    __slots__ = ()

    def __new__(cls, measurement: str, tags: Iterable[tuple[str, str]]) -> Self:
        """Raise ValueError where a tag's value can't be carried."""
        series = cls.proven((measurement, *chain.from_iterable(tags)))
        for key, value in series.tags:
            if not carried(value):
                raise ValueError(f"{measurement}: the tag {key} can't be carried: {value!r}")
        return series

    @classmethod
    def proven(cls, texts: Iterable[str]) -> Self:
        """Return a series of texts that were one's before they were written, and have proved to be what was written."""
        return tuple.__new__(cls, texts)

    def __getnewargs__(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        return self.measurement, self.tags

    def __repr__(self) -> str:
        return f"Series(measurement={self.measurement!r}, tags={self.tags!r})"

    @property
    def measurement(self) -> str:
        """What is measured."""
        return self[0]

    @property
    def tags(self) -> tuple[tuple[str, str], ...]:
        """Key and value of each tag."""
        return tuple(zip(self[1::2], self[2::2], strict=False))

    def tag(self, key: str) -> str:
        """Return the value of a tag that this measurement has; raise KeyError for another."""
        if self[1] == key:
            return self[2]
        try:
            return self[2 * self[1::2].index(key) + 2]
        except ValueError:
            raise KeyError(key) from None

    def of(self, measurement: str) -> "Series":
        """Return the series of another measurement that has the same tags."""
        return tuple.__new__(Series, (measurement, *self[1:]))


@dataclass(frozen=True, slots=True)
class Point:
    """One observation. Its identity is series + time: a later point of the same identity supersedes this one."""

    series: Series
    time: int
    """Milliseconds since the Unix epoch."""
    fields: Mapping[str, Value]

    def __post_init__(self) -> None:
        if not 0 <= self.time < MAX_TIME:
            raise ValueError(f"{self.series.measurement}: a time is in ms since 1970, up to the year 2262: {self.time}")
        if not self.fields:
            raise ValueError(f"{self.series.measurement}: a point has at least one field")
        for key, value in self.fields.items():
            # Of many points nearly all fields are floats.
            if not (math.isfinite(value) if value.__class__ is float else _storable(value)):
                raise ValueError(f"{self.series.measurement}.{key}: a field is a finite float, an int64 or a str")


def scored(series: Sequence[Series], time: int, scores: Sequence[float]) -> list[Point]:
    """Return a point of each series at `time` (ms), with its score (a finite float) as the one field.

    Raise ValueError as `Point` does, TypeError for what is no float. Is for answers of thousands of rows: a point made
    so costs a third.
    """
    if not set(map(type, scores)) <= {float}:
        raise TypeError("a score is a float, in each point of its series")
    if not 0 <= time < MAX_TIME or not all(map(math.isfinite, scores)) or len(series) != len(scores):
        return [Point(one, time, {"score": score}) for one, score in zip(series, scores, strict=True)]
    points = list(map(object.__new__, repeat(Point, len(series))))
    each = (
        map(_set_series, points, series),
        map(_set_time, points, repeat(time)),
        map(_set_fields, points, [{"score": score} for score in scores]),
    )
    for setting in each:
        deque(setting, maxlen=0)
    return points


def of_groups(tenant: str, names: Iterable[str], ids: Iterable[str]) -> list[Series]:
    """Return the series of groups' scores. Names and ids are tags already, as `group_name` and `group_id` make them.

    They aren't looked at again: an answer of a new tenant has thousands of them.
    """
    every = zip(
        repeat(_BY_GROUP),
        repeat("tenant"),
        repeat(tenant),
        repeat("rbacGroupName"),
        names,
        repeat("rbacGroupId"),
        ids,
        strict=False,
    )
    return list(map(tuple.__new__, repeat(Series), every))  # as `Series.proven` does, without a call of Python's


_BY_GROUP = "exposure_score_by_group"
# A frozen class refuses its own way of setting: these are the slots themselves.
_set_series, _set_time, _set_fields = (vars(Point)[slot].__set__ for slot in ("series", "time", "fields"))


def _storable(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, str):
        return not _SURROGATE.search(value)
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
