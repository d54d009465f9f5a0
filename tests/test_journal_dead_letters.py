"""Dead letters: kept with the move of the cursor, or not at all."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from journals import MIDNIGHT, every, group, look, org

from collector.batch import Cursor, DeadLetter, Row
from collector.errors import JournalError
from collector.journal import Journal


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal with three rows, whose clock stands at midnight."""
    with Journal(tmp_path / "journal.db", clock=lambda: MIDNIGHT / 1000) as journal:
        journal.append([org(), group("a"), group("b")])
        yield journal


def _letters(journal: Journal, words: str = "partial write") -> list[DeadLetter]:
    return [DeadLetter(row, words) for row in journal.read(Cursor("x", 1, 0), 2).rows]


def test_rejected_points_are_kept_for_the_sink_that_rejected_them(journal: Journal) -> None:
    """A point that a sink refuses for good is counted there, and is taken by the others as any other point."""
    assert journal.advance(journal.cursor("main"), 3, _letters(journal)) == Cursor("main", 3, 0)
    assert (journal.dead_letters("main"), journal.dead_letters("second")) == (2, 0)
    assert len(every(journal)) == 3
    kept = look(journal.path, "SELECT row, time, at, words FROM dead_letter ORDER BY id")
    assert kept == [(1, MIDNIGHT, MIDNIGHT, "partial write"), (2, MIDNIGHT, MIDNIGHT, "partial write")]


def test_a_moved_cursor_keeps_no_dead_letters(journal: Journal) -> None:
    """What a sink refused while a person moved its cursor is tried again, and no dead letter is left of it."""
    cursor = journal.cursor("main")
    journal.move("main", 1)
    assert journal.advance(cursor, 3, _letters(journal)) is None
    assert journal.dead_letters("main") == 0


def test_dead_letters_and_the_cursor_move_together(journal: Journal) -> None:
    """A dead letter that can't be written leaves the cursor, and the letters before it, as they were."""
    cursor = journal.cursor("main")
    journal._database._connection.execute(
        "CREATE TRIGGER planted BEFORE INSERT ON dead_letter WHEN NEW.row = 2 BEGIN SELECT RAISE(ABORT, 'planted'); END"
    )
    with pytest.raises(JournalError, match="planted"):
        journal.advance(cursor, 3, _letters(journal))
    assert (journal.cursor("main"), journal.dead_letters("main")) == (cursor, 0)


def test_a_servers_words_never_hold_up_a_cursor(journal: Journal) -> None:
    """Words that hold a lone surrogate, or are a whole page of HTML, are kept as far as they can be."""
    words = "\ud800 <html>" + "x" * 100_000
    assert journal.advance(journal.cursor("main"), 3, _letters(journal, words)) is not None
    ((kept,), _) = look(journal.path, "SELECT words FROM dead_letter")
    assert kept == "? <html>" + "x" * 992


def test_a_dead_letter_of_a_series_that_was_never_seen_does_not_misname_another(journal: Journal) -> None:
    """What a failed advance learnt is forgotten: no later point is kept under another's name."""
    strange = DeadLetter(Row(1, group("strange")), "no")
    journal._database._connection.execute(
        "CREATE TRIGGER planted BEFORE INSERT ON dead_letter BEGIN SELECT RAISE(ABORT, 'planted'); END"
    )
    with pytest.raises(JournalError, match="planted"):
        journal.advance(journal.cursor("main"), 3, [strange])
    journal.append([group("new")])
    journal.append([group("strange")])
    with Journal(journal.path, readonly=True) as reader:
        assert every(reader, since=4) == [group("new"), group("strange")]
