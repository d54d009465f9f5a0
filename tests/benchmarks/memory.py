"""What `run` holds of memory after many rounds, all of them polled, derived from and delivered, and `/metrics` scraped.

By the process as the system counts it: VmRSS, without what the simulator and InfluxDB hold.
"""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
from benchmarks.figures import short
from benchmarks.size import Size
from benchmarks.table import Row
from benchmarks.watched import Watched
from servers import Influxd, free_ports
from system.blackbox import Process, Simulated, poll, settings, v1

_GOALS = (90, 250)
"""MiB, of one tenant and of many."""
_PATIENCE = 10
"""Times its interval that a round may take on a busy machine before the measurement is given up."""


def measure(size: Size, folder: Path) -> Iterator[Row]:
    """Yield the rows of one tenant and many rounds, and of many tenants and some rounds."""
    home = folder / "memory"
    home.mkdir()
    with Influxd(home) as server:
        for n, (tenants, groups, rounds, interval) in enumerate(size.resident):
            options = ("--tenants", str(tenants), "--groups", str(groups))
            with Simulated(home / f"simulated-{n}", *options) as simulated:
                (port,) = free_ports(1)
                sections = (
                    poll(interval),
                    f'[web]\nlisten = "127.0.0.1:{port}"\n',
                    v1("main", server.url, server.database()),
                )
                config = settings(home / f"run-{n}", simulated, *sections)
                with Process("run", "--config", config) as service:
                    one, every = (_after(service, port, tenants, some, interval) for some in (1, rounds))
            yield Row(
                what=f"resident memory of run, {tenants:,} x {groups:,} groups, after {rounds:,} rounds",
                measured=f"{short(every)} MiB",
                against=f"{short(one)} MiB after the first round",
                figure=f"{short(every)} MiB",
                goal=f"{_GOALS[n]} MiB at most",
            )


def _after(service: Process, port: int, tenants: int, rounds: int, interval: int) -> float:
    """Return the MiB that are resident once so many rounds were polled, derived from and delivered."""
    until = time.monotonic() + _PATIENCE * rounds * interval + 60
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
        while time.monotonic() < until:
            time.sleep(min(2.0, interval / 2))
            try:
                metrics = client.get("/metrics").text
            except httpx.ConnectError:
                continue  # it has yet to begin
            polled = re.findall(
                r'^collector_polls_total\{outcome="ok",subject="device_groups".*\} (\S+)$', metrics, re.MULTILINE
            )
            waiting = re.findall(r"^collector_(?:sink|derive)_backlog_points\S* (\S+)$", metrics, re.MULTILINE)
            if sum(map(float, polled)) >= rounds * tenants and not any(map(float, waiting)):
                return Watched(service).resident()
    raise TimeoutError(f"{rounds} rounds of {tenants} tenants")
