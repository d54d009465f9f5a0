"""How often one tenant's API is asked: never more than it allows, whatever fails and however many pages there are.

The limits of these calls are not stated; their neighbours allow 100 a minute and 1,500 an hour a tenant. Is not a
back-off: it says when one more exchange would be too many, not when another makes sense.
"""

import threading
import time
from collections.abc import Callable, Sequence

LIMITS = ((100, 60.0), (1_500, 3_600.0))
"""At most so many exchanges of a tenant in any so many seconds."""
_SAME_SECONDS = 0.001
"""What is nearer than this is now: a wait of nearly nothing can be lost in a clock's rounding, and be one for ever."""


class Pace:
    """The exchanges of each tenant, for any thread."""

    def __init__(
        self, limits: Sequence[tuple[int, float]] = LIMITS, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        # Half of a limit at once, and the other half evenly over its time: so no time has more than all of it.
        self._each = [2 * seconds / most for most, seconds in limits]
        self._ahead = [seconds - each for (_, seconds), each in zip(limits, self._each, strict=True)]
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._due: dict[str, list[float]] = {}
        """Of each tenant and limit, when the exchanges so far would have ended, asked evenly."""

    def wait(self, tenant: str) -> float:
        """Return 0 and count an exchange that begins now; else the seconds to wait before asking this anew."""
        now = self._monotonic()
        with self._lock:
            due = [max(now, one) for one in self._due.get(tenant, [now] * len(self._each))]
            wait = max(one - now - ahead for one, ahead in zip(due, self._ahead, strict=True))
            if wait > _SAME_SECONDS:
                return wait
            self._due[tenant] = [one + each for one, each in zip(due, self._each, strict=True)]
            return 0.0
