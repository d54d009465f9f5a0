"""A whole table: its lines are the points, whole, and each mistake is told by its line."""

import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from points import NOW, file, points

from collector.history.sheet import COLUMNS, Sheet, Wrong
from collector.history.table import Table, Unfit, lines
from collector.point import Point, Series

HEADER = ",".join(COLUMNS)
ORG = "exposure_score,2026-01-01T00:00:00Z,contoso,,,"
GROUP = "exposure_score_by_group,2026-01-01T00:00:00Z,contoso,Finance,7,"
SPIKE = "exposure_spike,2026-01-01T00:00:00Z,contoso,Finance,7,"
POLL = "collector_poll,2026-01-01T00:00:00Z,contoso,,,"
WHEN = 1_767_225_600_000


def read(*rows: str, table: Table | None = None) -> list[Point | Wrong]:
    """Return what a table says whose lines below the first are these."""
    sheet = Sheet(io.BytesIO("\n".join([HEADER, *rows]).encode()))
    return list((table or Table(now=NOW)).points(sheet.records()))


def wrongs(*rows: str, table: Table | None = None) -> list[tuple[int, str]]:
    """Return what is wrong in lines of which none is a whole point."""
    found = read(*rows, table=table)
    assert all(isinstance(each, Wrong) for each in found), found
    return [(each.line, each.text) for each in found if isinstance(each, Wrong)]


@given(st.lists(points(), max_size=8), st.booleans(), st.sampled_from(",;\t"))
def test_any_points_come_back_as_they_were(given: list[Point], spreadsheet: bool, separator: str) -> None:  # noqa: FBT001
    """Every tag, time, field and type, in their order, also where two of one identity follow each other."""
    sheet = file((row for point in given for row in lines(point, spreadsheet=spreadsheet)), separator)
    back = list(Table(now=NOW, comma=sheet.comma).points(sheet.records()))
    assert back == given
    assert [repr(point) for point in back] == [repr(point) for point in given]


def test_a_line_is_a_field_and_what_has_no_column_is_a_line_before_them() -> None:
    """The subject and the collector of a poll, the kind and the id of an annotation."""
    series = Series(
        "exposure_annotation", (("tenant", "contoso"), ("rbacGroupName", "(all)"), ("kind", "break"), ("id", "a1"))
    )
    point = Point(series, WHEN, {"title": "New model", "text": "", "withdrawn": 0})
    start = ("exposure_annotation", "2026-01-01T00:00:00Z", "contoso", "(all)", "")
    assert list(lines(point)) == [
        (*start, "tag:kind", "break"),
        (*start, "tag:id", "a1"),
        (*start, "title", "New model"),
        (*start, "text", ""),
        (*start, "withdrawn", "0"),
    ]


@pytest.mark.parametrize(
    "point",
    [
        Point(Series("exposure_score", (("tenant", "a"),)), WHEN, {"score": 5, "api_time": 1}),
        Point(Series("exposure_score", (("tenant", "a"),)), WHEN, {"score": 5.0}),
        Point(Series("exposure_score", (("tenant", "a"),)), WHEN, {"score": 5.0, "api_time": 1, "more": 1}),
        Point(Series("exposure_score", (("tenant", "a"), ("more", "b"))), WHEN, {"score": 5.0, "api_time": 1}),
        Point(Series("of_tomorrow", (("tenant", "a"),)), WHEN, {"score": 5.0}),
    ],
)
def test_a_point_that_could_not_be_brought_back_is_not_written(point: Point) -> None:
    """Of another type, with another tag, of no measurement that there is."""
    with pytest.raises(Unfit, match=f"{point.series.measurement} at 2026-01-01T00:00:00Z"):
        next(lines(point))


def test_lines_may_come_in_another_order_as_long_as_those_of_a_point_stand_together() -> None:
    """As after a spreadsheet has sorted them by time, by group, or by measurement."""
    found = read(GROUP + "score,5", ORG + "api_time,7", ORG + "score,6")
    assert found == [
        Point(found[0].series, WHEN, {"score": 5.0}) if isinstance(found[0], Point) else None,
        Point(Series("exposure_score", (("tenant", "contoso"),)), WHEN, {"api_time": 7, "score": 6.0}),
    ]


def test_lines_of_a_point_that_are_apart_are_refused_clearly() -> None:
    """Each part is told that it is one, and what is missing in it."""
    when = "at 2026-01-01T00:00:00Z has no"
    together = "the lines of a point stand together, one for each of its fields"
    assert wrongs(ORG + "score,6", POLL + "ok,1", ORG + "api_time,7") == [
        (2, f"exposure_score {when} api_time: {together}"),
        (3, f"collector_poll {when} tag:subject, tag:collector, seconds, points, tries, throttled, error: {together}"),
        (4, f"exposure_score {when} score: {together}"),
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("exposure_scor,2026-01-01,contoso,,,score,5", "measurement is 'exposure_scor', did you mean exposure_score?"),
        ("xyz,2026-01-01,contoso,,,score,5", "measurement is 'xyz', and there are exposure_score, exposure_score_by"),
        (GROUP.replace("2026-01-01T00:00:00Z", "1.1.2026") + "score,5", "time: '1.1.2026' is no time: a time is"),
        (GROUP.replace("2026", "2099") + "score,5", "time: '2099-01-01T00:00:00Z' lies ahead of this machine's clock"),
        (GROUP.replace("contoso", "") + "score,5", "tenant is empty"),
        (GROUP.replace("contoso", "x\\") + "score,5", r"tenant is 'x\\', which is no tag that every InfluxDB carries"),
        (GROUP.replace("contoso", "x" * 2000) + "score,5", "which is no tag"),
        (GROUP.replace("Finance", "") + "score,5", "rbacGroupName is empty"),
        (GROUP.replace(",7,", ",,") + "score,5", "rbacGroupId is empty"),
        (GROUP + "scor,5", "field is 'scor', did you mean score?"),
        (GROUP + "tag:tenant,5", "field is 'tag:tenant', and there are score"),
        (GROUP + "score,n/a", "score: 'n/a' is no number: a number is 41.5, with a point"),
        (GROUP + "score,100.1", "score: 100.1 is not from 0 to 100; --any-score takes it as it stands"),
        (GROUP + "score,-0.1", "score: -0.1 is not from 0 to 100"),
        (SPIKE + "state,5", "state: 5 is not from 0 to 2: 0 is over, 1 is open, 2 is withdrawn"),
        (SPIKE + "end_time,-1", "end_time: -1 is not from 0 to 9223372036853: ms since 1970, 0 while it is open"),
        (ORG.replace(",,,", ",Finance,7,") + "score,5", "rbacGroupName is 'Finance', and exposure_score has none"),
    ],
)
def test_each_mistake_is_told_by_its_line_with_what_would_be_right(row: str, said: str) -> None:
    """The first of a point's that has one in what its lines have in common, else the line itself."""
    (line, text), *_ = wrongs(row)
    assert line == 2
    assert text.startswith(said) or said in text


def test_all_mistakes_of_a_point_are_told_once_and_its_neighbours_are_kept() -> None:
    """A wrong time on each line of a point is one mistake; two wrong values are two."""
    poll = POLL.replace("2026-01-01T00:00:00Z", "soon")
    rows = [poll + "tag:subject,organization", poll + "ok,yes", poll + "tries,1.5", poll + "tag:collector,"]
    found = read(GROUP + "score,5", *rows, GROUP + "score,6")
    assert [(each.line, each.text.partition(":")[0]) if isinstance(each, Wrong) else "a point" for each in found] == [
        "a point", (3, "time"), (4, "ok"), (5, "tries"), (6, "collector is empty"), "a point",
    ]  # fmt: skip


def test_a_line_that_can_not_be_read_is_told_without_what_follows_from_it() -> None:
    """The point that it was a line of is left out, and not told to lack it; one that is whole is kept."""
    assert [each.line for each in read(ORG + "score,6", ORG + "api_time") if isinstance(each, Wrong)] == [3]
    assert [each.line for each in read(ORG + "score", ORG + "api_time,7") if isinstance(each, Wrong)] == [2]
    whole, wrong = read(GROUP + "score,5", "rubbish")
    assert isinstance(whole, Wrong) != isinstance(wrong, Wrong)


def test_a_spike_of_no_group_and_a_note_ahead_of_the_clock_are_points() -> None:
    """The organization's name of a spike is a tag like any other; a note may speak of tomorrow."""
    note = "exposure_annotation,2099-01-01T00:00:00Z,contoso,(all),,"
    rows = [note + "tag:kind,note", note + "tag:id,1", note + "title,a", note + "text,b", note + "withdrawn,0"]
    (point,) = read(*rows)
    assert isinstance(point, Point)
    assert dict(point.series.tags) == {"tenant": "contoso", "rbacGroupName": "(all)", "kind": "note", "id": "1"}


def test_one_tenant_alone_is_read_and_the_others_are_not_even_checked() -> None:
    """Their names are remembered."""
    table = Table(now=NOW, tenant="=b")
    found = read(
        ORG + "score,x", *(ORG.replace("contoso", "'=b") + row for row in ("score,5", "api_time,7")), table=table
    )
    assert [point.series.tag("tenant") for point in found if isinstance(point, Point)] == ["=b"]
    assert len(found) == 1
    assert table.passed == {"contoso"}


def test_a_score_outside_of_its_range_can_be_asked_for() -> None:
    """The API may have given one, and what was collected is not lost."""
    (point,) = read(GROUP + "score,123.5", table=Table(now=NOW, any_score=True))
    assert isinstance(point, Point)
    assert point.fields == {"score": 123.5}


def test_a_file_is_never_held_whole() -> None:
    """What is in memory while it is read does not grow with its lines."""
    sheet = Sheet(io.BytesIO(f"{HEADER}\n".encode() + (ORG + "score,5\n" + ORG + "api_time,7\n").encode() * 20_000))
    tracemalloc.start()
    try:
        assert sum(1 for _ in Table(now=NOW).points(sheet.records())) == 20_000
        assert tracemalloc.get_traced_memory()[1] < 300_000
    finally:
        tracemalloc.stop()
