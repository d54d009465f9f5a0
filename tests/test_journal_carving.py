"""Pages without SQLite: what SQLite wrote is read from them as SQLite reads it, and nothing is believed of the rest."""

import random
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from journals import flip

from collector.journal import Journal
from collector.journal.carving import Carving, Value, whole_header
from collector.journal.schema import APPLICATION

_EDGES = [
    edge for bits in (7, 8, 15, 16, 23, 24, 31, 32, 47, 48, 62) for edge in (2**bits - 1, 2**bits, -(2**bits) - 1)
]
_VALUES: Sequence[Value] = [
    None, 0, 1, 2, -1, *_EDGES, 2**63 - 1, -(2**63),
    0.5, -1e300, "", "x", "grüße 🚨", b"", b"\0\xff", "y" * 56, "y" * 70_000,
]  # fmt: skip
_SIZES = [512, 1024, 4096, 65_536]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file will be."""
    return tmp_path / "file.db"


def _written(path: Path, size: int, rows: Mapping[int, Sequence[Value]]) -> None:
    """Let SQLite write rows of two columns, and an index of the first, in pages of a size."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {size}")
        connection.execute("CREATE TABLE found (a, b)")
        connection.execute("CREATE INDEX by_a ON found (a)")
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO found (rowid, a, b) VALUES (?, ?, ?)", [(n, *row) for n, row in rows.items()]
        )
        connection.execute("COMMIT")


def _carved(path: Path) -> Mapping[int, tuple[Value, ...]]:
    with Carving(path) as carving:
        return {cell.id: cell.values for cell in carving.cells() if len(cell.values) == 2}


@pytest.mark.parametrize("size", _SIZES)
def test_every_value_is_read_as_it_was_written(path: Path, size: int) -> None:
    """NULL, ints of every width, floats, texts and bytes, under row ids of every width, also below zero."""
    ids = [*range(1, 40), *_EDGES, 2**63 - 1, -(2**63), -5]
    rows = {id_: (_VALUES[n % len(_VALUES)], _VALUES[n * 7 % len(_VALUES)]) for n, id_ in enumerate(ids)}
    _written(path, size, rows)
    found = _carved(path)
    assert found.keys() == rows.keys()
    for id_, row in rows.items():
        assert [repr(value) for value in found[id_]] == [repr(value) for value in row]


@pytest.mark.parametrize("size", [512, 1024])
def test_a_row_of_any_length_is_read_from_however_many_pages(path: Path, size: int) -> None:
    """Also where one byte more begins another page."""
    chance = random.Random(3)  # noqa: S311 - the same texts at each run
    lengths = [length for page in range(4) for length in range(page * size + size - 90, page * size + size + 10)]
    # Of letters: bytes of any kind could look like rows themselves.
    texts = [chance.randbytes(length).hex()[:length] for length in [*lengths, 10 * size]]
    rows = dict(enumerate(enumerate(texts)))
    _written(path, size, rows)
    assert _carved(path) == rows
    flip(path, 15)
    assert _carved(path) == rows, "the size of its pages stands by itself"


@pytest.mark.parametrize("size", _SIZES)
def test_the_first_page_has_rows_like_the_others(path: Path, size: int) -> None:
    """They stand behind the header of the file: the definitions of its tables."""
    _written(path, size, {1: ("x", "y")})
    with closing(sqlite3.connect(path)) as connection:
        definitions = connection.execute("SELECT * FROM sqlite_schema").fetchall()
    with Carving(path) as carving:
        assert sorted(cell.values for cell in carving.cells() if len(cell.values) == 5) == sorted(definitions)


@pytest.mark.parametrize("size", _SIZES)
def test_every_entry_of_an_index_is_read(path: Path, size: int) -> None:
    """Those of the inner pages too; each names its row last."""
    rows = {n: (f"grüße {n}" if n % 2 else n, None) for n in range(1, 2000)}
    _written(path, size, rows)
    with Carving(path) as carving:
        found = [entry for entry in carving.entries() if len(entry) == 2]
    assert len(found) == len(rows)
    assert {id_: a for a, id_ in found} == {id_: a for id_, (a, _) in rows.items()}


@pytest.mark.parametrize("seed", range(3))
def test_what_is_made_of_chance_is_no_crash(path: Path, seed: int) -> None:
    """Pages of any bytes: there may be rows that nobody wrote, which prove nothing, but every page is looked at."""
    chance = random.Random(seed)  # noqa: S311 - the same bytes at each run
    _written(path, 512, {n: (n, "here") for n in range(100)})
    content = path.read_bytes()
    wild = b"".join(bytes([chance.choice([2, 5, 10, 13]), 0, 0, 0, 60]) + chance.randbytes(507) for _ in range(60))
    for end in (wild[:300], b"\r", b"\r\0\0\0", bytes(8), b"\2" + bytes(7), b""):
        path.write_bytes(content[:512] + wild + content[512:] + end)
        found = _carved(path)
        assert [found[n] for n in range(100)] == [(n, "here") for n in range(100)]
        with Carving(path) as carving:
            assert {(n, n) for n in range(100)} <= set(carving.entries())


def test_a_chain_of_pages_that_leads_astray_is_no_row(path: Path) -> None:
    """To itself, to nowhere, past the end, or too short: the row is left out, and none waits for it."""
    _written(path, 512, {1: ("x", b"\1" * 2_000), 2: ("y", b"\2" * 20)})
    content = path.read_bytes()
    starts = [n for n in range(0, len(content), 512) if content[n + 4 : n + 512].count(1) > 400]
    for start in starts:
        for wrong in (0, start // 512 + 1, 1, 2**31):
            path.write_bytes(content[:start] + wrong.to_bytes(4, "big") + content[start + 4 :])
            found = _carved(path)
            assert found[2] == ("y", b"\2" * 20)
            assert found.get(1, ("x", b"\1" * 2_000)) == ("x", b"\1" * 2_000) or wrong
            assert wrong or (1 not in found) == (start != starts[-1])


def test_a_row_that_was_cut_off_is_no_row(path: Path) -> None:
    """Wherever the file ends: of text, bytes, a float or a number nothing shorter is made."""
    rows: dict[int, tuple[Value, ...]] = {1: ("x", "y" * 20), 2: (b"z" * 20, 0.5), 3: (2**40, 2**62)}
    _written(path, 512, rows)
    content = path.read_bytes()
    # The table has the second page; rows begin at the end of theirs.
    for length in range(2 * 512 - 100, 2 * 512):
        path.write_bytes(content[:length])
        assert _carved(path).items() <= rows.items(), length


@pytest.mark.parametrize("shift", range(4))
def test_a_chain_without_an_end_is_no_row(path: Path, shift: int) -> None:
    """A row that says it is longer than the file is not looked for, wherever its pages lead."""
    _written(path, 512, {1: ("x", "here")})
    content = path.read_bytes()
    last = len(content) // 512
    itself = (last + 2).to_bytes(4, "big")
    leaf = b"\r\0\0\0\1\0\0\0" + (16).to_bytes(2, "big") + bytes(6) + b"\xff" * 9 + b"\1" + bytes(shift)
    path.write_bytes(content + leaf + (itself * 128)[: 512 - len(leaf)] + itself * 128)
    assert _carved(path) == {1: ("x", "here")}


def test_whose_file_it_is_stands_in_its_first_page(path: Path) -> None:
    """A journal says that it is one."""
    Journal(path).close()
    with Carving(path) as carving:
        assert (carving.application, carving.blank) == (APPLICATION, False)
    flip(path, 67)
    with Carving(path) as carving:
        assert carving.application == APPLICATION
    for content, blank in (
        (bytes(9_000), True),
        (bytes(1), True),
        (bytes(8_999) + b"\1", False),
        (b"\1" + bytes(99), False),
        (b"", False),
    ):
        path.write_bytes(content)
        with Carving(path) as carving:
            assert (carving.application, carving.blank) == (0, blank)


def test_a_first_page_that_is_not_sqlites_is_known(path: Path) -> None:
    """Each byte that SQLite always writes alike: else it could take a damaged file for another, and write to it."""
    Journal(path).close()
    assert whole_header(path)
    fixed = {*range(16), 16, 17, 18, 19, *range(20, 24), *range(56, 60)}
    content = path.read_bytes()
    for at in range(100):
        flip(path, at, 6)
        assert whole_header(path) == (at not in fixed), at
        path.write_bytes(content)
    for at, value, whole in (
        (18, 2, True),
        (19, 2, True),
        (18, 3, False),
        (19, 0, False),
        (59, 0, True),
        (59, 1, True),
        (59, 2, False),
    ):
        path.write_bytes(content[:at] + bytes([value]) + content[at + 1 :])
        assert whole_header(path) == whole, (at, value)
    for size, whole in ((b"\0\1", True), (b"\2\0", True), (b"\1\0", False), (b"\x80\0", True), (b"\0\0", False)):
        path.write_bytes(content[:16] + size + content[18:])
        assert whole_header(path) == whole, size
    for length, whole in ((0, True), (1, False), (59, False), (100, True)):
        path.write_bytes(content[:length])
        assert whole_header(path) == whole, length
