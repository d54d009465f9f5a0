"""A mend of a journal whose last write was cut short: it is ended, or begun anew, or leaves both files as they were."""

import fcntl
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from cuts import Cut, cut_short, flipped, goes_on
from journals import hear, other, take_charge
from pytest_structlog import StructuredLogCapture
from salvages import honest, served

from collector.errors import JournalError
from collector.journal import Journal, Unsound, aside
from collector.journal.salvage import salvage
from collector.journal.syncing import sync


@pytest.fixture(name="cut")
def _cut(tmp_path: Path) -> Cut:
    """A write that was cut short at its last moment."""
    return cut_short(tmp_path)


@pytest.mark.parametrize("moved", [False, True])
def test_a_mend_that_was_killed_is_begun_anew(cut: Cut, log: StructuredLogCapture, *, moved: bool) -> None:
    """Where the damaged file has two names already, what would undo a write to it is found under either."""
    cut.put(flipped(cut.undo, 17))
    name = cut.path.with_name("journal.db.damaged-20260131T000000Z")
    name.hardlink_to(cut.path)
    if moved:
        cut.beside.rename(name.with_name(f"{name.name}-journal"))
    for readonly in (False, True):
        with pytest.raises(Unsound, match="cut short"):
            Journal(cut.path, readonly=readonly)
    assert served(cut.path) == cut.before
    (file,) = aside(cut.path)
    assert file.read_bytes() == cut.main
    assert file.with_name(f"{file.name}-journal").read_bytes() == flipped(cut.undo, 17)
    assert log.has("journal.salvaged", level="error", aside=str(file))
    goes_on(cut.path)


def test_a_mend_that_was_killed_knows_its_own_file_again(cut: Cut) -> None:
    """Also where nothing but what stood beside it said that it was a journal: the name that it was given says it."""
    cut.put(flipped(cut.undo, 17), bytes(len(cut.main)))
    name = cut.path.with_name("journal.db.damaged-20260131T000000Z")
    name.hardlink_to(cut.path)
    cut.beside.rename(name.with_name(f"{name.name}-journal"))
    honest(cut.before, served(cut.path))
    assert len(aside(cut.path)) == 1
    goes_on(cut.path)


@pytest.mark.parametrize("step", range(4))
def test_a_mend_that_fails_midway_leaves_both_files_as_they_were(
    cut: Cut, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """A disk that fails at the first, the second or the last step: the files have their names, and no others."""
    undo = flipped(cut.undo, 17)
    cut.put(undo)
    left = [step]

    def failing(act: Callable[..., object]) -> Callable[..., object]:
        def acted(*args: Path) -> object:
            left[0] -= 1
            if left[0] == -1:
                raise OSError("planted")
            return act(*args)

        return acted

    with monkeypatch.context() as patch:
        patch.setattr("collector.journal.swapping.sync", failing(sync))
        patch.setattr(Path, "replace", failing(Path.replace))
        patch.setattr(Path, "rename", failing(Path.rename))
        with pytest.raises(JournalError, match="could not be set aside: planted"):
            salvage(cut.path)
    assert {file.name: file.read_bytes() for file in cut.path.parent.iterdir()} == {
        "journal.db": cut.main,
        "journal.db-journal": undo,
    }
    assert served(cut.path) == cut.before


def _reads(pipe: Connection, path: Path) -> None:
    """Hold what SQLite holds of a file while it reads."""
    with path.open("r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_SH, 510, (1 << 30) + 2)
        pipe.send("reads")
        pipe.recv()


@pytest.mark.parametrize("readable", [False, True])
def test_who_reads_it_is_waited_for(cut: Cut, monkeypatch: pytest.MonkeyPatch, *, readable: bool) -> None:
    """As by SQLite itself: `status`, which looks for an instant, does not end a start."""
    if readable:
        cut.put(flipped(cut.undo, 17))
    else:
        cut.put(b"", bytes(100) + cut.main[100:])
    waited: list[float] = []
    monkeypatch.setattr("collector.journal.salvage._BUSY_PAUSE", 7.0)
    with other(_reads, cut.path) as (process, pipe):
        assert hear(pipe) == "reads"

        def wait(seconds: float) -> None:
            if seconds == 7.0:
                waited.append(seconds)
                pipe.send("go")
                process.join(30)

        monkeypatch.setattr("collector.journal.salvage.time.sleep", wait)
        honest(cut.before, served(cut.path))
    assert len(waited) == 1
    assert len(aside(cut.path)) == 1


def test_under_who_reads_it_a_journal_is_not_set_aside(cut: Cut, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever goes on reading is waited for no longer than a writer is: it is said, and both files are as they were."""
    monkeypatch.setattr("collector.journal.salvage._BUSY_SECONDS", 0.0)
    cut.put(flipped(cut.undo, 17))
    with other(_reads, cut.path) as (_, pipe):
        assert hear(pipe) == "reads"
        with pytest.raises(JournalError, match="could not be set aside"):
            salvage(cut.path)
        pipe.send("go")
    assert (cut.path.read_bytes(), cut.beside.read_bytes()) == (cut.main, flipped(cut.undo, 17))
    assert aside(cut.path) == []
    assert served(cut.path) == cut.before


@pytest.mark.parametrize("mode", [0o444, 0o000])
@pytest.mark.parametrize("name", ["journal.db", "journal.db-journal", "journal.db.lock"])
def test_a_file_that_may_not_be_written_is_named_and_left(cut: Cut, name: str, mode: int) -> None:
    """Whichever of its files it is: it is said with the mend, and not one byte of it or of the others is changed."""
    with tempfile.TemporaryDirectory() as folder:
        there = replace(cut, path=Path(folder) / "journal.db")
        there.put(cut.undo)
        there.path.with_name("journal.db.lock").touch()
        for file in (there.path.parent, *there.path.parent.iterdir()):
            os.chown(file, *((65534, 65534) if os.geteuid() == 0 else (-1, -1)))
        there.path.with_name(name).chmod(mode)
        with other(take_charge, there.path) as (_, pipe):
            words, mend = hear(pipe)
        assert str(there.path) in words
        assert "write to" in mend, words
        assert name == "journal.db" or name in words + mend
        # With the role alone out of reach the write has been undone, as whoever may write to the journal would.
        if name != "journal.db.lock":
            assert (there.path.read_bytes(), there.beside.read_bytes()) == (cut.main, cut.undo)
        assert aside(there.path) == []
        there.path.with_name(name).chmod(0o600)
        assert served(there.path) == cut.before


def test_a_folder_that_may_not_be_written_is_named(cut: Cut) -> None:
    """What undoes a write can't be taken away there once it has: that is no disk that fails."""
    with tempfile.TemporaryDirectory() as folder:
        there = replace(cut, path=Path(folder) / "journal.db")
        there.put(cut.undo)
        for file in (there.path.parent, *there.path.parent.iterdir()):
            os.chown(file, *((65534, 65534) if os.geteuid() == 0 else (-1, -1)))
        there.path.parent.chmod(0o500)
        with other(take_charge, there.path) as (_, pipe):
            words, mend = hear(pipe)
        assert str(there.path) in words
        assert mend.endswith(f"chmod u+rwx {folder}"), words
        there.path.parent.chmod(0o700)
        assert aside(there.path) == []
        assert served(there.path) == cut.before
