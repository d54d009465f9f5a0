"""What the pipeline needs of a source, a journal, a sink and its workers. Those rooms know nothing of this one.

A slot is a poll's time: milliseconds since the Unix epoch, a whole multiple of the interval.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from collector.batch import Batch, Columns, Cursor, DeadLetter, Filter, Write
from collector.point import Point
from collector.step import Step


class Asking(Protocol):
    """One poll of one subject under way. Each step holds a worker for one HTTP exchange at the most."""

    @property
    def points(self) -> Sequence[Point]:
        """What was collected so far; it is good whatever the steps raise."""

    def step(self, seconds: float) -> Step:
        """Make one exchange within `seconds`; without a usable token make none and return SIGN_IN.

        A first 401 returns SIGN_IN, a second one raises. Raise Unavailable (also Unauthorized) when the poll has to be
        made again from its start, BadResponse when it is over and a part of it, or all of it, is unusable.
        """


class Source(Protocol):
    """Where one tenant's points come from."""

    @property
    def tenant(self) -> str:
        """The tenant's name in the settings."""

    def ask(self, subject: str, slot: int) -> Asking:
        """Return a new poll, of which nothing has been sent yet."""

    def sign_in(self, seconds: float) -> None:
        """Get a new token within `seconds`; raise Unavailable, Unauthorized or BadResponse."""


class Sink(Protocol):
    """A database that takes points. Writing a point twice changes nothing."""

    @property
    def name(self) -> str:
        """The sink's name in the settings: the name of its cursor."""

    @property
    def target(self) -> str:
        """What it writes to, without secrets: two sinks with one target write to the same place."""

    @property
    def measurements(self) -> Sequence[str]:
        """Shell-style patterns of the measurements that go there."""

    @property
    def tenants(self) -> Sequence[str] | None:
        """The tenants whose points go there, None for all."""

    def prepare(self, rows: Columns) -> Write:
        """Return what writes these rows, with all done that needs no server.

        It returns once the server has said that it stored every row; it raises Unavailable, Unauthorized, Rejected,
        Expired or TooLarge.
        """


class Journal(Protocol):
    """The durable log of points. Every method raises JournalError when durability is gone."""

    def append(self, points: Sequence[Point]) -> object:
        """Return once the points would survive a power cut."""

    def cursor(self, consumer: str, target: str = "") -> Cursor:
        """Return the consumer's cursor; a new one stands at the first row."""

    def read(self, cursor: Cursor, limit: int, wanted: Filter) -> Batch:
        """Return at most `limit` rows from the cursor on, superseded ones left out."""

    def stands(self, cursor: Cursor, batch: Batch, wanted: Filter) -> bool:
        """Whether `batch`, read at `cursor`, is what would be read there now, but for what has come behind it.

        So none of its rows is superseded or forgotten.
        """

    def note(self, consumer: str, error: str) -> None:
        """Keep what the consumer fails of, for whoever asks from another process; empty when it is well."""

    def advance(self, cursor: Cursor, after: int, rejected: Sequence[DeadLetter] = ()) -> Cursor | None:
        """Move the cursor and keep the dead letters; do neither and return None when the cursor was moved meanwhile."""


class Workers(Protocol):
    """Lanes of worker threads. A lane that is full keeps no other lane waiting."""

    def soon(self, lane: str, job: Callable[[], None]) -> None:
        """Run `job` on the lane as soon as one of its workers is free."""

    def later(self, seconds: float, lane: str, job: Callable[[], None]) -> None:
        """Run `job` on the lane once, `seconds` from now."""
