"""What undoes a write, in pages and sectors of any size: each bit that SQLite goes by counts, each page is found."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from cuts import SECTOR, flipped, stages
from salvages import made, served

from collector.journal import aside
from collector.journal.rollback import Rollback, damaged

_MAGIC = bytes.fromhex("d9d505f920a163d7")
_HEADER = 28


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody writes here: there is nobody to wait for."""
    monkeypatch.setattr("collector.journal.rollback._PAUSE", 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """The files of a write that was cut short, and the pages as they were before it."""

    path: Path
    size: int
    main: bytes
    undo: bytes
    pages: dict[int, bytes]

    def found(self, undo: bytes, main: bytes | None = None) -> Rollback | None:
        """Return what is made of it where the files are these."""
        self.path.write_bytes(self.main if main is None else main)
        self.path.with_name(f"{self.path.name}-journal").write_bytes(undo)
        return damaged(self.path)

    def undone(self, undo: bytes) -> bytes:
        """Return the file as SQLite leaves it."""
        assert self.found(undo) is None
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        return self.path.read_bytes()

    def records(self) -> Mapping[int, int]:
        """Return where the record of each page begins, if all stand behind one header."""
        places = range(SECTOR, len(self.undo), self.size + 8)
        return {int.from_bytes(self.undo[at : at + 4], "big"): at for at in places}


def _half(folder: Path, size: int, segments: int = 1, *, first: bool = True) -> Half:
    """Cut a write short that has met a full memory so many times: each ends a segment."""
    path = folder / "file.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {size}")
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("CREATE TABLE found (a INTEGER PRIMARY KEY, b BLOB)")
        rows = [(n, bytes([n + 1]) * (size // 3)) for n in range(58)]
        connection.executemany("INSERT INTO found VALUES (?, ?)", rows)
        before = path.read_bytes()
        connection.execute("PRAGMA cache_size = 10")
        connection.execute("BEGIN")
        if first:
            connection.execute("PRAGMA user_version = 7")  # so that the first page is among them
        number, undo = 0, b""
        while undo.count(_MAGIC) < segments:
            connection.execute("UPDATE found SET b = zeroblob(?) WHERE a = ?", (size // 3, number))
            number, undo = number + 1, path.with_name("file.db-journal").read_bytes()
        main = path.read_bytes()
        connection.execute("ROLLBACK")
    # What was not synced yet isn't there: SQLite has not touched those pages.
    undo = undo[: undo.rindex(_MAGIC)] + _segment(undo[undo.rindex(_MAGIC) :], size)
    pages = {at // size + 1: before[at : at + size] for at in range(0, len(before), size)}
    return Half(path=folder / "half.db", size=size, main=main, undo=undo, pages=pages)


def _segment(undo: bytes, size: int) -> bytes:
    """Return what is there up to the last record that the header counts."""
    return undo[: SECTOR + int.from_bytes(undo[8:12], "big") * (size + 8)]


def _read(half: Half, undo: bytes, found: Rollback) -> dict[int, bytes]:
    """Return the pages that were found."""
    return {number: undo[at : at + half.size] for number, at in found.places.items()}


@pytest.mark.parametrize(("size", "segments"), [(512, 1), (512, 3), (65_536, 1)])
def test_each_bit_of_a_header_counts(tmp_path: Path, size: int, segments: int) -> None:
    """Whichever is flipped SQLite would undo less, or more than there was: it is seen, and no page is made up."""
    half = _half(tmp_path, size, segments)
    assert half.undo.count(_MAGIC) == segments
    assert half.undone(half.undo) == b"".join(half.pages.values())
    last = half.undo.rindex(_MAGIC)
    for at in {*range(_HEADER), *range(last, last + _HEADER)}:
        for bit in (0, 3, 7) if size > 512 or at > _HEADER else range(8):
            undo = flipped(half.undo, at, bit)
            found = half.found(undo)
            assert found is not None, (at, bit)
            assert _read(half, undo, found).items() <= half.pages.items(), (at, bit)
            assert found.count == len(half.pages) or not found.places


def test_where_the_first_page_does_not_tell_how_many_there_were_the_header_does(tmp_path: Path) -> None:
    """An old program has written it last: the number in it is of before that."""
    half = _half(tmp_path, 512)
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
    half = _half(tmp_path, 512)
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
    half = _half(tmp_path, 512)
    undo = _in_sectors(half.undo, size) if at == 20 and size >= 32 else half.undo
    found = half.found(undo[:at] + size.to_bytes(4, "big") + undo[at + 4 :])
    assert found == Rollback(damaged=True)
    assert (found.size, found.count) == (0, 0)


def _in_sectors(undo: bytes, sector: int) -> bytes:
    """Return one segment laid out in sectors of another size."""
    assert undo.count(_MAGIC) == 1
    return (undo[:20] + sector.to_bytes(4, "big") + undo[24:_HEADER]).ljust(sector, b"\0") + undo[SECTOR:]


@pytest.mark.parametrize("size", [512, 4096])
def test_a_page_that_does_not_prove_itself_is_left_out_alone(tmp_path: Path, size: int) -> None:
    """Each record is proven by itself, by bytes of all of the page: a flip in one costs none of the others."""
    half = _half(tmp_path, size)
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
    half = _half(tmp_path, 512)
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
    half = _half(tmp_path, size)
    for number in half.pages.keys() - half.records().keys():
        at = half.records()[1 if number % 2 else max(half.records())]
        assert half.found(half.undo[:at] + number.to_bytes(4, "big") + half.undo[at + 4 :]) is not None


def test_what_would_make_the_file_no_database_is_seen(tmp_path: Path) -> None:
    """A page under the number of the first one, which was not touched."""
    half = _half(tmp_path, 512, first=False)
    at = min(half.records().values())
    assert half.found(half.undo) is None
    assert half.found(half.undo[:at] + (1).to_bytes(4, "big") + half.undo[at + 4 :]) is not None


@pytest.mark.parametrize("behind", [bytes(600), b"garbage" * 90, b""], ids=["nothing", "garbage", "no more"])
def test_what_was_not_on_the_disk_yet_is_no_damage(tmp_path: Path, behind: bytes) -> None:
    """A header begins with nothing until what follows it is there: until then no page of it was touched."""
    half = _half(tmp_path, 512)
    before = b"".join(half.pages.values())
    unsynced = bytes(12) + half.undo[12:_HEADER]
    assert half.found(unsynced.ljust(SECTOR, b"\0") + half.undo[SECTOR:] + behind, before) is None
    padding = bytes(-len(half.undo) % SECTOR)
    for header in (unsynced, bytes(_HEADER)):
        undo = half.undo + padding + header.ljust(SECTOR, b"\0") + behind
        assert half.undone(undo) == before
    assert half.found(half.undo + padding + bytes(12) + half.undo[16:_HEADER] + bytes(4) + behind) is not None


def test_a_file_that_was_being_brought_back_from_another_mode_is_no_damage(tmp_path: Path) -> None:
    """Its first page as it was says that there is a WAL: it is well all the same."""
    half = _half(tmp_path, 512)
    at = half.records()[1] + 4 + 18
    assert half.found(half.undo[:at] + b"\2\2" + half.undo[at + 2 :]) is None


def test_the_write_that_was_to_make_the_file_is_no_damage(tmp_path: Path) -> None:
    """It has nothing to undo, however much of the file there is: SQLite leaves an empty one."""
    half = _half(tmp_path, 512)
    undo = (half.undo[:8] + bytes(4) + half.undo[12:16] + bytes(4) + half.undo[20:_HEADER]).ljust(SECTOR, b"\0")
    assert half.found(undo, b"") is None
    assert half.undone(undo) == b""


@pytest.mark.parametrize("tried", [0, 1 << 20])
def test_an_empty_file_beside_it_is_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tried: int) -> None:
    """SQLite would take what undoes a write for a leftover there, and delete it; also where that is too much to try."""
    monkeypatch.setattr("collector.journal.rollback._TRIED", tried)
    half = _half(tmp_path, 512)
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
