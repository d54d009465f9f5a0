"""What the made-up tenants' scores are at any moment, past or to come, as the API would word it.

One seed and one day to start from make one history, whatever is asked first. Is not a model of how Microsoft computes a
score; it moves as real ones do: once a day, slowly about a level, with steps up that are remediated over weeks, while
device groups come and go (`life.py`).
"""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from operator import mul
from typing import Any, Literal

from collector.simulator.dice import SHOCKS, roll, shocks
from collector.simulator.events import Event
from collector.simulator.life import FORGETFUL_SHARE, Group, Turn, born, lived
from collector.simulator.names import group_names
from collector.simulator.weaknesses import NewModel, Weakness, drawn, modelled, written

DEFAULT_SEED = 20
CONTEXT = "https://api.securitycenter.microsoft.com/api/$metadata"

Payload = dict[str, Any]
Nameless = Literal["none", "empty", "null"]
"""Whether there is a group of the devices that are in no group, and how its name is written: `""` or null."""

_DAY_MS = 24 * 3600 * 1000
_MINUTE_MS = 60_000
_TICKS_PER_MS = 10_000
_DAYS_KEPT = 4096
# A walk that is pulled back a little each day is the sum of its fading shocks: so any day can be had without the ones
# before it. After 64 days less than a hundredth of a shock is left.
_FADING = tuple(0.93**age for age in range(2 * SHOCKS))


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is fixed for a tenant: the minute of the day (UTC) of its new score, its groups, and what strikes them.

    `count`: how many places the groups have; `turns`: what becomes of them, beside their scores.
    """

    minute: int
    count: int
    groups: tuple[Group, ...]
    steps: tuple[Weakness | NewModel, ...]
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class _Day:
    """The groups that there are on a day, each with its score."""

    organization: float
    groups: tuple[Group, ...]
    scores: tuple[float, ...]


class World:
    """The scores of `tenants` (names), each with `groups` groups. What lies before `today` (UTC) is worth a look.

    From `today` on there are `groups` of them. Where these are seven and more, there are others before, and other names
    and ids. A moment is in milliseconds since the Unix epoch. Any thread may ask. A tenant that isn't there is a
    KeyError.
    """

    def __init__(
        self,
        *,
        tenants: Sequence[str],
        today: date,
        seed: int = DEFAULT_SEED,
        groups: int = 7,
        nameless: Nameless = "none",
    ) -> None:
        self.tenants = tuple(tenants)
        self._known = frozenset(tenants)
        self._today = (today - date(1970, 1, 1)).days
        self._seed = seed
        self._count = groups
        self._nameless = nameless
        self._plan = functools.cache(self._draw)
        self._day = functools.lru_cache(_DAYS_KEPT)(self._compute)

    def groups_of(self, tenant: str, at: int | None = None) -> tuple[Group, ...]:
        """Return the tenant's groups at a moment, else on `today`, in the order of the API's rows."""
        day = self._day(tenant, 0) if at is None else self._at(tenant, at)
        return day.groups

    def events(self, tenant: str) -> Sequence[Event]:
        """Return what is to be seen in the tenant's last 90 days, in the order of time."""
        plan = self._plan(tenant)
        turns = [*plan.turns, *(Turn(step.day, step.kind, step.told) for step in plan.steps if step.told)]
        start = self._today * _DAY_MS + plan.minute * _MINUTE_MS
        return sorted(Event(start + turn.day * _DAY_MS, turn.kind, turn.text) for turn in turns)

    def organization(self, tenant: str, at: int) -> Payload:
        """Return the body of `/api/exposureScore`."""
        return {
            "@odata.context": f"{CONTEXT}#ExposureScore/$entity",
            "time": _time(self._ticks(tenant, at)),
            "score": _double(self._at(tenant, at).organization),
        }

    def groups(self, tenant: str, at: int) -> Payload:
        """Return the body of `/api/exposureScore/ByMachineGroups`, of one page."""
        ticks = self._ticks(tenant, at)
        day = self._at(tenant, at)
        rows = []
        for one, score in zip(day.groups, day.scores, strict=True):
            row = {"time": _time(ticks), "score": _double(score), "rbacGroupName": one.name, "rbacGroupId": one.id}
            rows.append(row)
            if one.forgetful:
                self._forget(row, one, tenant, at)
            ticks += 2 + int(30 * roll(self._seed, tenant, "ticks", at, one.id))
        return {"@odata.context": f"{CONTEXT}#ExposureScore", "value": rows}

    def secure_score(self, tenant: str, at: int) -> Payload:
        """Return the body of `/api/configurationScore`: points, more when the exposure is less."""
        return {
            "@odata.context": f"{CONTEXT}#ConfigurationScore/$entity",
            "time": _time(self._ticks(tenant, at)),
            "score": round(540 - 4 * self._at(tenant, at).organization),
        }

    def _draw(self, tenant: str) -> _Plan:
        if tenant not in self._known:
            raise KeyError(tenant)
        key = (self._seed, tenant)
        first = 100 + int(100 * roll(*key, "id"))
        names = enumerate(group_names(self._count + 1, *key))
        *named, gone = (born(place, name, first + place, *key) for place, name in names)
        rows, turns = lived(named, gone, *key)
        if self._nameless != "none":
            nowhere = len({one.place for one in rows})
            rows = (*rows, born(nowhere, "" if self._nameless == "empty" else None, 0, *key))
        latest = {one.place: one for one in rows}
        places = [latest[place] for place in range(len(latest))]
        return _Plan(
            minute=int(1440 * roll(*key, "minute")),
            count=len(places),
            groups=rows,
            steps=(*written(places, *key), modelled(len(places), *key)),
            turns=turns,
        )

    def _at(self, tenant: str, at: int) -> _Day:
        """Return the scores that stand at a moment: they are a day old at the most."""
        return self._day(tenant, self._day_of(tenant, at))

    def _day_of(self, tenant: str, at: int) -> int:
        return (at - self._plan(tenant).minute * _MINUTE_MS) // _DAY_MS - self._today

    def _compute(self, tenant: str, day: int) -> _Day:
        """Return the scores of a day, counted from today."""
        plan = self._plan(tenant)
        steps = (*plan.steps, *drawn(plan.count, day, self._seed, tenant))
        felt = [(step.heights, left) for step in steps if (left := step.left(day))]
        groups = tuple(one for one in plan.groups if one.since <= day < one.until)
        scores = []
        for one in groups:
            rise = sum(heights[one.place] * left for heights, left in felt)
            scores.append(_score(one.level + one.swing * self._walk(day, tenant, one.id) + rise))
        devices = [one.devices for one in groups]
        mean = _dot(devices, scores) / sum(devices)
        # Not quite the mean: the value of a device counts too.
        return _Day(_score(mean + 0.1 * self._walk(day, tenant, "organization")), groups, tuple(scores))

    def _forget(self, row: Payload, group: Group, tenant: str, at: int) -> None:
        """Take the id out of a row, or make it null, in some answers: all within a minute are the same."""
        chance = roll(self._seed, tenant, "forgotten", at // _MINUTE_MS)
        if not group.forgets(self._day_of(tenant, at), chance):
            return
        if chance < FORGETFUL_SHARE / 2:
            row["rbacGroupId"] = None
        else:
            del row["rbacGroupId"]

    def _walk(self, day: int, tenant: str, who: str | int) -> float:
        """Return where a walk of daily steps of 1 and less is: mostly within 4 of 0, never beyond 15."""
        block, within = divmod(day, SHOCKS)
        backwards: list[float] = []
        for number in (block, block - 1, block - 2):
            backwards += reversed(shocks(self._seed, tenant, who, "walk", number))
        return _dot(_FADING, backwards[SHOCKS - 1 - within :])

    def _ticks(self, tenant: str, at: int) -> int:
        """Return the moment of a call in ticks of 100 ns."""
        return at * _TICKS_PER_MS + int(_TICKS_PER_MS * roll(self._seed, tenant, "ticks", at))


def _dot(ones: Iterable[float], others: Iterable[float]) -> float:
    """Return the sum of the products; what the longer one has more is left out."""
    return float(sum(map(mul, ones, others)))


def _score(value: float) -> float:
    return min(max(value, 0.0), 100.0)


def _double(value: float) -> float | int:
    """Return the number as the API's JSON writes it: 50.0 is `50`."""
    return int(value) if value.is_integer() else value


def _time(ticks: int) -> str:
    """Return 6 or 7 fraction digits, as the API has them: its 7, without a trailing zero."""
    if ticks % 100 == 0:
        ticks += 1
    seconds, fraction = divmod(ticks, 1000 * _TICKS_PER_MS)
    return f"{_second(seconds)}.{fraction:07}".rstrip("0") + "Z"


@functools.lru_cache(8)
def _second(seconds: int) -> str:
    # Hundreds of rows of an answer are of one second.
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
