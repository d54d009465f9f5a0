"""What the history asks of a journal. Is not a journal: whatever meets this is one to it."""

from collections.abc import Sequence
from typing import Protocol

from collector.history.notes import Written
from collector.point import Point, Series


class Past(Written, Protocol):
    """A journal, as far as it is asked here. Times are ms since the epoch."""

    def latest(self, measurement: str, since: int, tenant: str | None = None) -> Sequence[Point]:
        """Return the newest point of each series, of one tenant or of all, from `since` to now."""

    def before(self, moments: Sequence[tuple[Series, int]]) -> Sequence[Point | None]:
        """Return the newest point of each series at or before its moment, None where that is over a day older."""

    def series(self, measurement: str, tenant: str | None = None) -> Sequence[Series]:
        """Return every series that there is, of one tenant or of all."""

    def history(self, series: Series, since: int, until: int) -> Sequence[Point]:
        """Return the points of a series from `since` to before `until`, in the order of time."""

    def first(self, series: Series, until: int) -> Point | None:
        """Return the first point of a series, None where there is none before `until`."""
