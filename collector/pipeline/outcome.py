"""What became of a poll: for whoever waits for it, for the log, and as a `collector_poll` point."""

from dataclasses import dataclass

from collector.errors import CollectorError, Unauthorized, Unavailable
from collector.log import logger
from collector.point import Point, Series, rfc3339

_log = logger()


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
    safe: bool = False
    """Whether the journal has it; else it waits in memory, or was lost."""


def poll_point(outcome: Outcome, collector: str) -> Point:
    """Return the outcome as a point of its slot; `collector` is this collector's name."""
    tags = (("tenant", outcome.tenant), ("subject", outcome.subject), ("collector", collector))
    return Point(
        Series("collector_poll", tags),
        outcome.slot,
        {
            "ok": int(outcome.error is None),
            "seconds": outcome.seconds,
            "points": outcome.points,
            "tries": outcome.tries,
            "throttled": outcome.throttled,
            "error": outcome.error.name if outcome.error else "",
        },
    )


def say_failed(tenant: str, subject: str, tries: int, error: Unavailable, wait: float | None) -> None:
    """Log a try that failed, and in how many seconds the next one is, if there is one."""
    say = _log.error if isinstance(error, Unauthorized) else _log.warning
    say(
        "poll.failed",
        tenant=tenant,
        subject=subject,
        tries=tries,
        error=error.name,
        what=str(error),
        **({"mend": error.mend} if error.mend else {}),
        again_in=None if wait is None else round(wait, 1),
    )


def say_settled(outcome: Outcome) -> None:
    """Log the one line of a poll."""
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
