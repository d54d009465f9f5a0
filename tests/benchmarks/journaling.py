"""What it costs to make polls safe: the processor's time, the clock's, and the disk's bytes."""

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Spread, short
from benchmarks.polls import Polls, slots
from benchmarks.size import Size
from benchmarks.table import Row

from collector.journal import Journal

_GROUPS = 200


def measure(size: Size, folder: Path) -> Iterator[Row]:
    """Yield the rows of `append`, and of the file that it leaves."""
    yield from _appending(size, folder / "appending.db")
    yield _on_disk(size, folder / "hourly.db")


def _appending(size: Size, path: Path) -> Iterator[Row]:
    polls = Polls(_GROUPS)
    cpu: list[float] = []
    wall = 0.0
    count = 0
    with Journal(path) as journal:
        for slot in slots(size.polls):
            points = polls.groups(slot)
            began, began_cpu = time.perf_counter(), time.thread_time()
            journal.append(points)
            cpu.append((time.thread_time() - began_cpu) / len(points))
            wall += time.perf_counter() - began
            count += len(points)
    spread = Spread(tuple(cpu)).times(1e6)
    what = f"journal.append, {size.polls} polls of {_GROUPS} groups"
    tenth = short(statistics.quantiles(spread.values, n=10)[-1])
    yield Row(
        what=f"{what}: CPU",
        measured=f"{short(spread.median)} µs a point (nine in ten under {tenth})",
        figure=f"{short(spread.median)} µs",
    )
    yield Row(
        what=f"{what}: wall",
        measured=f"{short(wall)} s for {count:,} points, each poll synced to disk",
        figure=f"{short(count / wall)} points/s",
    )


def _on_disk(size: Size, path: Path) -> Row:
    polls = Polls(50)
    count = 0
    with Journal(path) as journal:
        for slot in slots(24 * size.days):
            for points in (polls.organization(slot), polls.groups(slot)):
                journal.append(points)
                count += len(points)
    used = path.stat().st_size
    return Row(
        what=f"journal on disk, {size.days} days of 50 groups, hourly",
        measured=f"{used:,} bytes",
        against=f"{count:,} points",
        figure=f"{short(used / count)} bytes a point",
        goal="70 at most",
    )
