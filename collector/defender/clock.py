"""How far this machine's clock is from the servers', by the `Date` of what they answer. Is not NTP: seconds are enough.

A clock that is minutes off gives points the wrong slot, and lets sign-in refuse what this machine signs.
"""

import statistics
from collections.abc import Callable, Iterable

from collector.http import Answer

TOLERATED_SECONDS = 120
"""A `Date` has whole seconds and an answer takes its time; sign-in's own tolerance is five minutes."""


class ServerClock:
    """The clock of one tenant's servers. `clock`: this machine's, in ns since the epoch. For any thread."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self.ahead: float | None = None
        """Seconds by which this machine is at least ahead of the newest answer, negative when behind; None: unknown."""

    def see(self, answer: Answer, took: float) -> None:
        """Take the time of an answer that came just now; `took`: the seconds of the whole exchange."""
        date = answer.date()
        if date is None:
            return
        arrived = self._clock() / 1e9
        # It was made at some moment of the exchange, and in some moment of its second.
        least, most = arrived - took - date - 1, arrived - date
        self.ahead = max(least, min(most, 0.0))


def agreed(offsets: Iterable[float | None]) -> float | None:
    """Return the offset that several servers agree on, the median: one that is wrong itself does not count."""
    known = [offset for offset in offsets if offset is not None]
    return statistics.median_low(known) if known else None
