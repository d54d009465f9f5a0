"""How long to wait before the next try, never less than the other side asked for.

Full jitter: a thousand tenants that failed together don't come back together.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from collector.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Backoff:
    """The wait before try n + 1 is drawn from 0 to `base` * 2**n seconds, and at most `most`."""

    base: float
    most: float
    draw: Callable[[float, float], float] = random.uniform

    def wait(self, tries: int, error: Unavailable | None = None) -> float:
        """Return seconds to wait after `tries` tries, the last of which ended in `error`."""
        drawn = self.draw(0.0, min(self.most, self.base * 2.0 ** min(tries, 30)))
        asked = error.retry_after if error else None
        return drawn if asked is None else asked + drawn / 10
