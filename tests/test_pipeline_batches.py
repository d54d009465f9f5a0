"""While an answer is waited for the next batch is read; nothing is sent that wouldn't be without it, and none lost."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from fakes import Store, group, score
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import look
from stages import HOUR, SLOT, Deliveries, many

from collector.batch import Columns, Cursor, DeadLetter, Write
from collector.errors import JournalError, Rejected, TooLarge, Unavailable
from collector.journal import Journal
from collector.pipeline import deliver
from collector.pipeline.deliver import SUSPECT
from collector.point import Point

Act = Callable[[], object]


class Wire(Store):
    """A sink between whose requests and answers anything may happen: `before` and `after` it was read ahead.

    It finds out what was superseded before it was sent, and an old value after a newer one.
    """

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self.before: list[Act] = []
        self.after: list[Act] = []
        self.prepared: list[int] = []
        self._journal = journal

    def prepare(self, rows: Columns) -> Write:
        if rows:
            self.prepared.append(len(rows))
        points = [row.point for row in rows.rows()]

        def write(meanwhile: Act | None) -> None:
            self.requests.append(len(points))
            if meanwhile:
                for point in points:
                    standing = self._journal.history(point.series, point.time, point.time + 1)
                    assert list(standing) == [point], "what was superseded, or forgotten, is not sent"
                _do(self.before)
                meanwhile()
                _do(self.after)
            self.judge(points)
            for point in points:
                known = self.kept.get((point.series, point.time), {"score": -1.0})
                assert float(known["score"]) <= float(point.fields["score"]), "an old value after a newer one"
                self.kept[point.series, point.time] = dict(point.fields)

        return write


@pytest.fixture(name="bench")
def _bench(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Deliveries:
    monkeypatch.setattr(deliver, "BATCH", 3)
    return Deliveries(journal)


def test_the_next_batch_is_made_ready_while_one_is_on_its_way(bench: Deliveries) -> None:
    """Before the answer to a batch is there the next one is read; of one that is ready nothing is read again."""
    bench.journal.append(many(8))
    sink = Wire(bench.journal)
    ready: list[int] = []
    sink.after += [lambda: ready.append(len(sink.prepared))]
    bench.deliver(sink)
    assert ready == [2]
    assert sink.prepared == [3, 3, 2]
    assert sink.requests == [3, 3, 2]


def test_one_batch_is_read_ahead_and_no_more(bench: Deliveries) -> None:
    """However long an answer takes, no more than the batch behind it is in memory."""
    bench.journal.append(many(30))
    sink = Wire(bench.journal)
    ahead: list[int] = []
    sink.judge = lambda _: ahead.append(len(sink.prepared) - len(sink.requests))
    bench.deliver(sink)
    assert max(ahead) == 1


def test_what_is_superseded_while_it_waits_is_not_sent(bench: Deliveries) -> None:
    """A row of the batch that was read ahead has a newer value before its turn: the new value alone is sent."""
    bench.journal.append(many(6))
    sink = Wire(bench.journal)
    sink.after += [lambda: bench.journal.append([score("contoso", SLOT + 4 * HOUR, 77.0)])]
    bench.deliver(sink)
    assert sink.requests == [3, 3]
    assert sink.kept[score("contoso", 0).series, SLOT + 4 * HOUR]["score"] == 77.0


def test_a_damaged_row_hides_none_that_went(bench: Deliveries) -> None:
    """One of the rows that were read ahead is damaged, and another is superseded: as many are left as were good."""
    bench.journal.append(many(6))
    look(bench.journal.path, "UPDATE point SET data = zeroblob(12) WHERE id = 5")
    sink = Wire(bench.journal)
    sink.after += [lambda: bench.journal.append([score("contoso", SLOT + 3 * HOUR, 77.0)])]
    bench.deliver(sink)
    assert sink.requests == [3, 2]
    assert sink.kept[score("contoso", 0).series, SLOT + 3 * HOUR]["score"] == 77.0


def test_what_is_forgotten_while_it_waits_is_not_sent(bench: Deliveries) -> None:
    """A tenant that a person forgets is in no batch that is sent afterwards."""
    bench.journal.append([*many(3), *(score("fabrikam", SLOT + n * HOUR) for n in range(2))])
    sink = Wire(bench.journal)
    sink.after += [lambda: bench.journal.forget("fabrikam")]
    bench.deliver(sink)
    assert sink.requests == [3]


def test_what_was_read_ahead_is_nothing_after_a_replay(bench: Deliveries) -> None:
    """A cursor that a person moves back while a batch is on its way leads, and the batch behind it waits its turn."""
    bench.journal.append(many(7))
    sink = Wire(bench.journal)
    sink.after += [lambda: bench.journal.move("main", 1)]
    bench.deliver(sink)
    assert sink.requests == [3, 3, 3, 1]


def test_what_was_read_ahead_does_not_rest(bench: Deliveries) -> None:
    """A sink that fails keeps nothing in memory for its next try: what is sent then is read then."""
    bench.journal.append(many(6))
    sink = Wire(bench.journal)
    sink.judge = _failing_once
    delivery = bench.delivery(sink)
    delivery.nudge()
    with pytest.raises(ZeroDivisionError):
        bench.stage.play()
    sink.judge = lambda _: None
    sink.prepared.clear()
    bench.stage.play()
    assert sink.prepared == [3, 3]


def test_a_batch_that_was_too_large_leaves_nothing_as_large_ahead(
    bench: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read ahead in the size that was too large is read again in the size that was taken."""
    monkeypatch.setattr(deliver, "BATCH", 4 * SUSPECT)
    bench.journal.append(many(8 * SUSPECT))
    sink = Wire(bench.journal)

    def judge(points: Sequence[Point]) -> None:
        if len(points) > SUSPECT:
            raise TooLarge("413")

    sink.judge = judge
    bench.deliver(sink)
    assert [size for size in sink.requests if size > SUSPECT] == [4 * SUSPECT, 2 * SUSPECT, 2 * SUSPECT]


def test_a_journal_that_cannot_be_read_ahead_fails_no_batch(bench: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is on its way counts, and the journal is asked again in its turn."""
    bench.journal.append(many(6))
    sink = Wire(bench.journal)
    real = bench.journal.read

    def read(cursor: Cursor, *args: int) -> object:
        if cursor.next == 4 and len(sink.requests) == 1 and not bench.journal.cursor("main").next == 4:
            raise JournalError("disk I/O error")
        return real(cursor, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.journal, "read", read)
    delivery = bench.deliver(sink)
    assert sink.requests == [3, 3]
    assert all(state.error is None for state in bench.states)
    assert delivery.reached == 7


def test_a_batch_that_cannot_be_made_ready_holds_up_none_before_it(bench: Deliveries) -> None:
    """A fault in making the next batch is its own: the one on its way is taken, once, and the cursor moves."""
    bench.journal.append(many(6))

    class Faulty(Wire):
        def prepare(self, rows: Columns) -> Write:
            if 4 in rows.ids:
                raise ZeroDivisionError
            return super().prepare(rows)

    sink = Faulty(bench.journal)
    bench.delivery(sink).nudge()
    with pytest.raises(ZeroDivisionError):
        bench.stage.play()
    assert sink.requests == [3]
    assert bench.journal.cursor("main").next == 4


def test_what_comes_while_the_last_batch_is_on_its_way_is_sent(bench: Deliveries) -> None:
    """An end that was seen ahead of its time is no end."""
    bench.journal.append(many(3))
    sink = Wire(bench.journal)
    sink.after += [lambda: bench.journal.append([score("contoso", SLOT + 50 * HOUR)])]
    bench.deliver(sink)
    assert sink.requests == [3, 1]


_APPEND = st.tuples(
    st.just("append"), st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5)), min_size=1, max_size=5)
)
_ACTS = st.one_of(
    _APPEND,
    _APPEND,
    st.tuples(st.just("replay"), st.integers(1, 30)),
    st.tuples(st.just("forget"), st.integers(0, 1)),
    st.tuples(st.just("fail"), st.integers(1, 3)),
    st.tuples(st.just("reject"), st.integers(0, 5)),
    st.tuples(st.just("full"), st.integers(1, 2)),
)
_STEPS = st.one_of(
    _ACTS,
    st.tuples(st.sampled_from(["before", "after"]), _ACTS),
    st.tuples(st.sampled_from(["before", "after"]), _ACTS),
    st.just(("step", 0)),
    st.just(("step", 0)),
)


class _Course:
    """A delivery to which things happen, at any moment between its steps, and of its exchanges."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.bench = Deliveries(journal)
        self.sink = Wire(journal)
        self.sink.judge = self._judge
        self.delivery = self.bench.delivery(self.sink)
        self._failures = 0
        self._bad: int | None = None
        self._full = 0
        self._version = 0
        self._advance = journal.advance
        journal.advance = self._advance_or_fail  # type: ignore[method-assign]

    def act(self, kind: str, what: object) -> None:
        """Do one thing, or have it done in the middle of the next exchange."""
        match kind, what:
            case "append", list():
                self.journal.append([self._point(*each) for each in what])
            case "replay", int():
                if self.journal.cursors():
                    self.journal.move("main", what)
            case "forget", int():
                self.journal.forget(_TENANTS[what])
                self.sink.kept = {key: fields for key, fields in self.sink.kept.items() if not _of(key[0], what)}
            case "fail", int():
                self._failures = what
            case "reject", int():
                self._bad = what
            case (("before" | "after"), tuple()):
                getattr(self.sink, kind).append(lambda: self.act(*what))
            case _:
                self.delivery.nudge()
                self.bench.stage.step()
        self.nothing_was_passed_by()

    def end(self) -> None:
        """Let the sink be well, and everything be delivered."""
        self._failures, self._bad, self._full = 0, None, 0
        self.sink.before.clear()
        self.sink.after.clear()
        self.delivery.wake()
        self.bench.stage.play()

    def nothing_was_passed_by(self) -> None:
        """Hold that the cursor is behind nothing but what the sink has, or a dead letter keeps."""
        letters = {(letter.row.point.series, letter.row.point.time) for letter in self.journal.letters.every(["main"])}
        behind = next((cursor.next for cursor in self.journal.cursors()), 1)
        for row in self.journal.read(Cursor("", 1, 0), 1000).rows:
            identity = row.point.series, row.point.time
            if row.id < behind and identity not in letters:
                assert self.sink.kept.get(identity) == row.point.fields, "a cursor moves by the sink's success alone"

    def _point(self, tenant: int, hour: int) -> Point:
        self._version += 1
        return group(_TENANTS[tenant], "a", SLOT + hour * HOUR, float(self._version))

    def _advance_or_fail(self, cursor: Cursor, after: int, rejected: Sequence[DeadLetter] = ()) -> Cursor | None:
        if self._full:
            self._full -= 1
            raise JournalError("no room")
        return self._advance(cursor, after, rejected)

    def _judge(self, points: Sequence[Point]) -> None:
        if self._failures:
            self._failures -= 1
            raise Unavailable("503")
        if any(point.time == SLOT + HOUR * self._bad for point in points if self._bad is not None):
            raise Rejected("400")


_TENANTS = ("contoso", "fabrikam")


def _of(series: object, tenant: int) -> bool:
    return series == group(_TENANTS[tenant], "a", SLOT).series


@settings(deadline=None, max_examples=100)
@given(st.lists(_STEPS, max_size=40))
def test_whatever_happens_around_an_exchange_a_sink_gets_what_stands_and_in_order(
    steps: Sequence[tuple[str, object]],
) -> None:
    """Appends, replays, forgettings, outages, refusals, a full disk, also while an answer is awaited: nothing is lost.

    Nothing that was superseded or forgotten before its request began is in it, no old value comes after a newer, and at
    no moment is the cursor past what the sink has yet to take.
    """
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory() as folder,
        Journal(Path(folder) / "journal.db") as journal,
    ):
        patch.setattr(deliver, "BATCH", 2)
        course = _Course(journal)
        course.act("append", [(tenant, hour) for hour in range(6) for tenant in range(2)])
        for step in steps:
            course.act(*step)
        course.end()
        assert journal.cursor("main").next == journal.tail()
        course.nothing_was_passed_by()


def _do(acts: list[Act]) -> None:
    if acts:
        acts.pop(0)()


def _failing_once(_: Sequence[Point]) -> None:
    raise ZeroDivisionError
