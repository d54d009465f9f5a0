"""The consumer that turns new rows into trend, spike and daily points. It has a cursor, as every sink has one.

A crash, a late import, a replay, a break that is set afterwards and the end of a day are one case to it: something
changed at a moment, and what follows from it is derived anew. What it appends it appends with its cursor's move, in one
transaction; what is there already it does not append again.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence

import structlog

from collector.batch import DERIVE, Batch, Cursor, Filter, Row
from collector.derive.again import Again, Derived
from collector.derive.closing import Closing
from collector.derive.followed import GROUPS, ORGANIZATION, Followed
from collector.derive.known import Known
from collector.derive.moments import Moments
from collector.derive.protocols import Journal, Rules
from collector.derive.samples import likely
from collector.derive.telling import Telling
from collector.derive.walk import Kept
from collector.history.card import DAY, sample
from collector.history.notes import ANNOTATION, EVERY_GROUP
from collector.history.rises import EVERYBODY
from collector.point import Point, Series, rfc3339

BATCH = 2_000
"""Rows that are taken in one turn at the most."""
_WANTED = Filter(measurements=(ORGANIZATION, GROUPS, ANNOTATION))

_log = structlog.get_logger()


class Derive:
    """Derives a turn at a time. `clock`: seconds since the epoch."""

    def __init__(self, journal: Journal, rules: Rules, *, clock: Callable[[], float] = time.time) -> None:
        self._journal = journal
        self._rules = rules
        self._clock = clock
        self._known = Known(journal)
        self._closing = Closing(journal, self._known, rules.interval)
        self._closed: int | None = None
        """Up to which day (its number) all days were looked at when they closed."""
        self._untold: list[Kept] = []

    def turn(self, *, last: bool = False) -> bool:
        """Take some rows, or the days that closed since the last look; return whether there may be more to do.

        `last`: nothing more is polled, so that what began is said though the groups that rose with it are not known.
        """
        cursor = self._journal.cursor(DERIVE)
        today = int(self._clock() * 1000) // DAY
        if self._closed != today:
            # Before any row of today: by the days that are there it is told up to where this was done.
            self._close_days(cursor, today)
            return True
        batch = self._journal.read(cursor, BATCH, _WANTED)
        if batch.after == cursor.next:
            self._tell(wait=not last)
            return False
        rows, after = _portion(batch)
        derived = self._derive(rows)
        if self._journal.append(derived.points, taken=(cursor, after)):
            self._known.derived(derived.points)
            self._untold += derived.began
            self._tell()
        return True

    def _derive(self, rows: Sequence[Row]) -> Derived:
        past = Moments(self._journal)
        telling = Telling(self._known, past, self._rules)
        again = Again(self._journal, self._known, self._rules, past, telling)
        since, fresh, days = self._changed(rows)
        seen: defaultdict[str, set[int]] = defaultdict(set)
        for row in rows:
            if row.point.series.measurement == GROUPS:
                seen[row.point.series.tag("tenant")].add(row.point.time)
        for tenant, moments in seen.items():
            for one, moment in again.unseen(tenant, sorted(moments)):
                since[one] = min(since.get(one, moment), moment)
        # A clock that was set back has rows ahead of it.
        now = max([int(self._clock() * 1000), *(row.point.time for row in rows)])
        all_of_it = Derived()
        for one, moment in since.items():
            _add(all_of_it, again.derive(one, moment, fresh[one], now))
        there = {(point.series, point.time) for point in all_of_it.points}
        for tenant, moments in seen.items():
            for point in again.told_anew(tenant, moments):
                if (point.series, point.time) not in there:
                    there.add((point.series, point.time))
                    all_of_it.points.append(point)
        all_of_it.points += self._closing.days(days)
        return all_of_it

    def _changed(
        self, rows: Sequence[Row]
    ) -> tuple[dict[Followed, int], defaultdict[Followed, dict[int, tuple[Series, float]]], set[tuple[Series, int]]]:
        """Return since when each score changed, what is new of it, and which closed days that touches."""
        since: dict[Followed, int] = {}
        fresh: defaultdict[Followed, dict[int, tuple[Series, float]]] = defaultdict(dict)
        days: set[tuple[Series, int]] = set()
        for series in {row.point.series for row in rows}:
            if series.measurement != ANNOTATION:
                self._known.who(series)
        for point in (row.point for row in rows):
            if point.series.measurement == ANNOTATION:
                for one in self._struck(point):
                    since[one] = min(since.get(one, point.time), point.time)
            elif likely((new := sample(point)).score):
                one = self._known.who(point.series)
                fresh[one][new.time] = point.series, new.score
                since[one] = min(since.get(one, new.time), new.time)
                if (new.time // DAY + 1) * DAY <= self._clock() * 1000:
                    days.add((point.series, new.time // DAY))
        return since, fresh, days

    def _struck(self, note: Point) -> Sequence[Followed]:
        """Return the scores that an annotation changes: those of its group, where it is a break."""
        tenant, group = note.series.tag("tenant"), note.series.tag("rbacGroupName")
        self._known.changed(tenant)
        if note.series.tag("kind") != "break":
            return []
        return [one for one in self._known.both(tenant) if group == EVERY_GROUP or group in one.names]

    def _close_days(self, cursor: Cursor, today: int) -> None:
        """Make the points of the days that have closed since the last look, also of scores that ended in them."""
        points = self._closing.days(self._closing.since_last(today))
        if not points or self._journal.append(points, taken=(cursor, cursor.next)):
            self._closed = today

    def _tell(self, *, wait: bool = True) -> None:
        """Log what began, once it is known how many groups rose with it or won't be; without `wait` all of it now."""
        now = int(self._clock() * 1000)
        telling = Telling(self._known, Moments(self._journal), self._rules)
        known = [(kept, telling.rose(kept.spike.tag("tenant"), kept.episode.begin)) for kept in self._untold]
        self._untold = []
        for kept, rose in known:
            begin = kept.episode.begin
            if now - begin > DAY:
                continue  # found in what was imported: nobody is to be woken for it
            if wait and not rose and self._rules.groups_follow and now - begin < self._rules.interval * 1000:
                self._untold.append(kept)
                continue
            name = kept.spike.tag("rbacGroupName")
            _log.warning(
                "spike.began",
                tenant=kept.spike.tag("tenant"),
                group=name,
                slot=rfc3339(begin),
                baseline=round(kept.episode.baseline, 2),
                score=round(kept.episode.peak, 2),
                rise=round(kept.episode.rise, 2),
                groups=rose or None,
                whole=name == EVERYBODY,
            )


def _portion(batch: Batch) -> tuple[Sequence[Row], int]:
    """Return the rows of a turn, and the row behind them: the first break is the last, since it touches whole weeks.

    One that is set in a thousand tenants at once would else be a turn that no memory holds.
    """
    for n, row in enumerate(batch.rows):
        series = row.point.series
        if series.measurement == ANNOTATION and series.tag("kind") == "break":
            return batch.rows[: n + 1], row.id + 1
    return batch.rows, batch.after


def _add(all_of_it: Derived, more: Derived) -> None:
    all_of_it.points += more.points
    all_of_it.began += more.began
