"""The journal is the file that has its name now: one that was set aside, replaced or deleted gets no more points."""

import os
import sqlite3
import threading
from pathlib import Path

import pytest
from journals import DAY, MIDNIGHT, descriptors, every, group, look, org
from salvages import Contents, contents, made

from collector.errors import JournalError
from collector.journal import Journal, Salvaged, backup, database, opening
from collector.journal.salvage import salvage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal is."""
    return tmp_path / "journal.db"


@pytest.fixture
def before(path: Path) -> Contents:
    """What the journal held."""
    return made(path)


def test_another_process_goes_on_in_the_new_file(path: Path, before: Contents) -> None:
    """Who had the journal open when it was mended appends to what took its place, and reads from it."""
    with Journal(path) as beside, Journal(path, readonly=True) as reader:
        tail = beside.tail()
        salvage(path)
        beside.append([group("later")])
        assert (beside.tail(), reader.tail()) == (tail + 1, tail + 1)
        assert every(reader)[-1] == group("later")
        assert len(every(beside)) == len(before.points) + 1
    with Journal(path) as journal:
        assert every(journal)[-1] == group("later")


def test_a_writer_that_waited_for_the_mend_writes_to_the_new_file(
    path: Path, before: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also who began before the mend and gets its turn after it."""
    filling, rest = threading.Event(), threading.Event()

    def slow(source: Path, target: Path) -> None:
        filling.set()
        assert rest.wait(10)
        os_link(source, target)

    os_link = os.link
    monkeypatch.setattr(os, "link", slow)
    with Journal(path) as beside:
        mending = threading.Thread(target=salvage, args=(path,))
        mending.start()
        assert filling.wait(10)
        waiting = threading.Thread(target=beside.append, args=([group("waited")],))
        waiting.start()
        waiting.join(0.1)
        assert waiting.is_alive()
        rest.set()
        mending.join()
        waiting.join()
    with Journal(path) as journal:
        assert every(journal)[-1] == group("waited")
        assert len(every(journal)) == len(before.points) + 1


def test_a_journal_mends_itself_in_place(path: Path, before: Contents) -> None:
    """Whoever has it open goes on with the same object: names, cursors and tail are those of the new file."""
    with Journal(path) as journal:
        held = journal.cursor("main")
        found = journal.mend()
        assert found.carried.lost == 0
        assert descriptors(found.aside) == [], "it can be moved to another disk"
        assert contents(journal) == before
        assert journal.advance(held, held.next + 5) is not None
        journal.append([group("new"), org()])
        assert every(journal)[-2:] == [group("new"), org()]


def test_while_a_journal_is_mended_nobody_waits_for_it(
    path: Path, before: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large file takes minutes: polls are told at once, and wait in memory; afterwards all goes on."""
    mending, rest = threading.Event(), threading.Event()

    def slow(file: Path) -> Salvaged:
        mending.set()
        assert rest.wait(10)
        return salvage(file)

    monkeypatch.setattr(database, "salvage", slow)
    with Journal(path) as journal:
        thread = threading.Thread(target=journal.mend)
        thread.start()
        assert mending.wait(10)
        for ask in (lambda: journal.append([org()]), journal.tail, journal.mend, lambda: journal.copy(path, print)):
            with pytest.raises(JournalError, match="is being mended"):
                ask()
        rest.set()
        thread.join()
        assert contents(journal) == before


def test_a_backup_that_is_brought_back_under_a_service_is_taken_up(path: Path, before: Contents) -> None:
    """Points that come after it are in it, not in a file without a name."""
    copy = path.with_name("backup.db")
    with Journal(path) as journal:
        backup(journal, copy)
        journal.append([group("after the backup")])
        copy.replace(path)
        journal.append([group("after the restore")])
        assert len(every(journal)) == len(before.points) + 1
    with Journal(path) as journal:
        assert every(journal)[-1] == group("after the restore")


def test_what_was_learnt_of_one_file_is_not_believed_of_another(path: Path) -> None:
    """A journal that takes the place of another has its own numbers for names: points stand under their own."""
    other = path.with_name("other.db")
    with Journal(other) as journal:
        journal.append([group("b")])
    with Journal(path) as journal:
        journal.append([group("a"), group("b")])
        other.replace(path)
        later = [group("a", MIDNIGHT + DAY), group("b", MIDNIGHT + DAY)]
        journal.append(later)
    with Journal(path, readonly=True) as journal:
        assert every(journal) == [group("b"), *later]


def test_files_whose_names_have_the_same_checksums_are_two(path: Path) -> None:
    """What was learnt of names is held against their count and checksums; where both agree it is still another file."""
    other, ours, theirs = path.with_name("other.db"), "jneghmag", "ilnqrzpa"
    with Journal(other) as journal:
        journal.append([org(), group(theirs)])
    with Journal(path) as journal:
        journal.append([org(), group(ours)])
        sums = [look(each, "SELECT sum(crc) FROM series") for each in (path, other)]
        assert sums[0] == sums[1]
        other.replace(path)
        later = [group(ours, MIDNIGHT + DAY), group(theirs, MIDNIGHT + DAY)]
        journal.append(later)
        assert every(journal) == [org(), group(theirs), *later]


def test_who_keeps_what_he_read_is_told_when_others_wrote(path: Path) -> None:
    """By a number that grows: with what another process appends, and with each file that takes the journal's place.

    Not with what this journal appends and reads itself: a service would else forget all at every poll.
    """
    with Journal(path) as journal, Journal(path) as another:
        journal.append([org()])
        eras = [journal.era]
        journal.append([group("own")])
        assert every(journal) == [org(), group("own")]
        assert journal.era == eras[0]
        another.append([group("another's")])
        assert journal.tail() == 4
        eras.append(journal.era)
        salvage(path)
        assert journal.tail() == 4
        eras.append(journal.era)
        assert eras == sorted(set(eras))


def test_a_name_that_goes_over_while_it_is_opened_is_followed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who opens a journal in the very moment in which it is mended writes to the new file."""
    Journal(path).close()
    new, connected = path.with_name("new.db"), opening._connected
    Journal(new).close()

    def late(file: Path, *, readonly: bool) -> sqlite3.Connection:
        connection = connected(file, readonly=readonly)
        if new.exists():
            path.rename(path.with_name("old.db"))
            new.rename(path)
        return connection

    monkeypatch.setattr(opening, "_connected", late)
    with Journal(path) as journal:
        journal.append([org()])
        assert descriptors(path.with_name("old.db")) == []
    with Journal(path, readonly=True) as journal:
        assert every(journal) == [org()]


def test_a_journal_that_was_deleted_is_said_and_can_come_back(path: Path, before: Contents) -> None:
    """No new file takes its place by itself: what is polled waits until the journal, or a backup, is back."""
    with Journal(path) as journal:
        moved = path.rename(path.with_name("elsewhere.db"))
        copy = path.with_name("copy.db")
        for ask in (lambda: journal.append([org()]), journal.bytes, lambda: journal.copy(copy, print)):
            with pytest.raises(JournalError, match="No such file") as caught:
                ask()
            assert "bring it back" in caught.value.mend
        assert not path.exists()
        moved.rename(path)
        journal.append([group("after")])
        assert len(every(journal)) == len(before.points) + 1


def test_a_file_that_is_no_journal_takes_nobodys_place(path: Path, before: Contents) -> None:
    """Another's file under the journal's name is not written to; the journal is taken up when it is back."""
    with Journal(path) as journal:
        moved = path.rename(path.with_name("elsewhere.db"))
        path.write_bytes(b"a letter" * 500)
        for _ in range(2):
            with pytest.raises(JournalError, match="not a database"):
                journal.append([org()])
        assert path.read_bytes() == b"a letter" * 500
        assert descriptors(moved) == [], "and the journal is let go meanwhile"
        moved.replace(path)
        assert contents(journal) == before
