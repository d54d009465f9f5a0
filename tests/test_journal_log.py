"""The log: what was appended is read in order, once, and only its latest word."""

from pathlib import Path

import pytest
from journals import DAY, HOUR, MIDNIGHT, every, group, look, org, steps

from collector.batch import Backlog, Cursor, Filter
from collector.journal import Journal, counting
from collector.point import MAX_TIME, Point, Series


def test_points_are_read_in_the_order_in_which_they_were_appended(journal: Journal) -> None:
    """Points are read in the order of their appends, whatever their times are."""
    polls = [[group(name, MIDNIGHT + n * HOUR) for name in "bac"] for n in (3, 1, 2)]
    for poll in polls:
        journal.append(poll)
    assert every(journal) == [point for poll in polls for point in poll]


def test_a_batch_ends_at_its_limit_and_the_next_one_begins_there(journal: Journal) -> None:
    """A consumer that follows `after` gets each row once, in batches no larger than it asked for."""
    journal.append([org(MIDNIGHT + n * HOUR) for n in range(7)])
    cursor, ids = journal.cursor("main"), []
    while (batch := journal.read(cursor, 3)).rows:
        assert len(batch.rows) <= 3
        ids += [row.id for row in batch.rows]
        moved = journal.advance(cursor, batch.after)
        assert moved is not None
        cursor = moved
    assert ids == [1, 2, 3, 4, 5, 6, 7]
    assert batch.after == cursor.next == 8


def test_a_later_point_of_one_identity_supersedes_the_earlier(journal: Journal) -> None:
    """A point that is written again stands once, with its last value, at its new place in the order."""
    journal.append([group("a", value=1.0), group("b", value=1.0)])
    journal.append([group("a", value=2.0)])
    assert every(journal) == [group("b", value=1.0), group("a", value=2.0)]


def test_a_cursor_that_read_past_a_superseded_row_gets_the_new_one_only(journal: Journal) -> None:
    """A consumer that has taken a point is given its later value, and a new one is never given the earlier."""
    journal.append([group("a", value=1.0), group("b", value=1.0)])
    cursor = journal.advance(journal.cursor("main"), 3)
    assert cursor is not None
    journal.append([group("a", value=2.0)])
    assert [(row.id, row.point) for row in journal.read(cursor, 10).rows] == [(3, group("a", value=2.0))]
    assert [row.id for row in journal.read(journal.cursor("new"), 10).rows] == [2, 3]


def test_the_id_of_a_superseded_tail_is_never_used_again(tmp_path: Path) -> None:
    """An id names one row for ever, also when the row at the tail was superseded and the file opened anew."""
    path, seen = tmp_path / "journal.db", []
    for n in range(4):
        with Journal(path) as journal:
            journal.append([org(value=float(n))])
            (row,) = journal.read(Cursor("main", 1, 0), 10).rows
            assert (row.id, journal.tail()) == (n + 1, n + 2)
            seen.append(row.id)
    look(path, "DELETE FROM point")
    with Journal(path) as journal:
        journal.append([org()])
        assert journal.read(Cursor("main", 1, 0), 10).rows[0].id == 5
    assert seen == [1, 2, 3, 4]


def test_of_equal_identities_in_one_append_the_last_stands(journal: Journal) -> None:
    """One append may hold an identity twice; the later one stands."""
    journal.append([org(value=1.0), group("a"), org(value=2.0)])
    assert every(journal) == [group("a"), org(value=2.0)]


def test_an_empty_append_changes_nothing(journal: Journal) -> None:
    """Appending no points is no error and leaves no trace."""
    assert journal.append([]) is True
    assert (journal.tail(), every(journal), journal.summary().points) == (1, [], 0)


def test_points_of_one_time_differ_by_measurement_and_by_each_tag(journal: Journal) -> None:
    """Only measurement, all tags and time together are an identity."""
    points = [
        org(),
        org(tenant="fabrikam"),
        group("a"),
        group("b"),
        group("a", tenant="fabrikam"),
        group("a", MIDNIGHT + 1),
    ]
    journal.append(points)
    assert every(journal) == points


def test_reading_past_unwanted_rows_goes_on_without_them(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A filter that wants nothing of a long stretch gives no rows and a cursor behind it, until a wanted row comes."""
    monkeypatch.setattr(counting, "SPAN", 4)
    journal.append([org(MIDNIGHT + n * HOUR) for n in range(10)])
    journal.append([group("a")])
    wanted = Filter(measurements=("*_by_group",))
    batch = journal.read(Cursor("main", 1, 0), 10, wanted)
    assert (batch.rows, batch.after) == ([], 5)
    assert every(journal, wanted) == [group("a")]
    assert journal.read(Cursor("main", 12, 0), 10, wanted).after == 12


def test_a_read_steps_over_ids_that_are_gone(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A consumer at the first row reaches the rows at once, however many before them were superseded."""
    monkeypatch.setattr(counting, "SPAN", 4)
    for n in range(20):
        journal.append([org(value=float(n))])
    batch = journal.read(Cursor("new", 1, 0), 10)
    assert ([row.id for row in batch.rows], batch.after) == ([20], 21)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(), "ogfdp"),
        (Filter(measurements=("exposure_score*",)), "ogfd"),
        (Filter(measurements=("exposure_score",)), "of"),
        (Filter(measurements=("*_daily", "collector_poll")), "dp"),
        (Filter(measurements=("exposure_scor?",)), "of"),
        (Filter(measurements=("[!e]*",)), "p"),
        (Filter(measurements=()), ""),
        (Filter(tenants=("fabrikam",)), "f"),
        (Filter(tenants=("fabrikam", "contoso")), "ogfdp"),
        (Filter(tenants=()), ""),
        (Filter(measurements=("exposure_score",), tenants=("contoso",)), "o"),
    ],
)
def test_a_filter_wants_measurements_by_pattern_and_tenants_by_name(
    journal: Journal, wanted: Filter, expected: str
) -> None:
    """A sink gets the measurements and the tenants that its settings name, and its backlog counts those alone."""
    tenant = (("tenant", "contoso"),)
    points = {
        "o": org(),
        "g": group("a"),
        "f": org(tenant="fabrikam"),
        "d": Point(Series("exposure_score_daily", tenant), MIDNIGHT, {"mean": 1.0}),
        "p": Point(Series("collector_poll", tenant), MIDNIGHT, {"ok": 1}),
    }
    journal.append(list(points.values()))
    assert every(journal, wanted) == [points[name] for name in expected]
    oldest = MIDNIGHT if expected else None
    assert journal.backlog(Cursor("main", 1, 0), wanted) == Backlog(len(expected), oldest)


@pytest.mark.parametrize("span", [1, 3, 1000])
def test_a_backlog_counts_from_the_cursor_and_names_the_time_of_its_first_row(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, span: int
) -> None:
    """The backlog is what the consumer has yet to take; its oldest is the first of them in the order of the log."""
    monkeypatch.setattr(counting, "SPAN", span)
    journal.append([org(MIDNIGHT + n * HOUR) for n in (5, 4, 9, 1, 2)])
    journal.append([group("a", MIDNIGHT + DAY)])
    assert journal.backlog(Cursor("main", 1, 0)) == Backlog(6, MIDNIGHT + 5 * HOUR)
    assert journal.backlog(Cursor("main", 3, 0)) == Backlog(4, MIDNIGHT + 9 * HOUR)
    assert journal.backlog(Cursor("main", 1, 0), Filter(measurements=("*_by_group",))) == Backlog(1, MIDNIGHT + DAY)
    assert journal.backlog(Cursor("main", 7, 0)) == Backlog(0, None)


def test_a_gap_of_ids_costs_nothing(journal: Journal) -> None:
    """Ids may jump ahead, however far: what is read and counted are the rows."""
    journal.append([org()])
    look(journal.path, "UPDATE sqlite_sequence SET seq = 1 << 50")
    journal.append([group("a")])
    assert journal.tail() == (1 << 50) + 2
    assert every(journal) == [org(), group("a")]
    assert journal.backlog(Cursor("main", 1, 0)) == Backlog(2, MIDNIGHT)


def test_a_cursor_ahead_of_the_tail_stays_there(journal: Journal) -> None:
    """Reading never moves a consumer back."""
    journal.append([org()])
    assert (journal.read(Cursor("x", 9, 0), 10).rows, journal.read(Cursor("x", 9, 0), 10).after) == ([], 9)
    assert journal.backlog(Cursor("x", 9, 0)) == Backlog(0, None)


def test_a_batch_stands_until_one_of_its_rows_is_gone(journal: Journal) -> None:
    """What comes behind it changes nothing, nor does what it left out; of its own rows one is enough."""
    journal.append([group("a", value=1.0), org(value=1.0), group("b", value=1.0)])
    cursor, wanted = journal.cursor("main"), Filter(measurements=("*_by_group",))
    batch, everything = journal.read(cursor, 10, wanted), journal.read(cursor, 10)
    journal.append([group("behind")])
    assert journal.stands(cursor, batch, wanted) is journal.stands(cursor, everything) is True
    journal.append([org(value=2.0)])
    assert journal.stands(cursor, batch, wanted) is True
    assert journal.stands(cursor, everything) is False
    journal.append([group("b", value=2.0)])
    assert journal.stands(cursor, batch, wanted) is False


def test_a_summary_names_the_points_the_bytes_and_the_ends(tmp_path: Path) -> None:
    """The summary of an empty journal has no times; of another it has the oldest and the newest point's."""
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        empty = journal.summary()
        assert (empty.points, empty.oldest, empty.newest) == (0, None, None)
        journal.append([org(MIDNIGHT + HOUR), group("a", MIDNIGHT - DAY), group("b", MIDNIGHT + DAY), org(MIDNIGHT)])
        summary = journal.summary()
        assert (summary.points, summary.oldest, summary.newest) == (4, MIDNIGHT - DAY, MIDNIGHT + DAY)
        assert summary.bytes == path.stat().st_size
        journal.append([group("a", 0), group("a", MAX_TIME - 1)])
        summary = journal.summary()
        assert (summary.points, summary.oldest, summary.newest) == (6, 0, MAX_TIME - 1)


def test_a_span_is_read_by_its_rows_and_never_by_all_series(journal: Journal) -> None:
    """A filtered batch looks at the rows it spans, however many others the journal holds."""
    journal.append([group(f"g{n}", MIDNIGHT + h * HOUR) for h in range(10) for n in range(200)])
    taken = steps(journal)
    assert len(journal.read(Cursor("main", 1990, 0), 5, Filter(measurements=("exposure_*",))).rows) == 5
    assert len(taken) < 10
