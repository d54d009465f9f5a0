"""Backups: whole, proven, beside a collector that writes all the while, and there whole or not at all."""

import errno
import os
import resource
import stat
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from journals import HOUR, MIDNIGHT, every, flip, group, hear, look, org, other, place

from collector.batch import Cursor, DeadLetter
from collector.errors import ConfigError, JournalError
from collector.journal import Journal, backup, copying
from collector.point import Point


@pytest.fixture
def to(tmp_path: Path) -> Path:
    """Where the backup will be: a folder of its own."""
    (tmp_path / "kept").mkdir()
    return tmp_path / "kept" / "backup.db"


def _write_until_told(pipe: Connection, path: Path) -> None:
    """Append a point after the other until told to end; say how many."""
    with Journal(path) as journal:
        pipe.send("open")
        count = 0
        while not pipe.poll(0.003):
            journal.append([group("beside", MIDNIGHT + count * HOUR, float(count))])
            count += 1
        pipe.send(count)


def _fill_with_no_room(pipe: Connection, path: Path, to: Path) -> None:
    """Make a backup where no file may grow past 16 KiB; say what failed."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, 16_384))
    with Journal(path, readonly=True) as journal:
        try:
            backup(journal, to)
            pipe.send("made")
        except JournalError as error:
            pipe.send(str(error))


def _there(to: Path) -> list[str]:
    """Return what is in the folder."""
    return sorted(path.name for path in to.parent.iterdir())


def _points(count: int) -> list[Point]:
    return [group(f"g{n % 7}", MIDNIGHT + n * HOUR, float(n)) for n in range(count)]


def test_a_backup_is_a_journal_like_the_first(journal: Journal, to: Path) -> None:
    """Points, cursors, dead letters and what sinks fail of are all there, and so is the number of the next row."""
    journal.append(_points(30))
    journal.append(_points(3))
    cursor = journal.cursor("main", "v1 http://i/")
    rows = journal.read(cursor, 10).rows
    assert journal.advance(cursor, rows[-1].id + 1, [DeadLetter(rows[0], "no")])
    journal.note("main", "Unavailable: no")
    made = backup(journal, to)
    assert (made.points, made.damaged, made.bytes) == (30, 0, to.stat().st_size)
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    assert _there(to) == ["backup.db"]
    with Journal(to) as copy:
        assert every(copy) == every(journal)
        assert (copy.cursors(), copy.tail()) == (journal.cursors(), journal.tail())
        assert list(copy.letters.every(["main"])) == list(journal.letters.every(["main"]))
        assert (copy.noted("main"), copy.target("main")) == ("Unavailable: no", "v1 http://i/")
        copy.append([org()])
    assert len(every(journal)) == 30


def test_a_reader_can_make_one(journal: Journal, to: Path) -> None:
    """It needs no right to write to the journal, and leaves it as it is."""
    journal.append(_points(30))
    before = journal.path.read_bytes()
    with Journal(journal.path, readonly=True) as reader:
        assert backup(reader, to).points == 30
    assert journal.path.read_bytes() == before


def test_every_point_from_before_the_call_is_in_it_while_another_process_writes(
    journal: Journal, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside a writer that hardly pauses the backup has every point that was safe before, and nothing in part."""
    monkeypatch.setattr(copying, "PAGES", 1)
    journal.append(_points(2000))
    with other(_write_until_told, journal.path) as (_, writer):
        assert hear(writer) == "open"
        before = every(journal)
        made = backup(journal, to)
        writer.send("end")
        written = hear(writer)
    with Journal(to) as copy:
        found = every(copy)
    assert found[: len(before)] == before
    assert found == every(journal)[: len(found)]
    assert len(before) <= len(found) == made.points <= 2000 + written


def test_a_file_that_is_there_is_left_alone(journal: Journal, to: Path) -> None:
    """Neither a file, nor a link, nor the journal itself or what belongs to it is written over."""
    to.write_text("mine")
    link = to.with_name("link")
    link.symlink_to("nowhere")
    ends = ("-journal", "-wal", "-shm", ".lock", ".salvage", ".damaged-by-hand")
    beside = [journal.path.with_name(f"journal.db{end}") for end in ends]
    beside[0].unlink(missing_ok=True)
    for taken in (to, link, journal.path, *beside):
        with pytest.raises(ConfigError, match=taken.name):
            backup(journal, taken)
    with pytest.raises(ConfigError, match="folder does not exist"):
        backup(journal, to.parent / "none" / "backup.db")
    assert to.read_text() == "mine"
    assert _there(to) == ["backup.db", "link"]


def test_a_name_belongs_to_the_journal_in_its_own_folder_alone(journal: Journal, to: Path) -> None:
    """Elsewhere a copy is called as its owner likes; and what is called by no such name may stand beside it."""
    for free in (to.with_name(f"{journal.path.name}.damaged-copy"), journal.path.with_name("copy.db")):
        assert backup(journal, free).points == len(every(journal))


def _fail(*_: object, **__: object) -> None:
    raise OSError("planted")


def _refuse(*_: object) -> int:
    raise PermissionError(errno.EACCES, "Permission denied")


def test_a_name_that_is_taken_meanwhile_is_left_alone(
    journal: Journal, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two backups to one file the first one stands."""
    journal.append(_points(3))

    def seen(_what: str, done: int, of: int) -> None:
        if done == of:
            to.write_text("mine")

    with pytest.raises(JournalError, match=r"backup\.db: File exists$"):
        backup(journal, to, seen)
    assert to.read_text() == "mine"
    assert _there(to) == ["backup.db"]
    to.unlink()
    monkeypatch.setattr(os, "link", _fail)
    with pytest.raises(JournalError, match=r"backup\.db: is there already$") as caught:
        backup(journal, to, seen)
    assert caught.value.mend == "look at the disk that it is to be on"
    assert (to.read_text(), _there(to)) == ("mine", ["backup.db"])


def test_where_files_can_have_one_name_only_it_is_renamed(
    journal: Journal, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a file system without hard links a backup is made all the same."""
    monkeypatch.setattr(os, "link", _fail)
    journal.append(_points(3))
    assert backup(journal, to).points == 3
    assert _there(to) == ["backup.db"]
    with Journal(to, readonly=True) as copy:
        assert every(copy) == _points(3)


def test_what_the_system_refuses_is_said(journal: Journal, to: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that can't be made, or not be synced, is no backup; one whose working name can't be taken away is."""
    journal.append(_points(3))
    monkeypatch.setattr(os, "fsync", _fail)
    with pytest.raises(JournalError, match=r"backup\.db: planted"):
        backup(journal, to)
    assert _there(to) == []
    monkeypatch.undo()
    monkeypatch.setattr(os, "open", _refuse)
    with pytest.raises(JournalError, match=r"part: Permission denied") as caught:
        backup(journal, to)
    assert caught.value.mend == f"let this user write to {to.parent}"
    monkeypatch.undo()
    monkeypatch.setattr(Path, "unlink", _fail)
    assert backup(journal, to).points == 3
    assert to.exists()


@pytest.mark.parametrize("harm", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("when", ["copying", "checking"])
def test_nothing_is_left_of_one_that_was_broken_off(
    journal: Journal, to: Path, when: str, harm: type[BaseException]
) -> None:
    """Ctrl-C at any moment leaves no half of a file."""
    journal.append(_points(30))

    def seen(what: str, _done: int, _of: int) -> None:
        if what == when:
            raise harm

    with pytest.raises(harm):
        backup(journal, to, seen)
    assert _there(to) == []
    assert backup(journal, to).points == 30


def test_a_disk_without_room_leaves_nothing_and_is_named(journal: Journal, to: Path) -> None:
    """The error names the file that could not be written, not the journal, and no half of it stays."""
    journal.append(_points(2000))
    with other(_fill_with_no_room, journal.path, to) as (_, pipe):
        said = hear(pipe)
    assert str(to.parent) in said
    assert str(journal.path) not in said
    assert _there(to) == []
    assert len(every(journal)) == 2000


def test_damage_of_the_journal_is_counted_and_no_reason_to_have_no_backup(tmp_path: Path, to: Path) -> None:
    """What can still be read is in the backup; how much can't be is said."""
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        journal.append(_points(30))
    flip(path, place(path, 4))
    with Journal(path) as journal:
        made = backup(journal, to)
        assert (made.points, made.damaged) == (30, 1)
    with Journal(to) as copy:
        assert len(every(copy)) == 29


def test_a_copy_that_is_not_what_was_read_is_no_backup(
    journal: Journal, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that lies is found out: each row of the copy is proven, and all have to be there."""
    journal.append(_points(30))
    whole = Journal.copy
    for harm in ("UPDATE point SET data = x'00' WHERE id = 7", "DELETE FROM point WHERE id = 7"):

        def copy(self: Journal, part: Path, seen: object, harm: str = harm) -> None:
            whole(self, part, seen)  # type: ignore[arg-type]
            look(part, harm)

        monkeypatch.setattr(Journal, "copy", copy)
        with pytest.raises(JournalError, match="not what was read"):
            backup(journal, to)
        assert _there(to) == []
    assert journal.read(Cursor("", 7, 0), 1).rows[0].id == 7


def _destroy(path: Path) -> None:
    """Overwrite pages in the middle of the file, as a disk does that loses them."""
    content = path.read_bytes()
    middle = len(content) // 2 // 4096 * 4096
    path.write_bytes(content[:middle] + b"\xaa" * 12 * 4096 + content[middle + 12 * 4096 :])


def test_a_journal_whose_pages_are_damaged_is_not_copied_and_what_is_left_is_said(tmp_path: Path, to: Path) -> None:
    """The error names the journal, that nothing was copied, and who carries over what is sound."""
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        journal.append(_points(5000))
    _destroy(path)
    with Journal(path, readonly=True) as journal, pytest.raises(JournalError, match="nothing was copied") as caught:
        backup(journal, to)
    assert str(caught.value).startswith(f"{path}: pages of it are damaged")
    assert "`run` and `once` set the damaged file aside" in caught.value.mend
    assert _there(to) == []


def test_a_copy_whose_pages_are_damaged_blames_no_sound_journal(
    journal: Journal, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the copy alone can't be read nobody is told to put the journal away."""
    journal.append(_points(5000))
    whole = Journal.copy

    def copy(self: Journal, part: Path, seen: object) -> None:
        whole(self, part, seen)  # type: ignore[arg-type]
        _destroy(part)

    monkeypatch.setattr(Journal, "copy", copy)
    with pytest.raises(JournalError, match=str(to.parent)) as caught:
        backup(journal, to)
    assert str(journal.path) not in str(caught.value) + caught.value.mend
