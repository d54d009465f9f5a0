"""What was asked of the simulator, and what it answered: evidence for tests. Is not a log: it forgets the oldest."""

import threading
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from typing import Any

MAX_REQUESTS = 10_000
"""How many are remembered one by one; all are counted."""
_MAX_PATH = 200


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request. `status` is None until an answer begins, for ever if none does."""

    time: int
    """Milliseconds since the Unix epoch: when it came."""
    tenant: str | None
    subject: str
    method: str
    path: str
    status: int | None = None
    faults: list[str] = field(default_factory=list)


class Record:
    """The requests of the API and the sign-in, oldest first. Any thread may look."""

    def __init__(self) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=MAX_REQUESTS)
        self._answered: Counter[tuple[str | None, str, int]] = Counter()
        self._lock = threading.Lock()

    def begin(self, *, tenant: str | None, subject: str, method: str, path: str) -> Exchange:
        """Note that a request came, before anything is done about it."""
        exchange = Exchange(
            time=time.time_ns() // 1_000_000, tenant=tenant, subject=subject, method=method, path=path[:_MAX_PATH]
        )
        with self._lock:
            self._exchanges.append(exchange)
        return exchange

    def answered(self, exchange: Exchange, status: int) -> None:
        """Note that its answer begins."""
        with self._lock:
            exchange.status = status
            self._answered[exchange.tenant, exchange.subject, status] += 1

    def struck(self, exchange: Exchange, fault: str) -> None:
        """Note that a fault struck it."""
        with self._lock:
            exchange.faults.append(fault)

    def requests(self, *, tenant: str | None = None, subject: str | None = None) -> list[dict[str, Any]]:
        """Return those of a tenant and of a subject, None for any: a dict each, keys as in `Exchange`."""
        with self._lock:
            return [
                asdict(exchange)
                for exchange in self._exchanges
                if tenant in (None, exchange.tenant) and subject in (None, exchange.subject)
            ]

    def counts(self) -> list[dict[str, Any]]:
        """Return how many answers there were, by tenant, subject and status; none is forgotten."""
        with self._lock:
            return [
                {"tenant": tenant, "subject": subject, "status": status, "count": count}
                for (tenant, subject, status), count in self._answered.items()
            ]

    def clear(self) -> None:
        """Forget all of it."""
        with self._lock:
            self._exchanges.clear()
            self._answered.clear()
