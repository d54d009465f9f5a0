"""One poll under way, and the terms on which it is tried. Does nothing itself: `Collecting` moves it on."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from collector.pipeline.backoff import Backoff
from collector.pipeline.outcome import Outcome
from collector.pipeline.protocols import Asking, Source
from collector.point import Point, Series


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
    patience: float | None = None
    """Seconds for retries, from the beginning of the first exchange that fails: until then the moments don't count.

    Among thousands of tenants a poll waits for its turn, and that is not its fault. None: the moments count.
    """

    def failing(self, since: float, timeout: float) -> "Terms":
        """Return the terms on which a poll is tried again whose exchange failed that began at a moment."""
        if self.patience is None:
            return self
        last_start = since + self.patience
        return replace(self, last_start=last_start, end=last_start + timeout, patience=None)


@dataclass(slots=True, eq=False)
class Poll:
    """Where a poll stands between two of its exchanges."""

    source: Source
    subject: str
    slot: int
    terms: Terms
    settled: Callable[[Outcome], None]
    succeeded: bool
    """Whether an earlier poll of the same slot did: should this one fail, what is told of the slot stands."""
    asking: Asking | None = None
    gathered: dict[Series, Point] = field(default_factory=dict)
    waiting: bool = False
    over: str = ""
    """Why no further try of it starts; empty while one may."""
    overtaken: bool = False
    """Whether the same slot has been begun anew: how that one went is what is told of it."""
    tries: int = 0
    throttled: int = 0
    seconds: float = 0.0

    @property
    def key(self) -> tuple[str, str, int]:
        """Its tenant, its subject and its slot."""
        return self.source.tenant, self.subject, self.slot

    def gather(self) -> None:
        """Keep what this try has brought: the next one may bring less."""
        if self.asking is not None:
            self.gathered |= {point.series: point for point in self.asking.points}
