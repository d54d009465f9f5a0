"""The role of polling and delivering: one process at a time, and never a lock that outlives its holder."""

import errno
import fcntl
import os
import threading
from pathlib import Path

import pytest
from journals import descriptors, hear, hold_role, hold_role_and_fork, org, other

from collector.errors import JournalError
from collector.journal import Held, Journal, RoleLock, holder, lock, reachable


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal will be."""
    return tmp_path / "journal.db"


def test_a_second_process_is_refused_with_the_pid_of_the_first(path: Path) -> None:
    """Who starts a second service is told which process has the journal, and can have it when that has ended."""
    with other(hold_role, path) as (process, pipe):
        pid = hear(pipe)
        assert pid == process.pid
        with pytest.raises(Held, match=rf"journal\.db: in use by the process {pid}$") as caught, RoleLock(path):
            pass
        assert caught.value.pid == str(pid)
        assert "journal.path" in caught.value.mend
        pipe.send("go")
        process.join(30)
        with RoleLock(path):
            pass


def test_the_role_is_free_once_its_holder_was_killed(path: Path) -> None:
    """A killed service holds nothing: the next one starts at once, over the file that was left."""
    with other(hold_role, path) as (process, pipe):
        pid = hear(pipe)
        process.kill()
        process.join()
    file = path.with_name("journal.db.lock")
    assert file.read_text() == f"{pid}\n"
    with RoleLock(path):
        assert file.read_text() == f"{os.getpid()}\n"
    assert file.read_text() == ""


def test_a_stale_file_is_no_lock(path: Path) -> None:
    """A file that was copied or restored beside the journal keeps nobody out, whatever it says."""
    path.with_name("journal.db.lock").write_text("1\nof another machine, and long")
    with RoleLock(path):
        assert path.with_name("journal.db.lock").read_text() == f"{os.getpid()}\n"


def test_a_forked_child_does_not_keep_the_role(path: Path) -> None:
    """A child takes nothing from its parent, and one that outlives a killed service keeps no other from starting."""
    with other(hold_role_and_fork, path) as (process, pipe):
        child = hear(pipe)
        assert holder(path) == str(process.pid)
        process.kill()
        process.join()
        try:
            with RoleLock(path):
                pass
        finally:
            os.kill(child, 9)


@pytest.mark.parametrize(("stands", "said"), [(b"", "?"), (b"\xff\n", "\ufffd")])
def test_the_role_is_held_without_a_word_where_the_disk_is_full(
    path: Path, monkeypatch: pytest.MonkeyPatch, stands: bytes, said: str
) -> None:
    """A pid that finds no room keeps nobody from the role, nor from ending it, whatever stands in its place."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    file = path.with_name("journal.db.lock")
    with RoleLock(path):
        assert file.stat().st_mode & 0o777 == 0o600, "nobody else's to hold"
    file.write_bytes(stands)
    monkeypatch.setattr(os, "pwrite", full)
    monkeypatch.setattr(os, "ftruncate", full)
    with RoleLock(path):
        assert holder(path) == said
    assert holder(path) is None


def test_the_role_is_one_in_a_process_too(path: Path) -> None:
    """Two holders in one process are two: the second is refused and takes nothing from the first."""
    with RoleLock(path) as held:
        for second in (RoleLock(path), held, RoleLock(path)):
            with pytest.raises(JournalError, match=f"process {os.getpid()}"), second:
                pass
        assert len(descriptors(path.with_name("journal.db.lock"))) == 1, "and leaves no file open"
    assert descriptors(path.with_name("journal.db.lock")) == []
    with RoleLock(path):
        pass


def test_who_only_asks_keeps_nobody_out(path: Path) -> None:
    """However often `status` and the like look who has the role, a service that starts finds it free."""
    with RoleLock(path):
        assert holder(path) == str(os.getpid())
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            holder(path)

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    try:
        for _ in range(1000):
            with RoleLock(path):
                pass
    finally:
        ended.set()
        for thread in asking:
            thread.join()
    assert holder(path) is None


def test_two_names_of_one_journal_are_one_role(path: Path) -> None:
    """A link to a journal, or another way to write its path, is the same role."""
    Journal(path).close()
    link = path.with_name("link.db")
    link.symlink_to(path.name)
    with (
        RoleLock(path),
        pytest.raises(JournalError, match="in use"),
        RoleLock(path.parent / ".." / path.parent.name / "link.db"),
    ):
        pass


def test_the_role_keeps_nobody_from_reading_and_writing(path: Path) -> None:
    """Who has the role excludes only another holder: `annotate` and `status` work beside it."""
    with RoleLock(path), Journal(path) as service, Journal(path) as person, Journal(path, readonly=True) as reader:
        person.append([org()])
        assert service.summary().points == reader.summary().points == 1


def test_a_lock_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A folder that isn't there, or a lock file that can't be opened, is refused by path with the mend."""
    with (
        pytest.raises(JournalError, match=r"journal\.db\.lock: No such file") as caught,
        RoleLock(tmp_path / "nowhere" / "journal.db"),
    ):
        pass
    assert "write" in caught.value.mend


def test_a_disk_that_keeps_no_locks_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be locked nobody gets the role, and who only asks is told of no holder."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    with RoleLock(path):
        pass
    monkeypatch.setattr(fcntl, "flock", refuse)
    for ask in (lambda: reachable(path), lambda: RoleLock(path).__enter__()):
        with pytest.raises(JournalError, match=r"journal\.db\.lock: can't be locked: No locks available") as caught:
            ask()
        assert "local disk" in caught.value.mend
    assert holder(path) is None
    assert descriptors(path.with_name("journal.db.lock")) == []


_HELD = "POSIX  ADVISORY  WRITE 77 {file} 1073741826 1073742335"


@pytest.mark.parametrize(
    ("said", "who"),
    [
        (_HELD, "the process 77"),
        (_HELD.replace("77", "1"), "the process 1"),
        ("-> " + _HELD, "another process"),
        (_HELD.replace("POSIX", "FLOCK"), "another process"),
        (_HELD.replace("WRITE", "READ"), "another process"),
        (_HELD.replace("77", "0"), "another process"),
        (_HELD.replace("77", "-1"), "another process"),
        (_HELD.replace("{file}", "00:00:1"), "another process"),
        ("none", "another process"),
        ("ü", "another process"),
    ],
)
def test_who_writes_is_named_where_the_system_tells_it(
    path: Path, monkeypatch: pytest.MonkeyPatch, said: str, who: str
) -> None:
    """Only a process that is known to keep the others from writing this very file is named."""
    path.touch()
    found = path.stat()
    file = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    other_file = _HELD.format(file="fe:01:2").replace("77", "76")
    locks = path.with_name("locks")
    locks.write_text(f"1: {other_file}\n2: {said.format(file=file)}\n")
    monkeypatch.setattr(lock, "_LOCKS", locks)
    assert lock.writer(path) == who
    locks.unlink()
    assert lock.writer(path) == "another process"
