"""Power cuts at every moment: what was promised to be durable is there, and what was not is there whole or not at all.

A kill can't show it: what a process that is killed has written stays. So a process is traced, and each folder is made
that its system calls could have left on a disk which lost its power.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from power_cut_work import facts, recover, start, whole
from power_cuts import STRACE, Cut, marks, power_cuts, traced
from servers import need

from collector.errors import JournalError

_WORK = "import pathlib, power_cut_work as work; work.{}(pathlib.Path(sys.argv[1]), *sys.argv[2:])"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder whose disk loses its power."""
    need(STRACE)
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


def _broken(
    folder: Path, lines: Sequence[str], opened: Callable[[Path], None] = recover, since: int = 0
) -> Iterator[str]:
    """Yield each promise that a power cut after so many marks breaks."""
    said = marks(lines)
    for cut in power_cuts(folder, lines):
        if cut.marks < since:
            continue
        # Between two marks either state is right: what was under way is there whole or not at all.
        before, after = said[max(cut.marks - 1, 0)], said[min(cut.marks, len(said) - 1)]
        where = f"after {before['did']!r}, at {cut.during[:200]}"
        try:
            found = _found(cut, opened)
        except JournalError as error:
            yield f"{where}: {error}"
            continue
        for name, fact in found.items():
            if fact not in {before[name], after[name]}:
                yield f"{where}: {name} has {fact!r}"


def _found(cut: Cut, opened: Callable[[Path], None]) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cut.folder.put(folder)
        opened(folder)
        return facts(folder)


def test_what_was_promised_survives_a_power_cut_at_any_moment(folder: Path) -> None:
    """A journal, a backup and a kept sign-in: what a call has returned for is there, and no call is there in part."""
    lines = traced(folder, _WORK.format("work"))
    assert len(marks(lines)) == 16
    assert len([cut for cut in power_cuts(folder, lines) if cut.during.startswith("sync journal.db")]) > 40
    assert list(_broken(folder, lines)) == []


def test_a_damaged_journal_is_set_aside_whatever_happens_meanwhile(folder: Path) -> None:
    """A power cut while it is mended costs nothing, nor one after it: the next start has all that was sound."""
    lines = traced(folder, _WORK.format("mend"))
    did = [mark["did"] for mark in marks(lines)]
    assert did == ["open", "append", "consumer", "refuse", "mend", "append to the new file"]
    assert list(_broken(folder, lines, start)) == []


def test_what_was_half_done_is_set_aside_whole_whatever_happens_meanwhile(folder: Path) -> None:
    """A damaged journal and what would undo a write to it: a power cut doesn't part them, and costs no row."""
    lines = traced(folder, _WORK.format("mend_half_done"))
    begun, *_ = said = marks(lines)
    assert [mark["did"] for mark in said] == ["cut short", "mend", "append to the new file"]
    cuts = [cut for cut in power_cuts(folder, lines) if cut.marks]
    assert len(cuts) > 30
    assert all(whole(cut.folder, begun["main"], begun["undo"]) for cut in cuts)
    assert list(_broken(folder, lines, start, since=1)) == []


@pytest.mark.parametrize(
    ("fault", "struck"),
    [
        ("PRAGMA synchronous=OFF", "journal.db has"),
        ("PRAGMA synchronous=NORMAL", "journal.db has"),
        ("PRAGMA journal_mode=MEMORY", "journal.db"),
        ("PRAGMA journal_mode=OFF", "journal.db"),
        ("folder", "copy.db has ''"),
        ("file", "c"),
    ],
)
def test_a_process_that_syncs_less_is_found_out(folder: Path, fault: str, struck: str) -> None:
    """The proof can fail: a weaker SQLite, or a file or a folder that isn't synced, breaks a promise."""
    lines = traced(folder, _WORK.format("work"), fault)
    assert any(struck in broken for broken in _broken(folder, lines))
