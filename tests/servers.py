"""Real servers for the tests, on loopback, each in a folder of its own. Is not a fake: what they answer is the fact."""

import contextlib
import json
import os
import socket
import subprocess
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
from leaks import know

INFLUXD = "/usr/bin/influxd"
VICTORIA = "/usr/bin/victoria-metrics"
NOT_TESTED = "NOT TESTED"
ADMIN = ("admin", know("the password of the administrator"))

_INFLUXD_SETTINGS = """
reporting-disabled = true
bind-address = "127.0.0.1:{inner}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
query-log-enabled = false
{limits}
[monitor]
store-enabled = false
[retention]
enabled = false
[subscriber]
enabled = false
[continuous_queries]
enabled = false
[http]
bind-address = "127.0.0.1:{port}"
auth-enabled = {auth}
log-enabled = false
"""


def need(program: str) -> None:
    """Skip what needs a program that isn't there, and say so loudly at the end; fail it where CI is set."""
    if Path(program).exists():
        return
    if os.environ.get("CI"):
        pytest.fail(f"{program} is missing: CI tests against the real server")
    pytest.skip(f"{NOT_TESTED} for want of {program}")


class Server:
    """A server's process. It answers once `start` has returned; `stop` and `start` keep its port and its data."""

    def __init__(self, command: list[str], port: int, folder: Path, health: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._command = command
        self._folder = folder
        self._health = health
        self._process: subprocess.Popen[bytes] | None = None
        self.client = httpx.Client(base_url=self.url, trust_env=False, timeout=20)

    def start(self) -> None:
        """Start the process and wait until it answers; fail with the end of its log when it ends or takes 30 s."""
        log = self._folder / "server.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(self._command, stdout=output, stderr=output)
        end = time.monotonic() + 30
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise AssertionError(f"{self._command[0]} does not answer:\n{log.read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End the process, if it runs, and wait for its end."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """End the process as a crash does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.client.close()

    def _answers(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return self.client.get(self._health).is_success
        return False


class Influxd(Server):
    """InfluxDB 1.x. With `auth` it wants to know who asks; `query` and `write` then ask as `ADMIN`.

    `limits`: lines of its own settings that say how much it takes.
    """

    def __init__(self, folder: Path, *, auth: bool = False, limits: str = "") -> None:
        port, inner = free_ports(2)
        settings = folder / "influxdb.conf"
        settings.write_text(
            _INFLUXD_SETTINGS.format(port=port, inner=inner, folder=folder, auth=str(auth).lower(), limits=limits),
            encoding="utf-8",
        )
        super().__init__([INFLUXD, "-config", str(settings)], port, folder, "/ping")
        if auth:
            self.client.auth = httpx.BasicAuth(*ADMIN)

    def start(self) -> None:
        """Start as every server does; with `auth` there is an administrator afterwards."""
        super().start()
        if self.client.auth:
            self.query("CREATE USER {} WITH PASSWORD '{}' WITH ALL PRIVILEGES".format(*ADMIN))

    def query(self, q: str, db: str = "") -> list[dict[str, Any]]:
        """Return the rows of an InfluxQL query, tags among their columns; times are milliseconds."""
        answer = self.client.post("/query", data={"q": q, "db": db, "epoch": "ms"})
        results = answer.json().get("results", [answer.json()])
        assert not any("error" in result for result in results), answer.text
        return [
            {**series.get("tags", {}), **dict(zip(series["columns"], row, strict=True))}
            for result in results
            for series in result.get("series", ())
            for row in series.get("values", ())
        ]

    def points(self, measurement: str, db: str, **tags: str) -> list[dict[str, Any]]:
        """Return all rows of a measurement in order of time, or those with these tags."""
        named = " AND ".join(f"\"{key}\" = '{value}'" for key, value in tags.items())
        where = f" WHERE {named}" if named else ""
        return self.query(f'SELECT * FROM "{measurement}"{where}', db)  # noqa: S608 - the tests' own names

    def write(self, lines: str, db: str, precision: str = "ms") -> None:
        """Store lines of line protocol."""
        query = {"db": db, "precision": precision}
        answer = self.client.post("/write", params=query, content=lines.encode())
        assert answer.status_code == 204, answer.text

    def database(self) -> str:
        """Return the name of a new database."""
        name = f"db_{uuid.uuid4().hex[:12]}"
        self.query(f'CREATE DATABASE "{name}"')
        return name


class Victoria(Server):
    """VictoriaMetrics, a single node. It knows series and values; a series is named `measurement_field`."""

    def __init__(self, folder: Path) -> None:
        (port,) = free_ports(1)
        flags = {
            "httpListenAddr": f"127.0.0.1:{port}",
            "storageDataPath": str(folder / "data"),
            "retentionPeriod": "100y",
            "memory.allowedBytes": "64MB",
            "loggerLevel": "WARN",
        }
        command = [VICTORIA, *(f"-{flag}={value}" for flag, value in flags.items())]
        super().__init__(command, port, folder, "/health")

    def query(self, q: str, db: str = "") -> list[dict[str, Any]]:
        """Return the samples of the series that the selector `q` names: labels, `value`, and `time` in milliseconds."""
        assert not db, "VictoriaMetrics has no databases"
        self.client.get("/internal/force_flush").raise_for_status()
        answer = self.client.get("/api/v1/export", params={"match[]": q}).raise_for_status()
        # A line of it ends with \n alone: a name may hold what Unicode takes for the end of one.
        return [row for line in answer.text.split("\n") if line for row in _samples(json.loads(line))]

    def write(self, lines: str, db: str = "", precision: str = "ms") -> None:
        """Store lines of line protocol."""
        query = {"db": db, "precision": precision}
        answer = self.client.post("/write", params=query, content=lines.encode())
        assert answer.status_code == 204, answer.text


def _samples(series: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {**series["metric"], "time": time, "value": value}
        for time, value in zip(series["timestamps"], series["values"], strict=True)
    ]


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that were free a moment ago."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
