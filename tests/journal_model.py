"""A journal as a reader understands it in a minute: a dict of rows, a dict of cursors, a dict of dead letters.

The model that the journal is held against. Nothing here is fast, durable or shared.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from journal_drafts import MOMENTS, NOW, SINKS
from journals import DAY, MIDNIGHT

from collector.batch import DERIVE, Backlog, Cursor, Filter, Row
from collector.journal import Holdings, Journal, Resent
from collector.point import MAX_TIME, Point, Series

Identity = tuple[Series, int]


def identity(point: Point) -> Identity:
    """Return what a later point supersedes this one by."""
    return point.series, point.time


def tenant(series: Series) -> str:
    """Return whose series it is."""
    return series.tag("tenant")


def wants(wanted: Filter, point: Point) -> bool:
    """Whether a point is for a consumer."""
    return any(fnmatchcase(point.series.measurement, pattern) for pattern in wanted.measurements) and (
        wanted.tenants is None or tenant(point.series) in wanted.tenants
    )


def kept(point: Point) -> bool:
    """Whether a point is never pruned."""
    name = point.series.measurement
    return name.endswith("_daily") or name in {"exposure_spike", "exposure_annotation"}


@dataclass
class Model:
    """`tail`: the id of the next row. `letters`: by their ids, whose each is and its row. `series`: all with a name."""

    rows: dict[int, Point] = field(default_factory=dict)
    tail: int = 1
    cursors: dict[str, Cursor] = field(default_factory=dict)
    letters: dict[int, tuple[str, Row]] = field(default_factory=dict)
    letter: int = 1
    series: set[Series] = field(default_factory=set)

    def append(self, points: Sequence[Point], taken: tuple[Cursor, int] | None = None) -> bool:
        if taken is not None and not self.take(*taken):
            return False
        for point in points:
            self.rows = {id_: other for id_, other in self.rows.items() if identity(other) != identity(point)}
            self.rows[self.tail] = point
            self.tail += 1
            self.series.add(point.series)
        return True

    def cursor(self, consumer: str) -> Cursor:
        return self.cursors.setdefault(consumer, Cursor(consumer, 1, 0))

    def take(self, cursor: Cursor, after: int) -> bool:
        if self.cursors.get(cursor.consumer) != cursor:
            return False
        self.cursors[cursor.consumer] = Cursor(cursor.consumer, after, cursor.moves)
        return True

    def advance(self, cursor: Cursor, after: int, rejected: Sequence[Row]) -> bool:
        if not self.take(cursor, after):
            return False
        for row in rejected:
            self._drop([n for n, (sink, old) in self.letters.items() if (sink, old.id) == (cursor.consumer, row.id)])
        for row in rejected:
            if row.id in self.rows:
                self.letters[self.letter] = cursor.consumer, row
                self.letter += 1
        return True

    def move(self, consumer: str, to: int) -> Cursor:
        cursor = self.cursors[consumer]
        if to <= cursor.next:
            self.cursors[consumer] = Cursor(consumer, max(to, 1), cursor.moves + 1)
        return self.cursors[consumer]

    def resend(self, sinks: Sequence[str], after: int, until: int, limit: int) -> Resent | None:
        of = {n: row for n, (sink, row) in self.letters.items() if sink in sinks and n <= until and row.id > after}
        chosen = sorted({row.id for row in of.values()})[:limit]
        if not chosen:
            return None
        first = self.tail
        if self.taken(sinks) < first:
            return Resent(sent=0, superseded=0, after=after, first=first, tail=first)
        refused = {row.id: row for row in of.values() if row.id in chosen}
        again = [refused[id_] for id_ in chosen if not self.superseded(refused[id_])]
        self.append([row.point for row in again])
        self._drop([n for n, row in of.items() if row.id in chosen])
        return Resent(
            sent=len(again), superseded=len(chosen) - len(again), after=chosen[-1], first=first, tail=self.tail
        )

    def discard(self, sinks: Sequence[str], until: int) -> int:
        return self._drop([n for n, (sink, _) in self.letters.items() if sink in sinks and n <= until])

    def prune(self, before: int, consumers: Sequence[str]) -> int:
        taken = self.taken(consumers)
        old = [id_ for id_, point in self.rows.items() if point.time < before and id_ < taken and not kept(point)]
        # What is superseded goes with the rows, and only where there is something to look at.
        if any(point.time // DAY <= before // DAY for point in self.rows.values()):
            self._drop([n for n, (_, row) in self.letters.items() if row.point.time < before and self.superseded(row)])
        for id_ in old:
            del self.rows[id_]
        return len(old)

    def forget(self, name: str) -> Holdings:
        held = self.holdings(name)
        self.rows = {id_: point for id_, point in self.rows.items() if tenant(point.series) != name}
        self._drop([n for n, (_, row) in self.letters.items() if tenant(row.point.series) == name])
        self.series = {series for series in self.series if tenant(series) != name}
        if DERIVE in self.cursors:  # what it makes of rows that it has read already counts no more
            self.move(DERIVE, self.cursors[DERIVE].next)
        return held

    def taken(self, consumers: Sequence[str]) -> int:
        return min((self.cursors.get(name, Cursor(name, 1, 0)).next for name in consumers), default=self.tail)

    def superseded(self, row: Row) -> bool:
        return any(id_ > row.id and identity(point) == identity(row.point) for id_, point in self.rows.items())

    # What is asked.

    def ahead(self, start: int, wanted: Filter, until: int | None = None) -> Sequence[Row]:
        """Return the wanted rows from an id on, to before another."""
        end = self.tail if until is None else until
        return [Row(id_, point) for id_, point in self.rows.items() if start <= id_ < end and wants(wanted, point)]

    def backlog(self, start: int, wanted: Filter, until: int | None = None) -> Backlog:
        ahead = self.ahead(start, wanted, until)
        return Backlog(len(ahead), ahead[0].point.time if ahead else None)

    def history(self, series: Series, since: int, until: int) -> Sequence[Point]:
        found = [point for point in self.rows.values() if point.series == series and since <= point.time < until]
        return sorted(found, key=lambda point: point.time)

    def latest(self, measurement: str, since: int, now: int, of: str | None) -> Mapping[Series, Point]:
        found = {series: self.history(series, since, now + 1)[-1:] for series in self.named(measurement, of)}
        return {series: point for series, points in found.items() for point in points}

    def before(self, series: Series, moment: int) -> Point | None:
        return next(iter(self.history(series, moment - DAY, moment + 1)[-1:]), None)

    def at(self, measurement: str, moment: int) -> set[Identity]:
        return {identity(p) for p in self.rows.values() if (p.series.measurement, p.time) == (measurement, moment)}

    def between(self, measurement: str, since: int, until: int, of: str | None) -> set[Identity]:
        return {identity(p) for s in self.named(measurement, of) for p in self.history(s, since, until)}

    def place(self, since: int, before: int) -> int:
        return min((id_ for id_, point in self.rows.items() if point.time >= since and id_ < before), default=before)

    def named(self, measurement: str, of: str | None = None) -> set[Series]:
        return {s for s in self.series if s.measurement == measurement and of in {None, tenant(s)}}

    def tenants(self) -> Sequence[str]:
        return sorted({tenant(series) for series in self.series}, key=str.encode)

    def holdings(self, name: str) -> Holdings:
        return Holdings(
            points=sum(tenant(point.series) == name for point in self.rows.values()),
            dead_letters=sum(tenant(row.point.series) == name for _, row in self.letters.values()),
            series=sum(tenant(series) == name for series in self.series),
        )

    def _drop(self, letters: Sequence[int]) -> int:
        for n in letters:
            del self.letters[n]
        return len(letters)


def every(journal: Journal) -> list[Row]:
    """Return all rows of a journal, read as a consumer reads them."""
    rows: list[Row] = []
    cursor = Cursor("", 1, 0)
    while (batch := journal.read(cursor, 10_000)).after > cursor.next:
        rows += batch.rows
        cursor = Cursor("", batch.after, 0)
    return rows


def agree(journal: Journal, model: Model) -> None:
    """Assert that a journal gives the model's answer to every question."""
    rows = [Row(id_, of) for id_, of in model.rows.items()]
    assert every(journal) == rows
    assert journal.tail() == model.tail
    assert set(journal.cursors()) == set(model.cursors.values())
    letters = [(letter.id, letter.sink, letter.row) for letter in journal.letters.every([*SINKS])]
    assert letters == [(n, *letter) for n, letter in model.letters.items()]
    sinks = [sink for sink, _ in model.letters.values()]
    assert dict(journal.letters.counts()) == {sink: sinks.count(sink) for sink in sinks}
    times = [row.point.time for row in rows if row.point.series.measurement != "exposure_annotation"]
    summary = journal.summary()
    assert summary.points == len(rows)
    assert (summary.oldest, summary.newest) == (min(times, default=None), max(times, default=None))
    assert list(journal.tenants()) == model.tenants()
    for name in model.tenants():
        assert journal.holdings(name) == model.holdings(name)
    for cursor in model.cursors.values():
        wanted = SINKS.get(cursor.consumer, Filter())
        assert journal.backlog(cursor, wanted) == model.backlog(cursor.next, wanted)
        middle = (cursor.next + model.tail) // 2
        assert journal.backlog(cursor, wanted, middle) == model.backlog(cursor.next, wanted, middle)
    for since in MOMENTS[1::2]:
        assert journal.place(since, model.tail) == model.place(since, model.tail)
    _agree_on_the_past(journal, model)


def _agree_on_the_past(journal: Journal, model: Model) -> None:
    for series in model.series:
        assert list(journal.history(series, 0, MAX_TIME)) == model.history(series, 0, MAX_TIME)
    moments = [(series, moment) for series in model.series for moment in MOMENTS[:-1]]
    assert list(journal.before(moments)) == [model.before(*asked) for asked in moments]
    for measurement in {series.measurement for series in model.series}:
        assert set(journal.series(measurement)) == model.named(measurement)
        assert {identity(found) for found in journal.at(measurement, MIDNIGHT)} == model.at(measurement, MIDNIGHT)
        for of in (None, "contoso"):
            between = [journal.between(measurement, *span, of) for span in itertools.pairwise(MOMENTS)]
            assert [{identity(point) for point in found} for found in between] == [
                model.between(measurement, *span, of) for span in itertools.pairwise(MOMENTS)
            ]
            assert all(found == sorted(found, key=lambda point: point.time) for found in between)
            latest = journal.latest(measurement, MIDNIGHT - 1, of)
            assert {found.series: found for found in latest} == model.latest(measurement, MIDNIGHT - 1, NOW, of)
