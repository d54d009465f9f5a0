"""Pages of a write that was cut short: as they were where that is known, and as they are by themselves."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
from cuts import flipped
from halves import Half, half_done

from collector.journal.carving import Carving, Cell, Value


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody writes here: there is nobody to wait for."""
    monkeypatch.setattr("collector.journal.rollback._PAUSE", 0.0)


def _carved(half: Half, undo: bytes, main: bytes | None = None) -> tuple[list[Cell], list[Cell]]:
    """Return what stands in the files where what would undo the write is damaged, and in the pages as they are."""
    assert half.found(undo, main) is not None
    with Carving(half.path) as carving:
        return list(carving.cells()), list(carving.overwritten())


def _rows(cells: list[Cell]) -> Mapping[int, Value]:
    """Return the rows of the table, of one number the last."""
    return {cell.id: cell.values[1] for cell in cells if len(cell.values) == 2 and isinstance(cell.values[1], bytes)}


def _of(half: Half, content: bytes) -> Mapping[int, Value]:
    """Return the rows of a whole file."""
    half.path.with_name("half.db-journal").unlink(missing_ok=True)
    half.path.write_bytes(content)
    with Carving(half.path) as carving:
        return _rows(list(carving.cells()))


def _before(half: Half) -> bytes:
    return b"".join(half.pages.values())


@pytest.mark.parametrize("size", [512, 4096, 65_536])
def test_what_was_to_be_undone_is_read_as_it_was(tmp_path: Path, size: int) -> None:
    """And as it is by itself: those pages alone, the first one too, and of it the definitions."""
    half = half_done(tmp_path, size)
    before, now = _of(half, _before(half)), _of(half, half.main)
    cells, overwritten = _carved(half, flipped(half.undo, 19))
    assert _rows(cells) == before != now
    assert {id_: now[id_] for id_ in now if now[id_] != before[id_]}.items() <= _rows(overwritten).items()
    assert _rows(overwritten).items() <= now.items()
    assert len(_rows(overwritten)) < len(now)
    with closing(sqlite3.connect(tmp_path / "file.db")) as connection:
        definitions = connection.execute("SELECT * FROM sqlite_schema").fetchall()
    for found in (cells, overwritten):
        assert [cell.values for cell in found if len(cell.values) == 5] == definitions


def test_the_size_of_its_pages_is_told_by_what_would_undo_it(tmp_path: Path) -> None:
    """Where the first page is damaged, and was not touched."""
    half = half_done(tmp_path, 512, first=False)
    before = _of(half, _before(half))
    cells, _ = _carved(half, flipped(half.undo, 8), bytes(100) + half.main[100:])
    assert _rows(cells) == before


def test_what_was_cut_off_is_read_from_what_would_undo_it(tmp_path: Path) -> None:
    """Pages that the file doesn't reach any more, or not whole: they are there as they were."""
    half = half_done(tmp_path, 512)
    before = _of(half, _before(half))
    last = max(half.records())
    for length in (1, 512, (last - 1) * 512, (last - 1) * 512 + 5, last * 512 - 1):
        cells, overwritten = _carved(half, flipped(half.undo, 19), half.main[:length])
        noted = _of(half, b"".join(half.pages[number] for number in [1, *half.records()]))
        assert noted.items() <= _rows(cells).items() <= before.items()
        assert _rows(overwritten).keys() <= noted.keys()


def test_what_was_written_behind_the_end_is_not_read(tmp_path: Path) -> None:
    """The file has been made longer by what was cut short."""
    half = half_done(tmp_path, 512)
    before, now = _of(half, _before(half)), _of(half, half.main)
    number = next(number for number in half.records() if half.pages[number] != half.main[(number - 1) * 512 :][:512])
    page = half.main[(number - 1) * 512 :][:512]
    cells, _ = _carved(half, flipped(half.undo, 19), half.main + page)
    assert _rows(cells) == before != now


def test_a_page_without_a_number_is_read_first(tmp_path: Path) -> None:
    """Whatever else there is of its rows is newer; of the first page it is the definitions."""
    half = half_done(tmp_path, 512)
    before, now = _of(half, _before(half)), _of(half, half.main)
    for number, at in half.records().items():
        cells, _ = _carved(half, half.undo[:at] + bytes(4) + half.undo[at + 4 :])
        there = _of(half, half.pages[1] + half.pages[number]) if number > 1 else {}
        assert list(there.items()) == [*_rows(cells[: len(there)]).items()]
        assert _rows(cells) == {**before, **{id_: now[id_] for id_ in there}}
        assert sum(len(cell.values) == 5 for cell in cells) == 1 + (number == 1)
