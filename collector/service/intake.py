"""Points of another time or place, taken into the journal: what is there already with the same values is left alone.

So to take in the same points twice changes nothing, and no sink gets them again. What has another value supersedes, as
any later point does. Runs beside a service, which finds new rows as it finds its own. Is not a reader of files.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from collector.journal import Journal
from collector.measurements import kind
from collector.point import NO_ID, Point, Series, Value

CHUNK = 5_000
"""Points that a caller may well give at once: they are looked for in one view, and appended in one transaction."""
_GROUPS = "exposure_score_by_group"
_NANOSECONDS = 1_000_000

_Identity = tuple[Series, int]


@dataclass(frozen=True, slots=True)
class Change:
    """A point that supersedes another, and the fields of that one."""

    point: Point
    before: Mapping[str, Value]


class Intake:
    """Counts, and appends unless it is `dry`. `journal` is None where there is none yet; then it has to be dry.

    `scores`: the points come with their score alone. What else they need is then taken over from the point that is
    there, and a group's point that was kept without an id stays the one of that name and time.
    """

    def __init__(self, journal: Journal | None, *, dry: bool, scores: bool = False, shown: int = 10) -> None:
        self._journal = journal
        self.dry = dry
        self._scores = scores
        self._shown = shown
        self._known: dict[str, set[Series]] = {}
        self.new = self.changed = self.same = 0
        self.doubled = 0
        """Points that were followed by another of their identity: those were not taken."""
        self.changes: list[Change] = []
        """The first that changed."""

    @property
    def points(self) -> int:
        """How many were given."""
        return self.new + self.changed + self.same + self.doubled

    def take(self, points: Sequence[Point]) -> None:
        """Return once those that are new or changed would survive a power cut; of one identity the last one stands."""
        present = self._present(points)
        # Of one identity only the last: else a file that contradicts itself would change something each time.
        last = {(point.series, point.time): point for point in self._completed(points, present)}
        wanted = []
        same = 0
        changes = []
        for identity, point in last.items():
            before = present.get(identity)
            if before is not None and _equal(before, point.fields):
                same += 1
                continue
            wanted.append(point)
            if before is not None:
                changes.append(Change(point, before))
        if self._journal is not None and wanted and not self.dry:
            self._journal.append(wanted)
            for point in wanted:
                self._series(point.series.measurement).add(point.series)
        # Counted only now: what is said of an import that is broken off is so.
        self.new += len(wanted) - len(changes)
        self.changed += len(changes)
        self.same += same
        self.doubled += len(points) - len(last)
        self.changes += changes[: self._shown - len(self.changes)]

    def _present(self, points: Sequence[Point]) -> dict[_Identity, Mapping[str, Value]]:
        """Return the fields of those of the points that are there."""
        if self._journal is None:
            return {}
        # A series that the journal doesn't know costs it a look at all names.
        asked = [
            identity for identity in self._identities(points) if identity[0] in self._series(identity[0].measurement)
        ]
        found = zip(asked, self._journal.before(asked), strict=True)
        return {(series, time): there.fields for (series, time), there in found if there and there.time == time}

    def _identities(self, points: Sequence[Point]) -> Iterator[_Identity]:
        for point in points:
            yield point.series, point.time
            if self._scores and point.series.measurement == _GROUPS:
                yield _without_id(point.series), point.time

    def _completed(self, points: Sequence[Point], present: Mapping[_Identity, Mapping[str, Value]]) -> Iterator[Point]:
        """Yield the points, each whole also where it came with its score alone."""
        for point in points:
            series, time = point.series, point.time
            if not self._scores:
                yield point
            elif series.measurement != _GROUPS:
                # When the API answered is not known: the time of the score itself is what it was asked for.
                missing = present.get((series, time)) or {"api_time": time * _NANOSECONDS}
                yield replace(point, fields={**missing, **point.fields})
            else:
                nameless = _without_id(series)
                yield replace(point, series=nameless) if (nameless, time) in present else point

    def _series(self, measurement: str) -> set[Series]:
        known = self._known.get(measurement)
        if known is None:
            known = self._known[measurement] = set(self._journal.series(measurement)) if self._journal else set()
        return known


def _without_id(series: Series) -> Series:
    return Series(series.measurement, (*series.tags[:2], ("rbacGroupId", NO_ID)))


def _equal(one: Mapping[str, Value], other: Mapping[str, Value]) -> bool:
    # Of 5 and 5.0, and of 0.0 and -0.0, each is its own.
    return one == other and all(
        repr(value) == repr(other[name]) and kind(value) == kind(other[name]) for name, value in one.items()
    )
