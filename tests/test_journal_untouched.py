"""A journal that is opened untouched: it can be written to, and to open it changes nothing."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
from journals import every, look, org

from collector.errors import JournalError
from collector.journal import Journal, OldFormat, opening


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal is."""
    return tmp_path / "journal.db"


def _there(path: Path) -> Mapping[str, tuple[int, bytes]]:
    """Return what is in the folder, and when it was written."""
    return {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in path.parent.iterdir()}


def test_no_file_is_made(path: Path) -> None:
    """Where there is no journal there is none afterwards."""
    with pytest.raises(JournalError, match="No such file"):
        Journal(path, untouched=True)
    assert _there(path) == {}


def test_none_is_brought_up(path: Path) -> None:
    """An empty file stays one, and it is said who makes a journal of it."""
    path.touch()
    with pytest.raises(OldFormat, match="not brought up to this version yet") as caught:
        Journal(path, untouched=True)
    assert "`run` or `once`" in caught.value.mend
    assert [content for _, content in _there(path).values()] == [b""]


@pytest.mark.parametrize("beside", [False, True])
def test_the_folder_is_as_it_was_after_a_write_was_tried(path: Path, *, beside: bool) -> None:
    """The file of a rollback is left where it is, and not where it isn't; then a point can be appended."""
    with Journal(path) as journal:
        journal.append([org()])
    rollback = path.with_name("journal.db-journal")
    rollback.unlink(missing_ok=True)
    if beside:
        rollback.touch()
    before = path.read_bytes()
    with Journal(path, untouched=True) as journal:
        journal.probe()
        assert path.read_bytes() == before
        assert rollback.exists() == beside
        journal.append([org(value=2.0)])
        assert every(journal) == [org(value=2.0)]


@pytest.mark.parametrize("untouched", [False, True])
def test_a_journal_of_this_version_is_opened_without_a_write(path: Path, *, untouched: bool) -> None:
    """Whoever opens and closes a journal costs its disk nothing."""
    Journal(path).close()
    before = _there(path)
    Journal(path, untouched=untouched).close()
    assert _there(path) == before


def test_a_reader_takes_a_journal_in_another_mode_as_it_is(path: Path) -> None:
    """Where a person's tool has left the file in WAL mode it can be read, and who only reads leaves that to others."""
    with Journal(path) as journal:
        journal.append([org()])
    look(path, "PRAGMA journal_mode=WAL")
    with Journal(path, readonly=True) as reader:
        assert every(reader) == [org()]
    assert look(path, "PRAGMA journal_mode") == [("wal",)]


def test_a_journal_that_a_tool_holds_in_another_mode_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mode that makes a commit durable can't be set then: nothing is written, and it is said who has to end."""
    Journal(path).close()
    look(path, "PRAGMA journal_mode=WAL")
    monkeypatch.setattr(opening, "_BUSY_SECONDS", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as tool:
        tool.execute("BEGIN")
        tool.execute("SELECT count(*) FROM point").fetchone()
        with pytest.raises(JournalError, match=r"journal\.db: database is locked") as caught:
            Journal(path)
        assert "end it" in caught.value.mend
    Journal(path).close()
