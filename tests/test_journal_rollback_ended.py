"""A write of which only the end was missing, and what would undo it is damaged: what was before it is told apart."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cuts import RECORD, SECTOR, flipped
from journals import HOUR, MIDNIGHT, group, look
from salvages import Contents, contents, made, served

from collector.batch import DeadLetter
from collector.journal import Journal, aside
from collector.journal.rollback import damaged


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody writes here: there is nobody to wait for."""
    monkeypatch.setattr("collector.journal.rollback._PAUSE", 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A write of which only the end was missing: all of it stands in the journal, and `places` says what undoes it.

    `pages`: where the first page of each table stands.
    """

    path: Path
    before: Contents
    undo: bytes
    places: Mapping[int, int]
    pages: Mapping[str, int]

    def put(self, undo: bytes) -> None:
        """Let this stand beside the journal."""
        self.path.with_name("journal.db-journal").write_bytes(undo)


def _ended(path: Path, write: Callable[[Journal], object]) -> Ended:
    made(path)
    files: list[bytes] = []

    def note(statement: str) -> None:
        if statement == "COMMIT":
            files.append(path.with_name("journal.db-journal").read_bytes())

    with Journal(path) as journal:
        before = contents(journal)
        journal._database._connection.set_trace_callback(note)
        write(journal)
        journal._database._connection.set_trace_callback(None)
        pages = dict(look(path, "SELECT name, rootpage FROM sqlite_schema"))
    # By then it was synced, and its header says so.
    places = range(SECTOR, len(files[-1]), RECORD)
    undo = bytes.fromhex("d9d505f920a163d7") + len(places).to_bytes(4, "big") + files[-1][12:]
    ended = Ended(
        path=path,
        before=before,
        undo=undo,
        places={int.from_bytes(undo[at : at + 4], "big"): at for at in places},
        pages=pages,
    )
    ended.put(undo)
    assert damaged(path) is None
    return ended


def _again(journal: Journal) -> None:
    journal.append([group(f"grüße {n % 10}", MIDNIGHT + (n // 10) * HOUR, 7.0) for n in range(90)])


def _refuse(journal: Journal) -> None:
    cursor = journal.cursor("main")
    rows = journal.read(cursor, 10).rows
    journal.advance(cursor, rows[-1].id + 1, [DeadLetter(row, "no") for row in rows])


def test_nothing_of_it_is_carried_over_where_the_number_of_the_last_row_is_lost(tmp_path: Path) -> None:
    """A page as it was that doesn't prove itself costs that page: none of the others is taken as the write left it."""
    ended = _ended(tmp_path / "journal.db", _again)
    ended.put(flipped(ended.undo, ended.places[ended.pages["sqlite_sequence"]] + RECORD - 1, 2))
    assert served(ended.path) == replace(ended.before, tail=ended.before.tail + 90)
    assert len(aside(ended.path)) == 1


@pytest.mark.parametrize("write", [_again, _refuse])
@pytest.mark.parametrize("table", ["sqlite_schema", "cursor", "dead_letter", "sqlite_sequence", "shape", "series"])
def test_whatever_page_another_was_to_be_put_in_the_place_of_is_there(
    tmp_path: Path, write: Callable[[Journal], object], table: str
) -> None:
    """Rows, cursors and dead letters are those of before the write that was cut short: none more, none less."""
    ended = _ended(tmp_path / "journal.db", write)
    number = {"sqlite_schema": 1, **ended.pages}[table]
    main = ended.path.read_bytes()
    for wrong, at in ended.places.items():
        if wrong != number:
            for file in tmp_path.iterdir():
                file.unlink()
            ended.path.write_bytes(main)
            ended.put(ended.undo[:at] + number.to_bytes(4, "big") + ended.undo[at + 4 :])
            after = served(ended.path)
            assert replace(after, tail=0) == replace(ended.before, tail=0)
            assert after.tail >= ended.before.tail


def test_what_a_cursor_has_passed_was_safe_whatever_number_is_on_record(tmp_path: Path) -> None:
    """No checksum covers the number of the last row: damaged itself, it costs no row that was delivered."""
    ended = _ended(tmp_path / "journal.db", _again)
    last = ended.before.tail - 1
    assert ended.before.cursors["second"] == ended.before.tail
    number = ended.undo.index(b"point" + last.to_bytes(2, "big")) + 5
    undo = ended.undo[:number] + (60).to_bytes(2, "big") + ended.undo[number + 2 :]
    ended.put(undo)
    assert damaged(ended.path) is None
    at = ended.places[max(ended.places)]
    ended.put(undo[:at] + ended.pages["shape"].to_bytes(4, "big") + undo[at + 4 :])
    assert damaged(ended.path) is not None
    assert served(ended.path) == ended.before
