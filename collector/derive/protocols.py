"""What the consumer asks of the journal. Every method raises JournalError when the file can't be used."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from collector.batch import Batch, Cursor, Filter
from collector.history.spikes import Rule
from collector.point import MAX_TIME, Point, Series


class Across(Protocol):
    """What is asked across many series at once. Times are ms since the epoch."""

    def histories(self, every: Collection[Series], since: int, until: int) -> Sequence[Point]:
        """Return the points of all these series from `since` to before `until`, in the order of time."""

    def newest(self, every: Collection[Series], until: int = MAX_TIME) -> Sequence[Point]:
        """Return the newest point before `until` of each of these series that has one."""

    def before(self, asked: Mapping[int, Sequence[Series]]) -> Mapping[int, Mapping[Series, tuple[int, float]]]:
        """Return by each moment the newest (time, score) of its series at or before it, at most a day older."""

    def earlier(self, every: Sequence[Series], moments: Sequence[int]) -> Sequence[Sequence[tuple[int, float] | None]]:
        """Return the same by each moment, for all series in their order; quick where they were polled in it."""

    def named(self, every: Iterable[Series]) -> Collection[Series]:
        """Return those of the series that there are: which ever had a point."""

    def begun(self, every: Collection[Series], until: int) -> Collection[Series]:
        """Return those of the series that have a point before `until`."""

    def whose(self, since: int) -> Collection[tuple[str, str]] | None:
        """Return the measurements and tenants of the rows from the id `since` on; None where those are very many."""

    def of_day(self, every: Sequence[Series], day: int) -> Mapping[Series, Sequence[tuple[int, float]]]:
        """Return each (time, score) of a day (its number since 1970), of each of these series that has any."""


class Journal(Protocol):
    """The log of points, and the past that it holds. Times are ms since the epoch."""

    @property
    def era(self) -> int:
        """A number that grows whenever it may have changed otherwise than by what this process appends or prunes."""

    @property
    def file(self) -> int:
        """A number that grows whenever what was read before may be otherwise now."""

    @property
    def across(self) -> Across:
        """The same past, asked of many series at once."""

    def cursor(self, consumer: str, target: str = "") -> Cursor:
        """Return the consumer's cursor; a new one stands at the first row."""

    def read(self, cursor: Cursor, limit: int, wanted: Filter) -> Batch:
        """Return at most `limit` rows from the cursor on, superseded ones left out."""

    def append(self, points: Sequence[Point], taken: tuple[Cursor, int] | None = None) -> bool:
        """Append, and move a cursor in the same transaction; False, with nothing done, when it was moved meanwhile."""

    def series(self, measurement: str, tenant: str | None = None) -> Sequence[Series]:
        """Return every series that there is, of one tenant or of all."""

    def history(self, series: Series, since: int, until: int) -> Sequence[Point]:
        """Return the points of a series from `since` to before `until`, in the order of time."""

    def between(self, measurement: str, since: int, until: int, tenant: str | None = None) -> Sequence[Point]:
        """Return a measurement's points from `since` to before `until`, of one tenant or of all, by time."""

    def at(self, measurement: str, moment: int) -> Sequence[Point]:
        """Return the points of a measurement at one time."""

    def before(self, moments: Sequence[tuple[Series, int]]) -> Sequence[Point | None]:
        """Return the newest point of each series at or before its moment, None where that is over a day older."""

    def latest(self, measurement: str, since: int, tenant: str | None = None) -> Sequence[Point]:
        """Return the newest point of each series of a measurement, from `since` to now."""


class Apart(Protocol):
    """Does a part of the work by itself, so that a fault in it holds up nothing else."""

    def __call__(self, part: str, tenant: str, group: str, work: Callable[[], object], /) -> bool:
        """Return whether it went well. `part`: what is made, of whom. Raise JournalError, which is no fault of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """By what points are derived. `interval`: seconds of a slot; `links`: a tenant's page in the portal, by its name.

    `groups_follow`: whether the scores of the device groups are polled, and so come soon after the organization's.
    """

    organization: Rule
    groups: Rule
    interval: int
    links: Mapping[str, str]
    groups_follow: bool = True
