"""What one process of `run` holds: two slots of so many tenants, each a file, with all that they take of the machine.

The first is that of a start: everybody signs in, and of no score is known where it stands.
A simulator and an InfluxDB are on the same machine. So how many tenants a second is what all three manage; what the
collector itself takes is its CPU, as the system counts it.
"""

import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
from benchmarks.figures import short
from benchmarks.size import Size
from benchmarks.table import Row
from benchmarks.watched import Watched
from servers import Influxd, free_ports
from system.blackbox import COMMAND, Process, Simulated, document, environment, poll, until, v1

from collector.settings import load

_SUBJECTS = 2
_CHANGED = 10
"""Customers whose files are taken away before a reload, at the most."""
_QUIET_SECONDS = 2.0
_START_SECONDS = 120
_MIB = 1 << 20
_BACKLOG = re.compile(r"collector_(?:sink|derive)_backlog_points\b")


def measure(size: Size, folder: Path) -> Iterator[Row]:
    """Yield the rows of each number of tenants, one after the other."""
    home = folder / "capacity"
    home.mkdir()
    for tenants, interval in size.capacity:
        here = home / str(tenants)
        here.mkdir()
        options = ("--tenants", str(tenants), "--groups", str(size.capacity_groups))
        with Influxd(here) as server, Simulated(here / "simulated", *options) as simulated:
            provider = _Provider(here, simulated, server, interval)
            yield from provider.rows(f"{tenants:,} tenants x {size.capacity_groups} groups")


class _Provider:
    """A provider's settings, each customer a file that names its tenant and nothing else."""

    def __init__(self, folder: Path, simulated: Simulated, server: Influxd, interval: int) -> None:
        self._server = server
        self._database = server.database()
        (self._port,) = free_ports(1)
        self._interval = _begun(int(time.time()), interval)
        self._tenants = len(simulated.tenants)
        self._journal = folder / "journal.db"
        self._config = folder / "provider.toml"
        first = simulated.settings.split("\n[tenants.", 2)[1].splitlines()[1:]
        sections = (
            'tenants_dir = "customers"\n[tenant_defaults]',
            *(line for line in first if not line.startswith("tenant_id")),
            f'[journal]\npath = "{self._journal}"\n[web]\nlisten = "127.0.0.1:{self._port}"',
            poll(self._interval),
            v1("main", server.url, self._database),
        )
        self._config.write_text("\n".join(sections), encoding="utf-8")
        customers = folder / "customers"
        customers.mkdir()
        self._files = [customers / f"{name}.toml" for name in simulated.tenants]
        for file, tenant in zip(self._files, simulated.all.values(), strict=True):
            file.write_text(f'tenant_id = "{tenant["tenant_id"]}"\n', encoding="utf-8")

    def rows(self, what: str) -> Iterator[Row]:
        """Yield what a start, a slot, and the commands and reloads after it cost."""
        yield self._loading(what)
        began = time.time()
        with Process("run", "--config", self._config) as service:
            until(lambda: service.said("service.started"), _START_SECONDS, "the service")
            watched = Watched(service)
            ready, before = time.time(), watched.cpu()
            yield Row(
                what=f"{what}: start of run, until it polls",
                measured=f"{short(ready - began)} s",
                against=f"{short(watched.resident())} MiB then",
                figure=f"{short(before)} s of CPU",
            )
            for nth, since in (("first", began), ("second", None)):
                yield from self._slot(f"{what}: {nth} slot", watched, since)
            yield Row(
                what=f"{what}: resident memory after them",
                measured=f"{short(watched.resident())} MiB",
                against=f"{short(watched.resident('VmHWM'))} MiB at the most",
                figure=f"{short(watched.resident())} MiB",
            )
            yield Row(
                what=f"{what}: open files at the most",
                measured=f"{watched.files} open files",
                against=f"{watched.threads} threads",
                figure=f"{watched.files} open files",
            )
            yield self._scrape(what, watched)
            yield from self._status(what)
            yield self._reload(what, watched)
            yield self._series(what)

    def _loading(self, what: str) -> Row:
        began = time.process_time()
        loaded = len(load(self._config, {}).tenants)
        spent = time.process_time() - began
        return Row(
            what=f"{what}: settings, a file each: CPU",
            measured=f"{short(spent)} s",
            against=f"{loaded:,} tenants",
            figure=f"{short(spent)} s",
        )

    def _slot(self, what: str, watched: Watched, since: float | None) -> Iterator[Row]:
        """Yield the rows of a whole slot, counted from a moment, else from its beginning; all at work or not."""
        slot = time.time() // self._interval * self._interval if since else self._next()
        before, said = watched.cpu(), len(watched.service.said("poll.settled"))
        self._wait(watched, said, slot + self._interval - 2 * _QUIET_SECONDS)
        spent, settled = watched.cpu() - before, watched.service.said("poll.settled")[said:]
        points = sum(line["points"] for line in settled) + len(settled)
        moments = [datetime.fromisoformat(line["time"]).timestamp() - (since or slot) for line in settled]
        failed = sum(not line["ok"] for line in settled)
        yield Row(
            what=f"{what}, to the last of {_SUBJECTS * self._tenants:,} polls",
            measured=f"{short(max(moments))} s, {len(settled):,} settled, {failed:,} failed",
            against=f"{short(min(moments))} s to the first, slot of {self._interval} s",
            figure=f"{short(self._tenants / max(moments))} tenants a second",
        )
        yield Row(
            what=f"{what}: CPU, all of it derived from and delivered",
            measured=f"{short(spent)} s",
            against=f"{points:,} raw points",
            figure=f"{short(spent / self._tenants * 1000)} ms a tenant, {short(spent / points * 1e6)} µs a raw point",
        )

    def _next(self) -> float:
        """Return when the next slot begins, once it is about to."""
        slot = (time.time() // self._interval + 1) * self._interval
        time.sleep(max(0.0, slot - time.time() - _QUIET_SECONDS / 2))
        return slot

    def _wait(self, watched: Watched, before: int, end: float) -> None:
        """Return once all polls more are settled, derived from and delivered, or at `end`."""
        while time.time() < end and watched.settled() < before + _SUBJECTS * self._tenants:
            watched.look()
            time.sleep(0.5)
        while time.time() < end:
            idle = watched.cpu()
            time.sleep(_QUIET_SECONDS)
            # Its housekeeping goes on; a backlog takes a whole core, where it gets one. A scrape costs some of it.
            if watched.cpu() - idle < _QUIET_SECONDS / 10 and not _waiting(self._metrics()):
                break

    def _metrics(self) -> str:
        with httpx.Client(trust_env=False, timeout=120) as client:
            return client.get(f"http://127.0.0.1:{self._port}/metrics").raise_for_status().text

    def _scrape(self, what: str, watched: Watched) -> Row:
        before, began = watched.cpu(), time.monotonic()
        text = self._metrics()
        took, spent = time.monotonic() - began, watched.cpu() - before
        return Row(
            what=f"{what}: a scrape",
            measured=f"{short(took)} s, {short(spent)} s of CPU",
            against=f"{short(len(text.encode()) / _MIB)} MiB, {text.count('_by_group{'):,} groups shown",
            figure=f"{short(took)} s; {_waiting(text):,.0f} points wait",
        )

    def _status(self, what: str) -> Iterator[Row]:
        (took, spent, done), (bare, _, _) = (
            _timed(*COMMAND, "status", "--json", "--config", str(self._config)),
            _timed(sys.executable, "-c", "pass"),
        )
        yield Row(
            what=f"{what}: status",
            measured=f"{short(took)} s, {short(spent)} s of CPU",
            against=f"{short(bare)} s, python -c pass",
            figure=f"{short(took)} s",
        )
        journal = document(done)["journal"]
        yield Row(
            what=f"{what}: the journal after it",
            measured=f"{short(journal['bytes'] / _MIB)} MiB",
            against=f"{journal['points']:,} points",
            figure=f"{short(journal['bytes'] / journal['points'])} bytes a point",
        )

    def _reload(self, what: str, watched: Watched) -> Row:
        """Take some customers away, and return what the reload costs."""
        for file in self._files[1 : 1 + _CHANGED]:
            file.unlink()
        before, began = watched.cpu(), time.monotonic()
        watched.service.send(signal.SIGHUP)
        until(lambda: watched.service.said("settings.reloaded"), _START_SECONDS, "the reload")
        took, spent = time.monotonic() - began, watched.cpu() - before
        return Row(
            what=f"{what}: a reload",
            measured=f"{short(took)} s, {short(spent)} s of CPU",
            against=f"{min(_CHANGED, self._tenants - 1)} tenants fewer",
            figure=f"{short(took)} s",
        )

    def _series(self, what: str) -> Row:
        counted = self._server.query("SHOW SERIES EXACT CARDINALITY", self._database)
        series = sum(row["count"] for row in counted)
        heap = self._server.client.get("/debug/vars").json()["memstats"]["HeapInuse"]
        return Row(
            what=f"{what}: series in InfluxDB",
            measured=f"{series:,} series",
            against=f"{short(heap / _MIB)} MiB of its heap",
            figure=f"{short(series / self._tenants)} series a tenant",
        )


def _waiting(metrics: str) -> float:
    """Return how many points wait to be derived from, or to be delivered."""
    return sum(float(line.split()[-1]) for line in metrics.splitlines() if _BACKLOG.match(line))


def _begun(now: int, least: int) -> int:
    """Return the interval, a little longer than `least` at the most, of which a slot has begun last."""
    return min(range(least, least + least // 4), key=lambda interval: now % interval)


def _timed(*command: str) -> tuple[float, float, subprocess.CompletedProcess[str]]:
    """Return the seconds that a command takes, those of CPU, and what it printed."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        command, env=environment(), capture_output=True, text=True, timeout=_START_SECONDS, check=True
    )
    took, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done
