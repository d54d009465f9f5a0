"""A batch's cursor moves while the next one is on its way: once, not before, and also where that one fails."""

import gc
from collections.abc import Callable, Sequence
from weakref import ref

import pytest
from fakes import Store, score
from stages import HOUR, SLOT, Deliveries, many

from collector.batch import Columns, Cursor, DeadLetter, Write
from collector.errors import JournalError, Rejected, Unavailable
from collector.journal import Journal
from collector.pipeline import deliver


class Line(Store):
    """A sink that has a say before its answer is waited for, and at the end of that."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: Callable[[], object] = lambda: None
        self.waited: Callable[[], object] = lambda: None
        self.writes: list[ref[object]] = []

    def prepare(self, rows: Columns) -> Write:
        write = super().prepare(rows)

        def with_a_say(meanwhile: Callable[[], object] | None) -> None:
            def both() -> None:
                if meanwhile:
                    meanwhile()
                self.waited()

            self.sent()
            write(both)

        self.writes.append(ref(with_a_say))
        return with_a_say


@pytest.fixture(name="bench")
def _bench(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Deliveries:
    monkeypatch.setattr(deliver, "BATCH", 3)
    bench = Deliveries(journal)
    journal.append(many(8))
    return bench


def _stands(bench: Deliveries) -> int:
    (cursor,) = bench.journal.cursors()
    return cursor.next


def test_the_cursor_of_a_batch_moves_while_the_next_one_is_on_its_way(bench: Deliveries) -> None:
    """The server and the disk work at the same time; who is killed may send the last batch but one again, no more."""
    sink = Line()
    before: list[int] = []
    after: list[int] = []
    sink.sent = lambda: before.append(_stands(bench))
    sink.waited = lambda: after.append(_stands(bench))
    bench.deliver(sink)
    assert before == [1, 1, 4]
    assert after == [1, 4, 7]
    assert _stands(bench) == 9


def test_a_cursor_is_written_once_a_batch(bench: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each move of a cursor is synced to disk: three batches cost three."""
    moved: list[int] = []
    real = bench.journal.advance

    def advance(cursor: Cursor, after: int, rejected: Sequence[DeadLetter] = ()) -> Cursor | None:
        moved.append(after)
        return real(cursor, after, rejected)

    monkeypatch.setattr(bench.journal, "advance", advance)
    bench.deliver(Line())
    assert moved == [4, 7, 9]


def test_a_batch_that_is_one_bad_point_leaves_its_letter(bench: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    """A point that is refused while the next batch is ready is kept as a dead letter before that one goes."""
    monkeypatch.setattr(deliver, "BATCH", 1)
    sink = Line()

    def judge(points: Sequence[object]) -> None:
        if len(sink.requests) == 2:
            raise Rejected("field type conflict")
        assert points

    sink.judge = judge
    bench.deliver(sink)
    assert [letter.row.id for letter in bench.journal.letters.every(["main"])] == [2]
    assert len(sink.kept) == 7


def test_a_replay_over_rows_that_are_gone_sends_none_twice(bench: Deliveries) -> None:
    """As many rows stand behind the moved cursor as were read ahead; those are read anew and go once."""
    sink = Line()

    def superseded_and_replayed() -> None:
        if len(sink.requests) == 1:
            bench.journal.append([score("contoso", SLOT + n * HOUR, 50.0 + n) for n in range(3)])
            bench.journal.move("main", 1)

    sink.waited = superseded_and_replayed
    bench.deliver(sink)
    assert sink.requests == [3, 3, 3, 2]


def _second_fails(bench: Deliveries, sink: Line) -> None:
    """Have the second request fail, once, before its answer is waited for."""

    def sent() -> None:
        if len(sink.kept) == 3 and not any(state.error for state in bench.states):
            raise Unavailable("refused")

    sink.sent = sent


def test_a_sink_that_is_gone_with_the_next_batch_has_what_it_took(bench: Deliveries) -> None:
    """The next request finds nobody: the cursor stands behind the batch before it, which is not sent again."""
    sink = Line()
    _second_fails(bench, sink)
    delivery = bench.delivery(sink)
    delivery.nudge()
    bench.stage.play(until=bench.time.now)
    assert [str(state.error) for state in bench.states if state.error] == ["refused"]
    assert _stands(bench) == delivery.reached == 4
    bench.stage.play()
    assert sink.requests == [3, 3, 2]


def test_a_sink_rests_also_where_its_cursor_cannot_move(bench: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sink and the journal fail together: what is told is of the sink, and both are tried again."""
    sink = Line()
    _second_fails(bench, sink)
    real = bench.journal.advance
    full = [True]

    def advance(cursor: Cursor, after: int, rejected: Sequence[DeadLetter] = ()) -> Cursor | None:
        if full:
            full.clear()
            raise JournalError("no room")
        return real(cursor, after, rejected)

    monkeypatch.setattr(bench.journal, "advance", advance)
    delivery = bench.deliver(sink)
    assert [str(state.error) for state in bench.states if state.error] == ["refused"]
    assert delivery.state == deliver.State(up_to_date=True)
    assert len(sink.kept) == 8
    assert _stands(bench) == 9


def test_a_sink_that_rests_has_nothing_ready(bench: Deliveries) -> None:
    """What was read ahead for a sink that is down is let go of: it may rest for days, and is read then."""
    sink = Line()

    def judge(_: Sequence[object]) -> None:
        raise Unavailable("503")

    sink.judge = judge
    bench.delivery(sink).nudge()
    bench.stage.play(until=bench.time.now)
    gc.collect()
    assert len(sink.writes) == 2
    assert not any(write() for write in sink.writes)
