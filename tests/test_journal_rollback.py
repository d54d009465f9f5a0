"""A write that was cut short, and what would undo it is damaged: nothing is let go, and what stands sound is used."""

import random
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from cuts import RECORD, SECTOR, Cut, cut_short, flipped, goes_on, stages
from journals import HOUR, MIDNIGHT, append_numbered, group, hear, look, org, other, place
from pytest_structlog import StructuredLogCapture
from salvages import PAGE, contents, honest, made, served

from collector.errors import JournalError
from collector.journal import Journal, aside
from collector.journal.rollback import damaged


@pytest.fixture(name="cut")
def _cut(tmp_path: Path) -> Cut:
    """A write that was cut short at its last moment."""
    return cut_short(tmp_path)


def _noted(path: Path, undo: bytes) -> Mapping[int, int]:
    """Return where in the file of a rollback the number of each page stands."""
    beside = path.with_name(f"{path.name}-journal")
    beside.write_bytes(flipped(undo, 19))
    found = damaged(path)
    beside.write_bytes(undo)
    assert found is not None
    return {number: at - 4 for number, at in found.places.items()}


def test_what_a_crash_leaves_is_no_damage(tmp_path: Path) -> None:
    """At whatever moment a write is cut short: it is undone whole, and nothing is set aside."""
    folder = tmp_path / "begun"
    folder.mkdir()
    before = made(folder / "journal.db")
    for left in stages(folder):
        assert damaged(left / "journal.db") is None
        assert served(left / "journal.db") == before
        assert aside(left / "journal.db") == []


def test_a_damaged_length_hides_no_page_that_was_not_touched(cut: Cut) -> None:
    """What stands behind the length that is told, and was not to be undone, is carried over like all else."""
    cut.put(cut.undo)
    Journal(cut.path).close()
    whole = cut.path.read_bytes()
    head = cut.undo[:8] + (1).to_bytes(4, "big") + cut.undo[12:16] + (3).to_bytes(4, "big") + cut.undo[20:SECTOR]
    cut.put(head + cut.undo[SECTOR : SECTOR + RECORD], whole)
    assert served(cut.path) == cut.before
    assert len(aside(cut.path)) == 1


def test_a_length_that_the_journal_was_to_have_is_no_damage(cut: Cut) -> None:
    """A power cut may come when the new first page is written already: what counts is how long it says it was before.

    The page as it was stands in the file of the rollback.
    """
    longer = (int.from_bytes(cut.main[28:32], "big") + 9).to_bytes(4, "big")
    cut.put(cut.undo, cut.main[:28] + longer + cut.main[32:92] + cut.main[24:28] + cut.main[96:])
    assert damaged(cut.path) is None
    assert served(cut.path) == cut.before
    assert aside(cut.path) == []


@pytest.mark.parametrize("readonly", [False, True])
def test_a_first_page_that_is_damaged_beside_a_write_that_can_be_undone_is_said(
    tmp_path: Path, *, readonly: bool
) -> None:
    """Also once it was undone: SQLite would take such a file for one that nobody may write to."""
    path = tmp_path / "journal.db"
    before = made(path)
    with Journal(path) as journal, journal._database.trying() as connection:
        connection.execute("PRAGMA cache_size = 5")
        connection.execute("UPDATE point SET data = zeroblob(length(data))")
        content, undo = path.read_bytes(), path.with_name("journal.db-journal").read_bytes()
    assert content != path.read_bytes()
    path.write_bytes(flipped(content, 18, 6))
    path.with_name("journal.db-journal").write_bytes(undo)
    with pytest.raises(JournalError, match=r"file is not a database|readonly"):
        Journal(path, readonly=readonly)
    assert served(path) == before
    assert len(aside(path)) == 1


def test_a_writer_at_work_is_no_damage(tmp_path: Path) -> None:
    """Whoever opens a journal while another process writes to it finds nothing amiss."""
    path = tmp_path / "journal.db"
    with other(append_numbered, path, "contoso", 100) as (process, pipe):
        assert hear(pipe) == "open"
        pipe.send("go")
        looks = 0
        while process.is_alive():
            assert damaged(path) is None
            looks += 1
    assert looks > 20


@pytest.mark.parametrize(
    "at",
    [16, 17, 19, SECTOR, SECTOR + 2, SECTOR + 3, SECTOR + RECORD + 2, SECTOR + RECORD + 3, SECTOR + RECORD - 1],
    ids=lambda at: f"byte {at}",
)
@pytest.mark.parametrize("bit", [0, 2, 4])
def test_no_number_that_is_damaged_costs_a_row(cut: Cut, at: int, bit: int) -> None:
    """The length that the journal had, the place of a page, a checksum: a bit of it cuts off and overwrites nothing."""
    undo = flipped(cut.undo, at, bit)
    cut.put(undo)
    after = served(cut.path)
    honest(cut.before, after)
    lost = cut.before.points.keys() - after.points.keys()
    # A page that doesn't prove itself isn't undone: the rows that were deleted in it stay so.
    assert len(lost) < 60 if at == SECTOR + RECORD - 1 else not lost
    goes_on(cut.path)


def test_no_page_is_undone_in_the_place_of_one_that_was_not_touched(cut: Cut) -> None:
    """No checksum covers the number of a page, and SQLite would leave nothing of the other one: its rows are kept."""
    cut.put(flipped(cut.undo, 19))
    found = damaged(cut.path)
    assert found is not None
    untouched = set(range(1, found.count + 1)) - found.places.keys()
    assert len(untouched) > 5
    for number in sorted(untouched)[::3]:
        at = found.places[max(found.places)] - 4
        cut.put(cut.undo[:at] + number.to_bytes(4, "big") + cut.undo[at + 4 :])
        assert damaged(cut.path) is not None
        after = served(cut.path)
        honest(cut.before, after)
        # The text of one is longer than a page.
        assert len(after.points) >= len(cut.before.points) - 1, number
        goes_on(cut.path)


@pytest.mark.parametrize(("at", "bit"), [(7, 0), (20, 0), (22, 1), (22, 2), (26, 4), (26, 5)])
def test_a_header_that_no_writer_writes_is_damage(cut: Cut, at: int, bit: int) -> None:
    """A sector or a page of no size, or of one that can't be: rows of its own pages alone are lost, none is made up."""
    cut.put(cut.undo)
    whole = _noted(cut.path, cut.undo)
    second = cut.undo.index(cut.undo[:8], SECTOR)
    cut.put(flipped(cut.undo, at, bit))
    found = damaged(cut.path)
    assert found is not None
    assert found.places == {number: place + 4 for number, place in whole.items() if place > second}
    after = served(cut.path)
    honest(cut.before, after)
    assert len(after.points) > len(cut.before.points) - 60
    (file,) = aside(cut.path)
    assert file.read_bytes() == cut.main
    goes_on(cut.path)


@pytest.mark.parametrize("pages", [0, 3])
def test_a_length_that_is_damaged_throughout_cuts_nothing(cut: Cut, pages: int) -> None:
    """Where every header says that the journal was three pages long, or none, its own first page knows better."""
    sizes = SECTOR.to_bytes(4, "big") + PAGE.to_bytes(4, "big")
    assert cut.undo.count(cut.undo[16:20] + sizes) > 1
    cut.put(cut.undo.replace(cut.undo[16:20] + sizes, pages.to_bytes(4, "big") + sizes))
    after = served(cut.path)
    honest(cut.before, after)
    assert after.points.keys() == cut.before.points.keys()


@pytest.mark.parametrize("text", [b"tableseriesseries", b"indexpoint_by_daypoint"])
def test_a_table_whose_name_is_no_text_any_more_costs_nothing(cut: Cut, text: bytes) -> None:
    """A single bit of what would undo the write: SQLite's own words on it are no text then either."""
    cut.put(flipped(cut.undo, cut.undo.index(text) + 7, 7))
    assert damaged(cut.path) is not None
    assert served(cut.path) == cut.before
    assert len(aside(cut.path)) == 1
    goes_on(cut.path)


@pytest.mark.parametrize(
    "harm",
    [lambda undo: undo[: len(undo) // 2], lambda undo: undo[:700], lambda undo: undo[:1], lambda undo: b"x" + undo[1:]],
    ids=["half", "a page", "a byte", "its first byte"],
)
def test_neither_file_is_let_go(cut: Cut, log: StructuredLogCapture, harm: Callable[[bytes], bytes]) -> None:
    """Cut off or overwritten: both files stay byte for byte, it is said with counts, and what is sound is there."""
    undo = harm(cut.undo)
    cut.put(undo)
    after = served(cut.path)
    honest(cut.before, after)
    (file,) = aside(cut.path)
    assert file.read_bytes() == cut.main
    assert file.with_name(f"{file.name}-journal").read_bytes() == undo
    assert log.has("journal.salvaged", level="error", aside=str(file), rows=len(after.points))
    # A third of all was being deleted.
    assert len(after.points) > len(cut.before.points) * 0.6
    goes_on(cut.path)


@pytest.mark.parametrize("undo", [b"", bytes(9000)], ids=["gone", "zeroed"])
def test_without_what_would_undo_it_the_service_goes_on(cut: Cut, undo: bytes) -> None:
    """Half a write stays half; what it had not reached is there, and nothing is made up."""
    cut.put(undo)
    after = served(cut.path)
    assert all(after.points[id_] == point for id_, point in cut.before.points.items() if id_ in after.points)
    assert len(after.points) > len(cut.before.points) * 0.6
    (file,) = aside(cut.path)
    assert file.read_bytes() == cut.main
    goes_on(cut.path)


def test_a_journal_that_was_cut_off_with_it_is_made_whole_from_it(cut: Cut) -> None:
    """Pages that are gone from the journal, and stand in what would undo the write, are carried over from there."""
    cut.put(cut.undo, main=cut.main[: int(len(cut.main) * 0.3)])
    after = served(cut.path)
    honest(cut.before, after)
    assert len(after.points) > len(cut.before.points) / 2
    goes_on(cut.path)


def test_an_empty_journal_beside_it_lets_nothing_go(cut: Cut) -> None:
    """SQLite would take what undoes a write in an empty file for a leftover, and delete it."""
    cut.put(cut.undo, main=b"")
    honest(cut.before, served(cut.path))
    (file,) = aside(cut.path)
    assert file.with_name(f"{file.name}-journal").read_bytes() == cut.undo
    goes_on(cut.path)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.unmeasured) for seed in (1, 2))])
def test_whatever_bit_of_it_is_flipped_the_service_goes_on(cut: Cut, seed: int) -> None:
    """Nothing is made up, no cursor runs ahead, and where rows are lost both files are there to look at."""
    chance = random.Random(seed)  # noqa: S311 - the same places at each run
    for at in [*chance.sample(range(28), 5), *chance.sample(range(len(cut.undo)), 25)]:
        cut.put(flipped(cut.undo, at, chance.randrange(8)))
        after = served(cut.path)
        honest(cut.before, after)
        assert len(after.points) > len(cut.before.points) * 0.6
        assert after == cut.before or aside(cut.path), at


def test_of_a_poll_that_was_cut_short_nothing_is_carried_over(tmp_path: Path) -> None:
    """However much of it stands in the journal already: a poll is there whole or not at all."""
    path = tmp_path / "journal.db"
    before = made(path)
    files: list[bytes] = []

    def cut(statement: str) -> None:
        if statement == "COMMIT":
            files.extend(file.read_bytes() for file in (path, path.with_name("journal.db-journal")))

    with Journal(path) as journal:
        journal._database._connection.execute("PRAGMA cache_size = 5")
        journal._database._connection.set_trace_callback(cut)
        points = [group(f"grüße {n % 12}", MIDNIGHT + (n % 30 + 50) * HOUR, 7.0) for n in range(360)]
        journal.append(points, taken=(journal.cursor("main"), before.tail))
        journal._database._connection.set_trace_callback(None)
    main, undo = files[-2:]
    (numbers,) = look(path, "SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_sequence'")[0]
    path.write_bytes(main)
    places = _noted(path, undo)
    for number in (min(places), max(places), numbers):
        path.write_bytes(main)
        at = places[number]
        path.with_name("journal.db-journal").write_bytes(undo[:at] + (2).to_bytes(4, "big") + undo[at + 4 :])
        assert damaged(path) is not None
        after = served(path)
        honest(before, after)
        assert before.points.keys() - after.points.keys() == set()


def test_the_last_row_is_kept_where_another_page_was_to_be_put_in_its_place(tmp_path: Path) -> None:
    """It had been written before, like all that have its number or a smaller one."""
    path = tmp_path / "journal.db"
    made(path)
    with Journal(path) as journal:
        journal.append([org(MIDNIGHT + 99 * HOUR)])
        before = contents(journal)
    last = place(path, before.tail - 1) // PAGE + 1
    with Journal(path) as journal, journal._database.trying() as connection:
        connection.execute("PRAGMA cache_size = 5")
        connection.execute("DELETE FROM point WHERE id < 300")
        main, undo = path.read_bytes(), path.with_name("journal.db-journal").read_bytes()
    path.write_bytes(main)
    places = _noted(path, undo)
    assert last not in places
    at = places[max(places)]
    path.with_name("journal.db-journal").write_bytes(undo[:at] + last.to_bytes(4, "big") + undo[at + 4 :])
    assert served(path) == before


def test_where_no_number_of_the_last_row_is_on_record_no_row_is_left_behind(tmp_path: Path) -> None:
    """It is told by the rows themselves then."""
    path = tmp_path / "journal.db"
    before = made(path)
    look(path, "DELETE FROM sqlite_sequence")
    with Journal(path) as journal, journal._database.trying() as connection:
        connection.execute("PRAGMA cache_size = 5")
        connection.execute("UPDATE point SET data = zeroblob(length(data))")
        main, undo = path.read_bytes(), path.with_name("journal.db-journal").read_bytes()
    path.write_bytes(main)
    path.with_name("journal.db-journal").write_bytes(flipped(undo, 8))
    assert served(path) == before
