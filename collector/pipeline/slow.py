"""The tenants whose last exchange ran out of time: they hold each other's workers, and nobody else's. Asks nothing."""

import threading
from collections import deque
from collections.abc import Callable

from collector.pipeline.protocols import Workers

SLOW = "slow"
_FOURTH = 4


class Slow:
    """Their exchanges wait for a lane of their own, and there in two rows.

    Whoever ran out of time once goes first: it may well be healthy, and behind those that never answer each of its
    slots would end before its turn came. Every fourth turn is one of the others' all the same: one of them may be well
    again, and however many time out now and then, it is asked.
    """

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._lock = threading.Lock()
        self._late: dict[str, dict[str, int]] = {}
        """By tenant and subject: how many of its exchanges ran out of time one after the other."""
        self._once: deque[Callable[[], None]] = deque()
        self._again: deque[Callable[[], None]] = deque()
        self._turns = 0

    def __contains__(self, tenant: str) -> bool:
        return tenant in self._late

    def late(self, tenant: str, subject: str) -> None:
        """An exchange has run out of time."""
        with self._lock:
            late = self._late.setdefault(tenant, {})
            late[subject] = late.get(subject, 0) + 1

    def answered(self, tenant: str) -> None:
        """An exchange has ended in time: its tenant is one like all others."""
        with self._lock:
            self._late.pop(tenant, None)

    def soon(self, tenant: str, subject: str, job: Callable[[], None]) -> None:
        """Run `job` on the lane when one of its workers is free, and it is its turn."""
        with self._lock:
            late = self._late.get(tenant, {}).get(subject, 0)
            (self._again if late > 1 else self._once).append(job)
        self._workers.soon(SLOW, self._first)

    def _first(self) -> None:
        with self._lock:
            self._turns += 1
            first, second = (self._once, self._again) if self._turns % _FOURTH else (self._again, self._once)
            job = (first or second).popleft()
        job()
