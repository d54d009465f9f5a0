"""The consumer that turns new rows into trend, spike and daily points. It has a cursor, as every sink has one.

A crash, a late import, a replay, a break that is set afterwards and the end of a day are one case to it: something
changed at a moment, and what follows from it is derived anew. What it appends it appends with its cursor's move, in one
transaction; what is there already it does not append again.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from collector.batch import DERIVE, DERIVED_FROM, Batch, Cursor, Row
from collector.derive.closing import Closing, Days
from collector.derive.followed import TRENDS
from collector.derive.known import Known
from collector.derive.protocols import Apart, Journal, Rules
from collector.derive.recent import Recent
from collector.derive.saying import Saying
from collector.derive.stands import Stands
from collector.derive.taking import Taking
from collector.history.card import DAY
from collector.history.notes import ANNOTATION
from collector.history.rises import SPIKES
from collector.point import Point

_DERIVED = frozenset({SPIKES, *TRENDS.values(), *(f"{score}_daily" for score in TRENDS)})
"""What is made here. Where another process brings some of it in, it was not looked at yet."""
BATCH = 2_000
"""Rows that are taken in one turn at the most."""


def together(_part: str, _tenant: str, _group: str, work: Callable[[], object]) -> bool:
    """Do a part of the work as one with the rest: what fails there, fails."""
    work()
    return True


@dataclass(frozen=True, slots=True)
class _Left:
    """The cursor as a turn leaves it, the journal's file and era, and the first row that may have come since then."""

    cursor: Cursor
    file: int
    era: int
    since: int


class Derive:
    """Derives a turn at a time. `clock`: seconds since the epoch."""

    def __init__(
        self, journal: Journal, rules: Rules, *, clock: Callable[[], float] = time.time, apart: Apart = together
    ) -> None:
        self._journal = journal
        self._rules = rules
        self._clock = clock
        self._apart = apart
        self._stands = Stands()
        self._known = Known(journal, self._stands)
        self._recent = Recent(journal)
        self._closing = Closing(journal, self._known, rules.interval)
        self._taking = Taking(journal, rules, apart, self._known, self._recent, self._stands)
        self._saying = Saying(journal, self._known, self._recent, rules)
        self._left: _Left | None = None
        """Where the last turn has left the journal: what is remembered holds for that."""
        self._closed: int | None = None
        """Up to which day (its number) all days were looked at, or are in `_portion` and `_days`."""
        self._portion: Days = ()
        self._days: Iterator[Days] = iter(())
        self._rows_first = False

    def take_up(self) -> None:
        """Take up what a process that was stopped had yet to say; to be called before anything is polled."""
        now = self._now()
        longest = max(self._rules.organization.window_days, self._rules.groups.window_days)
        self._recent.want(now - (longest + 2) * DAY)
        self._saying.take_up(now, self._apart)

    def turn(self, *, last: bool = False) -> bool:
        """Take some rows, or some of the days that have closed; return whether there may be more to do.

        `last`: nothing more is polled, so that what began is said though the groups that rose with it are not known.
        """
        try:
            return self._turn(self._journal.cursor(DERIVE), last=last)
        except BaseException:
            self._left = None  # what was learnt in it may not be in the journal
            raise

    def _turn(self, cursor: Cursor, *, last: bool) -> bool:
        self._remember(cursor)
        self.take_up()
        today = self._now() // DAY
        if self._closed != today:
            # Before any row of today: by the days that are there it is told up to where this was done.
            self._days = chain(self._days, self._closing.closed(self._closed, today))
            self._closed = today
            self._rows_first = False
        if not self._rows_first and self._close(cursor, today):
            return True
        self._rows_first = False
        batch = self._journal.read(cursor, BATCH, DERIVED_FROM)
        if batch.after == cursor.next:
            if self._close(cursor, today):
                return True
            self._saying.say(self._now(), self._apart, wait=not last)
            return False
        rows, after = _portion(batch)
        derived = self._taking.take(rows, self._now())
        derived.points += self._closing.points(self._taking.days, self._apart)
        if self._append(cursor, after, derived.points):
            self._saying.add(derived.began)
            self._saying.say(self._now(), self._apart, wait=not last)
        return True

    def _remember(self, cursor: Cursor) -> None:
        """Let go of what was learnt unless all that came meanwhile was appended here and is yet to be read.

        Where another process has only appended, too, let go of what it has appended to.
        """
        left, now = self._left, _Left(cursor, self._journal.file, self._journal.era, cursor.next)
        self._left = now
        if left is not None and left.cursor == cursor and left.file == now.file:
            if left.era == now.era:
                return
            came = self._journal.across.whose(left.since)
            if came is not None:
                self._touched(came)
                return
        if left is None or left.cursor != cursor:
            self._known.forget()
        self._known.annotated()
        self._recent.forget()
        self._stands.clear()

    def _touched(self, came: Collection[tuple[str, str]]) -> None:
        """Let go of what rows that another process may have appended can have changed, before they are read.

        The samples among them are taken in their turn, and then change what they change.
        """
        measurements = {measurement for measurement, _ in came}
        if ANNOTATION in measurements:
            self._known.annotated()
        if SPIKES in measurements:
            self._recent.forget()
        self._stands.forget_tenants({tenant for measurement, tenant in came if measurement in _DERIVED})

    def _close(self, cursor: Cursor, today: int) -> bool:
        """Make the points of a portion of the days that have closed; return whether there was one."""
        if not self._portion:
            self._portion = next(self._days, ())
        if not self._portion:
            return False
        points = self._closing.points(self._portion, self._apart)
        if not points or self._append(cursor, cursor.next, points):
            # Of yesterday alone the order does not matter: where it was done to is told by the last day that is there.
            self._rows_first = self._portion[0][1] == today - 1
            self._portion = ()
        return True

    def _append(self, cursor: Cursor, after: int, points: Sequence[Point]) -> bool:
        """Append, with the cursor's move; False where it was moved meanwhile: what was learnt is forgotten then."""
        if self._left is None or not self._journal.append(points, taken=(cursor, after)):
            self._left = None
            return False
        self._recent.keep(points)
        self._left = replace(self._left, cursor=Cursor(cursor.consumer, after, cursor.moves))
        return True

    def _now(self) -> int:
        return int(self._clock() * 1000)


def _portion(batch: Batch) -> tuple[Sequence[Row], int]:
    """Return the rows of a turn, and the row behind them: the first break is the last, since it touches whole weeks.

    One that is set in a thousand tenants at once would else be a turn that no memory holds.
    """
    for n, row in enumerate(batch.rows):
        series = row.point.series
        if series.measurement == ANNOTATION and series.tag("kind") == "break":
            return batch.rows[: n + 1], row.id + 1
    return batch.rows, batch.after
