"""What a round costs a service that has run for a while: its names are known, and the tenants' tokens are held.

By the CPU of `run`, from one quiet moment to the next: all is polled, derived from and delivered then. On a busy
machine two rounds may lie between them: it is the polls that are counted. The first round of the same process stands
beside it; there everybody signs in, and every name is new.
"""

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Spread, short
from benchmarks.size import Size
from benchmarks.table import Row
from benchmarks.watched import Watched
from benchmarks.whole_round import BESIDE, ROOT, UNDERIVED
from servers import Influxd
from system.blackbox import COMMAND, Process, Simulated, poll, settings, until, v1

_SUBJECTS = 2
_QUIET_SECONDS = 0.5
_IDLE = 0.1
"""Of a core: what housekeeping takes is less, a backlog takes all that there is."""
_PATIENCE = 10
"""Times its slot that a round may take on a busy machine before the measurement is given up."""


def measure(size: Size, folder: Path) -> Iterator[Row]:
    """Yield the row of raw points alone, and the one of what is derived of them, too."""
    home = folder / "later"
    home.mkdir()
    options = ("--tenants", str(size.tenants), "--groups", str(size.groups))
    raw_points = size.tenants * (size.groups + BESIDE)
    with Influxd(home) as server, Simulated(home / "simulated", *options) as simulated:
        for points, command, goal in (("raw points", UNDERIVED, 40), ("derived ones too", COMMAND, 60)):
            sections = (poll(size.later), v1("main", server.url, server.database()))
            config = settings(home / f"run-{goal}", simulated, *sections)
            with Process("run", "--config", config, env={"PYTHONPATH": str(ROOT)}, command=command) as service:
                running = _Running(service, size)
                first, later = running.round(), Spread(tuple(running.round() for _ in range(size.times)))
            assert all(line["ok"] for line in service.said("poll.settled")), "a poll that fails costs another sum"
            yield Row(
                what=f"later round of {size.tenants} tenants x {size.groups} groups in run: CPU, {points}",
                measured=f"{later.said('s')}, {raw_points:,} raw points",
                against=f"{short(first)} s, its start and first round: {short(first / raw_points * 1e6)} µs",
                figure=f"{later.times(1e6 / raw_points).said('µs')} a raw point",
                goal=f"{goal} µs at most",
            )


class _Running:
    """A service whose rounds are counted by the polls that it says to be settled."""

    def __init__(self, service: Process, size: Size) -> None:
        self._watched = Watched(service)
        self._polls = _SUBJECTS * size.tenants
        self._seconds = _PATIENCE * size.later + 60
        self._settled = 0
        self._spent = 0.0

    def round(self) -> float:
        """Return the seconds of CPU that a round took since the last quiet moment, at the next one."""
        due = self._settled + self._polls
        until(lambda: self._watched.settled() >= due, self._seconds, f"{due} polls")
        until(self._idle, self._seconds, "all of it derived from and delivered")
        before, self._spent = self._spent, self._watched.cpu()
        settled = self._watched.settled()
        polls, self._settled = settled - self._settled, settled
        return (self._spent - before) * self._polls / polls

    def _idle(self) -> bool:
        before = self._watched.cpu()
        time.sleep(_QUIET_SECONDS)
        return self._watched.cpu() - before < _IDLE * _QUIET_SECONDS
