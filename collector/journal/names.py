"""The numbers that stand for series in the journal, learnt once, and the series that stand behind numbers.

Of all series memory holds no more than a fingerprint and a number (`learnt.py`), and as objects those that were in use
last (`warm.py`): of the rest the file is asked by number. A row of names that doesn't prove whole is never used for a
new point.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from collector.journal.codec import Damaged
from collector.journal.learnt import Learnt
from collector.journal.named import SERIES, decoded
from collector.journal.warm import Warm
from collector.point import Series

_WARM = 16_384
"""Series that are held as objects at the least: what a service polls, derives from and delivers at one time."""
_ANSWERED = 1_000
"""Of one question no more are held, however many it is about."""
_AHEAD = 100
"""Series that are read at once, where they are read one behind the other."""


class Names:
    """Series by number and back. Every method that has a connection runs inside a transaction of the caller's."""

    def __init__(self) -> None:
        self._learnt = Learnt()
        self._warm = Warm(_WARM)
        self.forget()

    def forget(self) -> None:
        """Learn all anew: what was learnt is of another file, or something of it has gone."""
        self._learnt.forget()
        self._warm.clear()
        self._following = 0
        """The number behind the last that were read."""

    def begin(self) -> None:
        """Take note that a transaction has begun that may add names: those of the one before it are in the file."""
        self._learnt.begin()

    def take_back(self) -> None:
        """Let go of what the last transaction has added: it came to nothing."""
        for number in self._learnt.take_back():
            self._warm.drop(number)

    def doubt(self) -> None:
        """Look, before any name is used again, whether those that were learnt still stand in the file."""
        self._learnt.doubted = True

    def numbers(self, connection: sqlite3.Connection, every: Sequence[Series]) -> Sequence[int]:
        """Return the number of each of the series, a new one where it has none."""
        self._settle(connection)
        found, new = self._known(every)
        if new and self._learnt.go_on(connection):
            came, new = self._known(new)
            found |= came
        if new:
            added = self._learnt.add(connection, new)
            for series, number in added.items():
                self._warm.keep(number, series)
            found |= added
        return [found[series] for series in every]

    def known_number(self, connection: sqlite3.Connection, series: Series) -> int | None:
        """Return the series' number, or None where it has none."""
        self._settle(connection)
        known = self._met(series)
        return self._met(series) if known is None and self._learnt.go_on_about(connection, series) else known

    def numbered(self, connection: sqlite3.Connection, every: Iterable[Series]) -> Sequence[tuple[int, Series]]:
        """Return those of the series that have a number, by it."""
        self._settle(connection)
        if self._learnt.last:
            # All that came since, once: of whom is not known then, or has nothing of a measurement, nothing is there.
            self._learnt.go_on(connection)
            every = filter(self._learnt.has, every)
        find = self._met if self._learnt.last else partial(self.known_number, connection)
        return [(number, series) for series in every if (number := find(series)) is not None]

    def series(self, connection: sqlite3.Connection, number: int) -> Series:
        """Return the series of a number; raise Damaged when its row is gone or not what was written."""
        if self._learnt.doubted:
            self._settle(connection)
        known = self._warm.series(number)
        if known is None:
            if 0 < self._learnt.last < number:
                with suppress(sqlite3.DatabaseError):  # where a name can't be read this one still may be
                    self._learnt.go_on(connection)
            # Rows stand in the order of their poll, as its series did when they came: where one that is not held
            # follows another, more of them will.
            most = _AHEAD if number == self._following else 1
            try:
                known = self._read(connection, number, most)
            except sqlite3.DatabaseError:
                known = self._read(connection, number, 1)
        return known

    def of_measurement(
        self, connection: sqlite3.Connection, measurement: str, tenant: str | None = None
    ) -> Sequence[tuple[int, Series]]:
        """Return the series of a measurement, of one tenant or of all, by number; damaged ones are left out."""
        rows = connection.execute(
            f"{SERIES} WHERE measurement = ?1 AND (?2 IS NULL OR tenant = ?2)", (measurement, tenant)
        )
        return self._sound(connection, rows)

    def following(
        self, connection: sqlite3.Connection, measurement: str, after: int, most: int
    ) -> tuple[Sequence[tuple[int, Series]], int | None]:
        """Return the next `most` series of a measurement behind the number `after`; damaged ones are left out.

        And behind which number to go on, None where there are no more.
        """
        rows = connection.execute(
            f"{SERIES} WHERE measurement = ? AND id > ? ORDER BY id LIMIT ?", (measurement, after, most)
        ).fetchall()
        return self._sound(connection, rows), rows[-1][0] if len(rows) == most else None

    def _settle(self, connection: sqlite3.Connection) -> None:
        """Go on with what was learnt if all of it stands in the file."""
        if not self._learnt.stands(connection):
            self.forget()

    def _met(self, series: Series) -> int | None:
        """Return the number of a series that was learnt."""
        known = self._warm.number(series)
        if known is None:
            known = self._learnt.number(self._learnt.fingerprint(series))
            if known is not None:
                self._warm.keep(known, series)
        return known

    def _read(self, connection: sqlite3.Connection, number: int, most: int) -> Series:
        """Return the series of a number from the file, and hold it and those behind it, `most` in all."""
        self._following = number + most
        known = None
        for its, *row in connection.execute(f"{SERIES} WHERE id >= ? AND id < ? ORDER BY id", (number, number + most)):
            try:
                series = self._warm.series(its) or self._decoded(its, row)
            except Damaged:
                if its == number:
                    raise
                continue
            if its <= self._learnt.last or not self._learnt.last:
                self._warm.keep(its, series)
            known = series if its == number else known
        if known is None:
            raise Damaged(f"series {number}", "it is gone")
        return known

    def _decoded(self, number: int, row: Sequence[Any]) -> Series:
        series = decoded(number, row)
        self._learnt.met(series)
        return series

    def _sound(
        self, connection: sqlite3.Connection, rows: Iterable[tuple[int, str, str, str, int]]
    ) -> Sequence[tuple[int, Series]]:
        self._settle(connection)
        if self._learnt.last:
            self._learnt.go_on(connection)
        found: list[tuple[int, Series]] = []
        for number, *row in rows:
            series = self._warm.series(number)
            if series is None:
                try:
                    series = self._decoded(number, row)
                except Damaged:
                    continue
                if len(found) < _ANSWERED:
                    self._warm.keep(number, series)
            found.append((number, series))
        return found

    def _known(self, every: Iterable[Series]) -> tuple[dict[Series, int], dict[Series, bytes]]:
        """Return the numbers of those of the series that were learnt, and the fingerprints of the others."""
        found: dict[Series, int] = {}
        new: dict[Series, bytes] = {}
        for series in every:
            number = self._warm.number(series)
            if number is None:
                fingerprint = self._learnt.fingerprint(series)
                number = self._learnt.number(fingerprint)
                if number is None:
                    new[series] = fingerprint
                    continue
                self._warm.keep(number, series)
            found[series] = number
        return found, new
