"""What a server lacks, as a value: steps in words, each with how a person would do the same. Does nothing itself."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

DAY = 86_400
"""Seconds."""

_GO_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)(?:\.\d+)?s)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change. `statement`: the same in the server's own language, for whoever may do it there."""

    what: Literal["create", "keep", "map"]
    words: str
    statement: str
    seconds: int = 0
    """What is kept once it is done; 0 is for ever."""
    shortens: bool = False
    """Points would be deleted, or hidden, by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What has to be done at a server, in order. `note`: what else is to be said of it."""

    steps: Sequence[Step] = ()
    note: str = ""


def shorter(now: int, wanted: int) -> bool:
    """Whether `wanted` seconds keep less than the seconds that are kept `now`; 0 is for ever."""
    return wanted != 0 and (now == 0 or wanted < now)


def span(seconds: int) -> str:
    """Return a retention in words: `for ever`, `for 30 days`, `for 36 hours`."""
    if not seconds:
        return "for ever"
    unit, of = next((unit, of) for unit, of in (("day", DAY), ("hour", 3600), ("second", 1)) if seconds % of == 0)
    count = seconds // of
    return f"for {count:,} {unit}{'' if count == 1 else 's'}"


def go_seconds(text: str) -> int:
    """Return the whole seconds of a duration as Go writes it, `720h0m0s`; raise ValueError for anything else."""
    found = _GO_DURATION.fullmatch(text)
    if not found or not text:
        raise ValueError("not a duration")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def shard_seconds(seconds: int) -> int:
    """Return how long a group of shards lasts where nobody chose it: InfluxDB 1.x and 2.x go by the retention."""
    if seconds == 0 or seconds >= 180 * DAY:
        return 7 * DAY
    return DAY if seconds >= 2 * DAY else 3600
