"""The chart: what is high stands high, what is missing is a hole, and it fits."""

import math
import re
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collector.cli.chart import ASCII, BRAILLE, ROWS, Chart, Line, Pen
from collector.history import Sample

HOUR = 3_600_000
DAY = 24 * HOUR
SINCE = 1_699_920_000_000
"""A midnight UTC, in ms."""


def hourly(scores: Sequence[float], since: int = SINCE) -> list[Sample]:
    """Return a sample an hour."""
    return [Sample(since + n * HOUR, score) for n, score in enumerate(scores)]


def chart(samples: Sequence[Sample], days: int = 30, reach: int = DAY) -> Chart:
    """Return a chart from the midnight on."""
    return Chart(samples=samples, since=SINCE, until=SINCE + days * DAY, reach=reach)


def drawn(lines: Sequence[Line]) -> str:
    """Return a chart as it is read."""
    return "\n".join(f"{line.label}{line.frame}{line.cells}".rstrip() for line in lines)


def inked(lines: Sequence[Line], pen: Pen) -> list[list[int]]:
    """Return, for each column of characters, the rows (from above) that have a dot."""
    rows = [line.cells for line in lines if line.value is not None]
    return [[n for n, row in enumerate(rows) if row[column] not in (" ", pen.border)] for column in range(len(rows[0]))]


def test_a_step_a_spike_and_a_hole_are_seen_in_ascii() -> None:
    """A step stays, a spike of one hour stands out, and days without a poll are empty, not bridged."""
    samples = hourly([24.0] * 240 + [26.0] * 168 + [44.0] + [26.0] * 312)
    polled = [one for one in samples if not 20 * DAY <= one.time - SINCE < 24 * DAY]
    assert (
        drawn(chart(polled).lines(66, ASCII))
        == """\
50+
  |                                   .
40+                                   :
  |                                   :
30+-----------------------------------:--------------------------
  |....................''''''''''''''' ''''''       '''''''''''''
20+
  |
10+
  +------------------+--------------+-------------+--------------
                2023-11-23     2023-11-30    2023-12-07"""
    )


@pytest.mark.parametrize("pen", [BRAILLE, ASCII], ids=["braille", "ascii"])
def test_an_hour_is_seen_in_a_year(pen: Pen) -> None:
    """A column shows the highest score of its days: a spike that lasted for one poll is not lost in a year."""
    scores = [40.0] * 24 * 365
    scores[24 * 200 + 5] = 80.0
    columns = inked(chart(hourly(scores), days=365).lines(70, pen), pen)
    tall = [n for n, rows in enumerate(columns) if len(rows) > 2]
    assert tall
    assert {abs(n / len(columns) - 200 / 365) < 0.03 for n in tall} == {True}


@pytest.mark.parametrize("pen", [BRAILLE, ASCII], ids=["braille", "ascii"])
def test_a_hole_is_a_hole(pen: Pen) -> None:
    """Where there was no poll for days nothing is drawn; a few missing hours break no line."""
    polled = [one for one in hourly([40.0] * 24 * 30) if not 10 * DAY <= one.time - SINCE < 14 * DAY]
    missed = [one for one in polled if not 20 * DAY <= one.time - SINCE < 20 * DAY + 12 * HOUR]
    columns = inked(chart(missed).lines(70, pen), pen)
    empty = [n / len(columns) * 30 for n, rows in enumerate(columns) if not rows]
    assert len(empty) > 4
    assert all(9.5 <= day <= 14 for day in empty)


def test_a_score_stands_until_the_next_one() -> None:
    """Between two daily scores the earlier is drawn, and no slope that was never measured."""
    daily = [Sample(SINCE + n * DAY, 30.0 + 10 * (n > 15)) for n in range(31)]
    columns = inked(chart(daily).lines(70, BRAILLE), BRAILLE)
    assert all(columns)
    levels = {tuple(rows) for rows in columns}
    assert len([rows for rows in levels if len(rows) == 1]) == 2
    assert len([rows for rows in levels if len(rows) > 1]) == 1


@pytest.mark.parametrize("pen", [BRAILLE, ASCII], ids=["braille", "ascii"])
def test_the_bands_are_marked_where_they_are_in_sight(pen: Pen) -> None:
    """30 and 70 have a line of their own and a label; neither is shown where the scores are far from it."""
    wide = chart(hourly([20.0] * 300 + [80.0] * 300)).lines(70, pen)
    marked = [line for line in wide if pen.border * 5 in line.cells and line.value is not None]
    assert [line.label.strip() for line in marked] == ["70", "30"]
    near = chart(hourly([41.0, 44.0] * 300)).lines(70, pen)
    assert not any(pen.border in line.cells for line in near if line.value is not None)


@pytest.mark.parametrize(
    ("days", "dates"),
    [
        (1, ["11-14 06:00", "11-14 12:00", "11-14 18:00"]),
        (7, ["2023-11-15", "2023-11-17", "2023-11-19"]),
        (30, ["2023-11-23", "2023-11-30", "2023-12-07"]),
        (3650, ["2024-10-04", "2027-07-01", "2030-03-27", "2032-12-21"]),
    ],
)
def test_the_time_is_told_in_utc(days: int, dates: Sequence[str]) -> None:
    """A mark stands at a midnight, or at a whole hour where days are short, and its date or time below it."""
    *_, floor, times = chart(hourly([40.0]), days=days).lines(70, BRAILLE)
    assert re.split(r" {2,}", times.cells.strip()) == dates
    assert floor.cells.count("┬") == len(dates)


@given(
    st.lists(st.tuples(st.integers(0, 30 * DAY), st.floats(0.0, 100.0)), min_size=1, max_size=60),
    st.integers(20, 140),
    st.sampled_from([BRAILLE, ASCII]),
)
def test_every_score_is_drawn_and_the_chart_fits(drawn: list[tuple[int, float]], columns: int, pen: Pen) -> None:
    """Whatever the scores: no line is too long, each column of a poll has a dot, and the scale holds them all."""
    samples = [Sample(SINCE + time, score) for time, score in sorted(dict(drawn).items())]
    lines = chart(samples).lines(columns, pen)
    assert len(lines) == ROWS + 2
    assert all(len(f"{line.label}{line.frame}{line.cells}") <= columns for line in lines)
    found = inked(lines, pen)
    for sample in samples:
        column = min(len(found) - 1, (sample.time - SINCE) * len(found) // (30 * DAY))
        assert found[column]
    labels = [float(line.label) for line in lines if line.label.strip()]
    assert labels == sorted(labels, reverse=True)
    assert 0 <= labels[-1] <= min(score for _, score in samples)
    assert 100 >= labels[0] >= max(score for _, score in samples)
    assert labels[0] - labels[-1] <= max(4, 4 * (max(s for _, s in samples) - min(s for _, s in samples)))


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=5))
@example([101.0, -5e-324])
def test_a_score_that_the_api_never_promised_is_drawn_too(scores: list[float]) -> None:
    """A score under 0 or over 100 stretches the scale, and ends no command."""
    lines = chart(hourly(scores)).lines(70, BRAILLE)
    labels = [float(line.label) for line in lines if line.label.strip()]
    assert labels[-1] <= min(scores) or math.isclose(labels[-1], min(scores), rel_tol=1e-4)
    assert labels[0] >= max(scores) or math.isclose(labels[0], max(scores), rel_tol=1e-4)


@pytest.mark.parametrize("samples", [[], [Sample(SINCE - 1, 1.0)], [Sample(SINCE + 30 * DAY + 1, 1.0)]])
def test_a_chart_of_nothing_or_of_another_time_can_not_be_made(samples: Sequence[Sample]) -> None:
    """A chart has a score at least, and none from outside its time."""
    with pytest.raises(ValueError, match="samples"):
        chart(samples)


@pytest.mark.parametrize("pen", [BRAILLE, ASCII], ids=["braille", "ascii"])
def test_what_is_noted_has_a_mark_and_a_break_a_line(pen: Pen) -> None:
    """A mark stands below the time that it speaks of; a break's goes up through all that is empty, and hides no dot."""
    samples = hourly([40.0] * 24 * 30)
    times = {"notes": [SINCE, SINCE + 10 * DAY, SINCE + 30 * DAY], "cuts": [SINCE + 20 * DAY]}
    marked = Chart(samples=samples, since=SINCE, until=SINCE + 30 * DAY, reach=DAY, **times).lines(66, pen)
    plain = chart(samples).lines(66, pen)
    floor, bare = marked[ROWS].cells, plain[ROWS].cells
    columns = [n for n, sign in enumerate(floor) if sign == pen.note]
    assert [round(n / len(floor) * 30) for n in columns] == [0, 10, 20, 30]
    assert [sign for n, sign in enumerate(floor) if n not in columns] == [
        sign for n, sign in enumerate(bare) if n not in columns
    ]
    assert marked[ROWS + 1] == plain[ROWS + 1]
    for row, before in zip(marked[:ROWS], plain[:ROWS], strict=True):
        for n, (sign, was) in enumerate(zip(row.cells, before.cells, strict=True)):
            assert sign == (pen.cut if n == columns[2] and was in (" ", pen.border) else was)
