"""Proving a journal: what is damaged is found and named, a write is tried and taken back, and who is in the way."""

import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest
from journals import HOUR, MIDNIGHT, flip, group, look, org, place
from pytest_structlog import StructuredLogCapture
from salvages import PAGE

from collector.errors import JournalError
from collector.journal import Journal, RoleLock, proving, reachable
from collector.journal.database import Database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a journal with twelve points of four series: rows 1 to 12."""
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        journal.append([group(f"group {n % 4}", MIDNIGHT + n * HOUR, n / 7) for n in range(12)])
    return path


def test_a_sound_journal_is_proven_whole(path: Path, log: StructuredLogCapture) -> None:
    """Every row is looked at, none is damaged, and nothing is logged."""
    with Journal(path) as journal:
        proof = journal.prove(seconds=60, most=1000)
    assert (proof.rows, proof.whole, list(proof.damaged)) == (12, True, [])
    assert log.events == []


def test_an_empty_journal_is_proven_whole(tmp_path: Path) -> None:
    """A journal without rows has nothing that could be damaged."""
    with Journal(tmp_path / "journal.db") as journal:
        proof = journal.prove(seconds=60, most=1000)
    assert (proof.rows, proof.whole, list(proof.damaged)) == (0, True, [])


@pytest.mark.parametrize(
    ("harm", "damaged"),
    [
        ("UPDATE point SET data = x'00' WHERE id IN (3, 9)", ["row 3", "row 9"]),
        ("UPDATE series SET tags = '[]' WHERE id = 2", ["series 2"]),
        ("DELETE FROM shape", ["shape 1"]),
    ],
)
def test_what_is_damaged_is_named(path: Path, log: StructuredLogCapture, harm: str, damaged: list[str]) -> None:
    """A row, a series or a shape that isn't what was written is named once, and the log is left to the service."""
    look(path, harm)
    with Journal(path) as journal:
        proof = journal.prove(seconds=60, most=1000)
    assert sorted(proof.damaged) == damaged
    assert proof.whole
    assert proof.rows == 12 or not damaged[0].startswith("row")
    assert log.events == []


def test_a_flipped_bit_in_a_value_is_found(path: Path) -> None:
    """A bit of a value that SQLite itself can't know of is found by the checksum."""
    flip(path, place(path, 7) + 3, 4)
    with Journal(path) as journal:
        assert list(journal.prove(seconds=60, most=1000).damaged) == ["row 7"]


def test_a_damaged_page_is_found(path: Path) -> None:
    """A page of the file that no longer hangs together is found too, in SQLite's words."""
    flip(path, place(path, 7) - 11, 5)
    with Journal(path) as journal:
        row, *pages = journal.prove(seconds=60, most=1000).damaged
    assert row == "row 7"
    assert pages


def test_what_is_said_of_a_page_is_one_line(path: Path) -> None:
    """SQLite's words stand as they are in one line of a report, also where they were several."""
    flip(path, place(path, 7) // PAGE * PAGE + 7)
    with Journal(path) as journal:
        (page,) = journal.prove(seconds=60, most=1000).damaged
    assert page.startswith("*** in database main *** Fragmentation of")


def test_the_pages_of_a_large_file_are_not_looked_at(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That would be one long view, for which every writer waits: its rows are proven alone."""
    flip(path, place(path, 7) - 11, 5)
    size = path.stat().st_size
    with Journal(path) as journal:
        for quick, whole in ((size, False), (size - 1, True)):
            monkeypatch.setattr(proving, "_QUICK_BYTES", quick)
            assert (journal.prove(seconds=60, most=1000).damaged == ["row 7"]) == whole


def test_a_damaged_entry_of_an_index_is_found(path: Path) -> None:
    """An entry that leads to no row hides one from whoever asks by time: it is damage, though every row is sound."""
    content, ((moment,),) = path.read_bytes(), look(path, "SELECT time FROM point WHERE id = 4")
    places = [n for n in range(len(content)) if content.startswith(moment.to_bytes(6, "big"), n)]
    (at,) = {*places} - {place(path, 4) - 6}
    flip(path, at + 5, 0)
    with Journal(path) as journal:
        assert journal.prove(60, 1000).damaged


def test_proving_ends(tmp_path: Path) -> None:
    """At most about so many rows are looked at, from the newest back, and none once the time is over."""
    with Journal(tmp_path / "journal.db") as journal:
        journal.append([org(MIDNIGHT + n * HOUR, n / 3) for n in range(11_000)])
        look(journal.path, "UPDATE point SET data = x'00' WHERE id IN (1, 11000)")
        proof = journal.prove(seconds=60, most=6_000)
        assert (proof.rows, proof.whole, list(proof.damaged)) == (10_000, False, ["row 11000"])
        assert journal.prove(seconds=0, most=6_000).rows == 0


def test_the_write_that_is_tried_reaches_the_disk_and_is_taken_back(path: Path) -> None:
    """After a probe the file holds what it held, to the byte; the next row has the number that it would have had."""
    before = path.read_bytes()
    with Journal(path) as journal:
        memory = journal._database._connection.execute("PRAGMA cache_size").fetchone()
        journal.probe()
        assert path.read_bytes() == before
        assert journal._database._connection.execute("PRAGMA cache_size").fetchone() == memory
        journal.append([org()])
        assert look(path, "SELECT max(id) FROM point") == [(13,)]


def limited(path: Path, free: int) -> str:
    """Return what a probe says in a process whose files can only grow by so many bytes."""
    script = (
        "import resource, sys, pathlib\n"
        "from collector.journal import Journal; from collector.errors import JournalError\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "with Journal(path) as journal:\n"
        "    size = path.stat().st_size + int(sys.argv[2])\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))\n"
        "    try:\n"
        "        journal.probe(); print('well')\n"
        "    except JournalError as error:\n"
        "        print(error, '|', error.mend)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, path, str(free)], capture_output=True, text=True, check=True)
    return done.stdout


def test_a_file_that_may_not_grow_is_found_by_the_probe(path: Path) -> None:
    """Where the system lets the file grow no more the probe fails, says why, and leaves the file as it was."""
    before = path.read_bytes()
    said = limited(path, 4096)
    assert "disk I/O error" in said
    assert "ulimit -f" in said
    assert path.read_bytes() == before
    assert limited(path, 1 << 20) == "well\n"


def test_a_full_disk_is_found_by_the_probe(path: Path, tmp_path: Path) -> None:
    """On a disk without room the probe fails, and the mend is room; what was there is whole."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "none", disk], check=False, capture_output=True
    ).returncode:
        pytest.skip("NOT TESTED for want of the right to mount")
    try:
        small = disk / "journal.db"
        small.write_bytes(path.read_bytes())
        with Journal(small) as journal:
            with pytest.raises(JournalError, match="full") as caught:
                journal.probe()
            assert "room" in caught.value.mend
            assert journal.prove(seconds=60, most=1000).damaged == []
    finally:
        subprocess.run(["umount", disk], check=True)


def test_why_the_write_failed_is_said_also_where_nothing_can_be_read_then(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look at the file follows a write that failed: what that look meets is not the cause."""

    def unreadable(_: Database) -> NoReturn:
        raise JournalError("another trouble")

    with Journal(path) as journal:
        journal._database._connection.execute("PRAGMA query_only = ON")
        monkeypatch.setattr(Database, "reading", unreadable)
        with pytest.raises(JournalError, match="readonly"):
            journal.probe()


def test_who_holds_the_file_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that another process holds open is said with that process's pid."""
    monkeypatch.setattr("collector.journal.opening._BUSY_SECONDS", 0.2)
    script = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('BEGIN IMMEDIATE'); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with Journal(path) as journal, pytest.raises(JournalError, match="locked") as caught:
            journal.probe()
        assert f"the process {other.pid} holds a transaction open" in caught.value.mend
        other.communicate()


def test_a_role_that_could_be_taken_is_reachable(tmp_path: Path) -> None:
    """The role's file is reachable where it isn't there yet, where it is, and where another holds it; none is made."""
    path = tmp_path / "journal.db"
    lock = tmp_path / "journal.db.lock"
    reachable(path)
    assert not lock.exists()
    with RoleLock(path):
        reachable(path)
    reachable(path)


def test_a_role_that_nobody_could_take_is_said(tmp_path: Path) -> None:
    """A role's file that can't be opened is named, with the mend."""
    lock = tmp_path / "journal.db.lock"
    lock.mkdir()
    with pytest.raises(JournalError, match=r"journal\.db\.lock: Is a directory") as caught:
        reachable(tmp_path / "journal.db")
    assert "take it away" in caught.value.mend
