"""A process that is measured, as the system counts what it has: CPU, memory, files. Asks the process nothing."""

import os
import re
from pathlib import Path

from system.blackbox import Process

_TICKS = os.sysconf("SC_CLK_TCK")


class Watched:
    """A process as the system sees it. `files`, `threads`: the most that were seen so far."""

    def __init__(self, service: Process) -> None:
        self.service = service
        self._proc = Path(f"/proc/{service.pid}")
        self.files = self.threads = 0
        self._read = self._settled = 0
        self.look()

    def look(self) -> None:
        """See how many files it has open, and threads."""
        self.files = max(self.files, len(list((self._proc / "fd").iterdir())))
        self.threads = max(self.threads, self._number("Threads"))

    def settled(self) -> int:
        """Return how many polls are settled so far. Each line is read once."""
        lines = self.service.err[self._read :]
        self._read += len(lines)
        self._settled += sum('"poll.settled"' in line for line in lines)
        return self._settled

    def cpu(self) -> float:
        """Return the seconds of CPU that it has used."""
        fields = (self._proc / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident(self, key: str = "VmRSS") -> float:
        """Return the MiB of it that are in memory."""
        return self._number(key) / 1024

    def _number(self, key: str) -> int:
        status = (self._proc / "status").read_text(encoding="utf-8")
        return int(re.findall(rf"^{key}:\s+(\d+)", status, re.MULTILINE)[0])
