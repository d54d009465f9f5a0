"""Collecting: a poll of each subject of each tenant in each slot, and the points of it into the journal.

A worker is held for one HTTP exchange. What has to wait (a retry, a sign-in, a next page) goes back to a lane, so that
four tenants whose API is down take nothing from twenty that are well.
"""

import threading
import time
from collections.abc import Callable, Container, Sequence
from dataclasses import replace
from functools import partial

from collector.errors import BadResponse, CollectorError, Unauthorized, Unavailable
from collector.pipeline.hold import Hold
from collector.pipeline.left_alone import LeftAlone
from collector.pipeline.outcome import Outcome, poll_point, say_failed, say_settled
from collector.pipeline.pace import Pace
from collector.pipeline.poll import Poll, Terms
from collector.pipeline.protocols import Asking, Source, Workers
from collector.pipeline.sign_ins import SignIns
from collector.pipeline.slow import Slow
from collector.step import Step

COLLECT = "collect"


class Collecting:
    """Polls sources on the workers and keeps what comes. `name` is this collector's, as `collector_poll` has it.

    `pace`: how often a tenant may be asked; None: as often as there is reason to.
    """

    def __init__(
        self,
        *,
        hold: Hold,
        workers: Workers,
        name: str,
        timeout: float,
        pace: Pace | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hold = hold
        self._pace = pace
        self._workers = workers
        self._name = name
        self._timeout = timeout
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._open: set[Poll] = set()
        self._left_alone = LeftAlone(monotonic)
        self._abandoned: dict[tuple[str, str, int], Poll] = {}
        self._sign_ins = SignIns(workers, timeout, monotonic, self._signed_in)
        self._slow = Slow(workers)

    def poll(
        self,
        source: Source,
        subject: str,
        slot: int,
        terms: Terms,
        settled: Callable[[Outcome], None],
        *,
        succeeded: bool,
    ) -> None:
        """Start a poll and return at once; `settled` is called, once, when it has succeeded or is given up.

        Where a poll of the same slot was abandoned this one takes its place: should that one fail, nobody is told.
        `succeeded`: an earlier one of the slot did; should this one fail, the slot is still one that went well.
        """
        poll = Poll(source, subject, slot, terms, settled, succeeded)
        with self._lock:
            self._open.add(poll)
            before = self._abandoned.pop(poll.key, None)
            if before is not None:
                before.overtaken = True
        wait = self._left_alone.wait(source.tenant, subject)
        if wait is None:
            self._soon(poll, partial(self._try, poll))
        elif wait.seconds > terms.last_start - self._monotonic():
            self._workers.soon(COLLECT, partial(self._settle, poll, wait.error))
        else:
            self._later(poll, wait.seconds)

    def abandon(self, reason: str) -> None:
        """Start no further try of any poll, and forget until when servers asked to be left alone.

        What waits for its next try is settled as failed at once; a try that is under way ends by itself.
        """
        self._left_alone.forget()
        for poll in self._given_up(reason, None):
            self._settle(poll, Unavailable(reason))

    def let_go(self, reason: str, tenants: Container[str]) -> None:
        """Start no further try of any poll of these tenants, and settle soon, as failed, what waits for one.

        A poll of the same slot that is begun from now on takes its place, as after `abandon`.
        """
        for poll in self._given_up(reason, tenants):
            self._workers.soon(COLLECT, partial(self._settle, poll, Unavailable(reason)))

    def _given_up(self, reason: str, tenants: Container[str] | None) -> Sequence[Poll]:
        """Let no further try of these tenants' polls start, None for all; return the polls that wait for theirs."""
        with self._lock:
            polls = [poll for poll in self._open if tenants is None or poll.source.tenant in tenants]
            self._abandoned |= {poll.key: poll for poll in polls if not poll.overtaken}
            for poll in polls:
                poll.over = reason
            return [poll for poll in polls if poll.waiting]

    def _soon(self, poll: Poll, job: Callable[[], None]) -> None:
        if poll.source.tenant in self._slow:
            self._slow.soon(poll.source.tenant, poll.subject, job)
        else:
            self._workers.soon(COLLECT, job)

    def _later(self, poll: Poll, wait: float) -> None:
        poll.waiting = True
        self._workers.later(wait, COLLECT, partial(self._soon, poll, partial(self._try, poll)))

    def _try(self, poll: Poll) -> None:
        with self._lock:
            poll.waiting = False
        if poll.over:
            self._settle(poll, Unavailable(poll.over))
            return
        poll.gather()
        poll.tries += 1
        poll.asking = poll.source.ask(poll.subject, poll.slot)
        self._step(poll, poll.asking)

    def _step(self, poll: Poll, asking: Asking) -> None:
        seconds = min(self._timeout, poll.terms.end - self._monotonic())
        if seconds <= 0:
            self._settle(poll, Unavailable("the slot ended before the answer was whole"))
            return
        wait = self._pace.wait(poll.source.tenant) if self._pace else 0.0
        if wait > 0:
            self._pause(poll, asking, wait)
            return
        started = self._monotonic()
        error: CollectorError | None = CollectorError("a fault of the collector; its log has the trace")
        step = Step.DONE  # an error ends the poll, or at least this try
        try:
            step = asking.step(seconds)
            error = None
        except (Unavailable, BadResponse) as failure:
            error = failure.alone()
        finally:
            took = self._monotonic() - started
            poll.seconds += took
            if isinstance(error, Unavailable) and took >= seconds:
                self._slow.late(poll.source.tenant, poll.subject)
            else:
                self._slow.answered(poll.source.tenant)
            # Also when something unforeseen is on its way up: a poll is settled, whatever happens to it.
            self._next(poll, asking, step, error, started)

    def _pause(self, poll: Poll, asking: Asking, wait: float) -> None:
        """Go on with a poll when its tenant may be asked again, or give it up when that is after its slot."""
        if self._monotonic() + wait >= poll.terms.end:
            self._settle(poll, Unavailable("the slot ended before the tenant might be asked as often as it needs"))
            return
        poll.waiting = True
        self._workers.later(wait, COLLECT, partial(self._resume, poll, asking))

    def _resume(self, poll: Poll, asking: Asking) -> None:
        with self._lock:
            poll.waiting = False
        if poll.over:
            self._settle(poll, Unavailable(poll.over))
        else:
            self._soon(poll, partial(self._step, poll, asking))

    def _next(self, poll: Poll, asking: Asking, step: Step, error: CollectorError | None, started: float) -> None:
        if isinstance(error, Unavailable):
            self._again(poll, error, started)
        elif step is Step.DONE:
            self._settle(poll, error)
        elif step is Step.MORE:
            self._soon(poll, partial(self._step, poll, asking))
        else:
            self._sign_ins.wait(poll)

    def _again(self, poll: Poll, error: Unavailable, started: float) -> None:
        poll.terms = poll.terms.failing(started, self._timeout)
        poll.throttled += error.throttled
        wait = poll.terms.backoff.wait(poll.tries, error)
        left = poll.terms.last_start - self._monotonic()
        if error.retry_after is None:
            # A long draw is no reason to leave the end of the slot unused.
            wait = min(wait, left)
        else:
            self._left_alone.ask(poll.source.tenant, poll.subject, error.retry_after, error)
        given_up = left <= 0 or wait > left or (isinstance(error, Unauthorized) and not poll.terms.patient)
        given_up |= bool(poll.over)
        say_failed(poll.source.tenant, poll.subject, poll.tries, error, None if given_up else wait)
        if given_up:
            self._settle(poll, error)
        else:
            self._later(poll, wait)

    def _signed_in(self, poll: Poll, error: Unavailable | None, started: float) -> None:
        """Go on with a poll whose sign-in, begun at `started`, has ended."""
        if error is not None:
            self._again(poll, error, started)
        elif poll.overtaken:
            # Who signed in may be whom the settings no longer name; the one that was begun after it asks.
            self._settle(poll, Unavailable(poll.over))
        elif poll.asking is not None:
            self._soon(poll, partial(self._step, poll, poll.asking))

    def _settle(self, poll: Poll, error: CollectorError | None) -> None:
        with self._lock:
            if poll not in self._open:
                return
            self._open.discard(poll)
            if self._abandoned.get(poll.key) is poll:
                del self._abandoned[poll.key]
        if error is None:
            # This try brought all there is; what an earlier one brought of it is older.
            poll.gathered.clear()
        poll.gather()
        points = list(poll.gathered.values())
        if error is not None and poll.overtaken:
            # How the slot went is told by the poll that was begun after it; what this one has brought is kept.
            self._hold.keep(points)
            return
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
        if error is None or not poll.succeeded:
            points.append(poll_point(outcome, self._name))
        outcome = replace(outcome, safe=self._hold.keep(points))
        say_settled(outcome)
        poll.settled(outcome)
