"""The numbers that stand for series in the journal, learnt once.

Of all series memory holds no more than a fingerprint and a number, and as objects those that were in use last: of the
rest the file is asked by number. A row of names that doesn't prove whole is never used for a new point.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from collector.journal.codec import Damaged
from collector.journal.fingerprints import Fingerprints
from collector.journal.named import SERIES, decoded, row_of, texts
from collector.journal.numbers import new_number
from collector.journal.warm import Warm
from collector.point import Series

_STAND = "SELECT count(*), coalesce(sum(crc), 0) FROM series WHERE id <= ?"
_WARM = 16_384
"""Series that are held as objects at the least: what a service polls, derives from and delivers at one time."""
_ANSWERED = 1_000
"""Of one question no more are held, however many it is about."""
_AHEAD = 100
"""Series that are read at once, where they are read one behind the other."""
_FAMILIES = 4
"""Measurements of a tenant that are learnt alone: who asks of more learns all names."""


class Names:
    """Series by number and back. Every method runs inside a transaction of the caller's."""

    def __init__(self) -> None:
        self._fingerprints = Fingerprints()
        self._warm = Warm(_WARM)
        self.forget()

    def forget(self) -> None:
        """Learn all anew: what was learnt is of another file, or something of it has gone."""
        self._fingerprints.clear()
        self._warm.clear()
        self._learnt = 0
        """Up to which number the series were learnt."""
        self._stand = 0, 0
        """How many those are, and the sum of their checksums: while both are so in the file, none has gone."""
        self._families: set[tuple[str, str]] = set()
        """Measurements and tenants whose series were learnt before all were."""
        self._tenants: defaultdict[str, set[str]] = defaultdict(set)
        """Of all that were learnt: the tenants of each measurement."""
        self._added: list[tuple[bytes, int]] = []
        """The newest of this process, by fingerprint: their transaction may yet come to nothing."""
        self._before = 0, (0, 0)
        """What was learnt before those, and how that stood."""
        self._following = 0
        """The number behind the last that were read."""
        self._doubted = False

    def take_back(self) -> None:
        """Let go of what the last transaction has added: it came to nothing. What did not is learnt anew."""
        for fingerprint, number in self._added:
            self._fingerprints.drop(fingerprint)
            self._warm.drop(number)
        if self._added:
            self._learnt, self._stand = self._before
            self._added = []

    def doubt(self) -> None:
        """Look, before any name is used again, whether those that were learnt still stand in the file."""
        self._doubted = True

    def begin(self) -> None:
        """Take note that a transaction has begun that may add names: those of the one before it are in the file."""
        self._added = []

    def numbers(self, connection: sqlite3.Connection, every: Sequence[Series]) -> Sequence[int]:
        """Return the number of each of the series, a new one where it has none."""
        if self._doubted:
            self._settle(connection)
        found, new = self._known(every)
        if new:
            before = self._stand
            self._learn(connection)
            if self._stand != before:
                came, new = self._known(new)
                found |= came
            found |= self._add(connection, new)
        return [found[series] for series in every]

    def known_number(self, connection: sqlite3.Connection, series: Series) -> int | None:
        """Return the series' number, or None where it has none."""
        self._settle(connection)
        known = self._met(series)
        return self._met(series) if known is None and self._learn_about(connection, series) else known

    def numbered(self, connection: sqlite3.Connection, every: Iterable[Series]) -> Sequence[tuple[int, Series]]:
        """Return those of the series that have a number, by it."""
        self._settle(connection)
        if self._learnt:
            # All that came since, once: of whom is not known then, or has nothing of a measurement, nothing is there.
            self._learn(connection)
            every = [series for series in every if series[2] in self._tenants[series[0]]]
        find = self._met if self._learnt else partial(self.known_number, connection)
        return [(number, series) for series in every if (number := find(series)) is not None]

    def _met(self, series: Series) -> int | None:
        """Return the number of a series that was learnt."""
        known = self._warm.number(series)
        if known is None:
            known = self._fingerprints.get(self._fingerprints.of(series))
            if known is not None:
                self._warm.keep(known, series)
        return known

    def series(self, connection: sqlite3.Connection, number: int) -> Series:
        """Return the series of a number; raise Damaged when its row is gone or not what was written."""
        if self._doubted:
            self._settle(connection)
        known = self._warm.series(number)
        if known is None:
            if self._learnt and number > self._learnt:
                with suppress(sqlite3.DatabaseError):  # where a name can't be read this one still may be
                    self._learn(connection)
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
        if not self._doubted:
            return
        try:
            stands = self._learnt and connection.execute(_STAND, (self._learnt,)).fetchone() == self._stand
        except sqlite3.DatabaseError:
            stands = False  # of what can't be read it is not known
        if not stands:
            self.forget()
        self._doubted = False

    def _learn(self, connection: sqlite3.Connection) -> None:
        """Learn the series that came since the last that was learnt."""
        count, total = self._stand
        for number, *row in connection.execute(f"{SERIES} WHERE id > ? ORDER BY id", (self._learnt,)):
            self._learnt = number
            # Of a checksum that is no number any more, the file's sum is another each time: all is learnt anew then.
            count, total = count + 1, total + (row[-1] if isinstance(row[-1], int) else 0)
            # Who gave the number was another process: what this one added before it is in the file.
            self._added = []
            with suppress(Damaged):
                self._fingerprints.put(self._fingerprints.of_texts(texts(number, row)), number)
            self._tenants[row[0]].add(row[1])
        self._stand = count, total

    def _read(self, connection: sqlite3.Connection, number: int, most: int) -> Series:
        """Return the series of a number from the file, and hold it and those behind it, `most` in all."""
        self._following = number + most
        known = None
        for its, *row in connection.execute(f"{SERIES} WHERE id >= ? AND id < ? ORDER BY id", (number, number + most)):
            try:
                series = self._warm.series(its) or decoded(its, row)
            except Damaged:
                if its == number:
                    raise
                continue
            if its <= self._learnt or not self._learnt:
                self._warm.keep(its, series)
            known = series if its == number else known
        if known is None:
            raise Damaged(f"series {number}", "it is gone")
        return known

    def _learn_about(self, connection: sqlite3.Connection, series: Series) -> bool:
        """Learn what there is to know of a series; return whether there was anything to learn."""
        family = series.measurement, series.tag("tenant")
        if self._learnt or len(self._families) >= _FAMILIES:
            # Who writes knows all names: only those that came since then are looked at.
            self._learn(connection)
        elif family in self._families:
            return False
        else:
            for number, *row in connection.execute(f"{SERIES} WHERE measurement = ? AND tenant = ?", family):
                with suppress(Damaged):
                    self._fingerprints.put(self._fingerprints.of_texts(texts(number, row)), number)
            self._families.add(family)
        return True

    def _sound(
        self, connection: sqlite3.Connection, rows: Iterable[tuple[int, str, str, str, int]]
    ) -> Sequence[tuple[int, Series]]:
        self._settle(connection)
        if self._learnt:
            self._learn(connection)
        found: list[tuple[int, Series]] = []
        for number, *row in rows:
            series = self._warm.series(number)
            if series is None:
                try:
                    series = decoded(number, row)
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
                fingerprint = self._fingerprints.of(series)
                number = self._fingerprints.get(fingerprint)
                if number is None:
                    new[series] = fingerprint
                    continue
                self._warm.keep(number, series)
            found[series] = number
        return found, new

    def _add(self, connection: sqlite3.Connection, new: Mapping[Series, bytes]) -> Mapping[Series, int]:
        """Let series that have no number, each with its fingerprint, have new ones, one behind the other."""
        if any(series[1] != "tenant" for series in new):
            raise ValueError("the first tag of a series is its tenant")
        if not new:
            return {}
        first = new_number(connection, "series", self._learnt, len(new))
        numbers = range(first, first + len(new))
        rows = list(map(row_of, numbers, new))
        connection.executemany("INSERT INTO series (id, measurement, tenant, tags, crc) VALUES (?, ?, ?, ?, ?)", rows)
        if not self._added:
            self._before = self._learnt, self._stand
        self._added += zip(new.values(), numbers, strict=True)
        for (series, fingerprint), number in zip(new.items(), numbers, strict=True):
            self._fingerprints.put(fingerprint, number)
            self._warm.keep(number, series)
            self._tenants[series[0]].add(series[2])
        self._learnt = numbers[-1]
        self._stand = self._stand[0] + len(rows), self._stand[1] + sum(row[-1] for row in rows)
        return dict(zip(new, numbers, strict=True))
