"""A damaged journal is set aside, all that is sound in it is carried over, and nothing is made up."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from journals import DAY, HOUR, MIDNIGHT, every, flip, group, look, org
from salvages import PAGE, Contents, contents, honest, made, note, served

from collector.batch import Cursor
from collector.errors import JournalError
from collector.journal import Journal, aside
from collector.journal.carving import Carving
from collector.journal.salvage import salvage
from collector.point import MAX_TIME


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
    assert {file.name for file in path.parent.iterdir()} - {"journal.db-journal"} == {path.name, found.aside.name}


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


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.unmeasured) for seed in (1, 2))])
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


@pytest.mark.parametrize("harm", [b"", b"garbage" * 3000, bytes(8192)])
def test_a_half_written_transaction_that_is_damaged_costs_no_more_than_itself(
    path: Path, before: Contents, harm: bytes
) -> None:
    """Garbage where SQLite keeps what it would undo is no reason to lose what stands in the journal."""
    path.with_name("journal.db-journal").write_bytes(harm)
    assert served(path) == before


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
    """Where a superseded row comes to light again beside the one that superseded it, the newer alone is left."""
    with Journal(path) as journal:
        journal.append([group("other"), group("other", MIDNIGHT + HOUR), note("not to be read any more " * 20)])
    older = look(path, "SELECT * FROM point WHERE id = 3")[0]
    with Journal(path) as journal:
        journal.append([note("what was said then")])
    look(path, "DROP INDEX point_by_day")
    look(path, "INSERT INTO point VALUES (?, ?, ?, ?, ?)", *older)
    salvage(path)
    with Journal(path) as journal:
        assert every(journal) == [group("other"), group("other", MIDNIGHT + HOUR), note("what was said then")]
    assert b"not to be read" not in path.read_bytes()


def test_an_older_value_that_stands_behind_the_newer_one_does_not_come_back(path: Path) -> None:
    """Pages may lie in any order in a file: what counts is which row was written later."""
    with Journal(path) as journal:
        journal.append([note("what was said first")])
        content = path.read_bytes()
        journal.append([group("a"), note("what was said then"), group("a", MIDNIGHT + HOUR)])
        expected = every(journal)
    start = content.index(b"what was said first") // PAGE * PAGE
    path.write_bytes(path.read_bytes() + content[start : start + PAGE])
    assert salvage(path).carried.lost == 0
    with Journal(path) as journal:
        assert every(journal) == expected


def test_an_older_number_of_the_last_row_that_comes_to_light_costs_no_row(path: Path) -> None:
    """Where no write was cut short all that is sound had been written."""
    with Journal(path) as journal:
        journal.append([group("a")])
        content = path.read_bytes()
        journal.append([group("b"), group("c")])
        expected, tail = every(journal), journal.tail()
    (root,) = look(path, "SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_sequence'")[0]
    path.write_bytes(path.read_bytes() + content[(root - 1) * PAGE : root * PAGE])
    assert salvage(path).carried.lost == 0
    with Journal(path) as journal:
        assert (every(journal), journal.tail()) == (expected, tail)


@pytest.mark.parametrize("replayed", [False, True])
def test_of_two_places_of_one_cursor_the_nearer_one_stands(path: Path, *, replayed: bool) -> None:
    """An older page that comes to light may say either: to take a point twice changes nothing, to skip one would."""
    with Journal(path) as journal:
        journal.append([group(f"g{n}") for n in range(10)])
        journal.advance(journal.cursor("main"), 9 if replayed else 4)
        content = path.read_bytes()
        if replayed:
            journal.move("main", 4)
        else:
            journal.advance(journal.cursor("main"), 9)
    (root,) = look(path, "SELECT rootpage FROM sqlite_schema WHERE name = 'cursor'")[0]
    path.write_bytes(path.read_bytes() + content[(root - 1) * PAGE : root * PAGE])
    assert salvage(path).carried.cursors == 1
    with Journal(path) as journal:
        assert journal.cursor("main").next == 4


def test_rows_that_stand_in_the_file_in_another_order_are_carried_over_all(path: Path) -> None:
    """New rows stand where old ones were pruned, before rows that are older: none of a day hides another."""
    with Journal(path) as journal:
        journal.append([group(f"g{n % 3}", MIDNIGHT + n, float(n)) for n in range(400)])
        journal.append([group(f"g{n % 3}", MIDNIGHT + DAY + n // 3, float(n)) for n in range(400)])
        journal.prune(MIDNIGHT + DAY, [])
        journal.append([group(f"g{n % 3}", MIDNIGHT + DAY + n // 3, float(n)) for n in range(400, 800)])
        before = contents(journal)
    with Carving(path) as carving:
        ids = [cell.id for cell in carving.cells() if len(cell.values) == 5 and isinstance(cell.values[-1], bytes)]
    assert ids != sorted(ids)
    salvage(path)
    with Journal(path) as journal:
        assert contents(journal) == before


def test_rows_are_never_read_by_a_shape_that_is_damaged(path: Path, before: Contents) -> None:
    """Their values are what was written, but not under these names: they are left behind."""
    look(path, "UPDATE shape SET fields = replace(fields, 'score', 'scorf')")
    carried = salvage(path).carried
    assert carried.rows == 1
    assert carried.lost == len(before.points) - 1


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


def test_what_is_lost_is_counted_by_whatever_names_it(path: Path, before: Contents) -> None:
    """A row that stands there and isn't sound, or one that only the index still names."""
    content = path.read_bytes()
    look(path, "UPDATE point SET data = x'00' WHERE id = 300")
    look(path, "DROP INDEX point_by_day")
    assert salvage(path).carried.lost == 1
    start = content.index(b"\0\0\0\0\0\0\x45\x40", PAGE) // PAGE * PAGE
    path.write_bytes(content[:start] + bytes(PAGE) + content[start + PAGE :])
    carried = salvage(path).carried
    assert carried.lost == len(before.points) - carried.rows > 50


def test_what_is_damaged_beside_the_rows_is_left_behind(path: Path, before: Contents) -> None:
    """A cursor that could skip rows, and a letter that isn't what was refused: the others are carried over."""
    look(path, "UPDATE cursor SET next = next + 100 WHERE consumer = 'main'")
    look(path, "UPDATE dead_letter SET data = x'00' WHERE id IN (3, 4)")
    carried = salvage(path).carried
    assert (carried.cursors, carried.letters, carried.lost) == (1, 8, 0)
    with Journal(path) as journal:
        assert journal.cursor("main") == Cursor("main", 1, 0)
        assert journal.cursor("second").next == before.cursors["second"]


@pytest.mark.parametrize("lost", [["cursor"], ["sqlite_sequence"], ["cursor", "sqlite_sequence"]])
def test_no_id_comes_again_whatever_is_left_of_the_numbers(path: Path, before: Contents, lost: list[str]) -> None:
    """The last row's number is the greatest of what is on record, of the rows themselves, and of what was taken."""
    look(path, "UPDATE sqlite_sequence SET seq = 9999 WHERE name = 'dead_letter'")
    for table in lost:
        look(path, f"DELETE FROM {table}")  # noqa: S608 - a name from above
    salvage(path)
    with Journal(path) as journal:
        assert journal.tail() == before.tail
        journal.prune(MAX_TIME, [])
        look(path, "DELETE FROM point")
        assert journal.tail() == before.tail


def test_the_number_of_a_last_row_that_went_is_kept(path: Path, before: Contents) -> None:
    """Also where no consumer has come so far."""
    look(path, "DELETE FROM cursor")
    look(path, "DELETE FROM point WHERE id > 500")
    salvage(path)
    with Journal(path) as journal:
        assert journal.tail() == before.tail


def test_what_stands_in_the_file_twice_is_carried_over_once(path: Path, before: Contents) -> None:
    """A disk that has repeated pages, or a tool that has appended some, adds nothing."""
    path.write_bytes(path.read_bytes() * 2)
    carried = salvage(path).carried
    assert (carried.rows, carried.letters, carried.cursors) == (len(before.points), 10, 2)
    with Journal(path) as journal:
        assert contents(journal) == before
