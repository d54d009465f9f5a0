"""What follows from the rows of a turn: what is plain first and at once, then score by score what is not.

A score that can't be derived is left out, and holds up no other.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial

from collector.batch import Row
from collector.derive.again import Again, Derived
from collector.derive.beginning import Beginning
from collector.derive.changes import Change, Changes
from collector.derive.followed import Followed, name_of, trend_of
from collector.derive.known import Known
from collector.derive.moments import Moments
from collector.derive.onward import Onward
from collector.derive.others import Others
from collector.derive.protocols import Apart, Journal, Rules
from collector.derive.recent import Recent
from collector.derive.stands import Stands
from collector.derive.telling import Telling
from collector.history.card import DAY, sample
from collector.history.notes import ANNOTATION
from collector.point import Point, Series


class Taking:
    """Takes the rows of one turn after the other."""

    def __init__(
        self, journal: Journal, rules: Rules, apart: Apart, known: Known, recent: Recent, stands: Stands
    ) -> None:
        self._journal = journal
        self._rules = rules
        self._apart = apart
        self._known = known
        self._recent = recent
        self._stands = stands
        self._onward = Onward(journal, rules, stands)
        self._beginning = Beginning(journal, known)
        self.days: Collection[tuple[Series, int]] = ()
        """Which closed days (numbers since 1970) the last rows touched."""

    def take(self, rows: Sequence[Row], clock: int) -> Derived:
        """Return what follows from rows that come next in the journal; what is there already is left out."""
        past = Moments(self._journal)
        telling = Telling(self._known, past, self._rules)
        others = Others(self._known, self._rules, past, telling, self._recent, self._stands)
        changes = Changes(self._known, clock // DAY)
        # A clock that was set back has rows ahead of it.
        now = max([clock, *(row.point.time for row in rows)])
        notes = [row for row in rows if row.point.series.measurement == ANNOTATION]
        scores = self._readable([row for row in rows if row.point.series.measurement != ANNOTATION] if notes else rows)
        changes.note(scores)
        self.days = changes.days
        self._meet(scores, changes)
        for row in notes:
            self._alone("row", row.point.series, partial(changes.take, row))
        self._end_unseen(others, changes)
        for one in changes.of:
            self._stands.forget(one.series)
        derived = Derived()
        for row in self._go_on(scores, now, derived):
            self._alone("row", row.point.series, partial(changes.take, row))
        again = Again(self._journal, self._known, self._rules, past, telling, self._recent)
        for one in self._begin(changes.of, derived):
            del changes.of[one]
        newest = self._newest(changes.of)
        # Where that fails by a fault of ours it is seen whose fault it is, score by score.
        if changes.of:
            self._apart("trend", "all tenants", "whoever begins", partial(again.look_ahead, changes.of))
        for one, change in changes.of.items():
            self._stands.forget(one.series)
            work = partial(self._again, again, one, change, newest.get(one, -1), now, derived)
            self._alone("trend", one.series[0], work)
        self._tell_anew(others, changes, derived)
        return derived

    def _readable(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return the rows that have a score."""
        return [
            row
            for row in rows
            if "score" in row.point.fields or self._alone("row", row.point.series, partial(sample, row.point))
        ]

    def _meet(self, rows: Sequence[Row], changes: Changes) -> None:
        """Learn new series; who is of other series than before is told anew, from the first sample on."""
        for one in self._known.meet(self._stands.without(row.point.series for row in rows)):
            changes.since(one, 0, whole=True)

    def _go_on(self, rows: Sequence[Row], now: int, derived: Derived) -> Sequence[Row]:
        """Derive what is plain; return the rows that are not."""
        rest = list(rows)

        def work() -> None:
            points, rest[:] = self._onward.go(rows, now)
            derived.points += points

        if not self._apart("trend", "all tenants", "whoever goes on", work):
            # Score by score it may go well, or it is seen whose fault it is.
            self._stands.clear()
        return rest

    def _begin(self, changed: Mapping[Followed, Change], derived: Derived) -> Collection[Followed]:
        """Derive what begins; return whose score does."""
        begun: list[Followed] = []

        def work() -> None:
            points, stands = self._beginning.go(changed)
            derived.points += points
            for stand in stands:
                self._stands.keep(stand)
                begun.append(stand.one)

        # Where it doesn't go well, score by score it may.
        self._apart("trend", "all tenants", "whoever begins", work)
        return begun

    def _end_unseen(self, others: Others, changes: Changes) -> None:
        """Let those be derived again that were unseen while others were seen, though a spike of theirs goes on."""

        def work(spike: Point, moments: Sequence[int]) -> None:
            found = others.unseen(spike, moments)
            if found is not None:
                changes.since(*found)

        for tenant, seen in changes.seen.items():
            moments = sorted(seen)
            for spike in others.standing(tenant, moments):
                self._alone("end", spike.series, partial(work, spike, moments))

    def _tell_anew(self, others: Others, changes: Changes, derived: Derived) -> None:
        """Say of the spikes that are there how many groups rose, where more of them are known now."""
        there = {(point.series, point.time) for point in derived.points}

        def work(spike: Point) -> None:
            point = others.told_anew(spike)
            if point is not None:
                derived.points.append(point)

        for tenant, moments in changes.seen.items():
            for spike in others.begun(tenant, moments):
                if (spike.series, spike.time) not in there:
                    self._alone("text", spike.series, partial(work, spike))

    def _newest(self, every: Iterable[Followed]) -> Mapping[Followed, int]:
        """Return the time of the last sample of which something was told, of each score that has one."""
        trends = {trend_of(series): one for one in every for series in one.series}
        found: dict[Followed, int] = {}
        for point in self._journal.across.newest(trends.keys()):
            one = trends[point.series]
            found[one] = max(found.get(one, -1), point.time)
        return found

    def _again(self, again: Again, one: Followed, change: Change, newest: int, now: int, derived: Derived) -> None:
        its = again.derive(one, change, newest, now)
        derived.points += its.points
        derived.began += its.began
        if its.stand is not None:
            self._stands.keep(its.stand)

    def _alone(self, part: str, series: Series, work: Callable[[], object]) -> bool:
        return self._apart(part, series.tag("tenant"), name_of(series), work)
