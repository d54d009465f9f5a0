"""What was derived stays as it was said where the samples that it was said of are pruned."""

from journals import DAY, HOUR, MIDNIGHT, org
from test_derive import BEGAN, Lived, broken, group, history, lived, organization, risen, told

from collector.batch import DERIVE

__all__ = ["lived"]

_QUIET = [20.0] * 80


def _pruned(lived: Lived, before: int) -> None:
    lived.journal.prune(before, [DERIVE])


def test_a_spike_keeps_its_peak_when_the_sample_of_it_is_pruned(lived: Lived) -> None:
    """A score that goes on lower is no reason to say that it never was higher."""
    lived.came(*organization(history([20.0] * 24 + [45.0] * 4 + [40.0] * 4)))
    _pruned(lived, BEGAN + DAY)
    lived.came(org(BEGAN + 2 * DAY, 40.0))
    assert told(lived.points("exposure_spike")) == [(BEGAN, 20.0, 45.0, 0)]


def test_a_spike_of_which_the_samples_are_pruned_is_not_taken_back(lived: Lived) -> None:
    """Neither by a break before it nor by a point that comes late: nothing is left by which it could be judged."""
    lived.came(*organization(history([20.0] * 24 + [45.0] * 8 + _QUIET)))
    _pruned(lived, MIDNIGHT + 20 * DAY)
    before = lived.points("exposure_spike")
    assert told(before) == [(BEGAN, 20.0, 45.0, BEGAN + 2 * DAY)]
    lived.came(broken(MIDNIGHT + DAY))
    assert lived.points("exposure_spike") == before
    lived.came(org(MIDNIGHT + 2 * DAY, 20.0))
    assert lived.points("exposure_spike") == before


def test_a_spike_that_is_pruned_in_part_goes_on_through_an_earlier_break(lived: Lived) -> None:
    """What is left of it is judged as going on, and begins no other."""
    lived.came(*organization(history([20.0] * 24 + [45.0] * 12)))
    _pruned(lived, BEGAN + HOUR)
    lived.came(broken(MIDNIGHT + HOUR))
    assert told(lived.points("exposure_spike")) == [(BEGAN, 20.0, 45.0, 0)]


def test_how_many_groups_rose_is_still_told_when_their_scores_are_pruned(lived: Lived) -> None:
    """First the close of the day before goes, then the scores themselves."""
    for sample in risen(45.0):
        lived.came(group(sample.time, sample.score), group(sample.time, 30.0, "quiet", "9"))
        lived.came(org(sample.time, sample.score))
    texts = [point.fields["text"] for point in lived.points("exposure_spike")]
    assert texts == ["contoso: usual was 20.0. 1 of 2 groups rose. https://portal/"] * 2
    for n, cut in enumerate((BEGAN, BEGAN + HOUR)):
        _pruned(lived, cut)
        time = BEGAN + (12 + n) * 6 * HOUR
        lived.came(org(time, 45.0), group(time, 45.0))
        assert [point.fields["text"] for point in lived.points("exposure_spike")] == texts


def test_a_day_that_is_pruned_is_not_told_anew_by_one_late_sample(lived: Lived) -> None:
    """Of a day's samples a point that comes late leaves the day as it was, where most of them are gone."""
    lived.came(*organization(history([20.0, 24.0, 22.0, 21.0] * 6)))
    _pruned(lived, MIDNIGHT + 5 * DAY)
    before = lived.points("exposure_score_daily")
    lived.came(org(MIDNIGHT + 20 * HOUR, 90.0), org(MIDNIGHT + DAY + 20 * HOUR, 90.0))
    assert lived.points("exposure_score_daily") == before


def test_what_is_pruned_meanwhile_changes_nothing_for_a_score_that_goes_on(lived: Lived) -> None:
    """Its baseline stays what it was on that day, and is told by the days' own points from the next day on."""
    for sample in history([20.0] * 20 + [24.0] * 2):
        lived.came(org(sample.time, sample.score))
    _pruned(lived, MIDNIGHT + 5 * DAY)
    for sample in history([24.0] * 6, MIDNIGHT + 5 * DAY + 12 * HOUR):
        lived.came(org(sample.time, sample.score))
    trends = [point.fields for point in lived.points("exposure_trend")]
    assert [fields["baseline"] for fields in trends] == [20.0] * 8
    assert [fields["verdict"] for fields in trends] == [1] * 8
