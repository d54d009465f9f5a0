"""Where scores and times stand on a chart, whatever they are."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.web.scale import Span, close, scale

DAY = 86_400_000
SCORES = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20)


@given(SCORES)
def test_every_score_has_a_place(scores: list[float]) -> None:
    """Whatever scores come, also beyond 0 to 100, each is drawn within the chart, and a higher one no lower."""
    for made in (scale(scores), close(scores)):
        assert made.least < made.most
        places = [made.height(score) for score in sorted(scores)]
        assert all(0.0 <= place <= 1.0 and math.isfinite(place) for place in places)
        assert places == sorted(places, reverse=True)
        assert 2 <= len(made.lines()) <= 12


@given(st.lists(st.floats(0, 100), min_size=1))
def test_the_levels_that_are_reached_are_seen_whole(scores: list[float]) -> None:
    """Within 0 to 100 the chart has the borders of every level in which there is a score, and ends at 0 and 100."""
    made = scale(scores)
    assert 0 <= made.least <= min(scores)
    assert max(scores) <= made.most <= 100
    for low, high in ((0, 30), (30, 70), (70, 100)):
        if any(low < score < high for score in scores):
            assert made.least <= low
            assert high <= made.most


@pytest.mark.parametrize("days", [1, 7, 30, 90, 100, 101, 365, 3_650, 20_000])
def test_a_few_times_are_told(days: int) -> None:
    """However long the time is: up to nine ticks, each within it, in order, and no two alike."""
    until = 1_790_000_000_000
    span = Span(until - days * DAY, until)
    ticks = list(span.ticks())
    assert 1 <= len(ticks) <= 10
    assert [time for time, _ in ticks] == sorted({time for time, _ in ticks})
    assert all(span.since <= time <= span.until for time, _ in ticks)
    assert len({words for _, words in ticks}) == len(ticks)
