"""`check` where the journal can't be used, or not for long: the path, the mend, the pid; it leaves nothing behind."""

import os
import pwd
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from origins import Origin, Reply, Request
from servers import NOT_TESTED
from system.blackbox import Simulated, collector, settings, v1, well
from system.doctor import bad, checks, only_bad

WHO = pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture
def config(simulated: Simulated, tmp_path: Path) -> Path:
    """Settings whose journal has one poll: five points."""
    config = settings(tmp_path, simulated)
    well(collector("once", "--config", config))
    return config


def journal_of(config: Path) -> Path:
    """Return the journal's path."""
    return config.parent / "journal.db"


def execute(path: Path, *statements: str) -> None:
    """Run statements on the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


@contextmanager
def disk(folder: Path, size: str) -> Iterator[Path]:
    """Yield a small file system of its own; skip loudly where this user may not mount one."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip(f"{NOT_TESTED} for want of the right to mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_sound_journal_is_left_as_it_is(config: Path) -> None:
    """Everything that the journal holds is proven, a write is tried, and the file stays as it was, to the byte."""
    before = journal_of(config).read_bytes()
    found = checks(config)
    assert found["journal"].ok
    assert found["journal: rows"].message == "all 8 rows are as they were written"
    assert "free" in found["journal: room"].message
    assert journal_of(config).read_bytes() == before


def test_a_damaged_row_is_found(config: Path) -> None:
    """A row that isn't what was written is named, beside how many were looked at."""
    execute(journal_of(config), "UPDATE point SET data = x'00' WHERE id = 3")
    found = only_bad(config, "journal: rows")
    assert found.message == "damaged, in all 8 rows: row 3"
    assert "backup" in found.mend


def test_a_damaged_file_is_found(config: Path) -> None:
    """A file of which a part is overwritten is said to be damaged, with its path and the mend."""
    path = journal_of(config)
    content = bytearray(path.read_bytes())
    content[4096 + 8 : 8192] = b"\xa5" * (4096 - 8)
    path.write_bytes(content)
    [(name, found), *_] = bad(config).items()
    assert name.startswith("journal")
    assert "backup" in found.mend


def test_a_file_that_was_set_aside_is_named(config: Path) -> None:
    """What a mended journal left beside it is a warning, with what to do with it."""
    left = journal_of(config).with_name("journal.db.damaged-20261124T120000Z")
    left.write_bytes(b"what is left")
    found = checks(config)["journal: set aside"]
    assert found.ok
    assert left.name in found.message
    assert "backup" in found.mend


def test_a_file_that_is_no_journal(config: Path) -> None:
    """Another file in the journal's place is named."""
    journal_of(config).write_bytes(b"not a database, but long enough to be one" * 30)
    found = only_bad(config, "journal")
    assert "not a database" in found.message
    assert "journal.path" in found.mend


def test_an_empty_file_is_no_journal_and_stays_empty(config: Path) -> None:
    """An empty file holds no history: it is bad, with both mends, and nothing is put into it."""
    journal_of(config).write_bytes(b"")
    found = only_bad(config, "journal")
    assert found.message == f"{journal_of(config)}: an empty file: it holds no history"
    assert "bring back a backup; else delete the file" in found.mend
    assert journal_of(config).read_bytes() == b""


def test_a_journal_of_an_older_format_is_left_to_run(config: Path) -> None:
    """A journal that has yet to be brought up is well, and is brought up by `run`, never by `check`."""
    journal_of(config).unlink()
    execute(journal_of(config), "PRAGMA user_version = 0")  # a database in which nothing has been made yet
    before = journal_of(config).read_bytes()
    found = checks(config)["journal"]
    assert found.ok
    assert "will be brought up by `run`" in found.message
    assert journal_of(config).read_bytes() == before


def test_no_file_is_made_beside_the_journal(config: Path) -> None:
    """A journal that stands alone, as one from a backup does, stands alone after `check` too."""
    folder = config.parent / "alone"
    folder.mkdir()
    shutil.copy(journal_of(config), folder)
    found = checks(config, env={"COLLECTOR__JOURNAL__PATH": str(folder / "journal.db")})
    assert found["journal: rows"].ok
    assert [path.name for path in folder.iterdir()] == ["journal.db"]
    assert (folder / "journal.db").read_bytes() == journal_of(config).read_bytes()


def test_dead_letters_are_a_warning(simulated: Simulated, tmp_path: Path) -> None:
    """What a sink refused for good has a line of that sink, with the commands; a sink without any has none."""

    def talk(request: Request, _: object) -> Reply:
        if request.target.startswith("/query"):
            return Reply(b'{"results": [{}]}')
        return Reply(status=400 if b"exposure" in request.body else 204)

    with Origin(talk) as refuses, Origin(lambda *_: Reply(status=204)) as takes:
        config = settings(tmp_path, simulated, v1("main", refuses.url, "db"), v1("other", takes.url, "db"))
        collector("once", "--config", config)
        found = checks(config)
        said = collector("check", "--config", config)
    letters = found["sink main: dead letters"]
    assert letters.ok
    assert letters.message == "6 points were refused for good"
    assert "`exposure-collector rejected list`" in letters.mend
    assert "`exposure-collector rejected resend` when the cause is mended" in letters.mend
    assert "warn  sink main: dead letters: 6 points" in said.stdout
    assert "sink other: dead letters" not in found


def test_a_newer_version(config: Path) -> None:
    """A journal that a newer version wrote is named with both formats."""
    execute(journal_of(config), "PRAGMA user_version = 99")
    found = only_bad(config, "journal")
    assert f"{journal_of(config)}: written by a newer version (format 99" in found.message
    assert "use that version" in found.mend


def test_a_transaction_that_another_process_holds(config: Path) -> None:
    """A process that keeps the file locked is named by its pid, once the wait for it is over."""
    script = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('BEGIN IMMEDIATE'); print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(journal_of(config))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        found = only_bad(config, "journal")
        other.communicate()
    assert f"{journal_of(config)}: database is locked" in found.message
    assert f"the process {other.pid} holds a transaction open; end it" in found.mend


def test_a_role_whose_file_can_not_be_opened(config: Path) -> None:
    """A .lock that isn't a file is named before `run` fails on it."""
    lock = config.parent / "journal.db.lock"
    lock.unlink()
    lock.mkdir()
    found = only_bad(config, "journal")
    assert f"{lock}: Is a directory" in found.message
    assert "take it away" in found.mend


def test_a_folder_that_is_missing(config: Path) -> None:
    """A journal in a folder that isn't there can't be made; the folder is the mend."""
    env = {"COLLECTOR__JOURNAL__PATH": str(config.parent / "gone" / "journal.db")}
    found = only_bad(config, "journal", env=env)
    assert f"there is no folder {config.parent / 'gone'}" in found.message
    assert f"make the folder {config.parent / 'gone'}, and let the user {WHO} write to it" in found.mend


def test_a_full_disk(config: Path) -> None:
    """On a disk without room the write that is tried fails: the path, and room, are said; what was there stays."""
    with disk(config.parent / "disk", "100k") as small:
        path = small / "journal.db"
        shutil.copy(journal_of(config), path)
        found = bad(config, env={"COLLECTOR__JOURNAL__PATH": str(path)})
        assert set(found) == {"journal", "journal: room"}
        assert f"{path}: database or disk is full" in found["journal"].message
        assert "make room on its disk" in found["journal"].mend
        assert path.read_bytes() == journal_of(config).read_bytes()


def test_a_disk_that_is_nearly_full(config: Path) -> None:
    """Under 100 MB is bad, though a write still works; also where the journal's name is a link from another disk."""
    with disk(config.parent / "disk", "90m") as small:
        link = config.with_name("link.db")
        link.symlink_to(small / "journal.db")
        for path in (small / "journal.db", link):
            found = only_bad(config, "journal: room", env={"COLLECTOR__JOURNAL__PATH": str(path)})
            assert f"{small}: 94 MB free" in found.message


def test_a_disk_that_a_year_would_fill(config: Path) -> None:
    """Where the disk would be full within a year, as the journal grew so far, the days are said; it is no fault yet."""
    with disk(config.parent / "disk", "120m") as small:
        path = small / "journal.db"
        shutil.copy(journal_of(config), path)
        # Two points two days apart, in a file of 2 MB: 365 MB a year.
        execute(path, "UPDATE point SET time = time - 172800000 WHERE id = 1", "CREATE TABLE big (x)")
        execute(path, "INSERT INTO big VALUES (zeroblob(2000000))")
        found = checks(config, env={"COLLECTOR__JOURNAL__PATH": str(path)})["journal: room"]
    assert found.ok
    assert "MB a year: full in 1" in found.message
    assert "journal.keep_days" in found.mend


def test_a_folder_that_takes_no_file(config: Path) -> None:
    """A journal in a folder in which nobody can make a file is said to be so, with the mend."""
    found = only_bad(config, "journal", env={"COLLECTOR__JOURNAL__PATH": "/proc/sys/kernel/journal.db"})
    assert "/proc/sys/kernel" in found.message
    assert f"the user {WHO} may not write" in found.message
    assert f"let the user {WHO} write to the file and to /proc/sys/kernel" in found.mend
