"""The role of polling and delivering: one process at a time, and never a lock that outlives its holder."""

import os
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from journals import hear, hold_role, hold_role_and_fork, org, other

from collector.errors import JournalError
from collector.journal import Journal, RoleLock, holder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal will be."""
    return tmp_path / "journal.db"


def test_a_second_process_is_refused_with_the_pid_of_the_first(path: Path) -> None:
    """Who starts a second service is told which process has the journal, and can have it when that has ended."""
    with other(hold_role, path) as (process, pipe):
        pid = hear(pipe)
        assert pid == process.pid
        with pytest.raises(JournalError, match=rf"journal\.db: in use by the process {pid}$") as caught, RoleLock(path):
            pass
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
    lock = path.with_name("journal.db.lock")
    assert lock.read_text() == f"{pid}\n"
    with RoleLock(path):
        assert lock.read_text() == f"{os.getpid()}\n"
    assert lock.read_text() == ""


def test_a_stale_file_is_no_lock(path: Path) -> None:
    """A file that was copied or restored beside the journal keeps nobody out, whatever it says."""
    path.with_name("journal.db.lock").write_text("1\nof another machine, and long")
    with RoleLock(path):
        assert path.with_name("journal.db.lock").read_text() == f"{os.getpid()}\n"


def test_a_forked_child_does_not_keep_the_role(path: Path) -> None:
    """A child that outlives a killed service doesn't keep the next one from starting."""
    with other(hold_role_and_fork, path) as (process, pipe):
        child = hear(pipe)
        process.kill()
        process.join()
        try:
            with RoleLock(path):
                pass
        finally:
            os.kill(child, 9)


def test_the_role_is_one_in_a_process_too(path: Path) -> None:
    """Two holders in one process are two: the second is refused and takes nothing from the first."""
    with RoleLock(path) as held:
        for second in (RoleLock(path), held, RoleLock(path)):
            with pytest.raises(JournalError, match=f"process {os.getpid()}"), second:
                pass
        assert len(descriptors(path)) == 1, "and leaves no file open"
    assert descriptors(path) == []
    with RoleLock(path):
        pass


def descriptors(path: Path) -> list[Path]:
    """Return this process's descriptors of the role's file. Others may come and go: threads of earlier tests end."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            if descriptor.readlink() == path.with_name("journal.db.lock"):
                found.append(descriptor)
    return found


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
