"""Collecting: a poll of each subject of each tenant in each slot, and the points of it into the journal.

A worker is held for one HTTP exchange. What has to wait (a retry, a sign-in, a next page) goes back to a lane, so that
four tenants whose API is down take nothing from twenty that are well.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import structlog

from collector.errors import BadResponse, CollectorError, Unauthorized, Unavailable
from collector.pipeline.backoff import Backoff
from collector.pipeline.hold import Hold
from collector.pipeline.protocols import Asking, Source, Workers
from collector.point import Point, Series, rfc3339
from collector.step import Step

COLLECT = "collect"
SIGN_IN = "sign-in"

_log = structlog.get_logger()


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A poll that is settled: it succeeded, or its slot is given up. `slot` in ms, `seconds` of all its exchanges."""

    tenant: str
    subject: str
    slot: int
    error: CollectorError | None
    points: int
    tries: int
    throttled: int
    seconds: float
    safe: bool
    """Whether the journal has it; else it waits in memory."""


@dataclass(slots=True)
class _Poll:
    source: Source
    subject: str
    slot: int
    terms: Terms
    settled: Callable[[Outcome], None]
    asking: Asking | None = None
    tries: int = 0
    throttled: int = 0
    seconds: float = 0.0


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
        self._not_before: dict[tuple[str, str], tuple[float, Unavailable]] = {}
        self._signing_in: dict[str, list[_Poll]] = {}

    def poll(self, source: Source, subject: str, slot: int, terms: Terms, settled: Callable[[Outcome], None]) -> None:
        """Start a poll and return at once; `settled` is called, once, when it has succeeded or is given up."""
        poll = _Poll(source, subject, slot, terms, settled)
        not_before, error = self._not_before.get((source.tenant, subject), (0.0, None))
        wait = not_before - self._monotonic()
        if wait <= 0:
            self._workers.soon(COLLECT, partial(self._try, poll))
        elif error is not None and self._monotonic() + wait > terms.last_start:
            self._settle(poll, error)
        else:
            self._workers.later(wait, COLLECT, partial(self._try, poll))

    def _try(self, poll: _Poll) -> None:
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
            poll.seconds += self._monotonic() - started
            # Also when something unforeseen is on its way up: a poll is settled, whatever happens to it.
            self._next(poll, asking, step, error)

    def _next(self, poll: _Poll, asking: Asking, step: Step, error: CollectorError | None) -> None:
        if isinstance(error, Unavailable):
            self._again(poll, error)
        elif error is not None or step is Step.DONE:
            self._settle(poll, error)
        elif step is Step.MORE:
            self._workers.soon(COLLECT, partial(self._step, poll, asking))
        else:
            self._await_sign_in(poll)

    def _again(self, poll: _Poll, error: Unavailable) -> None:
        poll.throttled += error.throttled
        now = self._monotonic()
        wait = poll.terms.backoff.wait(poll.tries, error)
        if error.retry_after is not None:
            # Kept beyond the slot: who asks sooner is only told to wait again.
            self._not_before[poll.source.tenant, poll.subject] = (now + error.retry_after, error)
        given_up = now + wait > poll.terms.last_start or (isinstance(error, Unauthorized) and not poll.terms.patient)
        _say_failed(poll, error, None if given_up else wait)
        if given_up:
            self._settle(poll, error)
        else:
            self._workers.later(wait, COLLECT, partial(self._try, poll))

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
                    self._workers.soon(COLLECT, partial(self._step, poll, poll.asking))

    def _settle(self, poll: _Poll, error: CollectorError | None) -> None:
        points = list(poll.asking.points) if poll.asking else []
        outcome = Outcome(
            tenant=poll.source.tenant,
            subject=poll.subject,
            slot=poll.slot,
            error=error,
            points=len(points),
            tries=poll.tries,
            throttled=poll.throttled,
            seconds=poll.seconds,
            safe=self._hold.keep([*points, self._poll_point(poll, error, len(points))]),
        )
        _say_settled(outcome)
        poll.settled(outcome)

    def _poll_point(self, poll: _Poll, error: CollectorError | None, points: int) -> Point:
        series = Series(
            "collector_poll",
            (("tenant", poll.source.tenant), ("subject", poll.subject), ("collector", self._name)),
        )
        return Point(
            series,
            poll.slot,
            {
                "ok": int(error is None),
                "seconds": poll.seconds,
                "points": points,
                "tries": poll.tries,
                "throttled": poll.throttled,
                "error": error.name if error else "",
            },
        )


def _say_failed(poll: _Poll, error: Unavailable, wait: float | None) -> None:
    say = _log.error if isinstance(error, Unauthorized) else _log.warning
    say(
        "poll.failed",
        tenant=poll.source.tenant,
        subject=poll.subject,
        tries=poll.tries,
        error=error.name,
        what=str(error),
        mend=error.mend,
        again_in=None if wait is None else round(wait, 1),
    )


def _say_settled(outcome: Outcome) -> None:
    facts = {
        "tenant": outcome.tenant,
        "subject": outcome.subject,
        "slot": rfc3339(outcome.slot),
        "points": outcome.points,
        "tries": outcome.tries,
        "seconds": round(outcome.seconds, 3),
        "safe": outcome.safe,
    }
    if outcome.error is None:
        _log.info("poll.settled", ok=True, **facts)
    else:
        _log.warning("poll.settled", ok=False, error=outcome.error.name, what=str(outcome.error), **facts)
