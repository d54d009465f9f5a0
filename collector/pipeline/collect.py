"""Collecting: a poll of each subject of each tenant in each slot, and the points of it into the journal.

A worker is held for one HTTP exchange. What has to wait (a retry, a sign-in, a next page) goes back to a lane, so that
four tenants whose API is down take nothing from twenty that are well.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from collector.errors import BadResponse, CollectorError, Unauthorized, Unavailable
from collector.pipeline.backoff import Backoff
from collector.pipeline.hold import Hold
from collector.pipeline.outcome import Outcome, poll_point, say_failed, say_settled
from collector.pipeline.protocols import Asking, Source, Workers
from collector.point import Point, Series
from collector.step import Step

COLLECT = "collect"
SLOW = "slow"
"""The lane of tenants whose last exchange ran out of time: they hold each other's workers, and nobody else's."""
SIGN_IN = "sign-in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How long a poll may be tried. Moments are of the monotonic clock, in seconds."""

    last_start: float
    """No retry starts later."""
    end: float
    """Every exchange is over by then."""
    backoff: Backoff
    patient: bool = True
    """Whether to try again what a person has to mend."""


@dataclass(slots=True, eq=False)
class _Poll:
    source: Source
    subject: str
    slot: int
    terms: Terms
    settled: Callable[[Outcome], None]
    asking: Asking | None = None
    gathered: dict[Series, Point] = field(default_factory=dict)
    waiting: bool = False
    tries: int = 0
    throttled: int = 0
    seconds: float = 0.0

    def gather(self) -> None:
        """Keep what this try has brought: the next one may bring less."""
        if self.asking is not None:
            self.gathered |= {point.series: point for point in self.asking.points}


class Collecting:
    """Polls sources on the workers and keeps what comes. `name` is this collector's, as `collector_poll` has it."""

    def __init__(
        self,
        *,
        hold: Hold,
        workers: Workers,
        name: str,
        timeout: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hold = hold
        self._workers = workers
        self._name = name
        self._timeout = timeout
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._open: set[_Poll] = set()
        self._not_before: dict[tuple[str, str], tuple[float, Unavailable]] = {}
        self._signing_in: dict[str, list[_Poll]] = {}
        self._slow: set[str] = set()

    def poll(self, source: Source, subject: str, slot: int, terms: Terms, settled: Callable[[Outcome], None]) -> None:
        """Start a poll and return at once; `settled` is called, once, when it has succeeded or is given up."""
        poll = _Poll(source, subject, slot, terms, settled)
        with self._lock:
            self._open.add(poll)
        not_before, error = self._not_before.get((source.tenant, subject), (0.0, None))
        wait = not_before - self._monotonic()
        if wait <= 0:
            self._soon(poll, partial(self._try, poll))
        elif error is not None and self._monotonic() + wait > terms.last_start:
            self._workers.soon(COLLECT, partial(self._settle, poll, error))
        else:
            self._later(poll, wait)

    def abandon(self, reason: str) -> None:
        """Settle, as failed, every poll that waits for its next try; what is in an exchange ends by itself."""
        with self._lock:
            waiting = [poll for poll in self._open if poll.waiting]
        for poll in waiting:
            self._settle(poll, Unavailable(reason))

    def _soon(self, poll: _Poll, job: Callable[[], None]) -> None:
        self._workers.soon(SLOW if poll.source.tenant in self._slow else COLLECT, job)

    def _later(self, poll: _Poll, wait: float) -> None:
        poll.waiting = True
        self._workers.later(wait, COLLECT, partial(self._soon, poll, partial(self._try, poll)))

    def _try(self, poll: _Poll) -> None:
        with self._lock:
            if poll not in self._open:
                return
            poll.waiting = False
        poll.gather()
        poll.tries += 1
        poll.asking = poll.source.ask(poll.subject, poll.slot)
        self._step(poll, poll.asking)

    def _step(self, poll: _Poll, asking: Asking) -> None:
        seconds = min(self._timeout, poll.terms.end - self._monotonic())
        if seconds <= 0:
            self._settle(poll, Unavailable("the slot ended before the answer was whole"))
            return
        started = self._monotonic()
        error: CollectorError | None = CollectorError("a fault of the collector; its log has the trace")
        step = Step.DONE
        try:
            step = asking.step(seconds)
            error = None
        except (Unavailable, BadResponse) as failure:
            error = failure
        finally:
            took = self._monotonic() - started
            poll.seconds += took
            self._slow.discard(poll.source.tenant)
            if isinstance(error, Unavailable) and took >= seconds:
                self._slow.add(poll.source.tenant)
            # Also when something unforeseen is on its way up: a poll is settled, whatever happens to it.
            self._next(poll, asking, step, error)

    def _next(self, poll: _Poll, asking: Asking, step: Step, error: CollectorError | None) -> None:
        if isinstance(error, Unavailable):
            self._again(poll, error)
        elif error is not None or step is Step.DONE:
            self._settle(poll, error)
        elif step is Step.MORE:
            self._soon(poll, partial(self._step, poll, asking))
        else:
            self._await_sign_in(poll)

    def _again(self, poll: _Poll, error: Unavailable) -> None:
        poll.throttled += error.throttled
        now = self._monotonic()
        wait = poll.terms.backoff.wait(poll.tries, error)
        left = poll.terms.last_start - now
        if error.retry_after is None:
            # A long draw is no reason to leave the end of the slot unused.
            wait = min(wait, max(left, 0.0))
        else:
            # Kept beyond the slot: who asks sooner is only told to wait again.
            self._not_before[poll.source.tenant, poll.subject] = (now + error.retry_after, error)
        given_up = left <= 0 or wait > left or (isinstance(error, Unauthorized) and not poll.terms.patient)
        say_failed(poll.source.tenant, poll.subject, poll.tries, error, None if given_up else wait)
        if given_up:
            self._settle(poll, error)
        else:
            self._later(poll, wait)

    def _await_sign_in(self, poll: _Poll) -> None:
        tenant = poll.source.tenant
        with self._lock:
            waiting = self._signing_in.setdefault(tenant, [])
            waiting.append(poll)
            first = len(waiting) == 1
        if first:
            self._workers.soon(SIGN_IN, partial(self._sign_in, poll.source))

    def _sign_in(self, source: Source) -> None:
        started = self._monotonic()
        error: Unavailable | None = Unavailable("the sign-in failed by a fault of the collector; its log has the trace")
        with self._lock:
            end = max(poll.terms.end for poll in self._signing_in[source.tenant])
        try:
            source.sign_in(max(0.0, min(self._timeout, end - started)))
            error = None
        except Unavailable as failure:
            error = failure
        except BadResponse as failure:
            error = Unavailable(str(failure), mend=failure.mend)
        finally:
            with self._lock:
                waiting = self._signing_in.pop(source.tenant)
            for poll in waiting:
                poll.seconds += self._monotonic() - started
                if error is not None:
                    self._again(poll, error)
                elif poll.asking is not None:
                    self._soon(poll, partial(self._step, poll, poll.asking))

    def _settle(self, poll: _Poll, error: CollectorError | None) -> None:
        with self._lock:
            if poll not in self._open:
                return
            self._open.discard(poll)
        if error is None:
            # This try brought all there is; what an earlier one brought of it is older.
            poll.gathered.clear()
        poll.gather()
        points = list(poll.gathered.values())
        outcome = Outcome(
            tenant=poll.source.tenant,
            subject=poll.subject,
            slot=poll.slot,
            error=error,
            points=len(points),
            tries=poll.tries,
            throttled=poll.throttled,
            seconds=poll.seconds,
        )
        outcome = replace(outcome, safe=self._hold.keep([*points, poll_point(outcome, self._name)]))
        say_settled(outcome)
        poll.settled(outcome)
