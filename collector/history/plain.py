"""The plain table that people kept by hand: a time and a score a line, and perhaps a device group.

A line without a group is the organization's. Is not a whole table (`table.py`): what a line doesn't say, like the time
that the API gave, whoever takes it has to know.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from collector.history import cells
from collector.history.cells import Slip
from collector.history.sheet import Record, Wrong
from collector.history.table import at, score
from collector.point import NO_ID, UNASSIGNED, Point, Series, group_name

ORGANIZATION = "(organization)"
"""What the organization is called where a group's name is wanted."""
_REMEMBERED = 100_000
"""Lines among which one that contradicts another is found."""

Identity = tuple[Series, int]
Torn = tuple[tuple[int, float], tuple[int, float]]
"""Two lines, each with its score, that contradict each other."""


class Naming:
    """The series of the lines of one tenant. `ids`: the last id of each group that is known, both as tags.

    `names`: the groups that are known.
    """

    def __init__(self, tenant: str, ids: Mapping[str, str], names: Collection[str]) -> None:
        self._tenant = tenant
        self._ids = ids
        self._names = frozenset(names)
        self._series: dict[str, Series] = {}

    def series(self, cell: str) -> Series:
        """Return the series of a group as a person names it: by its tag, else as the API does; empty: not a group.

        Raise Slip for a cell that can't be read.
        """
        known = self._series.get(cell)
        if known is None:
            known = self._series[cell] = self._named(cells.read(cell))
        return known

    def _named(self, text: str) -> Series:
        name = text.strip()
        if name in ("", ORGANIZATION):
            return Series("exposure_score", (("tenant", self._tenant),))
        # Copied from a dashboard it is a tag already, and must not be changed once more.
        tag = next((one for one in (text, name) if one in self._names or one == UNASSIGNED), None) or group_name(name)
        tags = (("tenant", self._tenant), ("rbacGroupName", tag), ("rbacGroupId", self._ids.get(tag, NO_ID)))
        return Series("exposure_score_by_group", tags)


class Plain:
    """The points of a plain table, each with its score alone. `now`: ms since the epoch; none lies ahead of it.

    `comma`: a score may have a decimal comma. `any_score`: also a score outside of 0 to 100. `torn`: the times at which
    lines of the table contradict each other, as an earlier look has found them.
    """

    def __init__(
        self,
        series: Callable[[str], Series],
        *,
        now: int,
        comma: bool = False,
        any_score: bool = False,
        torn: Mapping[Identity, Torn] | None = None,
    ) -> None:
        self._series = series
        self._now = now
        self._comma = comma
        self._any_score = any_score
        self.torn: dict[Identity, Torn] = dict(torn or {})
        """What is known of them by now: a look that ends with more of them than it began with is to be repeated."""

    def points(self, records: Iterable[Record | Wrong]) -> Iterator[Point | Wrong]:
        """Yield a point for each line, or each of its mistakes.

        Lines with different scores for one time and group are mistakes, each of them: which one is right only a person
        can tell. They are found where they are not too far apart.
        """
        above: dict[Identity, tuple[int, float]] = {}
        for record in records:
            if isinstance(record, Wrong):
                yield record
            else:
                yield from self._read(record, above)

    def _read(self, record: Record, above: dict[Identity, tuple[int, float]]) -> Iterator[Point | Wrong]:
        line, (time_cell, score_cell, group) = record
        wrong = []
        time, found, series = 0, 0.0, None
        try:
            time = at(time_cell, self._now)
        except Slip as slip:
            wrong.append(Wrong(line, f"time: {slip}"))
        try:
            found = cells.number(score_cell, comma=self._comma)
            found = found if self._any_score else score(found)
        except Slip as slip:
            wrong.append(Wrong(line, f"score: {slip}"))
        try:
            series = self._series(group)
        except Slip as slip:
            wrong.append(Wrong(line, f"rbacGroupName: {slip}"))
        if wrong or series is None:
            yield from wrong
            return
        identity = series, time
        first, its = above.setdefault(identity, (line, found))
        if its != found:
            self.torn.setdefault(identity, ((first, its), (line, found)))
        if identity in self.torn:
            other, its = next(each for each in self.torn[identity] if each[1] != found)
            yield Wrong(line, f"score: {found!r}, and line {other} has {its!r} for the same time: leave the right one")
            return
        if len(above) > _REMEMBERED:
            del above[next(iter(above))]
        yield Point(series, time, {"score": found})
