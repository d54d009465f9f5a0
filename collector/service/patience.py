"""Whether sinks have everything, and for how long one that fails is waited for. Sends nothing itself."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from collector.errors import CollectorError, Unauthorized, Unavailable
from collector.journal import Journal
from collector.pipeline import Backoff, Delivery

BACKOFF = Backoff(base=0.5, most=5.0)
"""For a command that a person waits for."""
_BROKEN_OFF = Unavailable("the patience was over before everything was delivered", mend="call this again")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """How a sink ended: `error` is None when it has everything, `backlog` counts the points that it hasn't.

    `dead_letters`: all that it has; `refused`: those of them that came meanwhile.
    """

    sink: str
    points: int
    backlog: int
    dead_letters: int
    refused: int
    error: CollectorError | None


class Patience:
    """Looks after the sinks of one command; each that fails has `seconds` from its first failure on."""

    def __init__(self, journal: Journal, deliveries: Sequence[Delivery], seconds: float) -> None:
        self._journal = journal
        self._deliveries = deliveries
        self._seconds = seconds
        self._failing: dict[str, float] = {}
        self._letters = journal.letters.last()

    def over(self, tail: int) -> bool:
        """Whether each sink has everything before `tail`, or has used up its patience."""
        waiting = [delivery for delivery in self._deliveries if not self._over(delivery, tail)]
        return not waiting

    def delivered(self, tail: int) -> Sequence[Delivered]:
        """Return how each sink ended."""
        return [self._delivered(delivery, tail) for delivery in self._deliveries]

    def _over(self, delivery: Delivery, tail: int) -> bool:
        error = delivery.state.error
        if error is None:
            self._failing.pop(delivery.sink.name, None)
            return delivery.reached >= tail
        since = self._failing.setdefault(delivery.sink.name, time.monotonic())
        return isinstance(error, Unauthorized) or time.monotonic() - since > self._seconds

    def _delivered(self, delivery: Delivery, tail: int) -> Delivered:
        name = delivery.sink.name
        return Delivered(
            sink=name,
            points=delivery.delivered,
            backlog=self._journal.backlog(self._journal.cursor(name), delivery.wanted).points,
            dead_letters=self._journal.dead_letters(name),
            refused=sum(1 for _ in self._journal.letters.every([name], self._letters)),
            error=None if delivery.reached >= tail else delivery.state.error or _BROKEN_OFF,
        )
