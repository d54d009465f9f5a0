"""The budget: what a point takes of the disk, indexes and all."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from journals import HOUR, MIDNIGHT, org

from collector.journal import Journal
from collector.point import Point, Series, Value

_DAYS = 60


def _poll(slot: int) -> Sequence[Point]:
    """Return what one tenant of 50 groups gives in one slot, in the order in which it is appended."""
    tenant = ("tenant", "contoso")
    polls = [
        Series("collector_poll", (tenant, ("subject", subject), ("collector", "collector-0.example.net")))
        for subject in ("organization", "device_groups")
    ]
    fields: Mapping[str, Value] = {"ok": 1, "seconds": 0.731, "points": 50, "tries": 1, "throttled": 0, "error": ""}
    groups = [
        Series(
            "exposure_score_by_group",
            (tenant, ("rbacGroupName", f"Device group {number}"), ("rbacGroupId", str(100 + number))),
        )
        for number in range(50)
    ]
    return [
        org(slot, 33.491554051195706),
        Point(polls[0], slot, fields),
        *(Point(series, slot, {"score": 41.38041766305988}) for series in groups),
        Point(polls[1], slot, fields),
    ]


def test_a_point_takes_seventy_bytes_at_the_most(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two months of a tenant with 50 groups, slot by slot, take no more than 70 bytes a point, all indexes included."""
    with Journal(tmp_path / "journal.db") as journal:
        for day in range(_DAYS):
            slots = [MIDNIGHT + (day * 24 + hour) * HOUR for hour in range(24)]
            journal.append([point for slot in slots for point in _poll(slot)])
        summary = journal.summary()
    assert summary.points == _DAYS * 24 * 53
    size = summary.bytes / summary.points
    with capsys.disabled():
        sys.stdout.write(f"[{size:.1f} bytes a point] ")
    assert size <= 70
