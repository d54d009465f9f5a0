"""What the made-up tenants' scores are at any moment, past or to come, as the API would word it.

One seed and one day to start from make one history, whatever is asked first. Is not a model of how Microsoft computes a
score; it moves as real ones do: once a day, slowly about a level, with steps up that are remediated over weeks.
"""

import functools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from operator import mul
from typing import Any, Literal

from collector.simulator.dice import SHOCKS, between, roll, shocks
from collector.simulator.names import group_names
from collector.simulator.weaknesses import Weakness, drawn, written

DEFAULT_SEED = 20
CONTEXT = "https://api.securitycenter.microsoft.com/api/$metadata"

Payload = dict[str, Any]
Nameless = Literal["none", "empty", "null"]
"""Whether there is a group of the devices that are in no group, and how its name is written: `""` or null."""

_DAY_MS = 24 * 3600 * 1000
_TICKS_PER_MS = 10_000
_DAYS_KEPT = 4096
# A walk that is pulled back a little each day is the sum of its fading shocks: so any day can be had without the ones
# before it. After 64 days less than a hundredth of a shock is left.
_FADING = tuple(0.93**age for age in range(2 * SHOCKS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A device group. Its score wanders about `level`; `swing`: the most points that one day's chance moves it."""

    name: str | None
    id: int
    devices: int
    level: float
    swing: float


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is fixed for a tenant: the minute of the day (UTC) of its new score, its groups, its recent weaknesses."""

    minute: int
    groups: tuple[Group, ...]
    weaknesses: tuple[Weakness, ...]


@dataclass(frozen=True, slots=True)
class _Day:
    organization: float
    groups: tuple[float, ...]


class World:
    """The scores of `tenants` (names), each with `groups` groups. What lies before `today` (UTC) is worth a look.

    A moment is in milliseconds since the Unix epoch. Any thread may ask. A tenant that isn't there is a KeyError.
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

    def groups_of(self, tenant: str) -> tuple[Group, ...]:
        """Return the tenant's groups, in the order of the API's rows."""
        return self._plan(tenant).groups

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
        rows = []
        for group, score in zip(self.groups_of(tenant), self._at(tenant, at).groups, strict=True):
            row = {"time": _time(ticks), "score": _double(score), "rbacGroupName": group.name, "rbacGroupId": group.id}
            rows.append(row)
            ticks += 2 + int(30 * roll(self._seed, tenant, "ticks", at, group.id))
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
        names: list[tuple[int, str | None]] = list(enumerate(group_names(self._count, *key), first))
        if self._nameless != "none":
            names.append((0, "" if self._nameless == "empty" else None))
        groups = tuple(self._group(tenant, number, name) for number, name in names)
        return _Plan(int(1440 * roll(*key, "minute")), groups, written(len(groups), *key))

    def _group(self, tenant: str, number: int, name: str | None) -> Group:
        key = (self._seed, tenant, number)
        devices = round(4 * 1000 ** roll(*key, "devices"))
        # One machine more or less is nothing among thousands, and a jump among four.
        swing = 0.5 + 3.0 / math.sqrt(devices)
        return Group(name=name, id=number, devices=devices, level=between(18.0, 55.0, *key, "level"), swing=swing)

    def _at(self, tenant: str, at: int) -> _Day:
        """Return the scores that stand at a moment: they are a day old at the most."""
        return self._day(tenant, (at - self._plan(tenant).minute * 60_000) // _DAY_MS - self._today)

    def _compute(self, tenant: str, day: int) -> _Day:
        """Return the scores of a day, counted from today."""
        plan = self._plan(tenant)
        felt = [
            (weakness, left)
            for weakness in (*plan.weaknesses, *drawn(len(plan.groups), day, self._seed, tenant))
            if (left := weakness.left(day))
        ]
        scores = []
        for index, group in enumerate(plan.groups):
            rise = sum(weakness.heights[index] * left for weakness, left in felt)
            scores.append(_score(group.level + group.swing * self._walk(day, tenant, group.id) + rise))
        devices = [group.devices for group in plan.groups]
        mean = _dot(devices, scores) / sum(devices)
        # Not quite the mean: the value of a device counts too.
        return _Day(_score(mean + 0.1 * self._walk(day, tenant, "organization")), tuple(scores))

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
    moment = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{moment}.{fraction:07}".rstrip("0") + "Z"
