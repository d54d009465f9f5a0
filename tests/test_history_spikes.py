"""When a score has risen so far that a person should be told, and until when that lasts: the rule, clause by clause."""

import math
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.history.card import DAY, Sample
from collector.history.spikes import Episode, Judged, Rule, Usual, closes_before, episodes, judge, usual

HOUR = 3_600_000
START = 19_600 * DAY
RULE = Rule(rise=5.0, window_days=14)
_SCORES = st.integers(0, 800).map(lambda eighths: eighths / 8)
"""Floats of which sums and differences are exact."""
_JUMPY = st.lists(st.sampled_from([20.0, 21.5, 25.0, 31.125, 44.0]) | _SCORES, min_size=1, max_size=40)


def hourly(*levels: float, at: int = 7) -> Sequence[Sample]:
    """Return hourly samples of a score that is computed once a day, at that hour; each level is a day's."""
    shown = [levels[0], *levels]
    return [
        Sample(START + (24 * day + hour) * HOUR, shown[day + (hour >= at)])
        for day in range(len(levels))
        for hour in range(24)
    ]


def moment(day: int, hour: int = 7) -> int:
    """Return an hour of a day."""
    return START + (24 * day + hour) * HOUR


def told(*levels: float, breaks: Sequence[int] = ()) -> Sequence[Episode]:
    """Return the episodes of these days."""
    return list(episodes(hourly(*levels), RULE, breaks))


def said(closes: Sequence[float], score: float) -> Judged:
    """Return what is said of a score after such closes, with no episode open."""
    return judge(Sample(START, score), usual(closes, RULE), None, RULE)


@pytest.mark.parametrize("before", [30.0, 3.2, 5.7])
def test_it_begins_with_the_sample_that_shows_the_threshold(before: float) -> None:
    """A rise of exactly `rise_points` over the baseline is an episode from its first sample on, in decimals, too."""
    after = float(f"{before + 5:.1f}")
    assert told(*[before] * 6, after) == [Episode(begin=moment(6), baseline=before, threshold=5.0, peak=after)]


def test_less_than_the_threshold_is_none() -> None:
    """A rise of a little less is no episode, however long it lasts."""
    assert told(*[30.0] * 6, *[34.99] * 20) == []


def test_what_was_as_high_for_three_days_begins_no_more() -> None:
    """A score above its baseline that one of the last three closes was below begins; one that none was does not."""
    assert said([30.0] * 8 + [31.0, 36.0, 36.0], 36.0).open is not None
    assert said([30.0] * 8 + [31.1, 36.0, 36.0], 36.0).open is None


def test_the_baseline_is_that_of_the_last_closes_alone() -> None:
    """Days before the window say nothing of what is usual."""
    days = [60.0] * 20 + [30.0] * 14
    assert told(*days, 36.0) == [Episode(begin=moment(34), baseline=30.0, threshold=5.0, peak=36.0)]


def test_the_baseline_is_frozen() -> None:
    """While an episode is open its baseline is what it began with, also when most of the window is as high by now."""
    open_, today = Episode(begin=moment(0), baseline=30.0, threshold=5.0, peak=40.0), usual([40.0] * 13, RULE)
    now = judge(Sample(moment(13), 40.0), today, open_, RULE)
    assert today is not None
    assert today.baseline == 40.0
    assert (now.baseline, now.rise, now.known, now.open, now.over) == (30.0, 10.0, True, open_, None)


def test_the_peak_is_the_highest_score() -> None:
    """An episode knows how high it went, and by how much that was above the baseline."""
    (episode,) = told(*[30.0] * 6, 36.0, 39.0, 37.0)
    assert (episode.peak, episode.rise) == (39.0, 9.0)


def test_another_begins_on_top_of_the_first() -> None:
    """A second step two days later is an episode of its own; the first one is over then."""
    first, second = told(*[30.0] * 6, 40.0, 40.0, 46.0)
    assert (first.begin, first.end, first.peak) == (moment(6), moment(8), 40.0)
    assert (second.begin, second.end, second.baseline) == (moment(8), None, 30.0)


def test_another_begins_after_24_hours_and_not_before() -> None:
    """What rises further within 24 h belongs to the same episode."""
    open_, today = Episode(begin=moment(6), baseline=30.0, threshold=5.0, peak=40.0), usual([30.0] * 6, RULE)
    early = judge(Sample(moment(7) - 1, 50.0), today, open_, RULE)
    assert (early.over, early.open) == (None, Episode(begin=moment(6), baseline=30.0, threshold=5.0, peak=50.0))
    late = judge(Sample(moment(7), 50.0), today, open_, RULE)
    assert late.over == Episode(begin=moment(6), baseline=30.0, threshold=5.0, peak=40.0, end=moment(7))
    assert late.open == Episode(begin=moment(7), baseline=30.0, threshold=5.0, peak=50.0)


def test_another_is_above_both_of_the_last_closes() -> None:
    """A score that returns to where it was two days ago, in an open episode, is no second one."""
    assert len(told(*[30.0] * 6, 44.0, 36.0, 44.0)) == 1
    assert len(told(*[30.0] * 6, 44.0, 36.0, 49.0)) == 2
    assert len(told(*[30.0] * 6, 44.0, 36.0, 36.0, 41.0)) == 2


def test_a_week_of_steps_makes_none_of_them_usual() -> None:
    """In an open episode the next step needs no more than the first one did, though the closes are far apart by now."""
    assert [one.begin for one in told(*[30.0] * 7, *[40.0] * 7, 46.0)] == [moment(7), moment(14)]


def test_it_ends_below_half_the_threshold() -> None:
    """An episode goes on at its baseline and half its threshold, and ends with the first sample below that."""
    assert told(*[30.0] * 6, 40.0, 32.5)[0].end is None
    assert told(*[30.0] * 6, 40.0, 32.49)[0].end == moment(7)


def test_a_level_that_lasts_is_usual() -> None:
    """After `window_days` an episode is over, and the level that it left begins none."""
    (episode,) = told(*[30.0] * 14, *[40.0] * 40)
    assert (episode.begin, episode.end) == (moment(14), moment(28))


def test_after_the_window_the_new_level_counts() -> None:
    """A step above the level that has become usual is told by what is usual now."""
    _, second = told(*[30.0] * 14, *[40.0] * 15, 46.0)
    assert (second.begin, second.baseline) == (moment(29), 40.0)


def test_fewer_than_three_closes_say_nothing() -> None:
    """Without three closes nothing is known: the baseline is the score, the rise 0, and nothing begins."""
    for closes in ([], [30.0], [30.0, 30.0]):
        assert said(closes, 90.0) == Judged(baseline=90.0, rise=0.0, known=False)
    assert said([30.0] * 3, 90.0).known


def test_an_hour_without_a_day_before_is_no_close() -> None:
    """The day that goes on is no close: samples of one day, however many, do not say what is usual."""
    assert told(30.0, 30.0, 30.0) == told(30.0, 30.0, 90.0) == []
    assert len(told(30.0, 30.0, 30.0, 90.0)) == 1


def test_no_close_from_before_a_break_counts() -> None:
    """After a break nothing is known until there are three closes, and then they alone say what is usual."""
    days = [30.0] * 10 + [40.0] * 3
    assert told(*days, breaks=[moment(10)]) == []
    (after,) = told(*days, 46.0, breaks=[moment(10)])
    assert (after.begin, after.baseline) == (moment(13), 40.0)


def test_the_closes_that_count_are_those_of_the_window_and_since_the_break() -> None:
    """From `window_days` days ago to yesterday; a close at the very moment of a break is one after it."""
    closes = [Sample(moment(day, 23), float(day)) for day in range(20)]
    day = START // DAY + 17
    assert closes_before(closes, day, RULE, None) == [float(number) for number in range(3, 17)]
    assert closes_before(closes, day, RULE, moment(9, 23)) == [float(number) for number in range(9, 17)]


def test_breaks_come_in_any_order() -> None:
    """The last break up to a sample is the one that counts for it, whatever the order in which they were marked."""
    days = [30.0] * 10 + [40.0] * 10 + [50.0] * 4
    assert told(*days, breaks=[moment(20), moment(10)]) == []


def test_a_break_ends_what_is_open() -> None:
    """An episode is over with the first sample at or after a break that came after its begin."""
    (episode,) = told(*[30.0] * 6, *[40.0] * 3, breaks=[moment(7, 12)])
    assert (episode.begin, episode.end) == (moment(6), moment(7, 12))


def test_a_restless_score_takes_more() -> None:
    """The median deviation of the closes, times 1.4826 and 3, is the threshold where that is more than the setting."""
    closes = [28.0, 32.0] * 7
    today = usual(closes, RULE)
    assert today is not None
    assert today.baseline == 30.0
    assert today.threshold == pytest.approx(3 * 1.4826 * 2)
    assert said(closes, 38.8).open is None
    assert said(closes, 39.0).open is not None


def test_a_dip_that_returns_pages_nobody() -> None:
    """Five days lower, and back at once: it is what it was."""
    assert told(*[40.0] * 14, *[25.0] * 5, *[40.0] * 10) == []


def test_a_drift_pages_nobody() -> None:
    """A point and a half a day, for a month."""
    assert told(*[20.0] * 14, *[20 + 1.5 * day for day in range(30)]) == []


def test_what_comes_and_goes_is_told_twice() -> None:
    """The third rise to one level within the window is no news, also when it is seen on the days after it."""
    up_and_down = [40.0, 40.0, 30.0, 30.0]
    assert [one.begin for one in told(*[30.0] * 6, *up_and_down * 6)] == [moment(6), moment(10)]


def test_what_half_comes_and_goes_wears_a_level_out() -> None:
    """Two rises by half of the threshold are enough for a third one, that just reaches it, to be no news."""
    closes = [30.0] * 6 + [33.5, 30.0, 33.6, 30.0]
    assert said(closes, 35.9).open is None
    assert said(closes, 36.0).open is not None


def test_what_comes_and_goes_and_then_goes_higher_is_told() -> None:
    """Half a threshold above the level that it has reached twice is news."""
    closes = [30.0] * 6 + [40.0, 30.0, 41.0, 30.0]
    assert said(closes, 42.4).open is None
    assert said(closes, 42.5).open is not None


def test_what_came_and_went_weeks_ago_is_news() -> None:
    """A rise is told again when no two of the like are in the window."""
    days = [*[30.0] * 6, 40.0, 30.0, 40.0, *[30.0] * 14, 40.0]
    assert [one.begin for one in told(*days)] == [moment(6), moment(8), moment(23)]


def test_the_last_three_closes_are_those_that_there_are() -> None:
    """After days without a sample the first one that shows a rise begins an episode, by the closes before them."""
    samples = [sample for sample in hourly(*[30.0] * 10, *[40.0] * 4) if not moment(9, 12) <= sample.time < moment(13)]
    (episode,) = episodes(samples, RULE)
    assert (episode.begin, episode.baseline) == (moment(13), 30.0)


@given(_JUMPY, st.integers(-50, 50), st.lists(st.integers(0, 40 * 24), max_size=2))
def test_a_shift_moves_the_baseline_and_nothing_else(levels: list[float], shift: int, hours: list[int]) -> None:
    """A history that is everywhere higher by some points has the same episodes, higher by those points."""
    breaks = [START + hour * HOUR for hour in hours]
    moved = told(*[level + shift for level in levels], breaks=breaks)
    assert [(one.begin, one.end, one.threshold, one.baseline - shift, one.peak - shift) for one in moved] == [
        (one.begin, one.end, one.threshold, one.baseline, one.peak) for one in told(*levels, breaks=breaks)
    ]


@given(_JUMPY, st.data(), st.lists(st.integers(0, 40 * 24), max_size=2))
def test_a_history_may_be_judged_in_parts(levels: list[float], data: st.DataObject, hours: list[int]) -> None:
    """Whoever has the open episode and the closes of the window goes on from any sample, and says the same."""
    samples, breaks = hourly(*levels), [START + hour * HOUR for hour in hours]
    split = data.draw(st.integers(0, len(samples)))
    first = list(episodes(samples[:split], RULE, breaks))
    episode = first.pop() if first and first[-1].end is None else None
    closes = list({one.time // DAY: one for one in samples}.values())
    for sample in samples[split:]:
        broken = max((moment for moment in breaks if moment <= sample.time), default=None)
        today = usual(closes_before(closes, sample.time // DAY, RULE, broken), RULE)
        now = judge(sample, today, episode, RULE, broken)
        first += [now.over] if now.over else []
        episode = now.open
    assert [*first, *([episode] if episode else [])] == list(episodes(samples, RULE, breaks))


@given(_JUMPY, st.integers(0, 23), st.floats(0.5, 20.0), st.integers(3, 20))
def test_episodes_are_apart_and_high_enough(levels: list[float], at: int, rise: float, window: int) -> None:
    """Each ends before the next begins, lasts no longer than the window, and rose by its threshold at the least."""
    rule = Rule(rise=rise, window_days=window)
    found = list(episodes(hourly(*levels, at=at), rule))
    for one, following in pairwise(found):
        assert one.end is not None
        assert one.begin < one.end <= following.begin
    for one in found:
        assert one.threshold >= rise
        assert one.rise >= one.threshold - 1e-9
        assert one.end is None or one.end <= one.begin + window * DAY


_FINITE = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([1.7e308, -1.7e308, 0.0])


@given(
    st.lists(_FINITE, max_size=14),
    st.lists(st.tuples(st.integers(1, 30 * 24), _FINITE), min_size=1, max_size=12),
    st.floats(0.1, 100.0),
)
def test_nothing_that_is_no_number_is_said(closes: list[float], later: list[tuple[int, float]], rise: float) -> None:
    """Whatever finite scores a server sends, all that is said of them is finite, too: a database takes nothing else."""
    rule, episode, time = Rule(rise=rise, window_days=14), None, START
    today: Usual | None = usual(closes, rule)
    for hours, score in later:
        time += hours * HOUR
        now = judge(Sample(time, score), today, episode, rule)
        for one in (now.over, now.open):
            assert one is None or all(map(math.isfinite, (one.baseline, one.threshold, one.peak, one.rise)))
        assert math.isfinite(now.baseline)
        assert math.isfinite(now.rise)
        episode = now.open
