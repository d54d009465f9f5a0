"""A damaged journal is set aside, all that is sound in it is carried over, and nothing is made up."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from journals import MIDNIGHT, every, flip, group, look, org
from pytest_structlog import StructuredLogCapture
from salvages import PAGE, Contents, contents, honest, made, note, served

from collector.batch import Cursor
from collector.errors import JournalError
from collector.journal import Held, Journal, RoleLock, Unsound, aside, in_charge
from collector.journal.salvage import MOST, salvage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal is."""
    return tmp_path / "journal.db"


@pytest.fixture
def before(path: Path) -> Contents:
    """What the journal held before it was damaged."""
    return made(path)


def test_a_sound_journal_is_carried_over_whole(path: Path, before: Contents) -> None:
    """Every row keeps its id, every cursor its place, every dead letter its words; the old file stays as it is."""
    content = path.read_bytes()
    found = salvage(path, lambda: 1_700_000_000.0)
    assert found.aside == path.with_name("journal.db.damaged-20231114T221320Z")
    assert found.aside.read_bytes() == content
    assert (found.carried.rows, found.carried.lost, found.carried.letters) == (len(before.points), 0, 10)
    assert (found.carried.series, found.carried.cursors) == (12, 2)
    assert (path.stat().st_mode & 0o777, found.aside.stat().st_mode & 0o777) == (0o600, 0o600)
    with Journal(path) as journal:
        assert contents(journal) == before
        assert {letter.words for letter in journal.letters.every(["main"])} == {"no"}
        assert journal.history(org().series, MIDNIGHT, MIDNIGHT + 1) == [org(MIDNIGHT, 99.5)]
    assert look(path, "PRAGMA integrity_check") == [("ok",)]
    assert sorted(file.name for file in path.parent.iterdir() if file.stat().st_size) == [path.name, found.aside.name]


def test_a_page_costs_its_own_rows_and_no_others(path: Path, before: Contents) -> None:
    """Whichever page is lost: each row is lost with one page of its own, the schema's and the inner pages cost none."""
    content = path.read_bytes()
    lost: list[int] = []
    of_names = 0
    for start in range(0, len(content), PAGE):
        path.write_bytes(content[:start] + bytes(PAGE) + content[start + PAGE :])
        found = salvage(path)
        with Journal(path) as journal:
            after = contents(journal)
        honest(before, after)
        gone = set(before.points) - set(after.points)
        assert found.carried.lost in {len(gone), 0}, start
        if len(gone) > len(before.points) / 2:
            of_names += 1
        else:
            lost += gone
        found.aside.unlink()
    assert of_names == 2, "the names of series, and those of fields, stand in one page each"
    # A long text stands in several.
    assert sorted(set(lost)) == sorted(before.points)
    assert len(lost) == len(before.points) + 2


@pytest.mark.parametrize("seed", range(3))
def test_whatever_bit_is_flipped_the_service_goes_on_with_what_was_written(
    path: Path, before: Contents, seed: int
) -> None:
    """A flipped bit costs a row, a page's rows or a name's at the most, and the file that had it is kept."""
    content = path.read_bytes()
    # But for the version's own number: it is all that tells a newer journal from this one.
    places = [at for at, byte in enumerate(content) if byte and at not in range(60, 64)]
    chance = random.Random(seed)  # noqa: S311 - the same places at each run
    for at in chance.sample(places, 60):
        flip(path, at, chance.randrange(8))
        damaged = path.read_bytes()
        after = served(path)
        honest(before, after)
        assert len(after.points) >= len(before.points) - 160
        for file in aside(path):
            assert file.read_bytes() == damaged
            file.unlink()
        path.write_bytes(content)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.37, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_off_is_carried_over_as_far_as_it_goes(path: Path, before: Contents, share: float) -> None:
    """At a page's end or anywhere: what stands before the cut is there, and new rows take no id that was given."""
    content = path.read_bytes()
    for size in {int(len(content) * share), int(len(content) * share) // PAGE * PAGE} - {0}:
        path.write_bytes(content[:size])
        after = served(path)
        honest(before, after)
        with Journal(path) as journal:
            if after.cursors:
                assert journal.tail() >= max(before.cursors[consumer] for consumer in after.cursors)
            journal.append([group("new")])
            assert every(journal)[-1] == group("new")
        for file in aside(path):
            file.unlink()


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


@pytest.mark.parametrize("harm", [b"", b"garbage" * 3000, bytes(8192)])
def test_a_half_written_transaction_that_is_damaged_costs_no_more_than_itself(
    path: Path, before: Contents, harm: bytes
) -> None:
    """Garbage where SQLite keeps what it would undo is no reason to lose what stands in the journal."""
    path.with_name("journal.db-journal").write_bytes(harm)
    assert served(path) == before


@pytest.mark.parametrize("end", ["-journal", "-wal"])
def test_what_belongs_to_the_old_file_is_not_applied_to_the_new_one(path: Path, before: Contents, end: str) -> None:
    """What SQLite left beside the damaged file, and is damaged too, goes with it under its new name."""
    content = path.read_bytes()
    path.write_bytes(bytes(100) + content[100:])
    beside = path.with_name(f"journal.db{end}")
    beside.write_bytes(b"\xd9\xd5\x05\xf9 \xa1c\xd7" + bytes(600))
    assert served(path) == before
    (file,) = aside(path)
    assert not beside.exists() or not beside.stat().st_size
    assert file.with_name(f"{file.name}{end}").exists()


@pytest.mark.parametrize("version", [0, 2])
def test_a_version_that_can_not_be_is_no_reason_to_write(path: Path, before: Contents, version: int) -> None:
    """A journal that says it is empty, and isn't, is damaged; one that says it is newer is left as it is."""
    look(path, f"PRAGMA user_version = {version}")
    content = path.read_bytes()
    if version:
        with pytest.raises(JournalError, match="newer version"):
            served(path)
        assert path.read_bytes() == content
    else:
        assert served(path) == before
        assert len(aside(path)) == 1


def test_a_cursor_past_rows_that_are_lost_skips_no_new_row(path: Path, before: Contents) -> None:
    """Ids are never given again, also when the last rows and the number of the last one are gone."""
    look(path, "DELETE FROM point WHERE id > 100")
    look(path, "DELETE FROM sqlite_sequence")
    salvage(path)
    with Journal(path) as journal:
        assert journal.tail() == before.tail
        journal.append([group("new")])
        assert [row.point for row in journal.read(journal.cursor("second"), 10).rows] == [group("new")]


def test_of_one_identity_the_later_row_stands(path: Path) -> None:
    """Where a superseded row comes to light again beside the one that superseded it, the newer value counts."""
    with Journal(path) as journal:
        journal.append([org(value=1.0), group("other")])
    older = look(path, "SELECT * FROM point WHERE id = 1")[0]
    with Journal(path) as journal:
        journal.append([org(value=2.0)])
    look(path, "DROP INDEX point_by_day")
    look(path, "INSERT INTO point VALUES (?, ?, ?, ?, ?)", *older)
    salvage(path)
    with Journal(path) as journal:
        assert every(journal) == [group("other"), org(value=2.0)]


def test_rows_without_a_name_are_left_behind(path: Path, before: Contents) -> None:
    """A row whose series is lost stays in the file that was set aside: its number may come to mean another's."""
    look(path, "DELETE FROM series WHERE id = (SELECT max(id) FROM series)")
    assert salvage(path).carried.lost == 1
    with Journal(path) as journal:
        journal.append([note("another")])
        assert len(every(journal)) == len(before.points)


def test_a_journal_with_pages_of_another_size_is_sound(path: Path, before: Contents) -> None:
    """What a person's tool did to the file is no damage, and could be carried over all the same."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA page_size = 1024")
        connection.execute("VACUUM")
    with Journal(path) as journal:
        assert contents(journal) == before
    assert salvage(path).carried.rows == len(before.points)
    with Journal(path) as journal:
        assert contents(journal) == before


def test_after_a_few_damaged_files_the_disk_is_not_filled_with_them(path: Path, before: Contents) -> None:
    """A disk that goes on destroying the journal is named, and the file stays; nothing is ever deleted."""
    for _ in range(MOST):
        salvage(path)
    content = path.read_bytes()
    with pytest.raises(JournalError, match="5 damaged files") as caught:
        salvage(path)
    assert "look at the disk" in caught.value.mend
    assert path.read_bytes() == content
    assert len(aside(path)) == MOST
    with Journal(path) as journal:
        assert contents(journal) == before


@pytest.mark.parametrize("content", [b"[poll]\n" * 2000, b"SQLite format 3\0" + bytes(9000), b"\x00\x01" * 9000])
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


def test_where_files_can_have_one_name_only_it_is_renamed(
    path: Path, before: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a file system without hard links the damaged file is renamed."""
    monkeypatch.setattr("os.link", lambda *_: (_ for _ in ()).throw(OSError("no links here")))
    content = path.read_bytes()
    assert salvage(path).aside.read_bytes() == content
    with Journal(path) as journal:
        assert contents(journal) == before


def test_what_an_attempt_has_left_is_taken_away(path: Path, before: Contents) -> None:
    """A crash in the middle leaves the journal as it was, and the next attempt begins anew."""
    path.with_name("journal.db.salvage").write_bytes(b"half" * 5000)
    salvage(path)
    with Journal(path) as journal:
        assert contents(journal) == before
        assert journal.read(Cursor("", 1, 0), 1).rows
