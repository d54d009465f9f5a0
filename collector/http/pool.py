"""Connections that are kept between exchanges, each for one exchange at a time. Knows no HTTP, and opens none itself.

httpcore's own pool looks at every connection at each request, and at each pair of idle ones: with a hundred of them
that cost several times the exchange. Here whoever asks gets the one that was used last.
"""

import threading
import time
from collections import deque
from collections.abc import Callable

import httpcore

KEEP_SECONDS = 5.0
"""How long a connection is kept that nobody uses."""

_Key = tuple[bytes, bytes, int]
Make = Callable[[httpcore.Origin], httpcore.ConnectionInterface]
"""Returns a connection to an origin, which opens when it is first used."""


class Pool:
    """At most `most` connections, idle ones among them, for any thread."""

    def __init__(self, make: Make, most: int) -> None:
        self._make = make
        self._most = most
        self._changed = threading.Condition()
        self._open = 0
        self._idle: dict[_Key, deque[tuple[float, httpcore.ConnectionInterface]]] = {}
        """Of each origin, by when they were given back (monotonic); the newest is last."""

    def take(self, origin: httpcore.Origin, left: Callable[[], float]) -> httpcore.ConnectionInterface:
        """Return a connection to `origin` that nobody else has, once there is room for one.

        Whoever has it calls `give_back` or `drop`. `left` returns the seconds for which room is waited for, or raises.
        """
        key = _key(origin)
        while True:
            with self._changed:
                found = self._last(key)
                surplus = None
                if found is None:
                    if self._open >= self._most:
                        surplus = self._oldest()
                        if surplus is None:
                            self._changed.wait(left())
                            continue
                        self._open -= 1
                    self._open += 1
            if surplus is not None:
                surplus.close()
            if found is None:
                return self._make(origin)
            if not found.has_expired():
                return found
            # It is too old, or the server has closed it meanwhile, or has said what nobody asked for.
            self.drop(found)

    def give_back(self, origin: httpcore.Origin, connection: httpcore.ConnectionInterface) -> None:
        """Keep it for whoever asks next, where it can serve once more."""
        if not connection.is_idle():
            self.drop(connection)
            return
        now = time.monotonic()
        with self._changed:
            self._idle.setdefault(_key(origin), deque()).append((now, connection))
            old = self._older(now - KEEP_SECONDS)
            self._open -= len(old)
            self._changed.notify()
        for one in old:
            one.close()

    def drop(self, connection: httpcore.ConnectionInterface) -> None:
        """Close it, and make room for another."""
        connection.close()
        with self._changed:
            self._open -= 1
            self._changed.notify()

    def close(self) -> None:
        """Close every connection that is idle."""
        with self._changed:
            idle = self._older(float("inf"))
            self._open -= len(idle)
            self._changed.notify_all()
        for one in idle:
            one.close()

    def _last(self, key: _Key) -> httpcore.ConnectionInterface | None:
        kept = self._idle.get(key)
        return kept.pop()[1] if kept else None

    def _oldest(self) -> httpcore.ConnectionInterface | None:
        kept = min((kept for kept in self._idle.values() if kept), key=lambda kept: kept[0][0], default=None)
        return kept.popleft()[1] if kept else None

    def _older(self, since: float) -> list[httpcore.ConnectionInterface]:
        """Take out those that were given back before `since`; and the names of origins that have none left."""
        old = []
        for key, kept in list(self._idle.items()):
            while kept and kept[0][0] < since:
                old.append(kept.popleft()[1])
            if not kept:
                del self._idle[key]
        return old


def _key(origin: httpcore.Origin) -> _Key:
    return origin.scheme, origin.host, origin.port
