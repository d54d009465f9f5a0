"""The journal driven by any steps in any order, beside its model, and the sinks that it serves.

After each step a reader finds in the journal what the model holds, and nothing is lost: what each sink wants it has
taken, or has yet to take, or a dead letter keeps it, or a person gave it up. A sink's value never goes back to an older
one.
"""

import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from journal_drafts import DRAFTS, MOMENTS, NOW, SINKS, TENANTS, Draft, point
from journal_model import Identity, Model, agree, identity, kept, wants
from journals import DAY

from collector.batch import DERIVE, Batch, Cursor, DeadLetter, Filter, Row
from collector.errors import JournalError
from collector.journal import Journal
from collector.point import Point

_T = TypeVar("_T")


@dataclass
class Sink:
    """What a sink holds by identity. `flight`: the batch that was read, its cursor, and where it leads.

    `ahead`: what was read behind that, as if it was taken.
    """

    held: dict[Identity, Point] = field(default_factory=dict)
    given_up: set[int] = field(default_factory=set)
    flight: tuple[Cursor, int, Sequence[Row]] | None = None
    ahead: tuple[Cursor, Batch] | None = None


class JournalMachine(RuleBasedStateMachine):
    """Two writers and a reader of one file, each of which has learnt what it has learnt."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.path = Path(self._folder.name) / "journal.db"
        self.model = Model()
        self.sinks = {name: Sink() for name in SINKS}
        self.settings: set[str] = set()
        self.version = 0
        self.turn = 0
        self.journals = [self._open(), self._open(), self._open(readonly=True)]

    def teardown(self) -> None:
        """Let every sink take what there is: it ends with the newest value of each identity that it wants."""
        try:
            for name in self.sinks:
                self.bring_up_to_date(name)
            self.nothing_is_lost()
            for journal in self.journals:
                agree(journal, self.model)
        finally:
            for journal in self.journals:
                journal.close()
            self._folder.cleanup()

    @initialize(first=DRAFTS)
    def begin(self, first: list[Draft]) -> None:
        self.append(0, first)
        self.settings = {"main", "daily"}

    # What is done.

    @rule(by=st.integers(0, 1), drafts=DRAFTS)
    def append(self, by: int, drafts: list[Draft]) -> None:
        points = self.points(drafts)
        assert self.journals[by].append(points)
        self.model.append(points)

    @rule(by=st.integers(0, 1), drafts=DRAFTS, after=st.integers(1, 30))
    def append_broken_off(self, by: int, drafts: list[Draft], after: int) -> None:
        """Break an append off in the middle: all of it is there, or nothing, and nothing of it was learnt."""
        points = self.points(drafts)
        self._broken_off(by, after, lambda: self.journals[by].append(points))
        if self.journals[2].tail() != self.model.tail:
            self.model.append(points)

    @precondition(lambda self: "main" in self.model.cursors)
    @rule(by=st.integers(0, 1), after=st.integers(1, 30))
    def advance_broken_off(self, by: int, after: int) -> None:
        """Break a cursor's move off in the middle: it has moved and its dead letters are kept, or neither."""
        cursor = self.model.cursors["main"]
        rows = self.model.ahead(cursor.next, Filter())[:3]
        to = rows[-1].id + 1 if rows else cursor.next
        letters = [DeadLetter(row, "no") for row in rows]
        self._broken_off(by, after, lambda: self.journals[by].advance(cursor, to, letters))
        if cursor not in self.journals[2].cursors():
            self.model.advance(cursor, to, rows)

    @rule(by=st.integers(0, 2))
    def reopen(self, by: int) -> None:
        self.journals[by].close()
        self.journals[by] = self._open(readonly=by == 2)

    @rule(name=st.sampled_from(sorted(SINKS)))
    def come_or_go(self, name: str) -> None:
        """A sink is put into the settings or taken out; its cursor stays."""
        self.settings ^= {name}

    @rule(by=st.integers(0, 1), name=st.sampled_from(sorted(SINKS)), limit=st.integers(1, 9))
    def read(self, by: int, name: str, limit: int) -> None:
        """A sink takes a batch, and whatever happens before it has written it."""
        journal, wanted = self.journals[by], SINKS[name]
        cursor = journal.cursor(name)
        assert cursor == self.model.cursor(name)
        batch = journal.read(cursor, limit, wanted)
        ahead = self.model.ahead(cursor.next, wanted)
        assert list(batch.rows) == ahead[: len(batch.rows)], "what is wanted comes in order, and nothing is left out"
        assert all(row.id < batch.after for row in batch.rows)
        assert len(batch.rows) <= limit
        assert all(row.id >= batch.after for row in ahead[len(batch.rows) :]), "the cursor passes nothing by"
        assert batch.after > cursor.next or cursor.next == self.model.tail, "it gets on while there is a row"
        self.sinks[name].flight = cursor, batch.after, batch.rows

    @rule(by=st.integers(0, 1), name=st.sampled_from(sorted(SINKS)), limit=st.integers(1, 9))
    def read_ahead(self, by: int, name: str, limit: int) -> None:
        """A sink reads behind its batch while that is under way, and whatever happens before its turn comes."""
        sink = self.sinks[name]
        if sink.flight is not None:
            before, after, _ = sink.flight
            cursor = Cursor(name, after, before.moves)
            sink.ahead = cursor, self.journals[by].read(cursor, limit, SINKS[name])

    @rule(by=st.integers(0, 1), name=st.sampled_from(sorted(SINKS)))
    def take_ahead(self, by: int, name: str) -> None:
        """What was read ahead is under way next, in its turn, if it stands: if it is all that would be read now."""
        sink = self.sinks[name]
        if sink.flight is not None or sink.ahead is None:
            return
        (cursor, batch), sink.ahead = sink.ahead, None
        now = [row for row in self.model.ahead(cursor.next, SINKS[name]) if row.id < batch.after]
        stands = now == list(batch.rows)
        assert self.journals[by].stands(cursor, batch, SINKS[name]) == stands, "what has changed does not stand"
        if stands and self.model.cursors[name] == cursor:
            sink.flight = cursor, batch.after, batch.rows

    @rule(by=st.integers(0, 1), name=st.sampled_from(sorted(SINKS)), refused=st.sampled_from([0, 0, 1, 5, 255]))
    def finish(self, by: int, name: str, refused: int) -> None:
        """The sink has written its batch, but for the rows that it refuses by the bits of a number."""
        sink = self.sinks[name]
        if sink.flight is None:
            return
        (cursor, after, rows), sink.flight = sink.flight, None
        dead = [row for n, row in enumerate(rows) if refused >> n & 1]
        for row in rows:
            if row not in dead:
                before = sink.held.get(identity(row.point))
                assert before is None or _version(before) <= _version(row.point), "an old value after a newer one"
                sink.held[identity(row.point)] = row.point
        moved = self.journals[by].advance(cursor, after, [DeadLetter(row, "no: \ud800") for row in dead])
        assert (moved is not None) == self.model.advance(cursor, after, dead), "a race is lost by whoever comes second"
        assert moved in {None, self.model.cursors[name]}

    @rule(by=st.integers(0, 1), limit=st.integers(1, 9), raced=st.booleans())
    def derive(self, by: int, limit: int, raced: bool) -> None:  # noqa: FBT001 - Hypothesis draws it
        """A consumer appends what it makes of the rows, and takes them, in one step."""
        cursor = self.journals[by].cursor(DERIVE)
        assert cursor == self.model.cursor(DERIVE)
        batch = self.journals[by].read(cursor, limit, Filter(measurements=("exposure_score*",)))
        daily = [("contoso", "exposure_score_daily", "", row.point.time // DAY * DAY) for row in batch.rows]
        points = self.points(daily)
        if raced:
            self.journals[1 - by].move(DERIVE, cursor.next)
            self.model.move(DERIVE, cursor.next)
        assert self.journals[by].append(points, taken=(cursor, batch.after)) is not raced
        assert self.model.append(points, (cursor, batch.after)) is not raced

    @rule(by=st.integers(0, 1), name=st.sampled_from([DERIVE, *SINKS]), since=st.sampled_from(MOMENTS))
    def replay(self, by: int, name: str, since: int) -> None:
        """A person moves a cursor back to a moment."""
        self.move(by, name, self.journals[by].place(since, self.model.tail))

    @rule(by=st.integers(0, 1), name=st.sampled_from([DERIVE, *SINKS]), to=st.integers(0, 40))
    def move(self, by: int, name: str, to: int) -> None:
        """A person moves a cursor back to a row."""
        if name in self.model.cursors:
            assert self.journals[by].move(name, to) == self.model.move(name, to)

    @rule(by=st.integers(0, 1), names=st.sets(st.sampled_from(sorted(SINKS)), max_size=3), limit=st.integers(1, 3))
    def resend(self, by: int, names: set[str], limit: int) -> None:
        sinks, after, until = sorted(names), 0, self.journals[by].letters.last()
        for _ in range(2):
            done = self.journals[by].letters.resend(sinks, after, until, limit)
            assert done == self.model.resend(sinks, after, until, limit)
            after = after if done is None else done.after

    @rule(by=st.integers(0, 1), names=st.sets(st.sampled_from(sorted(SINKS)), max_size=2), until=st.integers(0, 20))
    def discard(self, by: int, names: set[str], until: int) -> None:
        for n, (name, row) in self.model.letters.items():
            if name in names and n <= until:
                self.sinks[name].given_up.add(row.id)
        assert self.journals[by].letters.discard(sorted(names), until) == self.model.discard(sorted(names), until)

    @rule(by=st.integers(0, 1), before=st.sampled_from(MOMENTS), broken=st.sampled_from([0, 0, 30, 60]))
    def prune(self, by: int, before: int, broken: int) -> None:
        """Prune, now and then after an attempt that was broken off in the middle: together both are one."""
        consumers = [DERIVE, *sorted(self.settings)]
        held = dict(self.model.rows)
        first = self._broken_off(by, broken, lambda: self.journals[by].prune(before, consumers))
        second = self.journals[by].prune(before, consumers)
        went = self.model.prune(before, consumers)
        assert second == went if not broken else first in {None, went}
        for id_ in held.keys() - self.model.rows.keys():
            for name in self.settings:
                assert self._safe(name, id_, held[id_]), f"row {id_} was pruned, and {name} has yet to take it"
            assert not kept(held[id_])

    @rule(by=st.integers(0, 1), name=st.sampled_from(TENANTS), broken=st.sampled_from([0, 0, 40]))
    def forget(self, by: int, name: str, broken: int) -> None:
        """Forget a tenant, now and then after an attempt that was broken off."""
        self._broken_off(by, broken, lambda: self.journals[by].forget(name))
        if DERIVE in self.model.cursors and self.model.cursors[DERIVE] not in self.journals[2].cursors():
            self.model.move(DERIVE, self.model.cursors[DERIVE].next)  # it was broken off at its very end
        held = self.journals[by].forget(name)
        went = self.model.forget(name)
        assert broken or held == went

    # What holds after each step.

    @invariant()
    def a_reader_finds_what_the_model_holds(self) -> None:
        self.turn = (self.turn + 1) % len(self.journals)
        agree(self.journals[self.turn], self.model)

    @invariant()
    def nothing_is_lost(self) -> None:
        for name, wanted in SINKS.items():
            for row in self.model.ahead(1, wanted):
                assert self._safe(name, row.id, row.point), f"{name} never gets row {row.id}"

    def _safe(self, name: str, id_: int, of: Point) -> bool:
        """Whether a sink doesn't want a point, has it, has yet to take it, has a letter of it, or it was given up."""
        sink, cursor = self.sinks[name], self.model.cursors.get(name)
        return (
            not wants(SINKS[name], of)
            or cursor is None
            or (id_ >= cursor.next and id_ in self.model.rows)
            or sink.held.get(identity(of)) == of
            or id_ in sink.given_up
            or any((of_, row.id) == (name, id_) for of_, row in self.model.letters.values())
        )

    def points(self, drafts: Sequence[Draft]) -> list[Point]:
        """Return points that are newer than all before."""
        self.version += len(drafts)
        return [point(draft, self.version + n) for n, draft in enumerate(drafts, 1 - len(drafts))]

    def _open(self, *, readonly: bool = False) -> Journal:
        return Journal(self.path, readonly=readonly, clock=lambda: NOW / 1000)

    def bring_up_to_date(self, name: str) -> None:
        """Let a sink take all there is."""
        # What was under way may have lost a race; each read after it takes some of what is ahead.
        for _ in range(2 + self.model.tail // 5):
            if self.sinks[name].flight is None:
                self.read(0, name, 10_000)
            self.finish(0, name, 0)
        assert not self.model.ahead(self.model.cursor(name).next, SINKS[name]), "a sink gets to the end"

    def _broken_off(self, by: int, after: int, act: Callable[[], _T]) -> _T | None:
        """Break it off after so many steps of SQLite's, if it takes so many; not at all after none."""
        if not after:
            return None
        self.journals[by].tail()  # opens it, where it was closed
        connection = self.journals[by]._database._connection
        steps = iter([0] * after)
        connection.set_progress_handler(lambda: next(steps, 1), 20)
        try:
            return act()
        except JournalError as error:
            assert "interrupted" in str(error)  # noqa: PT017 - it may also have been fast enough
            return None
        finally:
            with suppress(sqlite3.ProgrammingError):  # closed where the rollback was broken off, too
                connection.set_progress_handler(None, 0)


def _version(of: Point) -> float:
    score = of.fields["score"]
    assert isinstance(score, float)
    return score
