"""Lets the tenants of a slot begin one after the other: a thousand of them that knock together wait for each other.

Each has its place in the row by a hash of its name, the same in every slot and every process. Is not the slot: the time
of a point stays what it is.
"""

import hashlib
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from collector.pipeline.protocols import Workers

SHARE = 0.1
"""Of what is left of the slot: none begins later."""
_A_SECOND = 10
"""Tenants that begin in a second, where the share leaves that much time: few tenants begin at once, as one does."""
_LEAST_SECONDS = 0.1
"""Between two looks at who is due."""


def place(tenant: str) -> float:
    """Return where a tenant stands in the row, from 0 to below 1."""
    return int.from_bytes(hashlib.sha256(tenant.encode()).digest()[:6]) / 2**48


def span(tenants: int, left: float) -> float:
    """Return the seconds in which so many tenants begin, where `left` are left of the slot; 0 for one that is alone."""
    return min(SHARE * left, tenants / _A_SECOND) if tenants > 1 else 0.0


class Spread:
    """Begins what is due on `lane`, and looks again when the next one is."""

    def __init__(self, workers: Workers, lane: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._workers = workers
        self._lane = lane
        self._monotonic = monotonic
        self._forgotten = 0

    def begin(self, tenants: Sequence[tuple[str, Callable[[], None]]], seconds: float) -> None:
        """Call what is beside each tenant's name, once, within `seconds`; at once those that are due now."""
        row = sorted(((place(tenant) * seconds, begin) for tenant, begin in tenants), key=lambda one: one[0])
        self._go_on(self._forgotten, self._monotonic(), deque(row))

    def forget(self) -> None:
        """Begin nobody any more who waits for a turn. Any thread may call, also while one begins."""
        self._forgotten += 1

    def _go_on(self, forgotten: int, since: float, row: deque[tuple[float, Callable[[], None]]]) -> None:
        try:
            while row and forgotten == self._forgotten and row[0][0] <= self._monotonic() - since:
                row.popleft()[1]()
        finally:
            # Also when one of them has failed by a fault of ours: that is nobody else's.
            if row and forgotten == self._forgotten:
                wait = max(_LEAST_SECONDS, row[0][0] - (self._monotonic() - since))
                self._workers.later(wait, self._lane, partial(self._go_on, forgotten, since, row))
