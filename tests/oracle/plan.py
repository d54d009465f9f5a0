"""What befalls the service, drawn from one seed. Is not the doing of it (`campaign.py`)."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Outage = Literal["killed", "stopped", "dropped", "disk full", "right taken", "paused", "restarted"]
OUTAGES: Sequence[Outage] = ("killed", "stopped", "dropped", "disk full", "right taken", "paused", "restarted")
"""Of InfluxDB, and at the end of the service itself: stopped in its tracks for a while, and ended in order."""
_WITH_KILLS: frozenset[Outage] = frozenset({"stopped", "disk full", "right taken", "killed"})

FAULTS: Sequence[dict[str, object]] = (
    {"fault": "unavailable", "times": 2},
    {"fault": "throttle", "times": 1, "retry_after": 1},
    {"fault": "slow", "times": 3, "seconds": 0.3},
    {"fault": "reset", "times": 2},
    {"fault": "hang", "times": 1},
    {"fault": "bad_rows", "times": 2, "scores": ["null", "text"]},
    {"fault": "expired_token", "times": 1},
    {"fault": "sign_in_unavailable", "times": 1},
)
"""Of the API, each for so many requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """SIGKILL so many seconds after the service has settled `polls` more polls, or has begun where that is 0."""

    polls: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One outage, with the faults of the API before it, and kills in it and after it."""

    outage: Outage
    fault: dict[str, object]
    tenant: int
    pause: float
    within: Sequence[Kill]
    after: Sequence[Kill]


def plan(seed: int, kills: int, outages: Sequence[Outage] = OUTAGES) -> Iterator[Step]:
    """Yield steps without end: each kind of outage once a round, and at least so many `kills` after each.

    One seed has one plan.
    """
    dice = random.Random(seed)  # noqa: S311 - to be drawn again, not to be guessed
    while True:
        for outage in dice.sample(outages, len(outages)):
            within = dice.random() < 0.5
            yield Step(
                outage=outage,
                fault=dice.choice(FAULTS),
                tenant=dice.randrange(3),
                pause=dice.uniform(0.3, 2.5),
                within=[_kill(dice)] if within and outage in _WITH_KILLS else [],
                after=[_kill(dice) for _ in range(kills)],
            )


def _kill(dice: random.Random) -> Kill:
    polls = dice.choice((0, 1, 1, 3, 6, 8))
    # Every second one comes at once: what was just acknowledged is then the newest thing that could be lost.
    seconds = dice.uniform(0.0, 0.9) if dice.random() < 0.5 else 0.0
    return Kill(polls=polls, seconds=seconds if polls else dice.uniform(0.0, 1.6))
