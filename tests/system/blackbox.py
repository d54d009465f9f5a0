"""The collector from outside: its command line, its pages, its simulator. Never imports collector.

What a test file calls in one way for the first time is started as an owner starts it; what it calls as it did before,
and the simulator, from a process that has the libraries loaded.
"""

import json
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx
from leaks import know_files, know_settings, want_none
from system import warm

COMMAND = [sys.executable, "-m", "collector"]
_OURS = re.compile(r"COLLECTOR_|AZURE_|INFLUXDB_|((HTTPS?|ALL|NO)_PROXY|COLUMNS)$", re.IGNORECASE)
_REACHING = re.compile(r"PYTHON|LANG|LC_|TZ$")
"""What Python itself reads when it starts."""

_MEASURED = {"run", "once"}
"""Of the commands that are told to end: the others are interrupted wherever they are, also inside of what measures the
coverage, which then waits for its own lock for ever."""
_TELLING = {"check"}
"""Commands that find what they find by what they look at, however they are called: each call is measured."""
_ways: set[tuple[str, ...]] = set()
"""In which ways the test files have called commands so far."""


def environment(extra: Mapping[str, str] | None = None, *, measured: bool = True) -> dict[str, str]:
    """Return this process's environment without what would reach into settings and width, and with `extra`.

    `measured`: whether what such a process reaches counts for the coverage.
    """
    kept = {key: value for key, value in os.environ.items() if not _OURS.match(key)}
    if not measured:
        kept = {key: value for key, value in kept.items() if not key.startswith("COV")}
    return {**kept, "NO_PROXY": "localhost,127.0.0.1", **(extra or {})}


def collector(
    *arguments: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end; fail where it says a secret."""
    words = [*map(str, arguments)]
    new = _new(words) or any(map(_REACHING.match, env or ()))
    measured = new or not _TELLING.isdisjoint(words[:1])
    if new:
        done = subprocess.run(
            [*COMMAND, *words],
            env=environment(env, measured=measured),
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    else:
        done = warm.run(words, environment(env, measured=measured), cwd, timeout)
    want_none(f"`{arguments[0] if arguments else ''}`", done.stdout + done.stderr)
    return done


def _new(words: Sequence[str]) -> bool:
    """Whether this test file calls the command in this way for the first time: by the same options, whatever follows.

    Every command's help is one way, and `rejected` is two commands. What is no test measures, and starts all as an
    owner does.

    What measures the coverage doubles what a command costs, and the suite calls hundreds.
    """
    test = os.environ.get("PYTEST_CURRENT_TEST", "").partition("::")[0]
    if not test:
        return True
    command = [] if "--help" in words else words[: 2 if words[:1] == ["rejected"] else 1]
    way = (test, *command, *sorted(word for word in words if word.startswith("-")))
    new = way not in _ways
    _ways.add(way)
    return new


def well(done: subprocess.CompletedProcess[str]) -> str:
    """Return what a command printed; fail with its stderr unless it ended with 0."""
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def until(true: Callable[[], Any], seconds: float = 20, what: str = "") -> Any:
    """Return the first true result; fail when none comes in time."""
    end = time.monotonic() + seconds
    while not (result := true()):
        assert time.monotonic() < end, f"not within {seconds} s: {what or true}"
        time.sleep(0.05)
    return result


def _started(
    command: Sequence[str] | None, words: Sequence[str], env: Mapping[str, str]
) -> "subprocess.Popen[str] | warm.Warm":
    """Return a process of the command, of the collector from the libraries that are loaded where there is none."""
    if command is None:
        return warm.Warm(words, env)
    return subprocess.Popen([*command, *words], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class Process:
    """A command that runs until it is told to end. What it writes is read as it comes."""

    _earnest = True
    """Whether the first of its way in a test file is started as an owner starts it."""

    def __init__(
        self, *arguments: str | Path, env: Mapping[str, str] | None = None, command: Sequence[str] | None = None
    ) -> None:
        words = [*map(str, arguments)]
        if command is None and self._earnest and (_new(words) or any(map(_REACHING.match, env or ()))):
            command = COMMAND
        self._process = _started(command, words, environment(env, measured=words[0] in _MEASURED))
        self.out: list[str] = []
        self.err: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=(stream, kept), daemon=True)
            for stream, kept in ((self._process.stdout, self.out), (self._process.stderr, self.err))
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def said(self, event: str) -> list[dict[str, Any]]:
        """Return the log lines of an event."""
        lines = [json.loads(line) for line in self.err if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def send(self, number: signal.Signals) -> None:
        """Send a signal, and go on."""
        self._process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM, timeout: float = 15) -> int:
        """Send a signal and return the exit code; fail where it has said a secret."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        for reader in self._readers:
            reader.join(5)
        want_none("what it said", "".join(self.out + self.err))
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @staticmethod
    def _read(stream: Any, kept: list[str]) -> None:
        with stream:
            kept.extend(stream)


class Simulated(Process):
    """`simulate` in another process, steered over HTTP."""

    _earnest = False

    def __init__(self, folder: Path, *options: str) -> None:
        super().__init__("simulate", "--folder", folder, *options)
        self.folder = folder
        until(lambda: any("serving on" in line for line in self.err) or self.exit_code is not None, what="simulate")
        assert self.exit_code is None, "".join(self.err)
        know_files(folder)
        self.settings = (folder / "collector.toml").read_text(encoding="utf-8")
        until(lambda: "".join(self.out) == self.settings, what="the settings that `simulate` prints")
        tenants = tomllib.loads(self.settings)["tenants"]
        self.tenants: list[str] = list(tenants)
        self.all: dict[str, dict[str, Any]] = tenants
        self.tenant: dict[str, Any] = tenants[self.tenants[0]]
        self.url: str = self.tenant["api_url"]
        self._client = self.client()

    def client(self) -> httpx.Client:
        """Return a client that trusts it; whoever asked for it closes it."""
        trusted = ssl.create_default_context(cafile=self.folder / "ca.pem")
        return httpx.Client(base_url=self.url, verify=trusted, trust_env=False)

    def fault(self, fault: str, **parameters: object) -> None:
        """Set a fault."""
        self._client.put("/simulator/faults", json={"fault": fault, **parameters}).raise_for_status()

    def heal(self) -> None:
        """Take back every fault."""
        self._client.delete("/simulator/faults").raise_for_status()

    def requests(self, **which: str) -> list[dict[str, Any]]:
        """Return the requests that came, of a tenant and subject."""
        found: list[dict[str, Any]] = self._client.get("/simulator/requests", params=which).json()["requests"]
        return found

    def world(self, tenant: str | None = None) -> dict[str, Any]:
        """Return what the API answers now."""
        answer: dict[str, Any] = self._client.get(
            "/simulator/world", params={"tenant": tenant or self.tenants[0]}
        ).json()
        return answer

    def __exit__(self, *_: object) -> None:
        self._client.close()
        super().__exit__()


def settings(folder: Path, simulated: Simulated, *sections: str, name: str = "collector.toml") -> Path:
    """Write settings for the simulated tenants, with further sections, and return their path."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    web = "" if any("[web]" in section for section in sections) else '[web]\nlisten = ""\n'
    text = "\n".join([simulated.settings, web, *sections])
    know_settings(text)
    path.write_text(text, encoding="utf-8")
    return path


def v1(name: str, url: str, database: str, more: str = "") -> str:
    """Return the settings of a sink that is an InfluxDB 1.x."""
    return f'[influxdb.{name}]\napi = "v1"\nurl = "{url}"\ndatabase = "{database}"\n{more}\n'


def poll(interval_seconds: int, more: str = "") -> str:
    """Return settings for polling."""
    return f"[poll]\ninterval_seconds = {interval_seconds}\n{more}\n"


def document(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the one JSON document on stdout."""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def by(rows: Sequence[Mapping[str, Any]], *keys: str) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    """Return rows by the values of keys; fail when two have the same."""
    found = {tuple(row[key] for key in keys): row for row in rows}
    assert len(found) == len(rows), rows
    return found
