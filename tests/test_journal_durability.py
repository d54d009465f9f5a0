"""What append has returned for is there, whatever ends the process; what it has not is there whole or not at all."""

import os
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from journals import HOUR, MIDNIGHT, append_numbered, every, group, hear, look, org, other, stop_in_the_middle

from collector.errors import JournalError
from collector.journal import Journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal will be."""
    return tmp_path / "journal.db"


def test_a_transaction_is_on_the_disk_before_it_ends(path: Path) -> None:
    """Every commit waits for the disk, and what would undo it is cut off before append returns."""
    with Journal(path) as journal:
        pragma = {
            name: journal._database._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "locking_mode")
        }
        assert pragma == {"journal_mode": "truncate", "synchronous": 3, "locking_mode": "normal"}
        journal.append([org()])
        assert path.with_name("journal.db-journal").stat().st_size == 0


def test_a_journal_in_another_mode_is_brought_back(path: Path) -> None:
    """A person's tool that left the file in WAL mode doesn't change what a commit means."""
    with Journal(path) as journal:
        journal.append([org()])
    look(path, "PRAGMA journal_mode=WAL")
    with Journal(path) as journal:
        assert every(journal) == [org()]
        assert look(path, "PRAGMA journal_mode") != [("wal",)]


def test_a_power_cut_in_the_very_first_transaction_leaves_no_half_made_journal(path: Path, tmp_path: Path) -> None:
    """What is in the file then begins with nothing, and beside it stands what undoes it: it becomes a journal."""
    left = tmp_path / "left"
    left.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE half (made BLOB)")
        connection.executemany("INSERT INTO half VALUES (zeroblob(?))", [(3000,)] * 200)
        for file in path.parent.glob("journal.db*"):
            shutil.copy(file, left)
    content = (left / "journal.db").read_bytes()
    assert content[:16] == bytes(16)
    with pytest.raises(JournalError, match="readonly") as caught:
        Journal(left / "journal.db", readonly=True)
    assert "takes it back" in caught.value.mend
    assert (left / "journal.db").read_bytes() == content
    with Journal(left / "journal.db") as journal:
        journal.append([org()])
        assert every(journal) == [org()]
    assert look(left / "journal.db", "SELECT count(*) FROM sqlite_schema WHERE name = 'half'") == [(0,)]


@pytest.mark.parametrize("spilled", [False, True])
def test_a_process_that_is_killed_in_a_transaction_leaves_the_former_state(path: Path, *, spilled: bool) -> None:
    """A kill between two statements undoes the transaction, also when half of it was in the file already."""
    with other(stop_in_the_middle, path, 1 if spilled else 2000) as (process, pipe):
        assert hear(pipe) == "in the middle"
        process.kill()
        process.join()
    if spilled:
        with pytest.raises(JournalError, match="readonly") as caught:
            Journal(path, readonly=True)
        assert "takes it back" in caught.value.mend
    with Journal(path) as journal:
        assert every(journal) == [org(value=1.0)]
        assert journal.tail() == 2
        journal.append([group("after")])
    assert look(path, "PRAGMA integrity_check") == [("ok",)]


def test_what_append_returned_for_before_a_kill_is_there(path: Path) -> None:
    """A process is killed at any moment: each poll it was told was safe is there whole, and none is there in part."""
    safe = -1
    with other(append_numbered, path, "contoso", 100_000) as (process, pipe):
        assert hear(pipe) == "open"
        pipe.send("go")
        while safe < 25:
            safe = hear(pipe)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        while pipe.poll():
            try:
                safe = pipe.recv()
            except EOFError:
                break
    with Journal(path) as journal:
        points = every(journal)
    values = [point.fields["score"] for point in points]
    assert len(points) % 5 == 0
    assert values == sorted(values)
    assert set(range(safe + 1)) <= set(values) <= set(range(safe + 2))


def test_a_full_disk_is_said_and_does_no_harm(path: Path) -> None:
    """Points that find no room raise, with the mend; with room the journal goes on, each point under its own name."""
    with Journal(path) as journal:
        before = [group(f"before {n}") for n in range(20)]
        journal.append(before)
        connection = journal._database._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(JournalError, match="full") as caught:
            journal.append([group(f"{'x' * 100} {n}") for n in range(1000)])
        assert (str(path) in str(caught.value), caught.value.mend) == (True, "make room on its disk")
        assert every(journal) == before
        connection.execute(f"PRAGMA max_page_count = {pages * 100}")
        later = [group("later"), group(f"{'x' * 100} 9", MIDNIGHT + HOUR), org()]
        journal.append(later)
        assert every(journal) == before + later
    with Journal(path, readonly=True) as reader:
        assert every(reader) == before + later
    assert look(path, "PRAGMA integrity_check") == [("ok",)]


def test_the_mend_is_told_by_the_error_and_not_by_the_path(tmp_path: Path) -> None:
    """A folder called `full` is not a full disk."""
    folder = tmp_path / "full disk is locked"
    folder.mkdir()
    with pytest.raises(JournalError) as caught:
        Journal(folder / ("x" * 300))
    assert caught.value.mend == ""


def _half_done(journal: Journal) -> None:
    """Write half of a transaction, and let it be neither committed nor taken back."""
    with journal._database.writing() as connection:
        connection.execute("INSERT INTO point (series, time, shape, data) VALUES (1, 1, 1, x'00')")
        connection.set_authorizer(lambda action, *_: action == sqlite3.SQLITE_TRANSACTION)


def test_a_transaction_that_can_not_be_taken_back_keeps_nobody_waiting(path: Path) -> None:
    """Where even the rollback fails, what was half done is gone, and who else writes needn't wait for a lock."""
    with Journal(path) as journal, Journal(path) as other:
        with pytest.raises(JournalError, match="not authorized"):
            _half_done(journal)
        other.append([org()])
        journal.append([org(value=2.0)])
        assert every(journal) == every(other) == [org(value=2.0)]
