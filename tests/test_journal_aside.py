"""How a damaged file is set aside: whose it may be, who may do it, and what is left where it can't be done."""

import os
import sqlite3
from contextlib import AbstractContextManager, nullcontext
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from journals import every, flip, group, hear, look, org, other
from pytest_structlog import StructuredLogCapture
from salvages import PAGE, Contents, contents, made, served

from collector.batch import Cursor
from collector.errors import JournalError
from collector.journal import Held, Journal, RoleLock, Unsound, aside, in_charge
from collector.journal import salvage as salvaging
from collector.journal.carving import Carving
from collector.journal.filling import Carried, carry
from collector.journal.salvage import MOST, salvage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal is."""
    return tmp_path / "journal.db"


@pytest.fixture
def before(path: Path) -> Contents:
    """What the journal held before it was damaged."""
    return made(path)


@pytest.mark.usefixtures("before")
def test_a_file_of_which_nothing_is_left_makes_way(path: Path, log: StructuredLogCapture) -> None:
    """A journal that was zeroed from end to end is set aside, too, where a collector has run on it."""
    with RoleLock(path):
        pass
    path.write_bytes(bytes(len(path.read_bytes())))
    with in_charge(path) as journal:
        assert contents(journal).points == {}
        journal.append([org()])
    (file,) = aside(path)
    assert log.has("journal.salvaged", level="error", aside=str(file), rows=0, cursors=0, dead_letters=0)


def test_nobody_sets_a_journal_aside_under_who_polls(path: Path, before: Contents) -> None:
    """Who comes second is refused, also by a damaged journal, and it stays as it is."""
    content = path.read_bytes()
    damaged = bytes(100) + content[100:]
    for found in (content, damaged):
        path.write_bytes(found)
        with RoleLock(path), pytest.raises(Held), in_charge(path):
            pass
        assert path.read_bytes() == found
    assert aside(path) == []
    assert served(path) == before


_ROLLBACK = b"\xd9\xd5\x05\xf9 \xa1c\xd7" + bytes(600)


@pytest.mark.parametrize("end", ["-journal", "-wal", "-shm"])
def test_what_belongs_to_the_old_file_is_not_applied_to_the_new_one(path: Path, before: Contents, end: str) -> None:
    """What SQLite left beside the damaged file, and is damaged too, goes with it under its new name."""
    content = path.read_bytes()
    path.write_bytes(bytes(100) + content[100:])
    beside = path.with_name(f"journal.db{end}")
    beside.write_bytes(_ROLLBACK)
    assert served(path) == before
    (file,) = aside(path)
    assert not beside.exists() or not beside.stat().st_size
    assert file.with_name(f"{file.name}{end}").exists()


def test_what_could_not_be_undone_in_the_old_file_is_not_undone_in_the_new_one(
    path: Path, before: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is half done stays with the damaged file where SQLite has no room to take it back."""
    path.with_name("journal.db-journal").write_bytes(_ROLLBACK)
    monkeypatch.setattr("collector.journal.salvage._locked", lambda _: nullcontext())
    found = salvage(path)
    with Journal(path) as journal:
        assert contents(journal) == before
    assert found.aside.with_name(f"{found.aside.name}-journal").read_bytes() == _ROLLBACK


def test_after_a_few_damaged_files_the_disk_is_not_filled_with_them(path: Path, before: Contents) -> None:
    """A disk that goes on destroying the journal is named, and the file stays; nothing is ever deleted."""
    for _ in range(MOST):
        salvage(path, lambda: 1_700_000_000.0)
    content = path.read_bytes()
    with pytest.raises(JournalError, match="5 damaged files") as caught:
        salvage(path)
    assert "look at the disk" in caught.value.mend
    assert path.read_bytes() == content
    stamp = "journal.db.damaged-20231114T221320Z"
    assert [file.name for file in aside(path)] == [stamp, *(f"{stamp}-{n}" for n in range(2, MOST + 1))]
    with Journal(path) as journal:
        assert contents(journal) == before


@pytest.mark.parametrize(
    "content", [b"[poll]\n" * 2000, b"SQLite format 3\0" + bytes(9000), b"\x00\x01" * 9000, bytes(9000)]
)
def test_what_was_no_journal_is_refused_and_left_as_it_is(path: Path, content: bytes) -> None:
    """A wrong `journal.path` costs nobody's file its name, and no role is left beside it."""
    path.write_bytes(content)
    with pytest.raises(Unsound, match=r"journal\.db"), in_charge(path):
        pass
    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_another_programs_database_is_refused_too(path: Path) -> None:
    """Also where something called as our lock stands beside it."""
    look(path, "CREATE TABLE song (title TEXT)")
    path.with_name("journal.db.lock").touch()
    with pytest.raises(Unsound, match="not a journal"), in_charge(path):
        pass
    assert aside(path) == []


def test_where_it_can_not_be_set_aside_the_damaged_file_serves_on(path: Path, before: Contents) -> None:
    """No room, no right: it is said with the mend, nothing is left behind, and what can be read is read."""
    obstacle = path.with_name("journal.db.salvage")
    obstacle.mkdir()
    flip(path, path.read_bytes().index(b"gr\xc3\xbc\xc3\x9fe 3") + 8, 0)
    with Journal(path) as journal:
        with pytest.raises(JournalError, match="could not be set aside") as caught:
            journal.mend()
        assert "make room" in caught.value.mend
        assert 0 < len(every(journal)) < len(before.points)
        obstacle.rmdir()
        journal.mend()
        assert len(every(journal)) == len(before.points) - 60


@pytest.mark.parametrize("harm", [OSError("planted"), sqlite3.OperationalError("planted"), KeyboardInterrupt()])
def test_nothing_is_left_of_a_mend_that_was_broken_off(
    path: Path, before: Contents, monkeypatch: pytest.MonkeyPatch, harm: BaseException
) -> None:
    """A disk that fails meanwhile, or Ctrl-C: the journal is as it was, alone in its folder."""
    content = path.read_bytes()

    def fail(*_: object) -> Carried:
        raise harm

    monkeypatch.setattr("collector.journal.salvage.carry", fail)
    with pytest.raises((JournalError, KeyboardInterrupt), match=r"could not be set aside: planted|^$"):
        salvage(path)
    assert path.read_bytes() == content
    assert {file.name for file in path.parent.iterdir()} <= {path.name, "journal.db-journal"}
    monkeypatch.undo()
    assert salvage(path).carried.rows == len(before.points)


def test_a_journal_to_which_another_writes_is_not_set_aside(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is half written is not carried over: who writes is waited for, and else it is said."""
    Journal(path).close()
    monkeypatch.setattr("collector.journal.salvage._BUSY_SECONDS", 0.05)
    with Journal(path) as beside:
        with beside._database.writing(), pytest.raises(JournalError, match="database is locked"):
            salvage(path)
        assert aside(path) == []
        beside.append([org()])
        assert salvage(path).carried.rows == 1


def test_what_another_appends_while_its_turn_is_waited_for_is_carried_over(
    path: Path, before: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever writes at that moment ends first; its points are safe, however much longer they have made the file."""
    points = [group(f"g{n}") for n in range(500)]
    with Journal(path) as beside:
        locked = salvaging._locked

        def late(file: Path) -> AbstractContextManager[None]:
            beside.append(points)
            return locked(file)

        monkeypatch.setattr(salvaging, "_locked", late)
        assert salvage(path).carried.rows == len(before.points) + len(points)
        assert every(beside)[-len(points) :] == points


@pytest.mark.parametrize("at", [0, 16, 18, 20, 56])
@pytest.mark.parametrize("beside", [b"", b"garbage" * 3000])
def test_a_first_page_that_sqlite_would_bear_with_is_damaged_all_the_same(
    path: Path, before: Contents, at: int, beside: bytes
) -> None:
    """SQLite would read on with some of them, and take no more points, or lay them out in another way."""
    flip(path, at, 6)
    path.with_name("journal.db-journal").write_bytes(beside)
    with pytest.raises(Unsound, match=r"file is not a database|what would undo it is damaged"):
        Journal(path)
    with in_charge(path) as journal:
        assert contents(journal) == before
        journal.append([org()])


def test_a_journal_without_a_point_is_one_all_the_same(path: Path) -> None:
    """What is damaged before the first poll makes way for the next start, too."""
    Journal(path).close()
    content = path.read_bytes()
    path.write_bytes(content[:100] + bytes(PAGE - 100) + content[PAGE:])
    with in_charge(path) as journal:
        assert journal.tail() == 1
        journal.append([org()])
        assert every(journal) == [org()]
    assert len(aside(path)) == 1


def test_a_journal_that_a_person_has_given_another_name_is_in_nobodys_way(path: Path, before: Contents) -> None:
    """A backup by hard links is not taken for a damaged file that was set aside, and neither for one before it."""
    old = salvage(path).aside
    path.with_name("journal.db.of-yesterday").hardlink_to(path)
    with Journal(path) as journal:
        assert contents(journal) == before
    new = salvage(path, lambda: 1_700_000_000.0).aside
    assert aside(path) == [new, old]


@pytest.mark.parametrize("lost", [b'"float"', b"exposure_score_by_group"])
@pytest.mark.usefixtures("before")
def test_names_of_one_kind_are_enough_to_know_a_journal(path: Path, lost: bytes) -> None:
    """Where the first page is gone, and with it whose file it was, a series or a shape that proves itself says it."""
    content = path.read_bytes()
    for start in (0, content.index(lost) // PAGE * PAGE):
        content = content[:start] + bytes(PAGE) + content[start + PAGE :]
    assert lost not in content
    path.write_bytes(content)
    with in_charge(path):
        assert len(aside(path)) == 1


def test_where_files_can_have_one_name_only_it_is_renamed(
    path: Path, before: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a file system without hard links the damaged file is renamed."""
    monkeypatch.setattr("os.link", _no_links)
    content = path.read_bytes()
    assert salvage(path).aside.read_bytes() == content
    with Journal(path) as journal:
        assert contents(journal) == before


def _no_links(*_: object) -> None:
    raise OSError("no links here")


@pytest.mark.parametrize("harm", [OSError("planted"), KeyboardInterrupt()])
def test_a_file_that_was_renamed_has_its_name_again_where_that_was_all(
    path: Path, before: Contents, monkeypatch: pytest.MonkeyPatch, harm: BaseException
) -> None:
    """A disk that fails between two renames, or Ctrl-C, leaves no folder without a journal, for a new one to begin."""

    def fail(*_: object) -> Path:
        raise harm

    path.with_name("journal.db-journal").write_bytes(_ROLLBACK)
    content = path.read_bytes()
    monkeypatch.setattr("os.link", _no_links)
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises((JournalError, KeyboardInterrupt)):
        salvage(path)
    monkeypatch.undo()
    assert path.read_bytes() == content
    assert path.with_name("journal.db-journal").read_bytes() == _ROLLBACK
    assert (aside(path), path.with_name("journal.db.salvage").exists()) == ([], False)
    assert served(path) == before


def test_a_crash_between_two_renames_begins_no_journal_of_nothing(path: Path, before: Contents) -> None:
    """Nothing has the journal's name then: nobody makes a new one, and the next start sets the old one aside anew."""
    path.rename(path.with_name("journal.db.damaged-20231114T221320Z"))
    path.with_name("journal.db.salvage").write_bytes(b"whole, for all that is known")
    for readonly in (True, False):
        with pytest.raises(Unsound, match="cut short"):
            Journal(path, readonly=readonly)
    assert served(path) == before
    assert len(aside(path)) == 1


def test_what_an_attempt_has_left_is_taken_away(path: Path, before: Contents) -> None:
    """A crash in the middle leaves the journal as it was, and the next attempt begins anew."""
    path.with_name("journal.db.salvage").write_bytes(b"half" * 5000)
    salvage(path)
    with Journal(path) as journal:
        assert contents(journal) == before
        assert journal.read(Cursor("", 1, 0), 1).rows


def _append_when_told(pipe: Connection, path: Path) -> None:
    """Append a point, and another one when told to; say that it is safe."""
    with Journal(path) as journal:
        journal.append([group("first")])
        pipe.send("open")
        pipe.recv()
        journal.append([group("second")])
        pipe.send("safe")


@pytest.mark.usefixtures("before")
def test_who_has_read_its_first_page_before_it_was_damaged_writes_to_the_new_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite looks at that page no more while nobody else writes: such a process is kept out like all others."""
    with other(_append_when_told, path) as (_, pipe):
        assert hear(pipe) == "open"

        def slow(carving: Carving, connection: sqlite3.Connection) -> Carried:
            carried = carry(carving, connection)
            pipe.send("go")
            pipe.poll(0.3)
            return carried

        monkeypatch.setattr(salvaging, "carry", slow)
        _overwrite(path, 0, bytes(20))
        salvage(path)
        assert hear(pipe) == "safe"
    with Journal(path) as journal:
        assert every(journal)[-2:] == [group("first"), group("second")]


def _overwrite(path: Path, at: int, content: bytes) -> None:
    file = os.open(path, os.O_WRONLY)
    try:
        os.pwrite(file, content, at)
    finally:
        os.close(file)
