"""Opening a journal: a new one, another's file, only to read, and what can be none."""

import os
import pwd
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from journals import MIDNIGHT, descriptors, every, group, hear, org, other, read_without_rights

from collector.errors import JournalError
from collector.journal import Journal, backup, opening
from collector.point import MAX_TIME


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal will be."""
    return tmp_path / "journal.db"


@pytest.fixture
def _no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_no_umask")
def test_a_new_journal_is_its_owners_alone(path: Path) -> None:
    """Nobody else may read the journal or what stands beside it, whatever the umask is."""
    with Journal(path) as journal:
        journal.append([org()])
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert modes[path.name] == 0o600
    assert set(modes.values()) == {0o600}


def test_a_journal_is_one_file_at_rest(path: Path) -> None:
    """To copy the file of a journal that nobody has open is to copy the journal."""
    with Journal(path) as journal:
        journal.append([org()])
    copy = path.with_name("copy.db")
    copy.write_bytes(path.read_bytes())
    assert [file.stat().st_size for file in path.parent.iterdir() if file not in (path, copy)] in ([], [0])
    with Journal(copy, readonly=True) as journal:
        assert every(journal) == [org()]


@pytest.mark.parametrize("readonly", [False, True])
def test_a_folder_that_is_not_there_is_named(tmp_path: Path, *, readonly: bool) -> None:
    """A journal in no folder is refused with the command that makes the folder."""
    with pytest.raises(JournalError, match=r"nowhere/journal\.db: its folder does not exist") as caught:
        Journal(tmp_path / "nowhere" / "journal.db", readonly=readonly)
    assert caught.value.mend == f"mkdir -p {tmp_path / 'nowhere'}"


def test_reading_makes_no_journal(path: Path) -> None:
    """Who only wants to read where there is none is told how one comes about, and nothing is made."""
    with pytest.raises(JournalError, match="there is no journal yet") as caught:
        Journal(path, readonly=True)
    assert "once" in caught.value.mend
    path.touch()
    with pytest.raises(JournalError, match="not brought up"):
        Journal(path, readonly=True)
    assert path.stat().st_size == 0


def test_an_empty_file_becomes_a_journal(path: Path) -> None:
    """A process that ended between making the file and its tables leaves nothing that a person must mend."""
    path.touch()
    with Journal(path) as journal:
        journal.append([org()])
        assert every(journal) == [org()]


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_another_applications_database_is_left_untouched(path: Path, mode: str) -> None:
    """A database that is not a journal is refused, and not one byte of it is changed."""
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA journal_mode={mode}")
    connection.execute("CREATE TABLE song (title TEXT)")
    connection.close()
    before = path.read_bytes()
    for readonly in (False, True):
        with pytest.raises(JournalError, match="not a journal") as caught:
            Journal(path, readonly=readonly)
        assert "journal.path" in caught.value.mend
    assert path.read_bytes() == before


@pytest.mark.parametrize("readonly", [False, True])
def test_a_file_that_is_no_database_is_left_untouched(path: Path, *, readonly: bool) -> None:
    """A file of another kind is refused by path, with what to do."""
    path.write_bytes(b"[poll]\ninterval_seconds = 3600\n" * 200)
    before = path.read_bytes()
    with pytest.raises(JournalError, match=r"journal\.db: file is not a database") as caught:
        Journal(path, readonly=readonly)
    assert "journal.path" in caught.value.mend
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["x" * 300, "loop.db", "folder.db"])
@pytest.mark.parametrize("readonly", [False, True])
def test_a_path_that_can_be_no_journal_is_named(tmp_path: Path, name: str, *, readonly: bool) -> None:
    """A name that is too long, a link to itself and a folder are refused by path, not by a trace."""
    (tmp_path / "loop.db").symlink_to("loop.db")
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(JournalError, match=name):
        Journal(tmp_path / name, readonly=readonly)


@pytest.mark.parametrize("readonly", [False, True])
def test_a_folder_is_said_to_be_one(tmp_path: Path, *, readonly: bool) -> None:
    """Who names the folder in which the journal is to be is told to name a file in it."""
    with pytest.raises(JournalError, match="a folder, not a file") as caught:
        Journal(tmp_path, readonly=readonly)
    assert caught.value.mend == "set journal.path to a file in it"


@pytest.mark.parametrize("readonly", [False, True])
def test_what_is_neither_file_nor_folder_is_refused_as_it_stands(path: Path, *, readonly: bool) -> None:
    """A pipe would be waited for without end, and a device be set aside as a damaged journal."""
    os.mkfifo(path)
    with pytest.raises(JournalError, match="a device, a pipe or the like, not a file") as caught:
        Journal(path, readonly=readonly)
    assert caught.value.mend == "set journal.path to a file"
    assert path.is_fifo()


@pytest.mark.parametrize("name", ["with space.db", "100%.db", "a?mode=memory.db", "#1.db", "ü🚨.db"])
def test_a_path_may_hold_any_character(tmp_path: Path, name: str) -> None:
    """The journal is the very file that the settings name."""
    with Journal(tmp_path / name) as journal:
        journal.append([org()])
    assert (tmp_path / name).stat().st_size > 0
    with Journal(tmp_path / name, readonly=True) as journal:
        assert every(journal) == [org()]


def test_a_reader_writes_nothing(path: Path) -> None:
    """A journal that is opened to read can be read in every way, and neither it nor its folder changes."""
    with Journal(path) as journal:
        journal.append([org(), group("a")])
        journal.cursor("main")
    path.with_name("journal.db-journal").unlink(missing_ok=True)
    before, stat = path.read_bytes(), path.stat()
    with Journal(path, readonly=True, clock=lambda: MIDNIGHT / 1000) as reader:
        cursor = reader.cursors()[0]
        assert len(reader.read(cursor, 10).rows) == reader.backlog(cursor).points == reader.summary().points == 2
        assert reader.history(org().series, 0, MAX_TIME) == reader.latest("exposure_score", 0) == [org()]
        assert (reader.tail(), reader.dead_letters("main"), reader.noted("main")) == (3, 0, "")
        for write in (
            lambda: reader.append([org()]),
            lambda: reader.cursor("new"),
            lambda: reader.advance(cursor, 3),
            lambda: reader.move("main", 1),
            lambda: reader.prune(MAX_TIME, []),
        ):
            with pytest.raises(JournalError, match="readonly"):
                write()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, stat.st_mtime_ns)
    assert list(path.parent.iterdir()) == [path]


def test_who_may_only_read_the_file_can_read_the_journal() -> None:
    """A user without the right to write the file or its folder reads it, and is told what writing would need."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        with Journal(path) as journal:
            journal.append([org(value=7.0)])
        path.chmod(0o444)
        Path(folder).chmod(0o555)
        try:
            with other(read_without_rights, path) as (_, pipe):
                assert hear(pipe) == [7.0]
                words, mend = hear(pipe)
        finally:
            Path(folder).chmod(0o755)
    # The other process is of another user's only where this one is root's.
    root = os.geteuid() == 0
    who = pwd.getpwuid(65534 if root else os.geteuid()).pw_name
    commands = (f"chown {who}", f"chown {who}") if root else ("chmod u+rwx", "chmod u+rw")
    assert words == f"{path}: the user {who} may not write to it"
    let = f"let the user {who} write to the file and to {folder}"
    assert mend == f"{let}: {commands[0]} {folder} && {commands[1]} {path}" + (
        f" && {commands[1]} {path}-journal" if root else ""
    )


def test_a_journal_that_another_holds_is_named_as_locked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that another process leaves open is waited for, and then named."""
    monkeypatch.setattr(opening, "_BUSY_SECONDS", 0.05)
    with Journal(path) as one, Journal(path) as two:
        with one._database.writing(), pytest.raises(JournalError, match="database is locked") as caught:
            two.append([org()])
        assert "end it" in caught.value.mend
        assert two.append([org()]) is True


@pytest.mark.parametrize(
    "ask",
    [
        lambda journal: journal.append([org()]),
        lambda journal: journal.tail(),
        lambda journal: journal.cursor("main"),
        lambda journal: journal.summary(),
        lambda journal: journal.history(org().series, 0, 1),
    ],
)
def test_a_closed_journal_says_so_by_path(path: Path, ask: object) -> None:
    """What is asked of a journal after its end is answered with JournalError, as everything else that goes wrong."""
    journal = Journal(path)
    journal.close()
    journal.close()
    assert callable(ask)
    with pytest.raises(JournalError, match=r"journal\.db: .*closed"):
        ask(journal)


def test_nothing_stays_open_of_what_was_closed_or_refused(path: Path) -> None:
    """A process that opens journals and makes backups all its life never runs out of descriptors."""
    with Journal(path) as journal:
        backup(journal, path.with_name("backup.db"))
    path.with_name("another.db").write_bytes(b"a letter" * 500)
    connection = sqlite3.connect(path.with_name("songs.db"))
    connection.execute("CREATE TABLE song (title TEXT)")
    connection.close()
    refused = []
    for name in ("another.db", "songs.db"):
        with pytest.raises(JournalError) as caught:
            Journal(path.with_name(name))
        refused.append(caught)  # with all that its trace still holds
    assert descriptors(path.parent) == []
