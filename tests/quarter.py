"""The first quarter of 2026 as a collector would have left it in InfluxDB: 90 days, every measurement, every hard name.

It comes by the project's own way: answers as the API words them, points, journal, what is derived, a sink.
"""

import itertools
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from columns import columns
from journals import every

from collector.cli.demo_history import fill
from collector.defender import scores
from collector.defender.groups import Groups
from collector.derive import Derive, Rules
from collector.errors import BadResponse, CollectorError, Unauthorized, Unavailable
from collector.history.notes import Note
from collector.history.spikes import Rule
from collector.influx import V1
from collector.journal import Journal
from collector.pipeline.outcome import Outcome, poll_point
from collector.point import Point
from collector.simulator import World

SINCE, UNTIL = 1_767_225_600_000, 1_775_001_600_000
"""ms: 2026-01-01 and 2026-04-01, both at midnight UTC."""
HOUR, DAY = 3_600_000, 86_400_000
PLAIN = "contoso"
NAMES = (
    "O'Neil",
    "a/b",
    "back\\slash",
    '"quoted"',
    "Büro, Köln=Süd",
    ".*",
    "(unassigned)",
    "日本",
    "24/7 desk",
)
"""Of tenants, and of the groups of each."""

RULES = Rules(
    organization=Rule(rise=5.0, window_days=14), groups=Rule(rise=10.0, window_days=14), interval=3600, links={}
)
_LATELY = 8
"""Days of which the tenants with hard names have scores, four a day."""
_RISE_DAYS = 3
"""Days for which these have stood higher."""
_BATCH = 5_000


def write(sink: V1, folder: Path) -> None:
    """Return when the sink's database has all of it."""
    world = World(tenants=[PLAIN], today=date(2026, 4, 1))
    with Journal(folder / "quarter.db", clock=lambda: UNTIL / 1000) as journal:
        fill(journal, world, PLAIN, UNTIL)
        for tenant in NAMES:
            journal.append([*_lately(tenant), _note(tenant)])
        for tenant in (PLAIN, *NAMES):
            journal.append(list(polls(tenant, SINCE if tenant == PLAIN else UNTIL - _LATELY * DAY)))
        journal.append(list(_secure_scores(world)))
        derive(journal, UNTIL)
        points = every(journal)
        for start in range(0, len(points), _BATCH):
            sink.write(columns(points[start : start + _BATCH]))


def derive(journal: Journal, now: int) -> None:
    """Derive all that follows from what a journal holds."""
    consumer = Derive(journal, RULES, clock=lambda: now / 1000)
    while consumer.turn(last=True):
        pass


def _lately(tenant: str) -> Iterator[Point]:
    groups = Groups(tenant, dict)
    for slot in range(UNTIL - _LATELY * DAY, UNTIL, DAY // 4):
        risen = 25.0 if slot >= UNTIL - _RISE_DAYS * DAY else 0.0
        answer = {"score": 30.5 + risen, "time": "2026-01-01T00:00:00Z"}
        # The API leaves the name of the devices in no group out; a group that is called so has another name.
        rows = [
            {"rbacGroupName": None if name == "(unassigned)" else name, "rbacGroupId": number, "score": 20.5 + risen}
            for number, name in enumerate(NAMES)
        ]
        organization = scores.organization(tenant, slot, answer, 0, _sound)
        for points in (*organization, *scores.device_groups(slot, {"value": rows}, groups, _sound)):
            yield from points


def _sound(fault: str) -> None:
    raise ValueError(fault)


def _note(tenant: str) -> Point:
    at = UNTIL - 5 * DAY
    return Note(id="note-1", at=at, kind="note", tenant=tenant, group=tenant, title=f"About {tenant}").point()


def polls(tenant: str, first: int, hours: int = 6) -> Iterator[Point]:
    """Yield how the polls of both subjects have ended from a slot (ms) on, one each so many hours."""
    for slot, subject in itertools.product(range(first, UNTIL, hours * HOUR), ("organization", "device_groups")):
        error = _failure(slot, subject)
        tries = 3 if error else 1
        yield poll_point(
            Outcome(
                tenant=tenant,
                subject=subject,
                slot=slot,
                error=error,
                points=0 if error else 1,
                tries=tries,
                throttled=int(isinstance(error, Unavailable)),
                seconds=0.25 * tries,
            ),
            "host-1",
        )


def _failure(slot: int, subject: str) -> CollectorError | None:
    """Return how a poll ended: on each eighth day in each of four ways, and the groups' refused on the last day."""
    kinds = (Unauthorized("no consent"), Unavailable("503"), BadResponse("no score"), CollectorError("its own"))
    if slot // DAY % 8 == 0:
        return kinds[slot // (6 * HOUR) % len(kinds)]
    return kinds[0] if subject == "device_groups" and slot >= UNTIL - DAY else None


def _secure_scores(world: World) -> Iterator[Point]:
    for slot in range(SINCE, UNTIL, 6 * HOUR):
        for points in scores.device_secure_score(PLAIN, slot, world.secure_score(PLAIN, slot), _sound):
            yield from points
