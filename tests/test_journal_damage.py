"""Damage: a flipped bit costs the rows that it stands in, is said, and never becomes a value that nobody wrote."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from journals import DAY, HOUR, MIDNIGHT, every, flip, group, look, org, place
from pytest_structlog import StructuredLogCapture

from collector.batch import Cursor, Filter
from collector.errors import JournalError
from collector.journal import Journal
from collector.point import MAX_TIME, Point

_POINTS = [group(f"grüße {n % 3}", MIDNIGHT + n * HOUR, n / 7) for n in range(9)]
_FIRST = Cursor("main", 1, 0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a journal with nine points of three series, an hour apart: rows 1 to 9."""
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        for point in _POINTS:
            journal.append([point])
    return path


def _without(*ids: int) -> Sequence[Point]:
    return [point for n, point in enumerate(_POINTS, 1) if n not in ids]


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE point SET data = CAST(x'00' || substr(data, 2) AS BLOB) WHERE id = 4",
        "UPDATE point SET data = substr(data, 1, 9) WHERE id = 4",
        "UPDATE point SET data = x'' WHERE id = 4",
        "UPDATE point SET time = time + 1 WHERE id = 4",
        "UPDATE point SET time = 0 WHERE id = 4",
        "UPDATE point SET series = 2, time = time + 1 WHERE id = 4",
        "UPDATE point SET series = 77 WHERE id = 4",
        "UPDATE point SET shape = 77 WHERE id = 4",
    ],
)
def test_a_damaged_row_is_left_out_and_named_once(path: Path, log: StructuredLogCapture, harm: str) -> None:
    """A row that isn't what was written is left out, said once; the others are read, and the cursor goes past it."""
    look(path, harm)
    with Journal(path) as journal:
        for _ in range(2):
            batch = journal.read(_FIRST, 100)
            assert ([row.point for row in batch.rows], batch.after) == (_without(4), 10)
        assert journal.read(Cursor("main", 4, 0), 1).after == 5
        assert journal.history(_POINTS[3].series, 0, MAX_TIME) == [_POINTS[0], _POINTS[6]]
    damaged = [event for event in log.events if event["event"] == "journal.damaged"]
    assert [event["row"] for event in damaged] == [4]
    assert damaged[0]["level"] == "error"


@pytest.mark.parametrize("offset", range(-6, 12))
def test_a_bit_of_a_time_or_a_value_is_seen(path: Path, log: StructuredLogCapture, offset: int) -> None:
    """Every byte of a row's time, value and checksum is covered: the row is left out, and its time is free again."""
    flip(path, place(path, 4) + offset, offset % 8)
    with Journal(path) as journal:
        assert every(journal) == _without(4)
        journal.append([_POINTS[3]])
        assert every(journal) == [*_without(4), _POINTS[3]]
        assert journal.history(_POINTS[3].series, 0, MAX_TIME) == [_POINTS[0], _POINTS[3], _POINTS[6]]
    assert log.has("journal.damaged", what="row 4", how="the checksum differs")


def test_a_row_whose_header_is_damaged_stands_alone(path: Path, log: StructuredLogCapture) -> None:
    """A row that SQLite itself can't read keeps neither a consumer, nor a count, nor a history from the others."""
    flip(path, place(path, 4) - 11, 5)  # the type of the values: they would end behind the row
    with Journal(path, clock=lambda: MIDNIGHT / 1000 + 86400) as journal:
        batch = journal.read(_FIRST, 100)
        assert ([row.point for row in batch.rows], batch.after) == (_without(4), 10)
        assert [row.id for row in journal.read(_FIRST, 4).rows] == [1, 2, 3, 5]
        assert journal.backlog(_FIRST, Filter(measurements=("exposure_*",))).points in (8, 9)
        assert journal.history(_POINTS[3].series, 0, MAX_TIME) == [_POINTS[0], _POINTS[6]]
        assert journal.at("exposure_score_by_group", MIDNIGHT + 3 * HOUR) == []
        assert len(journal.latest("exposure_score_by_group", 0)) == 3
        journal.append([org()])
    assert log.has("journal.damaged", what="row 4", how="it can't be read")


def test_the_newest_is_the_newest_that_is_whole(path: Path) -> None:
    """A damaged newest point is left out, and the one before it, of the same day or another, takes its place."""
    look(path, "UPDATE point SET data = x'00' WHERE id IN (7, 8, 5)")
    with Journal(path, clock=lambda: MIDNIGHT / 1000 + 3 * 86400) as journal:
        found = journal.latest("exposure_score_by_group", MIDNIGHT)
        assert sorted(found, key=lambda point: point.time) == [_POINTS[1], _POINTS[3], _POINTS[8]]


def test_the_first_is_the_first_that_is_whole(path: Path) -> None:
    """A damaged first point is left out, and the one behind it takes its place, before the moment that is asked for."""
    look(path, "UPDATE point SET data = x'00' WHERE id IN (1, 4, 2, 5, 8)")
    with Journal(path) as journal:
        found = [journal.first(_POINTS[n].series, MIDNIGHT + 6 * HOUR + 1) for n in range(3)]
        assert found == [_POINTS[6], None, _POINTS[2]]
        assert journal.first(_POINTS[0].series, MIDNIGHT + 6 * HOUR) is None


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE series SET tags = replace(tags, 'grüße 1', 'grüße 3') WHERE id = 2",
        "UPDATE series SET tags = CAST(replace(CAST(tags AS TEXT), 'r', CAST(x'f2' AS TEXT)) AS TEXT) WHERE id = 2",
        "UPDATE series SET tenant = 'bontoso' WHERE id = 2",
        "UPDATE series SET measurement = 'exposure_score_by_grouq' WHERE id = 2",
        "UPDATE series SET crc = crc + 1 WHERE id = 2",
        "UPDATE series SET id = 9 WHERE id = 2",
        "DELETE FROM series WHERE id = 2",
    ],
)
def test_a_damaged_name_costs_its_own_points_and_no_later_ones(
    path: Path, log: StructuredLogCapture, harm: str
) -> None:
    """The points of a series whose name is damaged are left out, said once; new ones of it are kept and read."""
    look(path, harm)
    with Journal(path) as journal:
        assert every(journal) == _without(2, 5, 8)
        assert journal.latest("exposure_score_by_group", 0) != []
        assert list(journal.series("exposure_score_by_group")) == [_POINTS[0].series, _POINTS[2].series]
        later = [group("grüße 1", MIDNIGHT + DAY), group("grüße 2", MIDNIGHT + DAY)]
        journal.append(later)
    with Journal(path, readonly=True) as journal:
        assert every(journal) == [*_without(2, 5, 8), *later]
        assert journal.history(later[0].series, 0, MAX_TIME) == later[:1]
        assert {point.series.tag("rbacGroupName") for point in every(journal)} == {"grüße 0", "grüße 1", "grüße 2"}
    named = [event["what"] for event in log.events if event["event"] == "journal.damaged"]
    assert named == ["series 2", "series 2"]


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE shape SET fields = replace(fields, 'score', 'scorf') WHERE id = 1",
        "UPDATE shape SET fields = replace(fields, 'float', 'int') WHERE id = 1",
        "UPDATE shape SET crc = crc + 1 WHERE id = 1",
        "DELETE FROM shape WHERE id = 1",
    ],
)
def test_a_damaged_shape_costs_the_points_of_that_shape(path: Path, log: StructuredLogCapture, harm: str) -> None:
    """Points whose field names are damaged are left out, said once; new ones of that shape are kept and read."""
    with Journal(path) as journal:
        journal.append([org()])
    look(path, harm)
    with Journal(path) as journal:
        assert every(journal) == [org()]
        assert journal.across.earlier([_POINTS[0].series, org().series], [MIDNIGHT]) == [[None, (MIDNIGHT, 41.5)]]
        assert journal.read(_FIRST, 100).after == 11
        journal.append([group("new")])
    with Journal(path, readonly=True) as journal:
        assert every(journal) == [org(), group("new")]
    named = [event["what"] for event in log.events if event["event"] == "journal.damaged"]
    assert set(named) == {"shape 1"}
    assert len(named) == 2


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE cursor SET next = next + 4",
        "UPDATE cursor SET next = 0",
        "UPDATE cursor SET moves = moves + 1",
        "UPDATE cursor SET crc = crc + 1",
        "UPDATE cursor SET consumer = 'mbin'",
    ],
)
def test_a_damaged_cursor_starts_again_and_skips_nothing(path: Path, log: StructuredLogCapture, harm: str) -> None:
    """A cursor that isn't what was written is placed at the first row: all is sent again rather than some never."""
    with Journal(path) as journal:
        held = journal.advance(journal.cursor("main"), 4)
        assert held is not None
        look(path, harm)
        assert journal.advance(held, 6) is None
        assert {cursor.next for cursor in journal.cursors()} <= {1, 4}
        assert journal.prune(MAX_TIME, ["main"]) == 0
        fresh = journal.cursor("main")
        assert fresh == Cursor("main", 1, 0)
        assert journal.advance(fresh, 6) == Cursor("main", 6, 0)
        assert journal.cursor("main") == Cursor("main", 6, 0)
    assert log.has("journal.cursor_damaged", consumer="main") != ("mbin" in harm)


@pytest.mark.parametrize("harm", ["UPDATE sqlite_sequence SET seq = 3", "DELETE FROM sqlite_sequence"])
def test_a_damaged_tail_replaces_no_row(path: Path, harm: str) -> None:
    """A row is never put in the place of another, also when the number of the last one is damaged."""
    look(path, harm)
    with Journal(path) as journal:
        journal.append([org()])
        assert every(journal) == [*_POINTS, org()]
        assert journal.tail() == 11


def test_a_prune_goes_past_a_damaged_row(path: Path) -> None:
    """A row that no longer belongs to its index stays; what is old beside it goes, now and at each later prune."""
    flip(path, place(path, 4) - 1, 3)
    with Journal(path) as journal:
        assert journal.prune(MIDNIGHT + 5 * HOUR, []) == 4
        assert journal.prune(MIDNIGHT + 7 * HOUR, []) == 2
        assert every(journal) == _POINTS[7:]


def test_an_index_that_calls_a_day_bytes_has_no_such_day(path: Path) -> None:
    """The last entry of the index is damaged: the ends, the newest and a prune go by the entries that are whole."""
    content, moment = path.read_bytes(), _POINTS[8].time.to_bytes(6, "big")
    (at,) = {n for n in range(len(content)) if content.startswith(moment, n)} - {place(path, 9) - 6}
    flip(path, at - 7, 4)  # the type of the day: bytes instead of a number
    with Journal(path, clock=lambda: MIDNIGHT / 1000 + 86400) as journal:
        assert (journal.summary().oldest, journal.summary().newest) == (_POINTS[0].time, _POINTS[7].time)
        newest = sorted(point.time for point in journal.latest("exposure_score_by_group", 0))
        assert newest == [_POINTS[n].time for n in (5, 6, 7)]
        assert journal.prune(MIDNIGHT + DAY, []) == 8
        assert every(journal) == _POINTS[8:]


def _ask_everything(journal: Journal) -> Sequence[Point]:
    found = every(journal)
    found += journal.latest("exposure_score_by_group", 0)
    for series in {point.series for point in _POINTS}:
        found += journal.history(series, 0, MAX_TIME)
    assert journal.backlog(_FIRST).points <= len(_POINTS)
    assert {cursor.next for cursor in journal.cursors()} <= {1, 4}
    journal.summary()
    return found


@pytest.mark.parametrize("seed", range(4))
def test_no_flipped_bit_anywhere_becomes_a_value(path: Path, seed: int) -> None:
    """Whatever bit of the file is flipped: what is read was written, no cursor runs ahead, or JournalError says it."""
    with Journal(path) as journal:
        journal.advance(journal.cursor("main"), 4)
    content = path.read_bytes()
    places = [(at, bit) for at, byte in enumerate(content) if byte for bit in range(8)]
    refused: list[str] = []
    for at, bit in random.Random(seed).sample(places, 100):  # noqa: S311 - the same places at each run
        flip(path, at, bit)
        try:
            with Journal(path, readonly=True) as journal:
                assert all(point in _POINTS for point in _ask_everything(journal)), (at, bit)
        except JournalError as error:
            refused.append(str(error))
        path.write_bytes(content)
    assert 0 < len(refused) < 100
    assert all(str(path) in words for words in refused)


@pytest.mark.parametrize("offset", [0, -7], ids=["its value", "the type of its values: a text"])
@pytest.mark.parametrize("row", [4, 7])
def test_a_score_that_is_damaged_is_none_of_many(path: Path, log: StructuredLogCapture, row: int, offset: int) -> None:
    """The one before it is the newest then, the others of its day are there, and it is named."""
    flip(path, place(path, row) + offset)
    damaged = _POINTS[row - 1]
    every = [_POINTS[n].series for n in range(3)]
    with Journal(path) as journal:
        before = journal.across.before({damaged.time: every})[damaged.time]
        earlier = journal.across.earlier(every, [damaged.time, damaged.time])
        found = journal.across.of_day(every, MIDNIGHT // DAY)
    last = {point.series: point for point in _without(row) if point.time <= damaged.time}
    assert before == {series: (point.time, point.fields["score"]) for series, point in last.items()}
    assert earlier == [[before.get(series) for series in every]] * 2
    assert sorted(time for scores in found.values() for time, _ in scores) == [point.time for point in _without(row)]
    assert [event["row"] for event in log.events if event["event"] == "journal.damaged"] == [row]


def test_a_score_of_no_series_is_none_of_many(path: Path, log: StructuredLogCapture) -> None:
    """Where the row says NULL, and the index still whose it was: the one before it is the newest."""
    at = place(path, 7) - 10
    for bit in (0, 3):
        flip(path, at, bit)
    every = [_POINTS[n].series for n in range(3)]
    with Journal(path) as journal:
        (earlier,) = journal.across.earlier(every, [_POINTS[6].time])
    assert earlier == [(_POINTS[n].time, _POINTS[n].fields["score"]) for n in (3, 4, 5)]
    assert log.has("journal.damaged", what="row 7", row=7, series=None, time=_POINTS[6].time)
