"""What was learnt of all names in the journal: which there are, by fingerprint, and up to which number.

Is no memory of names (`names.py`): of a series it tells the number alone.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress

from collector.journal.codec import Damaged
from collector.journal.fingerprints import Fingerprints
from collector.journal.named import SERIES, row_of, texts
from collector.journal.numbers import new_number
from collector.point import Series

_STAND = "SELECT count(*), coalesce(sum(crc), 0) FROM series WHERE id <= ?"
_FAMILIES = 4
"""Measurements of a tenant that are learnt alone: who asks of more learns all names."""


class Learnt:
    """The numbers of series. Every method that has a connection runs inside a transaction of the caller's."""

    def __init__(self) -> None:
        self._fingerprints = Fingerprints()
        self.forget()

    def forget(self) -> None:
        """Learn all anew: what was learnt is of another file, or something of it has gone."""
        self._fingerprints.clear()
        self.last = 0
        """Up to which number the series were learnt; 0 where not all were."""
        self._stand = 0, 0
        """How many those are, and the sum of their checksums: while both are so in the file, none has gone."""
        self._families: set[tuple[str, str]] = set()
        """Measurements and tenants whose series were learnt before all were."""
        self._tenants: defaultdict[str, set[str]] = defaultdict(set)
        """Of all that were learnt or met: the tenants of each measurement."""
        self._added: list[tuple[bytes, int]] = []
        """The newest of this process, by fingerprint: their transaction may yet come to nothing."""
        self._before = 0, (0, 0)
        """What was learnt before those, and how that stood."""
        self.doubted = False
        """Whether some of it may have gone from the file."""

    def begin(self) -> None:
        """Take note that a transaction has begun that may add names: those of the one before it are in the file."""
        self._added = []

    def take_back(self) -> Sequence[int]:
        """Let go of what the last transaction has added: it came to nothing. Return the numbers of those.

        What did not is learnt anew.
        """
        added, self._added = self._added, []
        for fingerprint, _ in added:
            self._fingerprints.drop(fingerprint)
        if added:
            self.last, self._stand = self._before
        return [number for _, number in added]

    def stands(self, connection: sqlite3.Connection) -> bool:
        """Return whether all that was learnt stands in the file, where that was in doubt."""
        if not self.doubted:
            return True
        self.doubted = False
        try:
            return bool(self.last and connection.execute(_STAND, (self.last,)).fetchone() == self._stand)
        except sqlite3.DatabaseError:
            return False  # of what can't be read it is not known

    def fingerprint(self, series: Series) -> bytes:
        """Return by what a series is known here."""
        return self._fingerprints.of(series)

    def number(self, fingerprint: bytes) -> int | None:
        """Return the number of the series of a fingerprint, None where that was not learnt."""
        return self._fingerprints.get(fingerprint)

    def has(self, series: Series) -> bool:
        """Whether the series' tenant has anything of its measurement, by what was learnt of all."""
        return series[2] in self._tenants[series[0]]

    def met(self, series: Series) -> None:
        """Take note of a series that was read: its name may have been damaged when all were learnt."""
        self._tenants[series[0]].add(series[2])

    def go_on(self, connection: sqlite3.Connection) -> bool:
        """Learn the series that came since the last that was learnt; return whether any did."""
        before = count, total = self._stand
        for number, *row in connection.execute(f"{SERIES} WHERE id > ? ORDER BY id", (self.last,)):
            self.last = number
            # Of a checksum that is no number any more, the file's sum is another each time: all is learnt anew then.
            count, total = count + 1, total + (row[-1] if isinstance(row[-1], int) else 0)
            self._learn(number, row)
            self._tenants[row[0]].add(row[1])
        self._stand = count, total
        return self._stand != before

    def go_on_about(self, connection: sqlite3.Connection, series: Series) -> bool:
        """Learn what there is to know of a series; return whether there was anything to learn."""
        family = series.measurement, series.tag("tenant")
        if self.last or len(self._families) >= _FAMILIES:
            # Who writes knows all names: only those that came since then are looked at.
            self.go_on(connection)
        elif family in self._families:
            return False
        else:
            for number, *row in connection.execute(f"{SERIES} WHERE measurement = ? AND tenant = ?", family):
                self._learn(number, row)
            self._families.add(family)
        return True

    def add(self, connection: sqlite3.Connection, new: Mapping[Series, bytes]) -> Mapping[Series, int]:
        """Let series (one at least) that have no number, each with its fingerprint, have new ones in their order."""
        if any(series[1] != "tenant" for series in new):
            raise ValueError("the first tag of a series is its tenant")
        first = new_number(connection, "series", self.last, len(new))
        numbers = range(first, first + len(new))
        rows = list(map(row_of, numbers, new))
        connection.executemany("INSERT INTO series (id, measurement, tenant, tags, crc) VALUES (?, ?, ?, ?, ?)", rows)
        if not self._added:
            self._before = self.last, self._stand
        self._added += zip(new.values(), numbers, strict=True)
        for (series, fingerprint), number in zip(new.items(), numbers, strict=True):
            self._fingerprints.put(fingerprint, number)
            self._tenants[series[0]].add(series[2])
        self.last = numbers[-1]
        self._stand = self._stand[0] + len(rows), self._stand[1] + sum(row[-1] for row in rows)
        return dict(zip(new, numbers, strict=True))

    def _learn(self, number: int, row: Sequence[str]) -> None:
        with suppress(Damaged):
            self._fingerprints.put(self._fingerprints.of(texts(number, row)), number)
