"""What a write carries, and whether compressed: where a network lies between, until something there refuses it so.

Is not an exchange (`server.py`). A compressed body is a way to send lines and never decides what becomes of a point.
"""

import gzip
import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from collector.http import Answer

NO_POINTS = b"# no points\n"
"""A body by which the server checks everything and stores nothing. It is a comment: 2.x refuses an empty one."""
_WORTH = 1_400
"""Bytes that go out in one packet anyway."""
_LEVEL = 1
"""Lines shrink to a seventh by it; level 6 makes a fifth fewer bytes of them, in two and a half times the time."""
_BUSY = frozenset({429, 503})
"""What is said of any body: it has to come later, not otherwise."""
_PASSING = frozenset({408, 429, *range(500, 600)})
"""What passes, where a compressed body was stored before."""


@dataclass(frozen=True, slots=True)
class Body:
    """Lines, and the same as gzip where that is worth while."""

    lines: bytes
    packed: bytes | None = None


class Packing:
    """Whether bodies for the server at `url` are compressed."""

    def __init__(self, url: str) -> None:
        self.wanted = not _here(urlsplit(url).hostname or "")
        self._taken = False

    def body(self, lines: bytes) -> Body:
        """Return what carries the lines."""
        if not self.wanted or len(lines) <= _WORTH:
            return Body(lines or NO_POINTS)
        return Body(lines, gzip.compress(lines, _LEVEL, mtime=0))

    def taken(self) -> None:
        """Take note that a compressed body was stored."""
        self._taken = True

    def doubtful(self, answer: Answer | None) -> bool:
        """Whether an answer, or that there was none, may have come of the compression: then the lines go as they are.

        Servers that don't undo it say 400 (they read lines in it) or 415, what stands between says anything, or breaks
        the connection. Once one was stored only a refusal is a doubt, so that an outage costs no second exchange.
        """
        if answer is None:
            return not self._taken
        return answer.status not in (_PASSING if self._taken else _BUSY)


def _here(host: str) -> bool:
    """Whether a host is this machine: then no network is spared anything."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
