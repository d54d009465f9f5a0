"""Cursors: each consumer at its own place, moved by its own success or by a person, never by a race."""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import DAY, HOUR, MIDNIGHT, every, group, org, steps

from collector.batch import Cursor
from collector.errors import JournalError
from collector.journal import Journal, places


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal with nine rows."""
    with Journal(tmp_path / "journal.db") as journal:
        journal.append([org(MIDNIGHT + n * HOUR) for n in range(9)])
        yield journal


def test_a_new_consumer_starts_at_the_first_row(journal: Journal) -> None:
    """A sink that is named for the first time gets everything, whatever the others have taken."""
    journal.advance(journal.cursor("main"), 10)
    assert journal.cursor("second") == Cursor("second", 1, 0)
    assert len(journal.read(journal.cursor("second"), 100).rows) == 9


def test_a_cursor_stands_where_it_was_moved_after_the_file_was_opened_anew(tmp_path: Path) -> None:
    """A process that starts again goes on where the one before it stopped."""
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        journal.append([org(), group("a"), group("b")])
        assert journal.advance(journal.cursor("main"), 3) == Cursor("main", 3, 0)
    with Journal(path) as journal:
        assert journal.cursor("main") == Cursor("main", 3, 0)


def test_asking_for_a_cursor_writes_only_once(journal: Journal) -> None:
    """A consumer that looks at its cursor at every turn costs the disk nothing."""
    journal.cursor("main")
    before = journal.path.stat().st_mtime_ns, journal.path.read_bytes()
    assert journal.cursor("main", "http://elsewhere") == Cursor("main", 1, 0)
    assert (journal.path.stat().st_mtime_ns, journal.path.read_bytes()) == before
    with Journal(journal.path, readonly=True) as reader:
        assert reader.cursor("main") == Cursor("main", 1, 0), "nor does it need the right to write"


def test_of_two_that_make_a_cursor_at_once_neither_loses_what_the_other_took(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cursor that came to be, and moved, after somebody had found none stays where it is."""
    writing = journal._database.writing
    with Journal(journal.path) as other:

        def late() -> AbstractContextManager[sqlite3.Connection]:
            monkeypatch.undo()
            assert other.advance(other.cursor("main"), 4)
            return writing()

        monkeypatch.setattr(journal._database, "writing", late)
        assert journal.cursor("main") == Cursor("main", 4, 0) == journal.cursor("main")


def test_an_advance_counts_once(journal: Journal) -> None:
    """Of two workers that took the same batch one moves the cursor, and the other is told that it didn't."""
    cursor = journal.cursor("main")
    assert journal.advance(cursor, 4) == Cursor("main", 4, 0)
    assert journal.advance(cursor, 6) is None
    assert journal.cursor("main").next == 4


def test_a_replay_is_never_lost_to_a_batch_that_was_on_its_way(journal: Journal) -> None:
    """A cursor that a person moved back stays moved, also when it has come to the very same place again."""
    cursor = journal.advance(journal.cursor("main"), 5)
    assert cursor is not None
    assert journal.move("main", 1) == Cursor("main", 1, 1)
    assert journal.advance(journal.cursor("main"), 5) == Cursor("main", 5, 1)
    assert journal.advance(cursor, 9) is None
    assert journal.append([group("a")], taken=(cursor, 9)) is False
    assert journal.cursor("main") == Cursor("main", 5, 1)
    assert (journal.tail(), journal.advance(journal.cursor("main"), 9)) == (10, Cursor("main", 9, 1))


def test_points_and_the_cursor_of_who_derived_them_move_together(journal: Journal) -> None:
    """Derived points are appended and their rows taken in one step: both, or neither."""
    cursor = journal.cursor("derive")
    assert journal.append([group("derived")], taken=(cursor, 10)) is True
    assert journal.cursor("derive") == Cursor("derive", 10, 0)
    assert journal.append([group("again")], taken=(cursor, 10)) is False
    assert every(journal, since=10) == [group("derived")]


def test_a_failed_append_leaves_the_cursor_where_it_was(journal: Journal) -> None:
    """Points that can't be written don't move the cursor of who derived them."""
    cursor = journal.cursor("derive")
    journal._database._connection.execute(
        "CREATE TRIGGER planted BEFORE INSERT ON point BEGIN SELECT RAISE(ABORT, 'planted'); END"
    )
    with pytest.raises(JournalError, match="planted"):
        journal.append([group("a")], taken=(cursor, 10))
    assert (journal.cursor("derive"), journal.tail()) == (cursor, 10)


def test_no_person_moves_a_cursor_forward(journal: Journal) -> None:
    """What a consumer has yet to take can't be skipped; a move that would skip it changes nothing."""
    cursor = journal.advance(journal.cursor("main"), 4)
    assert cursor is not None
    assert (journal.move("main", 10**9), journal.move("main", 5), journal.cursor("main")) == (cursor,) * 3
    assert journal.advance(cursor, 6) == Cursor("main", 6, 0)
    assert journal.move("main", -5) == Cursor("main", 1, 1)


@pytest.mark.parametrize("span", [1, 2, 50_000])
def test_a_moment_has_a_place_in_the_order_of_rows(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, span: int
) -> None:
    """The first row with a time of that moment or later is found, wherever later rows of earlier times stand."""
    monkeypatch.setattr(places, "_SPAN", span)
    assert [journal.place(MIDNIGHT + n * HOUR, 10) for n in (-99, 0, 3, 8)] == [1, 1, 4, 9]
    assert journal.place(MIDNIGHT + 8 * HOUR + 1, 10) == 10, "there is none: nothing is taken again"
    journal.append([group("late", MIDNIGHT - 3 * DAY), group("late", MIDNIGHT + 99 * DAY), group("b", MIDNIGHT)])
    assert journal.place(MIDNIGHT + 9 * HOUR, journal.tail()) == 11
    assert journal.place(MIDNIGHT + 9 * HOUR, 11) == 11, "what lies past the cursor is not looked for"
    journal.append([group("b", MIDNIGHT + 200 * DAY), org(MIDNIGHT + 200 * DAY)])
    assert journal.place(MIDNIGHT + 200 * DAY, journal.tail()) == 13, "also of a series that came later"


def test_who_looks_for_a_moment_keeps_no_writer_waiting(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many rows a day has, no view looks at more than a few: between two of them whoever writes has a turn."""
    monkeypatch.setattr(places, "_SPAN", 20)
    journal.append([group(f"g{n % 200}", MIDNIGHT + n // 200 * HOUR) for n in range(2_000)])
    journal.append([group("g199", MIDNIGHT + 10 * HOUR)])
    taken, views = steps(journal), [0]
    journal._database._connection.set_trace_callback(lambda sql: views.append(len(taken)) if sql == "BEGIN" else None)
    assert journal.place(MIDNIGHT + 10 * HOUR, journal.tail()) == 2_010
    assert max(after - before for before, after in pairwise(views)) < 20, "instructions by the hundred"


def test_the_first_moment_of_all_has_a_place(tmp_path: Path) -> None:
    """The first point of the first series is found, also where it is of the year 1970."""
    with Journal(tmp_path / "journal.db") as journal:
        journal.append([org(0), org(1)])
        assert [journal.place(moment, journal.tail()) for moment in (0, 1, 2)] == [1, 2, 3]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=40), st.integers(-1, 61), st.integers(1, 45))
def test_the_place_of_a_moment_is_that_of_the_first_row(times: list[int], since: int, before: int) -> None:
    """However rows came, replaced each other and are spread over days, none of that moment or later stands before."""
    with TemporaryDirectory() as folder, Journal(Path(folder) / "journal.db") as journal:
        journal.append([group(f"g{n % 3}", MIDNIGHT + time * 7 * HOUR) for n, time in enumerate(times)])
        rows = journal.read(Cursor("", 1, 0), 1000).rows
        moment = MIDNIGHT + since * 7 * HOUR
        expected = [row.id for row in rows if row.point.time >= moment and row.id < before]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(places, "_SPAN", 2)
            assert journal.place(moment, before) == min(expected, default=before)


def test_moving_an_unknown_consumer_names_those_that_there_are(journal: Journal) -> None:
    """A slip in a sink's name is answered with the names that the journal knows."""
    for consumer in ("main", "zulu", "second"):
        journal.cursor(consumer)
    with pytest.raises(JournalError, match="no consumer 'mian'") as caught:
        journal.move("mian", 1)
    assert "main, second, zulu" in caught.value.mend
    assert sorted(cursor.consumer for cursor in journal.cursors()) == ["main", "second", "zulu"]


def test_where_there_is_no_consumer_at_all_that_is_said(journal: Journal) -> None:
    """Before the first delivery a sink's name is answered with words, not with an empty list."""
    with pytest.raises(JournalError, match="no consumer 'main'") as caught:
        journal.move("main", 1)
    assert caught.value.mend == "it has cursors of: none"


def test_a_sink_that_writes_elsewhere_under_the_same_name_is_noticed_once(journal: Journal) -> None:
    """What a sink writes to is on record, so that a changed bucket can be named."""
    journal.cursor("main", "http://a/bucket")
    assert journal.retarget("main", "http://a/bucket") is None
    assert journal.retarget("main", "http://b/bucket") == "http://a/bucket"
    assert journal.retarget("main", "http://b/bucket") is None
    journal.advance(journal.cursor("main", "ignored"), 3)
    assert journal.retarget("main", "http://b/bucket") is None
    assert journal.retarget("unknown", "http://b/bucket") is None
    journal.cursor("second")
    assert [journal.target(sink) for sink in ("main", "second", "unknown")] == ["http://b/bucket", "", ""]


def test_what_a_sink_fails_of_is_there_for_another_process_to_ask(tmp_path: Path) -> None:
    """The last failure of a sink can be read beside the running service, and is gone when it is well again."""
    path = tmp_path / "journal.db"
    with Journal(path) as writer, Journal(path, readonly=True) as reader:
        writer.cursor("main")
        assert (reader.noted("main"), reader.noted("unknown")) == ("", "")
        writer.note("main", "Unavailable: \ud800 no route" + "!" * 5000)
        assert reader.noted("main").startswith("Unavailable: ? no route!!")
        assert len(reader.noted("main")) == 1000
        writer.advance(writer.cursor("main"), 1)
        assert reader.noted("main")
        writer.note("main", "")
        assert reader.noted("main") == ""


_MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("advance"), st.integers(0, 2), st.integers(1, 10)),
        st.tuples(st.just("move"), st.integers(0, 2), st.integers(1, 10)),
        st.tuples(st.just("look"), st.integers(0, 2), st.just(0)),
    ),
    max_size=25,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    """A journal with nine rows, in which each example has a consumer of its own."""
    with Journal(tmp_path_factory.mktemp("moves") / "journal.db") as journal:
        journal.append([org(MIDNIGHT + n * HOUR) for n in range(9)])
        yield journal


@settings(max_examples=25, deadline=None)
@given(_MOVES)
def test_three_holders_of_one_cursor_never_undo_each_other(shared: Journal, moves: list[tuple[str, int, int]]) -> None:
    """Whatever holders and persons do, an advance counts exactly if nothing happened since its holder looked."""
    name = f"sink {len(shared.cursors())}"
    held = [shared.cursor(name)] * 3
    stands = Cursor(name, 1, 0)
    for what, holder, to in moves:
        if what == "move":
            stands = Cursor(name, to, stands.moves + 1) if to <= stands.next else stands
            assert shared.move(name, to) == stands
        elif what == "advance":
            moved = shared.advance(held[holder], to)
            assert (moved is not None) == (held[holder] == stands)
            if moved:
                held[holder] = stands = moved
        else:
            held[holder] = shared.cursor(name)
            assert held[holder] == stands
