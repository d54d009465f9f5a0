"""Polls that wait until their tenant has signed in: once for all that wait, on a lane of its own. Retries nothing."""

import threading
from collections.abc import Callable
from functools import partial

from collector.errors import BadResponse, Unavailable
from collector.pipeline.poll import Poll
from collector.pipeline.protocols import Source, Workers

SIGN_IN = "sign-in"


class SignIns:
    """`go_on` is called for each poll that waited, with what the sign-in failed of, if it did, and when it began."""

    def __init__(
        self,
        workers: Workers,
        timeout: float,
        monotonic: Callable[[], float],
        go_on: Callable[[Poll, Unavailable | None, float], None],
    ) -> None:
        self._workers = workers
        self._timeout = timeout
        self._monotonic = monotonic
        self._go_on = go_on
        self._lock = threading.Lock()
        self._waiting: dict[Source, list[Poll]] = {}
        """By source, not by tenant: one whose settings have changed has another one, which signs in otherwise."""

    def wait(self, poll: Poll) -> None:
        """Have the poll go on when its source has signed in; the first that waits lets it."""
        with self._lock:
            waiting = self._waiting.setdefault(poll.source, [])
            waiting.append(poll)
            first = len(waiting) == 1
        if first:
            self._workers.soon(SIGN_IN, partial(self._sign_in, poll.source))

    def _sign_in(self, source: Source) -> None:
        started = self._monotonic()
        error: Unavailable | None = Unavailable("the sign-in failed by a fault of the collector; its log has the trace")
        with self._lock:
            end = max(poll.terms.end for poll in self._waiting[source])
        try:
            source.sign_in(max(0.0, min(self._timeout, end - started)))
            error = None
        except Unavailable as failure:
            error = failure.alone()
        except BadResponse as failure:
            error = Unavailable(str(failure), mend=failure.mend)
        finally:
            with self._lock:
                waiting = self._waiting.pop(source)
            for poll in waiting:
                poll.seconds += self._monotonic() - started
                self._go_on(poll, error, started)
