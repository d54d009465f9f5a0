"""Made-up polls as they come to the journal: a tenant's groups, its organization, and what is said of each poll."""

import itertools
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from collector.history.card import DAY, sample
from collector.history.days import day_of
from collector.journal import Journal
from collector.point import Point, Series, Value

HOUR = 3_600_000
A_SLOT = 53
"""Points that an hour of a tenant of 50 groups leaves: those, the organization's, and one for each of the two polls."""
_SLOTS = 1_000
"""That are appended at once: a year of them is too much for the memory of a small machine."""


class Polls:
    """The polls of one tenant. Series are the same objects from poll to poll, as the Defender room keeps them."""

    def __init__(self, groups: int, tenant: str = "contoso") -> None:
        self._organization = Series("exposure_score", (("tenant", tenant),))
        self._groups = [
            Series(
                "exposure_score_by_group",
                (("tenant", tenant), ("rbacGroupName", f"Clients of site {n}"), ("rbacGroupId", str(1000 + n))),
            )
            for n in range(groups)
        ]
        self._polls = {
            subject: Series("collector_poll", (("tenant", tenant), ("subject", subject), ("collector", "host-1")))
            for subject in ("organization", "device_groups")
        }
        self._random = random.Random(20)  # noqa: S311 - scores, not secrets; the same ones in each run

    def organization(self, slot: int) -> Sequence[Point]:
        """Return what a poll of the organization leaves at a slot (ms)."""
        fields = {"score": self._score(), "api_time": slot * 1_000_000 + 280_499_000}
        return [Point(self._organization, slot, fields), self._said("organization", slot, 1)]

    def groups(self, slot: int) -> Sequence[Point]:
        """Return what a poll of the groups leaves at a slot (ms)."""
        points = [Point(series, slot, {"score": self._score()}) for series in self._groups]
        return [*points, self._said("device_groups", slot, len(points))]

    def _score(self) -> float:
        return self._random.uniform(0.0, 100.0)

    def _said(self, subject: str, slot: int, points: int) -> Point:
        fields: dict[str, Value] = {
            "ok": 1,
            "seconds": self._random.random(),
            "points": points,
            "tries": 1,
            "throttled": 0,
            "error": "",
        }
        return Point(self._polls[subject], slot, fields)


def slots(count: int) -> Iterator[int]:
    """Yield hourly slots (ms), oldest first; the last is this hour's."""
    now = int(time.time() * 1000) // HOUR * HOUR
    yield from range(now - (count - 1) * HOUR, now + 1, HOUR)


def close(journal: Journal) -> None:
    """Append the daily points of all that is kept of the days before today."""
    today = int(time.time() * 1000) // DAY * DAY
    for series in [*journal.series("exposure_score"), *journal.series("exposure_score_by_group")]:
        daily = Series(f"{series.measurement}_daily", series.tags)
        points = journal.history(series, 0, today)
        journal.append(
            [
                Point(daily, day * DAY, asdict(day_of([sample(point) for point in its])))
                for day, its in itertools.groupby(points, lambda point: point.time // DAY)
            ]
        )


def fill(journal: Journal, least: int) -> int:
    """Append hourly polls of a tenant of 50 groups, `least` points and up to a slot's more; return how many."""
    polls = Polls(50)
    count = 0
    every = slots(-(-least // A_SLOT))
    while some := list(itertools.islice(every, _SLOTS)):
        points = [point for slot in some for point in (*polls.organization(slot), *polls.groups(slot))]
        journal.append(points)
        count += len(points)
    return count
