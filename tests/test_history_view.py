"""What a page draws: the line, the table and the small trends, by the samples that there are, at a bounded cost."""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from pathlib import Path

import pytest
from fakes import group, score
from hypothesis import given
from hypothesis import strategies as st
from views import DAY, HOUR, LATE, NOW, derived, hourly, kept

from collector.history import Note, Sample, read, view
from collector.history.drawing import COLUMNS, Piece, rows, strokes
from collector.journal import Journal
from collector.point import Point, Series

PIECES = st.lists(
    st.tuples(st.integers(0, 400 * 24), st.floats(0, 100, allow_nan=False)),
    min_size=1,
    max_size=300,
    unique_by=lambda one: one[0],
).map(lambda found: [Piece(hour * HOUR, hour * HOUR, one, one, one) for hour, one in sorted(found)])


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    """Four hundred days of a tenant of one group, and all that follows from them."""
    folder = tmp_path_factory.mktemp("year")
    with kept(folder / "journal.db", hourly(400, ["Servers"])) as journal:
        yield derived(journal)


def seen(journal: Journal, days: int | None, group: str | None = None) -> view.View:
    """Return what is drawn of contoso."""
    found = view.view(journal, "contoso", now=NOW, late_ms=LATE, days=days, group=group)
    assert found is not None
    return found


@given(PIECES)
def test_no_extreme_is_lost_and_nothing_is_drawn_twice(pieces: Sequence[Piece]) -> None:
    """Whatever the samples: each lies within the stroke of its time, strokes follow on each other, columns at most."""
    until = 400 * DAY
    drawn = strokes(pieces, 0, until, DAY, COLUMNS)
    assert len(drawn) <= COLUMNS
    assert all(one.begin <= one.end <= following.begin for one, following in pairwise(drawn))
    for piece in pieces:
        # Within a column the extremes are those of all of it.
        at = [one for one in drawn if one.begin - until // COLUMNS <= piece.begin <= one.end]
        assert any(one.low <= piece.low <= one.high for one in at)
    assert max(one.high for one in drawn) == max(piece.high for piece in pieces)
    assert min(one.low for one in drawn) == min(piece.low for piece in pieces)


@given(PIECES)
def test_the_table_has_every_day_that_has_a_score(pieces: Sequence[Piece]) -> None:
    """Each sample lies between the low and the high of its row, and the last of a row is its last."""
    table = rows(pieces, 0, 400 * DAY, [])
    assert len(table) <= 120
    for piece in pieces:
        (row,) = (row for row in table if row.begin <= piece.begin < row.end)
        assert row.low <= piece.low <= row.high
    assert table[-1].last == pieces[-1].last


def test_a_hole_is_a_hole() -> None:
    """Where there was no score for longer than a score is taken to stand, the line ends, and begins anew."""
    pieces = [Piece(hour * HOUR, hour * HOUR, 5.0, 5.0, 5.0) for hour in (0, 1, 2, 50, 51)]
    assert [(one.begin // HOUR, one.end // HOUR) for one in strokes(pieces, 0, 60 * HOUR, 3 * HOUR, 60)] == [
        (0, 2),
        (50, 51),
    ]
    assert [(one.begin // HOUR, one.end // HOUR) for one in strokes(pieces, 0, 53 * HOUR, 3 * HOUR, 60)][-1] == (50, 53)


def test_a_spike_of_an_hour_is_seen_in_a_year(tmp_path: Path) -> None:
    """Beyond three months a line is made of days, and each day has its extremes."""
    points = [*hourly(300), score("contoso", NOW - 200 * DAY, 93.25)]
    with kept(tmp_path / "journal.db", points) as journal:
        raw = seen(journal, 365)
        days = seen(derived(journal), 365)
    assert max(one.high for one in raw.strokes) == max(one.high for one in days.strokes) == 93.25
    assert raw.rows[1:] == [row._replace(usual=None) for row in days.rows[1:]]


@pytest.mark.parametrize("days", [7, 30, 90])
def test_the_baseline_is_that_of_the_trend_points(year: Journal, days: int) -> None:
    """What was usual on a day is what was derived at its last sample."""
    (series,) = year.series("exposure_trend", "contoso")
    told = {point.time: float(point.fields["baseline"]) for point in year.history(series, 0, NOW + 1)}
    found = seen(year, days)
    assert len(found.usual) == days + 1
    for moment, baseline in found.usual:
        assert baseline == told[moment // HOUR * HOUR]


def test_it_costs_by_what_is_drawn(year: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A year is drawn from fewer points than a quarter of it has, and a journal of four years costs no more."""
    counted: list[int] = []

    def counting(name: str) -> None:
        asked = getattr(Journal, name)

        def ask(self: Journal, *arguments: object, **more: object) -> object:
            found = asked(self, *arguments, **more)
            counted.append(len(found))
            return found

        monkeypatch.setattr(Journal, name, ask)

    for name in ("history", "before", "between", "latest"):
        counting(name)
    seen(year, 365)
    assert 365 < sum(counted) < 1500
    counted.clear()
    seen(year, 7)
    assert sum(counted) < 500


@pytest.mark.parametrize("group", [None, "Servers"])
def test_a_chart_of_a_year_is_drawn_of_what_its_days_say(year: Journal, group: str | None) -> None:
    """Of each day it has the highest score and the last, those of its samples; of three months every sample."""

    def drawn(days: int) -> Sequence[Sample]:
        (card,) = read(year, ["contoso"], now=NOW, late_ms=LATE, days=days, group=group, drawn=True)
        return card.groups[0].samples if group else card.samples

    series = year.series("exposure_score_by_group" if group else "exposure_score")[0]
    every = [
        Sample(point.time, float(point.fields["score"])) for point in year.history(series, NOW - 365 * DAY, NOW + 1)
    ]
    assert drawn(90) == [sample for sample in every if sample.time >= NOW - 90 * DAY]
    found = drawn(365)
    assert len(found) < 2 * 366 + 24
    assert all(NOW - 365 * DAY <= one.time <= following.time <= NOW for one, following in pairwise(found))
    assert [_day(its) for its in _days(found)] == [_day(its) for its in _days(every)]


def _days(samples: Sequence[Sample]) -> list[list[Sample]]:
    return [list(its) for _, its in groupby(samples, lambda sample: sample.time // DAY)]


def _day(samples: Sequence[Sample]) -> tuple[int, float, float]:
    return samples[0].time // DAY, max(sample.score for sample in samples), samples[-1].score


def test_what_is_pruned_is_drawn_from_its_days(tmp_path: Path) -> None:
    """Once the samples are gone, the line, the table and the small trends of a year are still there."""
    with kept(tmp_path / "journal.db", hourly(120, ["Servers"])) as journal:
        whole = seen(derived(journal), 365)
        journal.prune(NOW - 20 * DAY, [])
        left = seen(journal, 365)
        everything = seen(journal, None)
    assert left.strokes[1:] == whole.strokes[1:]
    assert len(left.rows) == 18
    assert [row[:5] for row in left.rows] == [row[:5] for row in whole.rows]
    assert [one.time for one in left.shown[0].samples] == [one.time for one in whole.shown[0].samples]
    assert everything.since // DAY in (NOW // DAY - 120, NOW // DAY - 119)


def test_a_group_is_drawn_through_its_names(tmp_path: Path) -> None:
    """A group that was renamed has one line, and the spikes and notes of both of its names."""
    other = NOW - 5 * DAY
    points = [
        group("contoso", "new" if slot > other else "old", slot, 20.0 if slot < NOW - 7 * DAY else 45.0)
        for slot in range(NOW - 40 * DAY, NOW + 1, HOUR)
    ]
    note = Note(id="n", at=NOW - 8 * DAY, kind="note", tenant="contoso", group="old", title="moved").point()
    with kept(tmp_path / "journal.db", [*points, note]) as journal:
        found = seen(derived(journal), 30, "old")
    assert found.group is not None
    assert found.group.name == "new"
    assert found.strokes[0].begin <= NOW - 29 * DAY
    assert [one.rise for one in found.own] == [25.0]
    assert [one.title for one in found.card.notes] == ["moved"]


def test_a_spike_that_a_break_explains_is_not_drawn(tmp_path: Path) -> None:
    """A break where the score rose takes the spike from the page."""
    with kept(tmp_path / "journal.db", hourly(60)) as journal:
        assert len(seen(derived(journal), 30).own) == 1
        journal.append([Note(id="b", at=NOW - 10 * DAY, kind="break", tenant="contoso", title="Model").point()])
        assert seen(derived(journal), 30).own == []


def test_the_last_poll_is_the_newest_of_any_collector(tmp_path: Path) -> None:
    """Of two collectors the newer poll counts."""

    def poll(collector: str, at: int, ok: int) -> Point:
        tags = (("tenant", "contoso"), ("subject", "organization"), ("collector", collector))
        fields = {
            "ok": ok,
            "seconds": 0.1,
            "points": 1,
            "tries": 1,
            "throttled": 0,
            "error": "" if ok else "Unavailable",
        }
        return Point(Series("collector_poll", tags), at, fields)

    with kept(tmp_path / "journal.db", [score("contoso", NOW), poll("a", NOW - HOUR, 0), poll("b", NOW, 1)]) as journal:
        (last,) = seen(journal, 7).polls
    assert (last.at, last.ok, last.error) == (NOW, True, "")
