"""What undoes a write, in pages and sectors of any size: each bit that SQLite goes by counts, each page is found."""

import sqlite3
from pathlib import Path

import pytest
from cuts import SECTOR, flipped, stages
from halves import HEADER, MAGIC, Half, half_done
from salvages import made, served

from collector.journal import aside, rollback
from collector.journal.rollback import Rollback, damaged
from collector.journal.rollback import _read as _reading


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody writes here: there is nobody to wait for."""
    monkeypatch.setattr("collector.journal.rollback._PAUSE", 0.0)


def _read(half: Half, undo: bytes, found: Rollback) -> dict[int, bytes]:
    """Return the pages that were found."""
    return {number: undo[at : at + half.size] for number, at in found.places.items()}


@pytest.mark.parametrize(("size", "segments"), [(512, 1), (512, 3), (65_536, 1)])
def test_each_bit_of_a_header_counts(tmp_path: Path, size: int, segments: int) -> None:
    """Whichever is flipped SQLite would undo less, or more than there was: it is seen, and no page is made up."""
    half = half_done(tmp_path, size, segments)
    assert half.undo.count(MAGIC) == segments
    assert half.undone(half.undo) == b"".join(half.pages.values())
    last = half.undo.rindex(MAGIC)
    for at in {*range(HEADER), *range(last, last + HEADER)}:
        for bit in (0, 3, 7) if size > 512 or at > HEADER else range(8):
            undo = flipped(half.undo, at, bit)
            found = half.found(undo)
            assert found is not None, (at, bit)
            assert _read(half, undo, found).items() <= half.pages.items(), (at, bit)
            assert found.count == len(half.pages) or not found.places


def test_a_count_of_pages_that_is_damaged_costs_none(tmp_path: Path) -> None:
    """Nor those behind: each header says by itself where it stands."""
    half = half_done(tmp_path, 512, 3)
    whole = half.found(flipped(half.undo, 19))
    assert whole is not None
    assert len(whole.places) > 20
    headers = [at for at in range(0, len(half.undo), SECTOR) if half.undo.startswith(MAGIC, at)]
    for start in headers:
        for at, bit in ((8, 0), (10, 7), (11, 0), (11, 1), (11, 2), (11, 3), (11, 4)):
            found = half.found(flipped(half.undo, start + at, bit))
            assert found is not None
            assert (found.places, found.strays) == (whole.places, [])


@pytest.mark.parametrize("size", [512, 4096])
@pytest.mark.parametrize("at", [0, 7, 26])
def test_a_header_that_is_damaged_costs_its_own_pages_alone(tmp_path: Path, at: int, size: int) -> None:
    """Whatever stands in them: what looks like nothing within a page is no end."""
    half = half_done(tmp_path, size, 3)
    whole = half.found(flipped(half.undo, 19))
    assert whole is not None
    first, second, third = (place for place in range(0, len(half.undo), SECTOR) if half.undo.startswith(MAGIC, place))
    for start, end in ((first, second), (second, third)):
        nothing = half.undo[: start + SECTOR] + bytes(end - start - SECTOR) + half.undo[end:]
        for undo in (half.undo, nothing):
            found = half.found(flipped(undo, start + at))
            assert found is not None
            assert found.places == {n: place for n, place in whole.places.items() if not start < place < end}
            assert (found.size, found.count) == (size, len(half.pages))


def test_where_the_first_page_does_not_tell_how_many_there_were_the_header_does(tmp_path: Path) -> None:
    """An old program has written it last: the number in it is of before that."""
    half = half_done(tmp_path, 512)
    at = half.records()[1] + 4
    undo = (
        half.undo[: at + 28] + (5).to_bytes(4, "big") + half.undo[at + 32 : at + 92] + bytes(4) + half.undo[at + 96 :]
    )
    assert half.found(undo) is None
    found = half.found(flipped(undo, len(undo) - 1))
    assert found is not None
    assert found.count == len(half.pages)


@pytest.mark.parametrize("sector", [32, 4096, 65_536])
def test_sectors_of_any_size_that_sqlite_knows_are_known(tmp_path: Path, sector: int) -> None:
    """What was written on another disk is undone as there."""
    half = half_done(tmp_path, 512)
    undo = _in_sectors(half.undo, sector)
    assert half.undone(undo) == b"".join(half.pages.values())
    undo = flipped(undo, 19, 0)
    found = half.found(undo)
    assert found is not None
    assert found.places.keys() == half.records().keys()
    assert _read(half, undo, found).items() <= half.pages.items()


@pytest.mark.parametrize(
    ("at", "size"), [*((20, size) for size in (0, 16, 768, 131_072)), *((24, size) for size in (0, 256, 768, 131_072))]
)
def test_of_a_size_that_can_not_be_nothing_is_believed(tmp_path: Path, at: int, size: int) -> None:
    """No writer writes in such sectors, or such pages."""
    half = half_done(tmp_path, 512)
    undo = _in_sectors(half.undo, size) if at == 20 and size >= 32 else half.undo
    found = half.found(undo[:at] + size.to_bytes(4, "big") + undo[at + 4 :])
    assert found == Rollback(damaged=True, lost=True)
    assert (found.size, found.count) == (0, 0)


def _in_sectors(undo: bytes, sector: int) -> bytes:
    """Return one segment laid out in sectors of another size."""
    assert undo.count(MAGIC) == 1
    return (undo[:20] + sector.to_bytes(4, "big") + undo[24:HEADER]).ljust(sector, b"\0") + undo[SECTOR:]


@pytest.mark.parametrize("size", [512, 4096])
def test_a_page_that_does_not_prove_itself_is_left_out_alone(tmp_path: Path, size: int) -> None:
    """Each record is proven by itself, by bytes of all of the page: a flip in one costs none of the others."""
    half = half_done(tmp_path, size)
    assert len(half.records()) > 5
    for number, at in half.records().items():
        for byte in (4 + size, 7 + size, *range(4 + size - 200, 4, -200)):
            undo = flipped(half.undo, at + byte, 5)
            found = half.found(undo)
            assert found is not None
            assert found.strays == []
            assert _read(half, undo, found) == {n: half.pages[n] for n in half.records() if n != number}


@pytest.mark.parametrize("wrong", [0, 1, 2**20])
def test_a_page_whose_number_can_not_be_is_kept_without_it(tmp_path: Path, wrong: int) -> None:
    """None, another's, or one behind the end: its bytes prove themselves, so its rows are not given up."""
    half = half_done(tmp_path, 512)
    first, *_, (number, at) = half.records().items()
    assert first == (1, SECTOR)
    undo = half.undo[:at] + wrong.to_bytes(4, "big") + half.undo[at + 4 :]
    found = half.found(undo)
    assert found is not None
    assert [undo[stray : stray + 512] for stray in found.strays] == [half.pages[number]]
    assert _read(half, undo, found) == {n: half.pages[n] for n in half.records() if n != number}


@pytest.mark.parametrize("size", [512, 4096])
def test_a_page_under_the_number_of_another_is_seen(tmp_path: Path, size: int) -> None:
    """Though it proves itself: the file would not be whole with it."""
    half = half_done(tmp_path, size)
    for number in half.pages.keys() - half.records().keys():
        at = half.records()[1 if number % 2 else max(half.records())]
        assert half.found(half.undo[:at] + number.to_bytes(4, "big") + half.undo[at + 4 :]) is not None


def test_what_would_make_the_file_no_database_is_seen(tmp_path: Path) -> None:
    """A page under the number of the first one, which was not touched."""
    half = half_done(tmp_path, 512, first=False)
    at = min(half.records().values())
    assert half.found(half.undo) is None
    assert half.found(half.undo[:at] + (1).to_bytes(4, "big") + half.undo[at + 4 :]) is not None


@pytest.mark.parametrize("behind", [bytes(600), b"garbage" * 90, b""], ids=["nothing", "garbage", "no more"])
def test_what_was_not_on_the_disk_yet_is_no_damage(tmp_path: Path, behind: bytes) -> None:
    """A header begins with nothing until what follows it is there: until then no page of it was touched."""
    half = half_done(tmp_path, 512)
    before = b"".join(half.pages.values())
    unsynced = bytes(12) + half.undo[12:HEADER]
    assert half.found(unsynced.ljust(SECTOR, b"\0") + half.undo[SECTOR:] + behind, before) is None
    padding = bytes(-len(half.undo) % SECTOR)
    for header in (unsynced, bytes(HEADER)):
        undo = half.undo + padding + header.ljust(SECTOR, b"\0") + behind
        assert half.undone(undo) == before
    assert half.found(half.undo + padding + bytes(12) + half.undo[16:HEADER] + bytes(4) + behind) is not None


def test_a_file_that_was_being_brought_back_from_another_mode_is_no_damage(tmp_path: Path) -> None:
    """Its first page as it was says that there is a WAL: it is well all the same."""
    half = half_done(tmp_path, 512)
    at = half.records()[1] + 4 + 18
    assert half.found(half.undo[:at] + b"\2\2" + half.undo[at + 2 :]) is None


def test_the_write_that_was_to_make_the_file_is_no_damage(tmp_path: Path) -> None:
    """It has nothing to undo, however much of the file there is: SQLite leaves an empty one."""
    half = half_done(tmp_path, 512)
    undo = (half.undo[:8] + bytes(4) + half.undo[12:16] + bytes(4) + half.undo[20:HEADER]).ljust(SECTOR, b"\0")
    assert half.found(undo, b"") is None
    assert half.undone(undo) == b""


@pytest.mark.parametrize("tried", [0, 1 << 20])
def test_an_empty_file_beside_it_is_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tried: int) -> None:
    """SQLite would take what undoes a write for a leftover there, and delete it; also where that is too much to try."""
    monkeypatch.setattr("collector.journal.rollback._TRIED", tried)
    half = half_done(tmp_path, 512)
    found = half.found(half.undo, b"")
    assert found is not None
    assert _read(half, half.undo, found).items() <= half.pages.items()
    assert found.count == len(half.pages)


def test_a_write_cut_short_in_a_file_that_a_tool_made_longer_is_no_damage(tmp_path: Path) -> None:
    """Where pages of nothing stand behind the last one, what undoes a write tells of the file as long as it is."""
    folder = tmp_path / "begun"
    folder.mkdir()
    before = made(folder / "journal.db")
    with (folder / "journal.db").open("ab") as file:
        file.write(bytes(4096 * 3))
    for left in stages(folder):
        assert damaged(left / "journal.db") is None
        assert served(left / "journal.db") == before
        assert aside(left / "journal.db") == []


def test_an_sqlite_that_takes_no_file_from_memory_undoes_the_write_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not every one was built to: then it isn't tried, and a number of a page that is damaged isn't seen."""
    folder = tmp_path / "begun"
    folder.mkdir()
    before = made(folder / "journal.db")
    *_, left = stages(folder)
    monkeypatch.setattr(sqlite3, "Connection", object)
    assert served(left / "journal.db") == before
    assert aside(left / "journal.db") == []


def test_what_another_process_undoes_while_it_is_looked_at_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tool of a person's takes the file away once it has: it is looked at no further."""
    half = half_done(tmp_path, 512)

    def read(path: Path) -> Rollback:
        found = _reading(path)
        path.with_name(f"{path.name}-journal").unlink()
        return found

    monkeypatch.setattr(rollback, "_read", read)
    assert half.found(half.undo) is None
