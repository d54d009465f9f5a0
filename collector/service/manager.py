"""What the service tells the manager that started it, as sd_notify(3) of systemd has it: ready, reloading, stopping.

A word is one datagram to the socket that NOTIFY_SOCKET names. Without that variable there is nobody to tell.
"""

import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from collector.log import logger

_SEND_SECONDS = 1.0
"""A manager that takes no word for so long is told none."""
_PINGS = 3
"""In the time after which the manager takes a service for dead: one may come late."""

_log = logger()


class Manager:
    """The manager that `environ` names; `pid`: this process, since what was meant for its parent is in there, too."""

    def __init__(self, environ: Mapping[str, str], pid: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        name = environ.get("NOTIFY_SOCKET", "")
        # A name that begins with @ is an abstract one: it stands in no folder.
        self._address = f"\0{name[1:]}" if name.startswith("@") else name
        self._every = _seconds(environ, pid) / _PINGS
        self._monotonic = monotonic
        self._pinged = float("-inf")
        self._answers = True

    def ready(self, status: str) -> None:
        """Say that the service does its work from now on; `status`: what it does, in a line for people."""
        self._say(f"READY=1\nSTATUS={status}")

    def reloading(self) -> None:
        """Say that the settings are read anew; `ready` is to follow, whatever comes of it."""
        self._say(f"RELOADING=1\nMONOTONIC_USEC={int(self._monotonic() * 1e6)}")

    def turning(self) -> None:
        """Say that the service turns, where the manager wants to know and hasn't been told just now."""
        now = self._monotonic()
        if self._every and now - self._pinged >= self._every:
            self._pinged = now
            self._say("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that the service has begun to end."""
        self._say("STOPPING=1\nSTATUS=ending in order")

    def _say(self, words: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as way:
                way.settimeout(_SEND_SECONDS)
                way.sendto(words.encode(), self._address)
            self._answers = True
        except OSError as error:
            # The service does without; once is enough to say so.
            if self._answers:
                _log.warning("manager.unreachable", error=error.strerror or str(error))
            self._answers = False


def _seconds(environ: Mapping[str, str], pid: int) -> float:
    """Return after how many seconds without a ping the manager takes this process for dead; 0 for never."""
    if environ.get("WATCHDOG_PID", str(pid)) != str(pid):
        return 0.0
    with suppress(ValueError):
        return max(0, int(environ.get("WATCHDOG_USEC", ""))) / 1e6
    return 0.0
