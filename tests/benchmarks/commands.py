"""What a person waits for: a command and a page that answer at once, and a service that has its first point safe."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from pathlib import Path

import httpx
from benchmarks.figures import Spread, interleaved, short
from benchmarks.polls import A_SLOT, fill
from benchmarks.size import Size
from benchmarks.table import Row
from system.blackbox import COMMAND, Process, Simulated, environment, settings, until, v1
from views import Kept

from collector.journal import Journal
from collector.web import Web

_LATENCY = 0.2
_EXCHANGES = 3
"""Before the first point: where the sign-in is, the sign-in, and the poll."""


def measure(size: Size, folder: Path) -> Iterator[Row]:
    """Yield the rows of `--help`, `status`, `trend`, the score card and the start of `run`."""
    home = folder / "commands"
    with Simulated(home, "--latency", str(_LATENCY)) as simulated:
        yield from _answering(size, simulated, home / "status")
        yield _trending(size, simulated, home / "trend")
        yield _showing(size, home / "trend" / "journal.db")
        yield _starting(size, simulated, home)


def _answering(size: Size, simulated: Simulated, folder: Path) -> Iterator[Row]:
    config = settings(folder, simulated, v1("main", "http://127.0.0.1:9", "exposure"))
    with Journal(folder / "journal.db") as journal:
        points = fill(journal, size.journaled)
    bare = [sys.executable, "-c", "pass"]
    for_help = [*COMMAND, "--help"]
    for_status = [*COMMAND, "status", "--config", str(config)]
    for command in (bare, for_help, for_status):
        _wall(command)  # so that what is measured finds the files in memory
    nothing, helping, status = interleaved(
        3 * size.times, lambda: _wall(bare), lambda: _wall(for_help), lambda: _wall(for_status)
    )
    against = f"{nothing.said('s')}, python -c pass"
    yield Row(
        what="exposure-collector --help",
        measured=helping.said("s"),
        against=against,
        figure=f"{short(helping.median)} s",
        goal="0.25 s at most",
    )
    yield Row(
        what=f"exposure-collector status, {points:,} points",
        measured=status.said("s"),
        against=against,
        figure=f"{status.beyond(nothing).said('s', signed=True)} more",
        goal="0.4 s more at most",
    )


def _trending(size: Size, simulated: Simulated, folder: Path) -> Row:
    config = settings(folder, simulated)
    with Journal(folder / "journal.db") as journal:
        points = fill(journal, size.trended * 24 * A_SLOT)
    for_help = [*COMMAND, "--help"]
    for_trend = [*COMMAND, "trend", "--config", str(config)]
    for command in (for_help, for_trend):
        _wall(command)
    helping, trend = interleaved(3 * size.times, lambda: _wall(for_help), lambda: _wall(for_trend))
    return Row(
        what=f"exposure-collector trend, {size.trended} days of 50 groups, {points:,} points",
        measured=trend.said("s"),
        against=f"{helping.said('s')}, exposure-collector --help",
        figure=f"{trend.beyond(helping).said('s', signed=True)} more",
        goal="0.3 s more at most",
    )


def _showing(size: Size, path: Path) -> Row:
    with Journal(path, readonly=True) as journal:
        web = Web("127.0.0.1", 0, (), Kept(journal, now=int(time.time() * 1000)))
        web.start()
        with httpx.Client(base_url=web.url, trust_env=False, timeout=60) as client:
            for page in ("/", "/livez"):
                client.get(page).raise_for_status()
            alive, card = interleaved(3 * size.times, lambda: _got(client, "/livez"), lambda: _got(client, "/"))
            weight = len(client.get("/").content)
        web.stop()
    return Row(
        what=f"the score card, {size.trended} days of 50 groups",
        measured=card.said("s"),
        against=f"{alive.said('s')}, GET /livez; the page has {weight / 1000:.0f} kB",
        figure=f"{card.beyond(alive).said('s', signed=True)} more",
        goal="0.3 s more at most",
    )


def _got(client: httpx.Client, page: str) -> float:
    began = time.perf_counter()
    client.get(page)
    return time.perf_counter() - began


def _wall(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, env=environment(), stdout=subprocess.DEVNULL, check=True, timeout=60)
    return time.perf_counter() - began


def _starting(size: Size, simulated: Simulated, folder: Path) -> Row:
    number = count()
    (starting,) = interleaved(size.times, lambda: _first_safe(simulated, folder / f"run-{next(number)}"))
    latency = Spread((_LATENCY,) * len(starting.values))
    return Row(
        what=f"start of run to the first point safe, {_EXCHANGES} exchanges",
        measured=starting.said("s"),
        against=f"{_LATENCY} s, the latency of one exchange",
        figure=f"{starting.beyond(latency).said('s', signed=True)} more",
        goal="1.0 s more at most",
    )


def _first_safe(simulated: Simulated, folder: Path) -> float:
    """Return the seconds from the start of the process to the log line of the first poll whose points are safe."""
    config = settings(folder, simulated)
    began = time.time()
    with Process("run", "--config", config) as process:
        settled = until(lambda: process.said("poll.settled"), what="a poll that is settled")[0]
    if not (settled["ok"] and settled["safe"]):
        raise RuntimeError(f"the first poll failed: {settled}")
    return datetime.fromisoformat(settled["time"]).timestamp() - began
