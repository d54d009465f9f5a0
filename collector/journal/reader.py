"""The questions about the past, each answered in a view of its own. Changes nothing, and moves no cursor.

Is the half of a journal that cards, commands and what is derived ask; how a question finds its rows is `past.py`.
"""

from collections.abc import Callable, Sequence

from collector.batch import Row
from collector.journal import past
from collector.journal.database import Database
from collector.journal.rows import Rows
from collector.point import Point, Series

_MOMENTS = 5_000
"""Moments that one view looks before, at the most."""


class Reader:
    """Answers from the rows of a database. Any thread may ask; JournalError when the file can't be used."""

    def __init__(self, database: Database, rows: Rows, clock: Callable[[], float]) -> None:
        self._database = database
        self._rows = rows
        self._clock = clock

    def history(self, series: Series, since: int, until: int) -> Sequence[Point]:
        """Return the points of a series from `since` to before `until` (ms), in the order of time."""
        with self._database.reading() as connection:
            return [row.point for row in past.history(connection, self._rows, series, since, until)]

    def first(self, series: Series, until: int) -> Point | None:
        """Return the first point of a series before `until` (ms), None where there is none."""
        with self._database.reading() as connection:
            found = past.first(connection, self._rows, series, until)
        return None if found is None else found.point

    def latest(self, measurement: str, since: int, tenant: str | None = None) -> Sequence[Point]:
        """Return the newest point of each series of a measurement, from `since` (ms) to now."""
        until = int(self._clock() * 1000) + 1
        with self._database.reading() as connection:
            wanted = self._rows.names.of_measurement(connection, measurement, tenant)
            return [row.point for row in past.latest(connection, self._rows, wanted, since, until)]

    def first_of(self, measurement: str, since: int, most: int) -> Sequence[Point]:
        """Return what `latest` does, of the first `most` series that have it, in the order in which they first came.

        No more series are looked at than it takes to find so many.
        """
        until = int(self._clock() * 1000) + 1
        found: list[Row] = []
        after: int | None = 0
        while after is not None and len(found) < most:
            with self._database.reading() as connection:
                wanted, after = self._rows.names.following(connection, measurement, after, most)
                place = {series: number for number, series in wanted}
                newest = past.latest(connection, self._rows, wanted, since, until)
            found += sorted(newest, key=lambda row: place[row.point.series])
        return [row.point for row in found[:most]]

    def before(self, moments: Sequence[tuple[Series, int]]) -> Sequence[Point | None]:
        """Return the newest point of each series at or before its moment (ms), None where that is over a day older."""
        found: list[Row | None] = []
        for start in range(0, len(moments), _MOMENTS):
            with self._database.reading() as connection:
                found += past.before(connection, self._rows, moments[start : start + _MOMENTS])
        return [None if row is None else row.point for row in found]

    def series(self, measurement: str, tenant: str | None = None) -> Sequence[Series]:
        """Return every series that ever had a point of a measurement, of one tenant or of all."""
        with self._database.reading() as connection:
            return [series for _, series in self._rows.names.of_measurement(connection, measurement, tenant)]

    def at(self, measurement: str, moment: int) -> Sequence[Point]:
        """Return the points of a measurement at one time (ms)."""
        with self._database.reading() as connection:
            wanted = self._rows.names.of_measurement(connection, measurement)
            return [row.point for row in past.at(connection, self._rows, wanted, moment)]

    def between(self, measurement: str, since: int, until: int, tenant: str | None = None) -> Sequence[Point]:
        """Return a measurement's points from `since` to before `until` (ms), of one tenant or of all, by time."""
        with self._database.reading() as connection:
            wanted = self._rows.names.of_measurement(connection, measurement, tenant)
            return [row.point for row in past.between(connection, self._rows, wanted, since, until)]
