"""A plain table: what people kept by hand becomes points of the right series, or is told by its line."""

import io

import pytest

from collector.history.plain import Naming, Plain
from collector.history.sheet import Sheet, Wrong
from collector.point import UNASSIGNED, Point, Series, group_name

NOW = 1_800_000_000_000
WHEN = 1_767_225_600_000
ORG = Series("exposure_score", (("tenant", "contoso"),))


def group(name: str, id_: str = "none") -> Series:
    """Return a group's series."""
    tags = (("tenant", "contoso"), ("rbacGroupName", name), ("rbacGroupId", id_))
    return Series("exposure_score_by_group", tags)


def read(text: str, naming: Naming | None = None, *, any_score: bool = False) -> list[Point | Wrong]:
    """Return what a file says."""
    sheet = Sheet(io.BytesIO(text.encode()))
    series = (naming or Naming("contoso", {}, ())).series
    plain = Plain(series, now=NOW, comma=sheet.comma, any_score=any_score)
    return list(plain.points(sheet.records()))


def test_a_line_is_a_score() -> None:
    """The organization's where there is no group, with a decimal comma where the file has semicolons."""
    assert read("time,score\n2026-01-01,41.5\n") == [Point(ORG, WHEN, {"score": 41.5})]
    assert read("time;score;rbacGroupName\n2026-01-01 00:00;41,5;Finance\n2026-01-01;5;\n") == [
        Point(group("Finance"), WHEN, {"score": 41.5}),
        Point(ORG, WHEN, {"score": 5.0}),
    ]


@pytest.mark.parametrize(
    ("cell", "series"),
    [
        ("", ORG),
        ("  ", ORG),
        ("(organization)", ORG),
        ("Finance", group("Finance", "7")),
        (" Finance ", group("Finance", "7")),
        (" edge", group(" edge", "8")),
        ("Other", group("Other")),
        ("a~01234567", group("a~01234567", "9")),
        ("b~01234567", group(group_name("b~01234567"))),
        ("tail\\", group(group_name("tail\\"))),
        ("(all)", group(group_name("(all)"))),
        (UNASSIGNED, group(UNASSIGNED)),
        ("'=1+1", group("=1+1")),
        ("=1+1", group("=1+1")),
    ],
)
def test_a_group_is_the_one_that_a_person_means(cell: str, series: Series) -> None:
    """As the journal has its tag, else as the API names it; its id is the last one that is known, else none."""
    naming = Naming("contoso", {"Finance": "7", " edge": "8", "a~01234567": "9"}, ["Finance", " edge", "a~01234567"])
    assert naming.series(cell) == series


def test_each_mistake_is_told_by_its_line() -> None:
    """Both of a line that has two; the lines without one are points."""
    found = read(
        "time,score\n2026-01-01,5\nsoon,many\n2099-01-01,5\n1960-01-01,5\n2026-01-02,101\n2026-01-03,-1\n2026-01-04,6\n"
    )
    told = [(each.line, each.text.partition(" is")[0]) for each in found if isinstance(each, Wrong)]
    assert told == [
        (3, "time: 'soon'"), (3, "score: 'many'"), (4, "time: '2099-01-01' lies ahead of this machine's clock"),
        (5, "time: '1960-01-01'"), (6, "score: 101.0"), (7, "score: -1.0"),
    ]  # fmt: skip
    assert len(found) == len(told) + 2


def test_a_line_that_contradicts_one_above_is_a_mistake() -> None:
    """As in the hour that a clock shows twice in autumn; the same score twice is none."""
    found = read(
        "time,score,rbacGroupName\n2026-01-01,5,\n2026-01-01,5.0,\n2026-01-01,6,Finance\n2026-01-01 00:00,7,\n"
    )
    assert found[3:] == [Wrong(5, "score: 7.0, and line 2 has 5.0 for the same time: leave the right one")]
    assert all(isinstance(point, Point) for point in found[:3])


def test_a_second_look_refuses_every_line_that_contradicts_another() -> None:
    """Which of them is right only a person can tell: with what a first look has found none is taken."""
    text = "time,score,rbacGroupName\n2026-01-01,5,\n2026-01-01,6,Finance\n2026-01-01,7,\n2026-01-01,5,\n"
    series = Naming("contoso", {}, ()).series
    first = Plain(series, now=NOW)
    list(first.points(Sheet(io.BytesIO(text.encode())).records()))
    second = Plain(series, now=NOW, torn=first.torn)
    assert list(second.points(Sheet(io.BytesIO(text.encode())).records())) == [
        Wrong(2, "score: 5.0, and line 4 has 7.0 for the same time: leave the right one"),
        Point(group("Finance"), WHEN, {"score": 6.0}),
        Wrong(4, "score: 7.0, and line 2 has 5.0 for the same time: leave the right one"),
        Wrong(5, "score: 5.0, and line 4 has 7.0 for the same time: leave the right one"),
    ]
    assert second.torn == first.torn


def test_a_score_outside_of_its_range_can_be_asked_for() -> None:
    """It is taken as it stands."""
    assert read("time,score\n2026-01-01,123.5\n", any_score=True) == [Point(ORG, WHEN, {"score": 123.5})]
