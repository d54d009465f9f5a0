"""What it costs to make polls safe: the processor's time, the clock's, and the disk's bytes."""

import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

from benchmarks.figures import Spread, interleaved, short
from benchmarks.polls import Polls, slots
from benchmarks.size import Size
from benchmarks.table import Row

from collector.batch import Cursor
from collector.journal import Journal
from collector.pipeline import Hold
from collector.point import Point

_GROUPS = 200
_THREADS = 32


def measure(size: Size, folder: Path) -> Iterator[Row]:
    """Yield the rows of `append`, and of the file that it leaves."""
    yield from _appending(size, folder / "appending.db")
    yield _together(size, folder)
    yield from _naming(size, folder / "naming.db")
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


def _together(size: Size, folder: Path) -> Row:
    """Let many tenants finish at the same time, by the way that the service has for them and by one commit each."""
    names = count()

    def round_of(keeps: Callable[[Journal], Callable[[Sequence[Point]], object]]) -> tuple[float, int]:
        with Journal(folder / f"together-{next(names)}.db") as journal, ThreadPoolExecutor(_THREADS) as pool:
            commits = _Commits(journal)
            keep = keeps(journal)
            polls = [Polls(_GROUPS, f"customer-{n}") for n in range(_THREADS)]
            rounds = [[each.groups(slot) for each in polls] for slot in slots(size.together)]
            began = time.perf_counter()
            for points in rounds:
                list(pool.map(keep, points))
            return time.perf_counter() - began, commits.count

    # The last of each is as good as another: commits hardly differ.
    commits: dict[str, int] = {}

    def held() -> float:
        seconds, commits["held"] = round_of(lambda journal: Hold(journal, appended=lambda: None).keep)
        return seconds

    def alone() -> float:
        seconds, commits["alone"] = round_of(lambda journal: journal.append)
        return seconds

    ours, theirs = interleaved(size.times, held, alone)
    polls = _THREADS * size.together
    return Row(
        what=f"{polls} polls of {_GROUPS} groups, {_THREADS} at a time: to the last that is safe",
        measured=f"{short(polls / ours.median)} polls/s in {commits['held']} commits, {ours.said('s')}",
        against=f"{commits['alone']} commits, {theirs.said('s')}",
        figure=ours.over(theirs).said("x"),
    )


class _Commits:
    """How often a journal was appended to: each is one transaction, and its syncs."""

    def __init__(self, journal: Journal) -> None:
        self.count = 0
        self._append = journal.append
        journal.append = self._counted  # type: ignore[method-assign]

    def _counted(self, points: Sequence[Point], taken: tuple[Cursor, int] | None = None) -> bool:
        self.count += 1
        return self._append(points, taken)


def _naming(size: Size, path: Path) -> Iterator[Row]:
    """Let a journal learn all its names, as a start does, and look at them again after another process has written."""
    tenants = max(1, size.named // _GROUPS)
    (slot,) = slots(1)
    with Journal(path) as journal:
        for n in range(tenants):
            journal.append(Polls(_GROUPS, f"customer-{n}").groups(slot))
    named = tenants * (_GROUPS + 1)
    points = Polls(1).organization(slot)
    first, again = [], []
    for _ in range(size.times):
        with Journal(path) as journal, Journal(path) as beside:
            first.append(_spent(journal, points))
            beside.append(points)
            again.append(_spent(journal, points))
    yield Row(
        what=f"{named:,} names in the journal, first append: CPU",
        measured=Spread(tuple(first)).said("s"),
        figure=f"{short(Spread(tuple(first)).median / named * 1e6)} µs a name",
    )
    yield Row(
        what=f"{named:,} names in the journal, append after another process's: CPU",
        measured=Spread(tuple(again)).said("s"),
        against="the first append",
        figure=Spread(tuple(again)).over(Spread(tuple(first))).said("x"),
    )
    held = _traced(path, points)
    yield Row(
        what=f"{named:,} names in the journal: memory",
        measured=f"{held:,} bytes",
        figure=f"{short(held / named)} bytes a name",
    )


def _spent(journal: Journal, points: Sequence[Point]) -> float:
    """Return the seconds of CPU that an append takes."""
    began = time.thread_time()
    journal.append(points)
    return time.thread_time() - began


def _traced(path: Path, points: Sequence[Point]) -> int:
    """Return the bytes that Python holds of the names of a journal."""
    with Journal(path) as journal:
        journal.tail()
        tracemalloc.start()
        journal.append(points)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return held


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
