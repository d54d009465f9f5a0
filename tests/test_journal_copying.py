"""Copying a journal in use: in steps that let writers through, and with the right file blamed where it fails."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from journals import DAY, HOUR, MIDNIGHT, every, group, org

from collector.errors import JournalError
from collector.journal import Journal, backup, copying, database, opening
from collector.point import Point


@pytest.fixture
def to(tmp_path: Path) -> Path:
    """Where the backup will be: a folder of its own."""
    (tmp_path / "kept").mkdir()
    return tmp_path / "kept" / "backup.db"


def _points(count: int) -> list[Point]:
    return [group(f"g{n % 7}", MIDNIGHT + n * HOUR, float(n)) for n in range(count)]


@pytest.mark.parametrize(("writes", "begun"), [(3, 3), (1000, copying.RESTARTS + 1)])
def test_writers_get_through_between_the_steps(
    journal: Journal, to: Path, monkeypatch: pytest.MonkeyPatch, writes: int, begun: int
) -> None:
    """Each write of another process makes the copy begin anew, a few times; then it is made in one step."""
    monkeypatch.setattr(copying, "PAGES", 5)
    journal.append(_points(2000))
    steps: list[int] = []
    with Journal(journal.path) as service:

        def seen(what: str, done: int, of: int) -> None:
            assert done <= of
            if what == "copying":
                steps.append(done)
                if len(steps) <= writes and done < of:
                    service.append([org(MIDNIGHT + len(steps) * DAY)])

        made = backup(journal, to, seen)
    assert steps[:begun] == [5] * begun
    assert made.points == 2000 + begun
    assert steps[begun] > 5 or steps[begun : begun + 2] == [5, 10], "then no more"


@pytest.fixture
def busy(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Journal, sqlite3.Connection, list[int]]]:
    """A journal that waits hardly, who else may write to it, and after which steps of a copy it had to wait."""
    monkeypatch.setattr(opening, "_BUSY_SECONDS", 0.01)
    monkeypatch.setattr(copying, "PAGES", 1)
    journal.append(_points(1000))
    waits: list[int] = []
    with (
        Journal(journal.path, readonly=True) as reader,
        closing(sqlite3.connect(journal.path, isolation_level=None)) as writer,
    ):
        writer.execute("BEGIN EXCLUSIVE")
        yield reader, writer, waits


def test_a_copy_waits_for_who_writes(
    busy: tuple[Journal, sqlite3.Connection, list[int]], to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It bears with two waits in a row before a step, and with as many before the next one."""
    reader, writer, waits = busy
    steps: list[int] = []
    wait = copying._Progress._wait

    def waiting(progress: copying._Progress) -> None:
        waits.append(len(steps))
        wait(progress)
        if len(waits) % 2 == 0:
            writer.execute("ROLLBACK")

    def seen(done: int, _of: int) -> None:
        steps.append(done)
        if len(steps) == 1:
            writer.execute("BEGIN EXCLUSIVE")

    monkeypatch.setattr(copying._Progress, "_wait", waiting)
    to.touch()
    reader.copy(to, seen)
    assert waits == [0, 0, 1, 1]
    assert steps == list(range(1, steps[-1] + 1)), "and to the end in steps, where nobody writes"
    assert len(steps) > 2 * copying.RESTARTS
    with Journal(to, readonly=True) as copy:
        assert every(copy) == _points(1000)


@pytest.mark.parametrize("steps", [0, 1])
def test_a_copy_says_who_never_ends(
    busy: tuple[Journal, sqlite3.Connection, list[int]], to: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """A writer that holds the journal for a third wait, before any step, is an error that names it, with the mend."""
    reader, writer, waits = busy
    wait = copying._Progress._wait

    def waiting(progress: copying._Progress) -> None:
        waits.append(0)
        wait(progress)

    def seen(_done: int, _of: int) -> None:
        if not writer.in_transaction:
            writer.execute("BEGIN EXCLUSIVE")

    monkeypatch.setattr(copying._Progress, "_wait", waiting)
    to.touch()
    if steps:
        writer.execute("ROLLBACK")
    with pytest.raises(JournalError, match=r"journal\.db: another process keeps it locked") as caught:
        reader.copy(to, seen)
    assert "end it" in caught.value.mend
    assert len(waits) == 3
    writer.execute("ROLLBACK")
    reader.copy(to, lambda *_: None)
    with Journal(to, readonly=True) as copy:
        assert every(copy) == _points(1000)


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("SQLITE_BUSY", "journal.db"),
        ("SQLITE_CORRUPT", "journal.db"),
        ("SQLITE_NOTADB", "journal.db"),
        ("SQLITE_IOERR_READ", "journal.db"),
        ("SQLITE_IOERR_SHORT_READ", "journal.db"),
        ("SQLITE_IOERR_WRITE", "backup.db"),
        ("SQLITE_FULL", "backup.db"),
    ],
)
def test_of_two_files_the_one_that_failed_is_named(
    journal: Journal, to: Path, monkeypatch: pytest.MonkeyPatch, code: str, named: str
) -> None:
    """What SQLite only meets where it reads is said of the journal, all else of the copy."""

    def fail(*_: object) -> None:
        error = sqlite3.OperationalError("planted")
        error.sqlite_errorname = code
        raise error

    monkeypatch.setattr(database, "copy", fail)
    with pytest.raises(JournalError, match="planted") as caught:
        journal.copy(to, lambda *_: None)
    assert str(caught.value).startswith(str(journal.path if named == journal.path.name else to))
