"""A collector that was away for weeks says of that time what one says who reads all of it at once."""

from pathlib import Path

import pytest
from journals import DAY, HOUR, MIDNIGHT, org
from pytest_structlog import StructuredLogCapture
from test_derive import BEGAN, ORG, Lived, group, history, lived, organization, plain, risen, told

from collector.batch import DERIVE
from collector.history.card import Sample
from collector.history.spikes import episodes
from collector.point import Point

__all__ = ["lived"]

_AWAY = 7 * DAY
"""Longer than a spike of these rules lasts, and the window before it."""


def _once(folder: Path, points: list[Point]) -> Lived:
    """Return a journal in which all of it came at once."""
    once = Lived(folder / "once.db")
    once.came(*points)
    return once


@pytest.mark.parametrize("restarted", [True, False])
@pytest.mark.parametrize("away", [_AWAY, 40 * DAY])
def test_a_spike_ends_with_the_first_score_after_weeks_without_one(
    lived: Lived, tmp_path: Path, *, away: int, restarted: bool
) -> None:
    """However long nobody polled: a spike that was open is not open for ever."""
    samples = [*risen(days=1), Sample(BEGAN + away, 40.0), Sample(BEGAN + away + HOUR, 20.0)]
    points = organization(samples)
    for point in points:
        if restarted:
            lived.restart()
        lived.came(point)
    once = _once(tmp_path, points)
    assert lived.all() == once.all()
    assert told(lived.points("exposure_spike")) == plain(episodes(samples, ORG))
    once.journal.close()


def test_a_score_that_comes_late_into_weeks_without_one_ends_the_spike_there(lived: Lived, tmp_path: Path) -> None:
    """Long after the spike began, and long before the score by which it was over so far."""
    points = organization([*risen(days=1), Sample(BEGAN + 30 * DAY, 20.0), Sample(BEGAN + 15 * DAY, 20.0)])
    lived.now = BEGAN + 30 * DAY
    for point in points:
        lived.came(point)
    once = _once(tmp_path, points)
    assert lived.all() == once.all()
    assert [point.fields["end_time"] for point in lived.points("exposure_spike")] == [BEGAN + 15 * DAY]
    once.journal.close()


@pytest.mark.parametrize("restarted", [True, False])
def test_a_group_that_does_not_come_back_after_weeks_has_no_spike_any_more(
    lived: Lived, tmp_path: Path, *, restarted: bool
) -> None:
    """Nobody was seen meanwhile; with the first score of another group it is unseen since a day after its last."""
    samples = risen(45.0, days=1)
    points = [point for at, score in samples for point in (group(at, score), group(at, 30.0, "there", "9"))]
    back = [group(BEGAN + _AWAY + n * HOUR, 30.0, "there", "9") for n in range(2)]
    for point in [*points, *back]:
        if restarted:
            lived.restart()
        lived.came(point)
    once = _once(tmp_path, [*points, *back])
    assert lived.all() == once.all()
    assert [point.fields["end_time"] for point in lived.points("exposure_spike")] == [samples[-1].time + DAY]
    once.journal.close()


@pytest.mark.parametrize("away", [2 * DAY, _AWAY])
def test_a_group_that_comes_back_a_turn_after_another_goes_on(
    lived: Lived, tmp_path: Path, log: StructuredLogCapture, away: int
) -> None:
    """A poll of thousands of groups is taken in parts: who is in the second was not unseen, and is told once."""
    samples = risen(45.0, days=1)
    points = [point for at, score in samples for point in (group(at, score), group(at, 30.0, "there", "9"))]
    back = samples[-1].time + away
    for point in [*points, group(back, 30.0, "there", "9"), group(back, 45.0)]:
        lived.came(point)
    once = _once(tmp_path, [*points, group(back, 30.0, "there", "9"), group(back, 45.0)])
    assert lived.all() == once.all()
    assert len(lived.points("exposure_spike")) == 1
    assert len([event for event in log.events if event["event"] == "spike.began"]) == 1
    once.journal.close()


def test_the_last_day_before_months_of_absence_is_closed(lived: Lived) -> None:
    """The process was stopped in the evening; by when the next one is started the day is long over."""
    for sample in history([20.0] * 7):
        lived.came(org(sample.time, sample.score))
    lived.now = MIDNIGHT + 200 * DAY
    lived.restart()
    lived.came()
    days = [(point.time, point.fields["samples"]) for point in lived.points("exposure_score_daily")]
    assert days == [(MIDNIGHT, 4), (MIDNIGHT + DAY, 3)]


def test_a_day_between_two_absences_is_closed(lived: Lived) -> None:
    """Also where the last day that was closed lies months before it."""
    one, two = MIDNIGHT + 90 * DAY, MIDNIGHT + 180 * DAY
    for start in (MIDNIGHT, one):
        for sample in history([20.0] * 7 if start == MIDNIGHT else [20.0] * 3, start):
            lived.came(org(sample.time, sample.score))
        lived.restart()
    lived.now = two
    lived.came()
    days = [(point.time, point.fields["samples"]) for point in lived.points("exposure_score_daily")]
    assert days == [(MIDNIGHT, 4), (MIDNIGHT + DAY, 3), (one, 3)]


def test_a_change_is_known_to_the_last_moment_for_which_a_late_score_counts(lived: Lived, tmp_path: Path) -> None:
    """A change over 30 days looks at a score that is 31 days older, no more and no less."""
    late, *others = organization(
        [Sample(MIDNIGHT, 10.0), Sample(MIDNIGHT + 31 * DAY, 20.0), Sample(MIDNIGHT + 31 * DAY + 1, 20.0)]
    )
    lived.came(*others)
    lived.came(late)
    once = _once(tmp_path, [late, *others])
    assert lived.all() == once.all()
    assert [point.fields.get("change_30d") for point in lived.points("exposure_trend")] == [None, 10.0, None]
    once.journal.close()


def test_a_spike_ends_after_weeks_also_where_all_before_it_is_pruned(lived: Lived) -> None:
    """Of what stood before the absence only the spike is left."""
    lived.came(*organization(risen(days=1)))
    lived.journal.prune(BEGAN + 10 * DAY, [DERIVE])
    lived.restart()
    lived.came(org(BEGAN + 40 * DAY, 20.0))
    assert told(lived.points("exposure_spike")) == [(BEGAN, 20.0, 40.0, BEGAN + 40 * DAY)]
