"""Figures that are only shown: of a long backlog by a part of it, and from when to when a journal's points are."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from sqlite3 import Connection

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import DAY, HOUR, MIDNIGHT, group, look, org, steps
from pytest_structlog import StructuredLogCapture

from collector.batch import Backlog, Cursor, Filter
from collector.history import Note
from collector.journal import Journal, counting, edges
from collector.journal.database import Database
from collector.point import MAX_TIME, Point, Series

_START = Cursor("x", 1, 0)
_GROUPS = Filter(measurements=("exposure_score_by_group",))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is many is 40 rows."""
    monkeypatch.setattr(counting, "EXACT", 20)
    monkeypatch.setattr(counting, "_SIZE", 3)


def polls(count: int) -> Sequence[Point]:
    """Return hourly polls of an organization and of two groups."""
    slots = [MIDNIGHT + n * HOUR for n in range(count)]
    return [point for slot in slots for point in (org(slot), group("a", slot), group("b", slot))]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 60),
    st.integers(1, 190),
    st.integers(0, 60),
    st.sampled_from([Filter(), _GROUPS, Filter(tenants=("fabrikam",)), Filter(measurements=("exposure_score",))]),
    st.booleans(),
)
def test_a_gauge_says_what_a_count_says_or_that_it_is_about_that(
    tmp_path_factory: pytest.TempPathFactory,
    count: int,
    start: int,
    pruned: int,
    wanted: Filter,
    stranger: bool,  # noqa: FBT001 - drawn
) -> None:
    """Nothing is nothing, the first is the first, few are exact; of many it is right to a quarter, and says so."""
    with Journal(tmp_path_factory.mktemp("gauge") / "journal.db") as journal:
        journal.append(polls(count))
        if stranger:
            journal.append([group("a", MIDNIGHT, tenant="fabrikam")])
        journal.prune(MIDNIGHT + pruned * HOUR, [])
        cursor = Cursor("x", start, 0)
        told, counted = journal.gauge(cursor, wanted), journal.backlog(cursor, wanted)
    assert told.oldest == counted.oldest
    if told.exact:
        assert told == counted
    else:
        assert told.points == pytest.approx(counted.points, rel=0.25)
        assert counted.points > 15


def test_of_many_a_part_is_looked_at(tmp_path: Path) -> None:
    """A figure of 3,000 rows is made of some hundred; where they are alike it is the right one."""
    with Journal(tmp_path / "journal.db") as journal:
        journal.append(polls(1000))
        assert journal.gauge(_START) == Backlog(3000, MIDNIGHT, exact=False)
        assert journal.gauge(_START, _GROUPS) == Backlog(2000, MIDNIGHT, exact=False)
        assert (journal.summary().points, journal.summary().exact) == (3000, False)


@pytest.mark.parametrize("count", [6, 20], ids=["counted", "looked at in part"])
def test_a_damaged_time_is_not_the_oldest(
    tmp_path: Path, log: StructuredLogCapture, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """What a sink has yet to take is as old as the first row that is what was written; one that isn't is named."""
    monkeypatch.setattr(counting, "SPAN", 3)
    with Journal(tmp_path / "journal.db") as journal:
        journal.append(polls(count))
        look(journal.path, "UPDATE point SET time = time / 2 WHERE id <= 4")
        told = journal.gauge(_START)
        assert (told.points, told.oldest) == (3 * count, MIDNIGHT + HOUR)
        assert journal.gauge(_START, Filter(measurements=("exposure_score",))).oldest == MIDNIGHT + 2 * HOUR
    assert log.has("journal.damaged", what="row 1", row=1, series=1, time=MIDNIGHT // 2, how="the checksum differs")


def test_few_are_counted_and_many_are_looked_at_in_part(tmp_path: Path) -> None:
    """Up to twice as many as are always counted, each is; beyond, a figure costs a fraction of what counting does."""
    with Journal(tmp_path / "journal.db") as journal:
        journal.append([*polls(13), group("c")])
        assert journal.gauge(_START) == Backlog(40, MIDNIGHT)
        journal.append([group("d")])
        assert not journal.gauge(_START).exact
        journal.append([group(f"g{n}", MIDNIGHT + HOUR, tenant="fabrikam") for n in range(2_000)])
        theirs = Filter(tenants=("fabrikam",))
        taken = steps(journal)
        counted, all_of_it = journal.backlog(_START, theirs), len(taken)
        told = journal.gauge(_START, theirs)
        assert told.points == pytest.approx(counted.points, rel=0.25)
        assert told.oldest == counted.oldest == MIDNIGHT + HOUR
        assert len(taken) - all_of_it < all_of_it / 3


def test_to_count_is_a_view_a_span(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many rows there are, whoever writes waits for a look at a few of them."""
    monkeypatch.setattr(counting, "SPAN", 10)
    with Journal(tmp_path / "journal.db") as journal:
        journal.append(polls(30))
        views: list[None] = []
        reading = Database.reading

        def counted(self: Database) -> AbstractContextManager[Connection]:
            views.append(None)
            return reading(self)

        monkeypatch.setattr(Database, "reading", counted)
        assert journal.backlog(_START) == Backlog(90, MIDNIGHT)
        assert len(views) >= 9


def test_of_a_pruned_journal_most_is_at_its_tail(tmp_path: Path) -> None:
    """Days stay when samples go: rows of long ago that are far between make the figure of all hardly wrong."""
    with Journal(tmp_path / "journal.db") as journal:
        journal.append(polls(1000))
        fields = {"min": 1.0, "mean": 1.0, "max": 1.0, "last": 1.0, "samples": 24}
        journal.append([Point(Series("exposure_score_daily", (("tenant", "contoso"),)), MIDNIGHT, fields)])
        journal.append([point for point in polls(1100) if point.time >= MIDNIGHT + 1000 * HOUR])
        journal.prune(MIDNIGHT + 1000 * HOUR, [])
        told = journal.gauge(_START)
        assert (told.exact, journal.backlog(_START).points) == (False, 301)
        assert told.points == pytest.approx(301, rel=0.1)


_TIMES = st.one_of(
    st.builds(lambda day, hour: MIDNIGHT + day * DAY + hour * HOUR, st.integers(-2, 2), st.integers(0, 23)),
    st.sampled_from([0, MAX_TIME - 1]),
)


@pytest.mark.parametrize("few", [edges._FEW, 0])
@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), _TIMES), max_size=12), st.lists(_TIMES, max_size=3), st.booleans())
def test_the_ends_are_those_of_all_that_is_no_note(
    tmp_path_factory: pytest.TempPathFactory,
    few: int,
    drawn: list[tuple[str, int]],
    noted: list[int],
    organization: bool,  # noqa: FBT001 - drawn
) -> None:
    """Of a day with few rows by all of them; of one with many by each series, and to the poll where there was one."""
    points = [group(name, time) for name, time in drawn]
    points += [org(time) for _, time in drawn] if organization else []
    notes = [Note(id=str(time), at=time, kind="note", tenant="t", title="Patched").point() for time in noted]
    with pytest.MonkeyPatch.context() as patch, Journal(tmp_path_factory.mktemp("ends") / "journal.db") as journal:
        patch.setattr(edges, "_FEW", few)
        journal.append([*points, *notes])
        summary = journal.summary()
    times = [time for _, time in drawn]
    assert (summary.oldest, summary.newest) == (min(times, default=None), max(times, default=None))


@pytest.mark.parametrize("measurement", ["exposure_score", "device_secure_score", "collector_poll"])
def test_of_a_day_with_very_many_rows_the_ends_are_those_of_tenants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measurement: str
) -> None:
    """Their scores and polls are a few: where there are any, the hundred thousands of groups are not asked."""
    monkeypatch.setattr(edges, "_FEW", 3)
    with Journal(tmp_path / "journal.db") as journal:
        journal.append([group(name, MIDNIGHT + hour * HOUR) for hour in (1, 5) for name in "ab"])
        assert (journal.summary().oldest, journal.summary().newest) == (MIDNIGHT + HOUR, MIDNIGHT + 5 * HOUR)
        series = [Series(measurement, (("tenant", tenant),)) for tenant in ("contoso", "fabrikam")]
        journal.append([Point(one, MIDNIGHT + hour * HOUR, {"x": 1}) for one, hour in zip(series, (2, 4), strict=True)])
        assert (journal.summary().oldest, journal.summary().newest) == (MIDNIGHT + 2 * HOUR, MIDNIGHT + 4 * HOUR)
