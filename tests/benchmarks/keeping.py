"""What more is kept costs a view that shows the same: `trend`, the score card and `status`, by their CPU."""

import json
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.figures import interleaved
from benchmarks.polls import A_SLOT, close, fill
from benchmarks.size import Size
from benchmarks.table import Row
from system.blackbox import COMMAND, environment

from collector.history import view
from collector.journal import Journal

_SETTINGS = """
[tenants.contoso]
tenant_id = "11111111-1111-1111-1111-111111111111"
client_id = "22222222-2222-2222-2222-222222222222"
credential = { kind = "client_secret", client_secret = "made-up" }
"""
_ALL = 3650
"""Days, the most that `trend` shows."""
_LATE = 3 * 3_600_000


def measure(size: Size, folder: Path) -> Iterator[Row]:
    """Yield the rows of views of one history held against a longer one, and of `status` of one and of more points."""
    days = size.trended * size.kept_times
    short, long = (_kept(folder / f"kept-{n}", n * 24 * A_SLOT, closed=True) for n in (size.trended, days))
    for days_shown, what in ((30, "30 days"), (_ALL, "all of it")):
        less, more = interleaved(3 * size.times, *(_trend(config, days_shown) for config in (short, long)))
        yield Row(
            what=f"trend of {what}, {days:,} days of 50 groups kept: CPU",
            measured=more.said("s"),
            against=f"{less.said('s')}, {size.trended} days kept",
            figure=f"{more.over(less).said('x')}",
            goal="1.1 x at most",
        )
    for asked, what, goal in ((30, "30 days", "1.1 x at most"), (None, "all of it", f"{size.kept_times} x at most")):
        less, more = interleaved(3 * size.times, *(_card(config, asked) for config in (short, long)))
        yield Row(
            what=f"the score card of {what}, {days:,} days of 50 groups kept: CPU",
            measured=more.said("s"),
            against=f"{less.said('s')}, {size.trended} days kept",
            figure=f"{more.over(less).said('x')}",
            goal=goal,
        )
    few, many = (_kept(folder / f"points-{points}", points, closed=False) for points in (size.journaled, size.kept))
    less, more = interleaved(3 * size.times, *(_spent("status", config) for config in (few, many)))
    yield Row(
        what=f"status, {_points(many):,} points: CPU",
        measured=more.said("s"),
        against=f"{less.said('s')}, {_points(few):,} points",
        figure=f"{more.beyond(less).said('s', signed=True)} more",
        goal="0.1 s more at most",
    )


def _kept(folder: Path, points: int, *, closed: bool) -> Path:
    """Return settings beside a journal of so many points."""
    folder.mkdir(parents=True)
    with Journal(folder / "journal.db") as journal:
        fill(journal, points)
        if closed:
            close(journal)
    config = folder / "collector.toml"
    config.write_text(_SETTINGS, encoding="utf-8")
    return config


def _trend(config: Path, days: int) -> Callable[[], float]:
    return _spent("trend", config, "--days", str(days))


def _spent(command: str, config: Path, *more: str) -> Callable[[], float]:
    """Return what returns the seconds of CPU of a command."""

    def spent() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        whole = [*COMMAND, command, "--config", str(config), *more]
        subprocess.run(whole, env=environment(), stdout=subprocess.DEVNULL, check=True, timeout=120)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return spent


def _card(config: Path, days: int | None) -> Callable[[], float]:
    """Return what returns the seconds of CPU of what the card shows."""

    def spent() -> float:
        with Journal(config.with_name("journal.db"), readonly=True) as journal:
            began = time.thread_time()
            view.view(journal, "contoso", now=int(time.time() * 1000), late_ms=_LATE, days=days)
            return time.thread_time() - began

    return spent


def _points(config: Path) -> int:
    done = subprocess.run(
        [*COMMAND, "status", "--json", "--config", str(config)],
        env=environment(),
        capture_output=True,
        check=True,
        timeout=120,
    )
    return int(json.loads(done.stdout)["journal"]["points"])
