"""The service's lives, one after the other: begun, killed, ended, paused; what it acknowledged, and what it used."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from oracle.truth import Poll
from system.blackbox import Process, until

_END_SECONDS = 30
"""How long an orderly end may take on a machine under load; 8 are promised."""


@dataclass(slots=True)
class Most:
    """The most that any life used."""

    rss_kib: int = 0
    threads: int = 0
    descriptors: int = 0


class Lives:
    """One service at a time, with the settings in `config`; the log of each life is kept beside them."""

    def __init__(self, config: Path, name: str) -> None:
        self._config = config
        self._name = name
        self._process: Process | None = None
        self._read = 0
        self._slots: set[str] = set()
        self.acknowledged: list[Poll] = []
        self.events: list[dict[str, Any]] = []
        """The log lines of the present life."""
        self.kills: list[int] = []
        """When it was killed, in ms since the epoch."""
        self.hung = 0
        """Lives that had to be aborted: told to end, they did not."""
        self.begun: list[int] = []
        """When it was started."""
        self.unsafe = 0
        """Polls that waited in memory: what is in no journal is not acknowledged."""
        self.most = Most()

    @property
    def slots(self) -> int:
        """How many slots have an acknowledged poll."""
        return len(self._slots)

    @property
    def pid(self) -> int:
        """The process of the present life."""
        assert self._process is not None
        return self._process.pid

    def begin(self) -> None:
        """Start the service, and don't wait for anything."""
        self.events = []
        self._read = 0
        self.begun.append(time.time_ns() // 1_000_000)
        # Told to abort it says where each of its threads stands.
        told = {"PYTHONFAULTHANDLER": "1"}
        self._process = Process("run", "--config", self._config, "--name", self._name, env=told)

    def kill(self) -> None:
        """End it as a power cut would, but for the disk's own memory."""
        self._end(signal.SIGKILL, -signal.SIGKILL)
        self.kills.append(time.time_ns() // 1_000_000)

    def end(self) -> None:
        """End it in order, once it has begun: before that Python itself answers a signal."""
        until(lambda: self.said("service.started"), 60, "the start")
        self._end(signal.SIGTERM, 0)

    def pause(self, seconds: float) -> None:
        """Let it stand still for so long, as a machine does that sleeps."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        """End what still runs, however things stand."""
        if self._process is not None and self._process.exit_code is None:
            self._process.end(signal.SIGKILL)
        self._process = None

    def said(self, event: str) -> Sequence[dict[str, Any]]:
        """Return what the present life has said of an event."""
        self.look()
        return [line for line in self.events if line["event"] == event]

    def hears(self, event: str, more: int = 1, seconds: float = 60) -> None:
        """Return once the present life has said it so many times more."""
        before = len(self.said(event))
        until(lambda: len(self.said(event)) >= before + more, seconds, f"{event}, {more} times more")

    def look(self) -> None:
        """Take up what was said, and what is used."""
        process = self._process
        assert process is not None
        lines = process.err[self._read :]
        self._read += len(lines)
        for text in lines:
            # The last line of a life that was killed may be cut off.
            if text.startswith("{") and text.endswith("}\n"):
                self._take(json.loads(text))
        if process.exit_code is None:
            self._measure(Path("/proc") / str(process.pid))

    def _end(self, number: signal.Signals, expected: int) -> None:
        process = self._process
        assert process is not None
        self.look()
        os.kill(process.pid, number)
        with contextlib.suppress(AssertionError):
            until(lambda: process.exit_code is not None, _END_SECONDS)
        code = process.end(signal.SIGABRT)
        self.look()
        log = self._config.with_name(f"life-{len(self.begun)}.log")
        log.write_text("".join(process.err), encoding="utf-8")
        if code == -signal.SIGABRT:
            # Its log has the stacks. It counts as a kill: nothing may be lost for it all the same.
            self.hung += 1
            self.kills.append(time.time_ns() // 1_000_000)
            return
        assert code == expected, f"the service ended with {code}: see {log}"

    def _take(self, line: dict[str, Any]) -> None:
        self.events.append(line)
        if line["event"] != "poll.settled":
            return
        if not line["safe"]:
            self.unsafe += 1
            return
        self._slots.add(line["slot"])
        poll = Poll(
            tenant=line["tenant"],
            subject=line["subject"],
            slot=_milliseconds(line["slot"]),
            ok=line["ok"],
            points=line["points"],
            tries=line["tries"],
            error=line.get("error", ""),
            said=_milliseconds(line["time"]),
        )
        self.acknowledged.append(poll)

    def _measure(self, proc: Path) -> None:
        try:
            status = dict(line.split(":\t", 1) for line in (proc / "status").read_text().splitlines() if ":\t" in line)
            descriptors = len(list((proc / "fd").iterdir()))
        except OSError:
            return  # it has just ended
        if "VmHWM" in status:
            self.most.rss_kib = max(self.most.rss_kib, int(status["VmHWM"].split()[0]))
            self.most.threads = max(self.most.threads, int(status["Threads"]))
            self.most.descriptors = max(self.most.descriptors, descriptors)


def _milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
