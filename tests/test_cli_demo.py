"""collector.cli.demo_history: the past that the demo puts into a journal, and what it shows of it."""

import io
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from rich.console import Console

from collector.cli import demo_history
from collector.history import read
from collector.journal import Journal
from collector.point import NO_ID
from collector.simulator import World

HOUR = 3_600_000
DAY = 24 * HOUR
TODAY = date(2026, 3, 14)
NOW = int(datetime(2026, 3, 14, 15, 20, tzinfo=UTC).timestamp() * 1000)
WORLD = World(tenants=["contoso"], today=TODAY)


@pytest.fixture(name="journal", scope="module")
def _journal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    with Journal(tmp_path_factory.mktemp("demo") / "journal.db") as journal:
        count = demo_history.fill(journal, WORLD, "contoso", NOW)
        assert count == journal.summary().points
        yield journal


def at(kind: str) -> int:
    """Return the moment (ms) of the first event of a kind."""
    return next(event.at for event in WORLD.events("contoso") if event.kind == kind)


def spans(journal: Journal) -> dict[str, dict[str, tuple[int, int]]]:
    """Return by name and id the time of a group's first and last point."""
    found: defaultdict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for series in journal.series("exposure_score_by_group"):
        points = journal.history(series, 0, NOW)
        found[series.tag("rbacGroupName")][series.tag("rbacGroupId")] = (points[0].time, points[-1].time)
    return found


def test_every_hour_of_ninety_days_is_a_poll(journal: Journal) -> None:
    """The organization has a point at each hour of the 90 days before now, and none after."""
    (series,) = journal.series("exposure_score")
    times = [point.time for point in journal.history(series, 0, NOW + DAY)]
    assert times == list(range(NOW // HOUR * HOUR - 90 * DAY, NOW // HOUR * HOUR, HOUR))


def test_a_group_that_lacks_its_id_at_times_is_one_series(journal: Journal) -> None:
    """As with the service, a row without an id is kept under the last id of its name: no hole, no second series."""
    (event,) = (event for event in WORLD.events("contoso") if event.kind == "id missing")
    name = event.text.partition(", in one of")[0]
    (id_,) = spans(journal)[name]
    assert id_ != NO_ID
    (series,) = (one for one in journal.series("exposure_score_by_group") if one.tag("rbacGroupName") == name)
    assert len(journal.history(series, 0, NOW)) == 90 * 24


def test_groups_that_come_and_go_begin_and_end_on_their_day(journal: Journal) -> None:
    """What appeared, vanished, was renamed or made anew has series that begin and end within an hour of the event."""
    found = spans(journal)
    begin, end = NOW // HOUR * HOUR - 90 * DAY, NOW // HOUR * HOUR - HOUR
    begins = sorted(first for ids in found.values() for first, _ in ids.values() if first > begin)
    ends = sorted(last for ids in found.values() for _, last in ids.values() if last < end)
    assert all(0 <= first - moment < HOUR for first, moment in zip(begins, map(at, _BEGINS), strict=True))
    assert all(0 <= moment - last <= HOUR for last, moment in zip(ends, map(at, _ENDS), strict=True))
    assert sorted(map(len, found.values())) == [1] * 8 + [2]


_BEGINS = ("appeared", "made anew", "renamed")
_ENDS = ("made anew", "vanished", "renamed")


def test_a_renamed_group_keeps_its_past(journal: Journal) -> None:
    """A reader that follows ids finds the score of a renamed group 30 days ago, under its former name."""
    (card,) = read(journal, ["contoso"], now=NOW, late_ms=DAY, days=90)
    (event,) = (event for event in WORLD.events("contoso") if event.kind == "renamed")
    group = next(group for group in card.groups if event.text.endswith(f"is now {group.name}"))
    assert group.standing.change_30d is not None
    assert len(card.groups) == 7
    assert card.unseen == 2


def test_what_a_person_would_have_noted_is_noted(journal: Journal) -> None:
    """The new scoring model is a break, and no spike; a note says when the great spike's updates began."""
    (card,) = read(journal, ["contoso"], now=NOW, late_ms=DAY, days=90)
    great = next(event.at for event in WORLD.events("contoso") if event.text.startswith("the organization"))
    assert {(note.kind, note.at) for note in card.notes} == {("break", at("model change")), ("note", great + 2 * DAY)}


@pytest.mark.parametrize(("columns", "encoding"), [(80, "utf-8"), (80, "ascii"), (40, "utf-8")])
def test_a_chart_and_every_event_are_shown(journal: Journal, columns: int, encoding: str) -> None:
    """The chart is as wide as the terminal and no wider than 80 columns, and below it each event stands on a line."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors="replace", write_through=True)
    demo_history.show(Console(file=stream, width=columns, highlight=False), journal, WORLD, "contoso", NOW)
    lines = raw.getvalue().decode(encoding).splitlines()
    chart, events = lines[: lines.index("")], lines[lines.index("") + 2 :]
    assert len(chart) == 11
    assert max(map(len, chart)) <= columns
    for line, event in zip(events, WORLD.events("contoso"), strict=True):
        date_, rest = line.split(maxsplit=1)
        assert date_ == f"{event.day:%m-%d}"
        assert rest.startswith(event.kind)
        assert rest.endswith(event.text.encode(encoding, "replace").decode(encoding))
        assert len(line) <= 80


def test_where_the_groups_stand_is_one_sentence(journal: Journal) -> None:
    """The best and the worst group are named with score and level, as the API would answer them now."""
    rows = WORLD.groups("contoso", NOW // HOUR * HOUR - HOUR)["value"]
    best, worst = (end(rows, key=lambda row: row["score"]) for end in (min, max))
    said = demo_history.standing(journal, "contoso", NOW)
    assert said.startswith(f"7 groups: {best['score']:.1f}")
    for row in (best, worst):
        assert f"({row['rbacGroupName']})" in said
