"""A whole round: every tenant polled and delivered, held against a client that only asks and keeps nothing.

Raw points alone, as the bare client has nothing to derive from; and once more with what is derived of them.
"""

import json
import resource
import ssl
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from benchmarks.figures import Spread, interleaved, short
from benchmarks.size import Size
from benchmarks.table import Row
from servers import Influxd
from system.blackbox import COMMAND, Simulated, environment, settings, v1, well

ROOT = Path(__file__).parents[2]
UNDERIVED = (sys.executable, "-m", "tests.benchmarks.underived")
_POLLS = 32
_SIGN_INS = 64
"""Exchanges at once, as the service has them unless the settings say otherwise."""
BESIDE = 3
"""Points of a tenant's round beside its groups': the organization's, and one for each of the two polls."""
_MOST_TIMES = 3
"""Repetitions: one of the whole size takes a minute and more."""
_SECONDS = 900
_PATHS = ("/api/exposureScore", "/api/exposureScore/ByMachineGroups")


def measure(size: Size, folder: Path) -> Iterator[Row]:
    """Yield the row of the round's time, and those of the collector's CPU for it."""
    home = folder / "round"
    home.mkdir()
    options = ("--tenants", str(size.tenants), "--groups", str(size.groups), "--latency", str(size.latency))
    with Influxd(home) as server, Simulated(home / "simulated", *options) as simulated:
        raw, derived = (_Collecting(server, simulated, home, command) for command in (UNDERIVED, COMMAND))
        bare = _Bare(simulated)
        bare.round()  # so that what is measured finds the day's scores computed
        bare.cpu.clear()
        asked, took, alone, _, alone_derived = interleaved(
            min(size.times, _MOST_TIMES), bare.round, raw.round, raw.one_tenant, derived.round, derived.one_tenant
        )
    what = f"round of {size.tenants} tenants x {size.groups} groups, answers in {size.latency * 1000:.0f} ms"
    yield Row(
        what=f"{what}: first request to last point in InfluxDB",
        measured=f"{took.said('s')}, {raw.points:,} points",
        against=f"{asked.said('s')}, bare httpx, as many threads",
        figure=took.over(asked).said("x"),
        goal="1.25 x at most",
    )
    a_tenant = size.groups + BESIDE
    spent = Spread(tuple(bare.cpu))
    yield Row(
        what=f"{what}: CPU of bare httpx",
        measured=f"{spent.said('s')}",
        against=f"{3 * size.tenants + 1:,} exchanges, nothing kept of them",
        figure=f"{spent.times(1e6 / (size.tenants * a_tenant)).said('µs')} a raw point",
    )
    for points, collecting, one, goal in (
        ("raw points", raw, alone, 40),
        ("derived ones too", derived, alone_derived, 60),
    ):
        spent = Spread(tuple(collecting.cpu))
        yield Row(
            what=f"{what}: CPU of once, {points}",
            measured=f"{spent.said('s')}, {short(spent.median / (size.tenants * a_tenant) * 1e6)} µs a raw point",
            against=f"{one.said('s')}, once of one tenant",
            figure=f"{spent.beyond(one).times(1e6 / ((size.tenants - 1) * a_tenant)).said('µs')} a raw point more",
            goal=f"{goal} µs at most",
        )


class _Collecting:
    """`once`, by a command line, into a new journal and a new database each time."""

    def __init__(self, server: Influxd, simulated: Simulated, folder: Path, command: Sequence[str]) -> None:
        self._server = server
        self._simulated = simulated
        self._folder = folder
        self._command = command
        self._number = count()
        self.points = 0
        self.cpu: list[float] = []

    def round(self) -> float:
        """Return the seconds from the first request to the last point in InfluxDB; add those of CPU to `cpu`."""
        began = time.time()
        document, delivered, spent = self._once()
        self.points = sum(sink["points"] for sink in document["sinks"])
        self.cpu.append(spent)
        return delivered - _first_request(self._simulated, began)

    def one_tenant(self) -> float:
        """Return the seconds of CPU of the same command for one tenant alone."""
        return self._once("--tenant", self._simulated.tenants[0])[2]

    def _once(self, *options: str) -> tuple[Mapping[str, Any], float, float]:
        """Return what `once` said, the moment of its last delivery (seconds since the epoch), and its CPU seconds."""
        database = self._server.database()
        home = self._folder / f"once-{len(self._command[-1])}-{next(self._number)}"
        config = settings(home, self._simulated, v1("main", self._server.url, database))
        before = _children()
        done = subprocess.run(
            [*self._command, "once", "--config", str(config), "--json", *options],
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        spent = _children() - before
        said = json.loads(well(done))
        self._server.query(f'DROP DATABASE "{database}"')
        lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
        moments = [line["time"] for line in lines if line["event"] == "points.delivered"]
        return said, datetime.fromisoformat(max(moments)).timestamp(), spent


class _Bare:
    """The same requests on as many threads, by httpx alone: answers are read and thrown away.

    Of the login it asks one tenant's discovery, as the collector does but for those that sign in at the same moment.
    """

    def __init__(self, simulated: Simulated) -> None:
        self._simulated = simulated
        self._tenants = list(tomllib.loads(simulated.settings)["tenants"].values())
        self._secret = (simulated.folder / "simulator.secret").read_text(encoding="utf-8")
        self._context = ssl.create_default_context(cafile=simulated.folder / "ca.pem")
        self.cpu: list[float] = []

    def round(self) -> float:
        """Return the seconds from the first request to the last answer; add those of CPU to `cpu`."""
        began, before = time.time(), time.process_time()
        most = httpx.Limits(max_connections=2 * _SIGN_INS, max_keepalive_connections=2 * _SIGN_INS)
        with (
            httpx.Client(
                base_url=self._simulated.url, verify=self._context, trust_env=False, limits=most, timeout=30
            ) as client,
            ThreadPoolExecutor(_SIGN_INS) as sign_ins,
            ThreadPoolExecutor(_POLLS) as polls,
        ):

            def start(tenant: Mapping[str, Any]) -> Sequence[Future[None]]:
                token = self._sign_in(client, tenant)
                return [polls.submit(_ask, client, path, token) for path in _PATHS]

            for started in [sign_ins.submit(start, tenant) for tenant in self._tenants]:
                for poll in started.result():
                    poll.result()
            ended = time.time()
        self.cpu.append(time.process_time() - before)
        return ended - _first_request(self._simulated, began)

    def _sign_in(self, client: httpx.Client, tenant: Mapping[str, Any]) -> str:
        login = f"/{tenant['tenant_id']}"
        if tenant is self._tenants[0]:
            client.get(f"{login}/v2.0/.well-known/openid-configuration").raise_for_status()
        form = {
            "grant_type": "client_credentials",
            "client_id": tenant["client_id"],
            "client_secret": self._secret,
            "scope": tenant["scope"],
        }
        return str(client.post(f"{login}/oauth2/v2.0/token", data=form).raise_for_status().json()["access_token"])


def _ask(client: httpx.Client, path: str, token: str) -> None:
    client.get(path, headers={"Authorization": f"Bearer {token}"}).raise_for_status()


def _first_request(simulated: Simulated, since: float) -> float:
    """Return when the first request came after a moment, by the simulator's record; both in seconds since the epoch."""
    times = [int(request["time"]) for request in simulated.requests()]
    return min(time for time in times if time >= int(since * 1000)) / 1000


def _children() -> float:
    """Return the seconds of CPU of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
