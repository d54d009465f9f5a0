"""A month of hourly polls, lived in a minute: what the service takes of its machine does not grow."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from servers import INFLUXD, need

_ROOT = Path(__file__).parents[2]


def _lived(slots: int, keep_days: int) -> dict[str, Any]:
    """Return what a life of so many hours was, and what grew in it."""
    need(INFLUXD)
    # What measures the coverage takes memory of its own, and so do the C library's arenas, one a thread.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COV")}
    environment["MALLOC_ARENA_MAX"] = "1"
    command = [sys.executable, "-m", "tests.month", "--slots", str(slots), "--keep-days", str(keep_days)]
    done = subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, text=True, timeout=400, check=False)
    assert done.stdout, f"exit {done.returncode}\n{done.stderr}"
    figures: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (1 if figures["grown"] else 0), done.stderr
    return figures


def test_a_month_takes_no_more_of_the_machine_than_its_first_days() -> None:
    """Memory, threads, descriptors and the journal's file stand still, and at the end InfluxDB has every slot.

    It is a month of a tenant of 20 groups with its failed polls, retries, expired tokens, and an InfluxDB that is away
    for six hours every five days; a week of it is kept.
    """
    month = _lived(720, 7)
    assert month["grown"] == [], json.dumps(month)
    assert (month["polls"], month["stored"]) == (1440, 1440)
    assert 20 < month["failed"] < 100
    assert month["tries"] > 1500
    assert month["outages"] == 6
    assert month["scrapes"] == 120
    assert month["delivered"] == month["appended"] > 14_000
    assert month["left"] < month["appended"] / 3
    assert 7 <= month["oldest_days"] <= 8.1
    assert month["in_order"]


def test_without_pruning_a_point_takes_the_same_room_for_ever() -> None:
    """What the journal's file grows by is its points, and no more a point than at first."""
    life = _lived(240, 0)
    # Ten days are too few to tell the process's size from its warming up.
    assert set(life["grown"]) <= {"rss_kib"}, json.dumps(life)
    assert life["left"] == life["appended"]
    first, middle, last = (life["samples"][n] for n in (1, len(life["samples"]) // 2, -1))
    early = (middle["journal"] - first["journal"]) / (middle["points"] - first["points"])
    late = (last["journal"] - middle["journal"]) / (last["points"] - middle["points"])
    assert late == pytest.approx(early, rel=0.15)
    assert late < 70
