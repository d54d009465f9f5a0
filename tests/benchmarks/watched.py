"""A process that is measured, as the system counts what it has: CPU, memory, files. Asks the process nothing."""

import re
import time
from pathlib import Path

from system.blackbox import Process

_ALL_THREADS = 2
"""Which of a process's clocks: the one that its scheduler keeps."""


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
        return time.clock_gettime(_clock(self.service.pid))

    def resident(self, key: str = "VmRSS") -> float:
        """Return the MiB of it that are in memory."""
        return self._number(key) / 1024

    def _number(self, key: str) -> int:
        status = (self._proc / "status").read_text(encoding="utf-8")
        return int(re.findall(rf"^{key}:\s+(\d+)", status, re.MULTILINE)[0])


def _clock(pid: int) -> int:
    """Return the clock of a process's CPU, as clock_getcpuclockid(3) makes it: /proc counts in ticks of 10 ms."""
    return ~pid << 3 | _ALL_THREADS
