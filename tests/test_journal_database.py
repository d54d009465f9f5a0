"""One open file: whoever has learnt something from it is told when that may no longer hold."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest
from journals import look

from collector.errors import JournalError
from collector.journal.database import Database

_WRITE = "INSERT INTO shape (fields, crc) VALUES ('', 0)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal is."""
    return tmp_path / "journal.db"


@pytest.fixture
def told() -> list[str]:
    """What was told of the file, after it was first looked at."""
    return []


@pytest.fixture
def database(path: Path, told: list[str]) -> Iterator[Database]:
    """A file that was opened, and looked at."""
    found = Database(
        path,
        stale=lambda: told.append("stale"),
        undone=lambda: told.append("undone"),
        another=lambda: told.append("another"),
    )
    with closing(found):
        told.clear()
        yield found


def test_what_this_process_writes_leaves_all_that_it_has_learnt(database: Database, told: list[str]) -> None:
    """It knows itself what it has changed."""
    for _ in range(3):
        with database.writing() as connection:
            connection.execute(_WRITE)
        with database.trying() as connection:
            connection.execute(_WRITE)
        with database.reading():
            pass
    assert told == []
    assert look(database.path, "SELECT count(*) FROM shape") == [(3,)]


def test_what_another_has_written_is_told_once(database: Database, told: list[str], path: Path) -> None:
    """Inside the next transaction, before anything is read in it."""
    look(path, _WRITE)
    assert told == []
    for _ in range(2):
        with database.reading():
            assert told == ["stale"]


@pytest.mark.parametrize("what", [Database.writing, Database.reading, Database.trying])
def test_what_comes_to_nothing_is_taken_back_before_it_is_told(
    database: Database, told: list[str], path: Path, what: Callable[[Database], AbstractContextManager[object]]
) -> None:
    """Whatever ends the transaction in its middle, Ctrl-C too; no lock on the file stays behind."""
    with pytest.raises(KeyboardInterrupt), what(database):
        raise KeyboardInterrupt
    assert told == ["undone", "stale"]
    look(path, _WRITE)


def test_another_file_under_the_name_is_told_before_anything_is_read_from_it(
    database: Database, told: list[str], path: Path
) -> None:
    """However alike the two are: what was learnt from one means nothing in the other."""
    opened = database.opened
    for number in range(2):
        new = path.with_name("new.db")
        Database(new).close()
        new.replace(path)
        with database.reading():
            assert told == ["another", "stale"] * (number + 1)
        assert database.opened == opened + number + 1


def test_a_file_that_is_gone_is_said_and_nothing_that_was_learnt_is_believed(
    database: Database, told: list[str], path: Path
) -> None:
    """Nor is a new one made in its place."""
    path.unlink()
    with pytest.raises(JournalError, match="No such file"), database.writing():
        pass
    assert told == ["undone", "stale"]
    assert not path.exists()
