"""Labelled histories, and how the rule for spikes fares on them: what `make bench` shows of it at length."""

from itertools import pairwise

import pytest
from benchmarks import rivals
from benchmarks.histories import HOUR, History
from benchmarks.kinds import GROUP, ORGANIZATION, STEPLESS, STEPPING, Kind, broken, flat, history, noise, toggle
from benchmarks.telling import Tally, tallied

from collector.history.card import DAY, Sample

YEAR = 365
_EVERY = [*STEPPING, *STEPLESS]


def _named(kind: Kind) -> str:
    return kind.__name__


def steady(*scores: float) -> History:
    """Return hourly samples of these days, each of one score."""
    samples = [Sample(day * DAY + hour * HOUR, score) for day, score in enumerate(scores) for hour in range(24)]
    return History(samples=samples, rise=ORGANIZATION)


@pytest.mark.parametrize("kind", _EVERY, ids=_named)
def test_a_seed_draws_the_same_history_each_time(kind: Kind) -> None:
    """Figures of today can be held against those of next year; another seed is another history."""
    assert history(kind, 1, 60) == history(kind, 1, 60) != history(kind, 3, 60)


@pytest.mark.parametrize("kind", _EVERY, ids=_named)
def test_a_score_is_recomputed_once_a_day_at_most(kind: Kind) -> None:
    """Samples stand at whole hours, in their order, between 0 and 100, and move within no day more than once."""
    told = history(kind, 1, 120)
    assert all(sample.time % HOUR == 0 and 0 <= sample.score <= 100 for sample in told.samples)
    assert all(one.time < following.time for one, following in pairwise(told.samples))
    moved = [now.time // DAY for one, now in pairwise(told.samples) if now.score != one.score]
    if len(told.samples) == 24 * 120:  # after a gap two days' moves may be seen as one
        assert len(moved) == len(set(moved))


@pytest.mark.parametrize("kind", STEPPING, ids=_named)
def test_a_label_stands_at_the_first_sample_of_a_rise(kind: Kind) -> None:
    """Whoever is due to be told is so at a sample that is higher than the last one by the points, but for noise."""
    told = history(kind, 1, 2 * YEAR)
    before = {now.time: now.score - one.score for one, now in pairwise(told.samples)}
    assert told.rise in {ORGANIZATION, GROUP}
    assert len(told.due) > 3
    assert all(before[due] > told.rise - 2 for due in told.due)


@pytest.mark.parametrize("kind", STEPLESS, ids=_named)
def test_what_has_no_step_has_no_label(kind: Kind) -> None:
    """Nobody is due to be told of a drift, a dip, a walk, noise, what comes and goes, or a break that is marked."""
    assert not any(history(kind, seed, YEAR).due for seed in range(4))
    assert all(bool(history(kind, seed, YEAR).breaks) == (kind is broken) for seed in range(4))


def test_a_page_is_right_once_and_for_three_days() -> None:
    """What comes late counts, with its delay in samples; a second page, an early one and one too late are false."""
    told = steady(*[30.0] * 5, *[40.0] * 15)
    due = History(samples=told.samples, rise=5.0, due=[5 * DAY, 12 * DAY])
    tally = tallied(due, [4 * DAY, 5 * DAY + 2 * HOUR, 6 * DAY, 15 * DAY])
    assert (tally.due, tally.pages, tally.delays, tally.false) == (2, 4, [2], 3)
    assert tally.cells()[:5] == ("2", "0.000", "0.500", "0.250", "2.0")


def test_a_page_for_the_next_rise_is_none_for_the_last() -> None:
    """Where the next rise is due, the one before it that nobody told is missed."""
    due = History(samples=steady(*[30.0] * 20).samples, rise=5.0, due=[5 * DAY, 7 * DAY])
    assert tallied(due, [7 * DAY]).delays == [0]
    assert tallied(due, [7 * DAY]).false == 0


def test_what_there_is_none_of_is_no_figure() -> None:
    """No recall without anything due, no precision without a page."""
    assert Tally(years=2.0).cells() == ("0", "-", "-", "-", "-", "0.00", "0.00")


def test_a_change_of_24_hours_pages_once_a_step() -> None:
    """The rival pages at the first sample of a step, and again for what returns after a dip."""
    told = steady(*[30.0] * 5, *[35.0] * 3, *[34.0] * 3, 20.0, 34.0)
    assert list(rivals.change(told)) == [5 * DAY, 12 * DAY]


def test_deviations_page_for_whatever_is_rare() -> None:
    """The rival pages for the smallest rise of a score that was always the same, and for none before three days."""
    assert list(rivals.deviations(steady(30.0, 31.0, 30.0, 30.0, 30.0, 30.0))) == []
    assert list(rivals.deviations(steady(*[30.3] * 20, 30.4))) == [20 * DAY]
    assert list(rivals.deviations(history(flat, 1, YEAR))) == []


def _judged(*kinds: Kind) -> Tally:
    whole = Tally()
    for kind in kinds:
        for seed in (1, 3, 5):
            told = history(kind, seed, 2 * YEAR)
            whole = whole.and_(tallied(told, rivals.rule(told)))
    return whole


def test_the_rule_tells_of_steps_at_their_first_sample() -> None:
    """Of a hundred rises that a person asked for, two at the most are missed or late, and hardly a page is false."""
    tally = _judged(*STEPPING)
    assert tally.delays.count(0) >= 0.98 * tally.due
    assert tally.false <= 0.02 * tally.pages


def test_the_rule_is_quiet_where_there_is_no_step() -> None:
    """Over all that is no step a history pages in vain 0.3 times a year at the most."""
    tally = _judged(*STEPLESS)
    assert tally.false <= 0.3 * tally.years


def test_the_rule_is_quiet_under_noise_and_soon_where_machines_come_and_go() -> None:
    """Noise of 1.5 points pages nobody; a group of few machines does twice, and then no more."""
    assert _judged(noise).false == 0
    for seed in (1, 3, 5):
        assert len(list(rivals.rule(history(toggle, seed, 2 * YEAR)))) <= 3
