"""Every measurement with its tags, fields and types: what `config/measurements.toml` says to people, for the code.

Is not what makes points: each room makes its own. It is for who meets a point of any kind and has to know its types.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from collector.point import MAX_TIME, Value

Kind = Literal["float", "int", "string"]


class Origin(Enum):
    """Where points come from: from the API, from a person, from the collector's own polls, or from other points."""

    RAW = "raw"
    ANNOTATION = "annotation"
    POLL = "poll"
    DERIVED = "derived"


@dataclass(frozen=True, slots=True)
class Measurement:
    """`tags` in their order; a point has all of them, and all fields but the `optional` ones."""

    origin: Origin
    tags: tuple[str, ...]
    fields: Mapping[str, Kind]
    optional: frozenset[str] = field(default=frozenset())
    within: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """The least and the greatest that a field can be, where not every number of its type means something."""


_ORGANIZATION = ("tenant",)
_GROUP = ("tenant", "rbacGroupName", "rbacGroupId")
_CHANGES = ("change_1d", "change_7d", "change_30d")


def _floats(*names: str) -> dict[str, Kind]:
    return dict.fromkeys(names, "float")


def _ints(*names: str) -> dict[str, Kind]:
    return dict.fromkeys(names, "int")


def _strings(*names: str) -> dict[str, Kind]:
    return dict.fromkeys(names, "string")


_POLL = _ints("ok") | _floats("seconds") | _ints("points", "tries", "throttled") | _strings("error")
_TREND = _floats("score", "baseline", "rise", *_CHANGES) | _ints("level", "spike", "verdict")
_SPIKE = _floats("baseline", "peak", "rise") | _ints("state", "end_time") | _strings("title", "text")
_DAILY = _floats("min", "mean", "max", "last") | _ints("samples")

MEASUREMENTS: Mapping[str, Measurement] = {
    "exposure_score": Measurement(Origin.RAW, _ORGANIZATION, _floats("score") | _ints("api_time")),
    "exposure_score_by_group": Measurement(Origin.RAW, _GROUP, _floats("score")),
    "device_secure_score": Measurement(Origin.RAW, _ORGANIZATION, _floats("score")),
    "exposure_annotation": Measurement(
        Origin.ANNOTATION,
        ("tenant", "rbacGroupName", "kind", "id"),
        _strings("title", "text") | _ints("withdrawn"),
    ),
    "collector_poll": Measurement(Origin.POLL, ("tenant", "subject", "collector"), _POLL),
    "exposure_trend": Measurement(Origin.DERIVED, _ORGANIZATION, _TREND, frozenset(_CHANGES)),
    "exposure_trend_by_group": Measurement(Origin.DERIVED, _GROUP, _TREND, frozenset(_CHANGES)),
    "exposure_spike": Measurement(
        Origin.DERIVED, _GROUP, _SPIKE, within={"state": (0, 2), "end_time": (0, MAX_TIME - 1)}
    ),
    "exposure_score_daily": Measurement(Origin.DERIVED, _ORGANIZATION, _DAILY),
    "exposure_score_by_group_daily": Measurement(Origin.DERIVED, _GROUP, _DAILY),
}


def kind(value: Value) -> Kind:
    """Return the type of a field's value."""
    # By isinstance: an IntEnum is an int to whoever makes a point.
    return "float" if isinstance(value, float) else "int" if isinstance(value, int) else "string"
