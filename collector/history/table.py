"""Points as the lines of a table, and back without loss: a line a field.

The lines of a point stand together. A tag that has no column is a line of its own before the fields, `tag:` and its
name in the column `field`. A value's type is that of its field in `measurements.py`. Is not a file (`sheet.py`).
"""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches

from collector.history import cells
from collector.history.cells import Slip, shown
from collector.history.sheet import COLUMNS, Record, Wrong
from collector.measurements import MEASUREMENTS, Kind, Measurement, Origin, kind
from collector.point import MAX_ID_BYTES, Point, Series, Value, carried, rfc3339

_TAGS = COLUMNS[2:5]
"""The columns that are tags."""
_TAG = "tag:"
_SCORES = frozenset({"exposure_score", "exposure_score_by_group"})
_MOST_SCORE = 100.0
_MEANT = {"state": ": 0 is over, 1 is open, 2 is withdrawn", "end_time": ": ms since 1970, 0 while it is open"}
"""What the numbers of a field stand for."""
_UNKNOWN = Measurement(Origin.RAW, (), {})
"""Of a line that names none that there is."""


class Unfit(ValueError):
    """A point that has other tags, fields or types than its measurement has."""


def lines(point: Point, *, spreadsheet: bool = False) -> Iterator[Sequence[str]]:
    """Yield the lines of a point; raise Unfit, before the first, for one that could not be brought back."""
    series, known = point.series, MEASUREMENTS.get(point.series.measurement)
    tags = dict(series.tags)
    if known is None or tuple(tags) != known.tags or not _whole(point, known):
        raise Unfit(f"{series.measurement} at {rfc3339(point.time)}: not as its schema has it")
    named = (cells.written(tags.pop(name, ""), spreadsheet=spreadsheet) for name in _TAGS)
    start = (series.measurement, rfc3339(point.time), *named)
    for name, text in tags.items():
        yield (*start, _TAG + name, cells.written(text, spreadsheet=spreadsheet))
    for name, value in point.fields.items():
        yield (*start, name, cells.written_value(value, spreadsheet=spreadsheet))


def _whole(point: Point, known: Measurement) -> bool:
    missing = known.fields.keys() - point.fields.keys()
    for name, (least, most) in known.within.items():
        if not least <= int(point.fields.get(name, least)) <= most:
            return False
    return missing <= known.optional and all(known.fields.get(name) == kind(its) for name, its in point.fields.items())


class Table:
    """The points of a whole table. `now`: ms since the epoch; nothing but an annotation lies ahead of it.

    `tenant`: lines of others are passed over, right or wrong. `any_score`: also an exposure score outside of 0 to 100.
    """

    def __init__(self, *, now: int, tenant: str | None = None, comma: bool = False, any_score: bool = False) -> None:
        self._now = now
        self._tenant = tenant
        self._comma = comma
        self._any_score = any_score
        self._series: dict[tuple[str, tuple[tuple[str, str], ...]], Series] = {}
        self.passed: set[str] = set()
        """The tenants whose lines were passed over."""

    def points(self, records: Iterable[Record | Wrong]) -> Iterator[Point | Wrong]:
        """Yield what the lines say, each mistake by its line, and a point once the last of its lines is there.

        A point with a mistake in any of its lines is none.
        """
        draft: _Draft | None = None
        torn = False
        for record in records:
            if isinstance(record, Wrong):
                yield record
                torn = True
                if draft:
                    draft.torn = True
                continue
            line, (*key, name, cell) = record
            tenant = cells.read(key[2])
            if self._tenant is not None and tenant != self._tenant:
                self.passed.add(tenant)
                continue
            if draft is None or draft.key != key or name in draft.names:
                if draft:
                    yield from self._finished(draft)
                draft = _Draft(line, key, torn=torn)
                torn = False
                yield from self._begun(draft)
            yield from self._taken(draft, line, name, cell)
        if draft:
            yield from self._finished(draft)

    def _begun(self, draft: "_Draft") -> Iterator[Wrong]:
        """Read what all lines of a point have in common."""
        measurement, time, *tags = draft.key
        known = MEASUREMENTS.get(measurement)
        if known is None:
            yield draft.slip(f"measurement is {shown(measurement)}{_near(measurement, MEASUREMENTS)}")
            return
        draft.known = known
        try:
            draft.time = at(time, None if measurement == "exposure_annotation" else self._now)
        except Slip as slip:
            yield draft.slip(f"time: {slip}")
        for name, cell in zip(_TAGS, map(cells.read, tags), strict=True):
            if name in known.tags:
                yield from draft.tag(draft.line, name, cell)
            elif cell:
                yield draft.slip(f"{name} is {shown(cell)}, and {measurement} has none: leave it empty")

    def _taken(self, draft: "_Draft", line: int, name: str, cell: str) -> Iterator[Wrong]:
        """Read a line's own field or tag."""
        draft.names.add(name)
        if draft.known is _UNKNOWN:
            return
        tag = name.removeprefix(_TAG)
        if tag != name and tag in draft.known.tags and tag not in _TAGS:
            yield from draft.tag(line, tag, cells.read(cell))
            return
        its = draft.known.fields.get(name)
        if its is None:
            yield draft.slip(f"field is {shown(name)}{_near(name, draft.names_wanted())}", line)
            return
        try:
            draft.fields[name] = self._value(draft.key[0], name, its, cell)
        except Slip as slip:
            yield draft.slip(f"{name}: {slip}", line)

    def _value(self, measurement: str, name: str, its: Kind, cell: str) -> Value:
        found = cells.value(its, cell, comma=self._comma)
        if measurement in _SCORES and name == "score" and not self._any_score:
            return score(float(found))
        least, most = MEASUREMENTS[measurement].within.get(name, (None, None))
        if least is not None and most is not None and not least <= int(found) <= most:
            raise Slip(f"{found} is not from {least} to {most}{_MEANT.get(name, '')}")
        return found

    def _finished(self, draft: "_Draft") -> Iterator[Point | Wrong]:
        if draft.bad:
            return
        missing = draft.missing()
        if missing:
            # A line that could not be read may have been the one.
            if not draft.torn:
                yield draft.slip(
                    f"{draft.key[0]} at {draft.key[1]} has no {', '.join(missing)}: the lines of a point stand"
                    " together, one for each of its fields"
                )
            return
        tags = tuple([(name, draft.tags[name]) for name in draft.known.tags])
        series = self._series.get((draft.key[0], tags))
        if series is None:
            series = self._series[draft.key[0], tags] = Series(draft.key[0], tags)
        try:
            yield Point(series, draft.time, draft.fields)
        except ValueError as error:
            yield draft.slip(str(error))


class _Draft:
    """A point whose lines are being read. `torn`: a line that may have been one of them could not be read."""

    def __init__(self, line: int, key: list[str], *, torn: bool) -> None:
        self.line = line
        self.key = key
        self.torn = torn
        self.bad = False
        self.known = _UNKNOWN
        self.time = 0
        self.names: set[str] = set()
        self.tags: dict[str, str] = {}
        self.fields: dict[str, Value] = {}

    def slip(self, text: str, line: int | None = None) -> Wrong:
        """Return what is wrong in a line, the first of the point's where none is named."""
        self.bad = True
        return Wrong(self.line if line is None else line, text)

    def tag(self, line: int, name: str, text: str) -> Iterator[Wrong]:
        """Take a tag that every InfluxDB carries."""
        self.tags[name] = text
        if not text:
            yield self.slip(f"{name} is empty", line)
        elif not (carried(text, MAX_ID_BYTES) if name in ("tenant", "rbacGroupId") else carried(text)):
            yield self.slip(f"{name} is {shown(text)}, which is no tag that every InfluxDB carries", line)

    def names_wanted(self) -> Sequence[str]:
        """Return what the column `field` can be."""
        return [*(_TAG + name for name in self.known.tags if name not in _TAGS), *self.known.fields]

    def missing(self) -> Sequence[str]:
        """Return the tags and fields that it has to have, and has not."""
        return [name for name in self.names_wanted() if name not in self.names | self.known.optional]


def at(cell: str, now: int | None) -> int:
    """Return a time in ms since the epoch, none that lies ahead of `now`; raise Slip."""
    found = cells.time(cell)
    if now is not None and found > now:
        raise Slip(f"{shown(cell)} lies ahead of this machine's clock")
    return found


def score(found: float) -> float:
    """Return an exposure score; raise Slip for one that is none."""
    if not 0.0 <= found <= _MOST_SCORE:
        raise Slip(f"{found!r} is not from 0 to 100; --any-score takes it as it stands")
    return found


def _near(name: str, known: Iterable[str]) -> str:
    """Return what a wrong name was probably to be."""
    every = list(known)
    near = get_close_matches(name, every, n=1)
    return f", did you mean {near[0]}?" if near else f", and there are {', '.join(every)}"
