"""Versions: the tables of a journal are made and brought up once, whole, and by one process of many."""

import sqlite3
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest
from journals import MIDNIGHT, every, group, hear, look, open_each, org, other
from salvages import note

from collector.batch import Cursor, Row
from collector.errors import JournalError
from collector.journal import Journal, Proof, database, schema
from collector.point import Point, Series

FIRST_VERSION = Path(__file__).with_name("payloads") / "journal-1.sql"
BIG = 2**63 - 1


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal will be."""
    return tmp_path / "journal.db"


def test_what_the_first_version_wrote_is_read_to_the_bit(path: Path) -> None:
    """Tables, names, rows, cursors and dead letters mean in every later version what they meant in the first."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(FIRST_VERSION.read_text())
    points = [
        group("grüße"),
        note('say "hi"'),
        Point(Series("collector_poll", org().series.tags), MIDNIGHT, {"ok": 0, "late": -300, "big": BIG, "error": ""}),
        org(value=-0.125),
    ]
    for mended in (False, True):
        with Journal(path) as journal:
            assert every(journal) == points
            assert journal.history(org().series, MIDNIGHT, MIDNIGHT + 1) == points[3:]
            assert journal.cursors() == [Cursor("main", 2, 1)]
            assert (journal.target("main"), journal.noted("main")) == ("v1 http://i/", "Unavailable: no")
            (letter,) = journal.letters.every(["main"])
            assert (letter.row, letter.words, letter.at) == (Row(2, points[0]), "no", MIDNIGHT)
            assert journal.prove(60, 100) == Proof(4, whole=True, damaged=[])
            assert journal.tail() == 6
            if not mended:
                assert journal.mend().carried.rows == 4
    with Journal(path) as journal:
        journal.append(points)
        assert every(journal) == points
    assert look(path, "SELECT (SELECT count(*) FROM series), (SELECT count(*) FROM shape)") == [(4, 4)]


def test_a_new_journal_has_the_tables_of_the_first_version(path: Path) -> None:
    """As long as there is one version, each table and index is as it was."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(FIRST_VERSION.read_text())
    new = path.with_name("new.db")
    Journal(new).close()
    for asked in ("SELECT type, name, sql FROM sqlite_schema ORDER BY name", "PRAGMA application_id"):
        assert look(new, asked) == look(path, asked)


@pytest.mark.parametrize("readonly", [False, True])
def test_a_journal_of_a_newer_version_is_left_untouched(path: Path, *, readonly: bool) -> None:
    """An older collector refuses a newer one's journal instead of guessing at it."""
    Journal(path).close()
    look(path, f"PRAGMA user_version = {len(schema.STEPS) + 1}")
    before = path.read_bytes()
    with pytest.raises(JournalError, match="newer version") as caught:
        Journal(path, readonly=readonly)
    assert "newer" in caught.value.mend
    assert path.read_bytes() == before


def test_an_older_journal_is_brought_up_step_by_step(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer collector takes the steps that are missing, keeps the points, and takes no step twice."""
    with Journal(path) as journal:
        journal.append([org()])
    steps = [*schema.STEPS, ["CREATE TABLE second (a)"], ["INSERT INTO second VALUES (1)", "ALTER TABLE second ADD b"]]
    monkeypatch.setattr(schema, "STEPS", steps)
    with pytest.raises(JournalError, match="not brought up"):
        Journal(path, readonly=True)
    for _ in range(2):
        with Journal(path) as journal:
            assert every(journal) == [org()]
    assert look(path, "SELECT a, b FROM second") == [(1, None)]
    assert look(path, "PRAGMA user_version") == [(3,)]
    with Journal(path.with_name("new.db")) as journal:
        assert every(journal) == []


def test_a_step_that_fails_leaves_the_older_journal(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal is brought up whole or not at all."""
    Journal(path).close()
    with monkeypatch.context() as patched:
        patched.setattr(schema, "STEPS", [*schema.STEPS, ["CREATE TABLE second (a)", "planted"]])
        with pytest.raises(JournalError, match="planted"):
            Journal(path)
    with Journal(path) as journal:
        journal.append([org()])
    assert look(path, "SELECT name FROM sqlite_schema WHERE name = 'second'") == []


def test_processes_that_open_a_new_journal_at_once_all_get_it(tmp_path: Path) -> None:
    """However many processes start at one moment, each finds a journal, and each one's points are kept."""
    paths = [tmp_path / f"{n}.db" for n in range(8)]
    with (
        other(open_each, paths) as (_, one),
        other(open_each, paths) as (_, two),
        other(open_each, paths) as (_, three),
    ):
        for path in paths:
            for pipe in (one, two, three):
                pipe.send("go")
            assert [hear(pipe) for pipe in (one, two, three)] == ["", "", ""]
            with Journal(path, readonly=True) as journal:
                assert len(every(journal)) == 3


def test_another_process_may_be_first_to_make_the_tables(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables that another process made between the look at a new file and the first write are not made again."""
    writing = database.Database.writing

    def after_another(self: database.Database) -> AbstractContextManager[sqlite3.Connection]:
        monkeypatch.setattr(database.Database, "writing", writing)
        with Journal(path) as another:
            another.append([org()])
        return writing(self)

    monkeypatch.setattr(database.Database, "writing", after_another)
    with Journal(path) as journal:
        assert every(journal) == [org()]
