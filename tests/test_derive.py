"""What is derived is the same whatever the order in which it became known, and the plain rule's word on all of it."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import DAY, HOUR, MIDNIGHT, org

from collector.batch import DERIVE
from collector.derive import Derive, Rules
from collector.history.card import Sample
from collector.history.spikes import Episode, Rule, episodes
from collector.journal import Journal
from collector.point import MAX_TIME, Point, Series

ORG, GROUP = Rule(rise=5.0, window_days=4), Rule(rise=10.0, window_days=4)
RULES = Rules(organization=ORG, groups=GROUP, interval=3600, links={"contoso": "https://portal/"})
EACH = 6 * HOUR
"""How often the tests' histories have a sample."""


class Lived:
    """A journal, and a consumer that derives in it at a time that the test sets."""

    def __init__(self, path: Path) -> None:
        self.now = MIDNIGHT
        self.journal = Journal(path, clock=lambda: self.now / 1000)
        self.derive = self._consumer()

    def _consumer(self) -> Derive:
        return Derive(self.journal, RULES, clock=lambda: self.now / 1000)

    def restart(self) -> None:
        """Forget all that the consumer had learnt."""
        self.derive = self._consumer()

    def came(self, *points: Point, turn: bool = True) -> None:
        """Append points, and let time go on to the last of them."""
        self.journal.append(points)
        self.now = max([self.now, *(point.time for point in points)])
        while turn and self.derive.turn():
            pass

    def points(self, measurement: str) -> Sequence[Point]:
        """Return all points of a measurement, by series and time."""
        series = sorted(self.journal.series(measurement), key=str)
        return [point for each in series for point in self.journal.history(each, 0, MAX_TIME)]

    def all(self) -> dict[str, Sequence[Point]]:
        """Return all that was derived; spikes that were withdrawn never were."""
        found = {
            name: self.points(name)
            for name in ("exposure_trend", "exposure_trend_by_group", "exposure_score_daily", "exposure_spike")
        }
        found["exposure_spike"] = [point for point in found["exposure_spike"] if point.fields["state"] != 2]
        return found


@pytest.fixture
def lived(tmp_path: Path) -> Iterator[Lived]:
    """An empty journal."""
    lived = Lived(tmp_path / "journal.db")
    yield lived
    lived.journal.close()


def history(scores: Sequence[float], start: int = MIDNIGHT) -> list[Sample]:
    """Return samples, one each six hours."""
    return [Sample(start + n * EACH, score) for n, score in enumerate(scores)]


def told(points: Sequence[Point]) -> list[tuple[int, float, float, int]]:
    """Return what spikes tell: begin, baseline, peak, end."""
    return [
        (point.time, float(point.fields["baseline"]), float(point.fields["peak"]), int(point.fields["end_time"]))
        for point in points
    ]


def plain(found: Iterator[Episode]) -> list[tuple[int, float, float, int]]:
    """Return the same of episodes."""
    return [(one.begin, one.baseline, one.peak, one.end or 0) for one in found]


_LEVELS = st.sampled_from([20.0, 20.5, 24.0, 26.0, 31.0, 40.0, 52.0])
_DAYS = st.lists(_LEVELS, min_size=2, max_size=14)


def hours(days: Sequence[float], dice: random.Random) -> list[Sample]:
    """Return a history in which each day has its level, some samples are missing, and some are off by a bit."""
    samples = history([level + dice.choice((0, 0, 0, 0.25)) for level in days for _ in range(4)])
    return [sample for sample in samples if dice.random() < 0.93]


@contextmanager
def both_ways(points: Sequence[Point], dice: random.Random, most: int) -> Iterator[tuple[Lived, Lived]]:
    """Yield two lives: to one points come all at once, to the other late, `most` a time, in any order, restarted."""
    with TemporaryDirectory() as folder:
        once, late = (Lived(Path(folder) / f"{name}.db") for name in ("once", "late"))
        late.now = max((point.time for point in points), default=MIDNIGHT)
        once.came(*points)
        rest = list(points)
        while rest:
            some = [rest.pop(dice.randrange(len(rest))) for _ in range(min(len(rest), dice.randint(1, most)))]
            if dice.random() < 0.2:
                late.restart()
            late.came(*some)
        yield once, late
        for each in (once, late):
            each.journal.close()


@settings(max_examples=12, deadline=None)
@given(days=_DAYS, dice=st.randoms(use_true_random=False))
def test_what_was_said_live_is_what_is_said_of_the_past(days: Sequence[float], dice: random.Random) -> None:
    """Sample by sample, all at once, or late and in any order, with restarts in between: one thing is derived."""
    samples = hours(days, dice)
    points = [org(sample.time, sample.score) for sample in samples]
    with TemporaryDirectory() as folder, both_ways(points, dice, 9) as (once, late):
        live = Lived(Path(folder) / "live.db")
        for point in points:
            live.came(point)
        assert live.all() == once.all()
        assert late.all() == once.all()
        assert told(live.points("exposure_spike")) == plain(episodes(samples, ORG))
        live.journal.close()


def group(time: int, score: float, name: str = "a", id_: str = "7") -> Point:
    """Return a group's point."""
    tags = (("tenant", "contoso"), ("rbacGroupName", name), ("rbacGroupId", id_))
    return Point(Series("exposure_score_by_group", tags), time, {"score": score})


def broken(at: int, name: str = "(all)", *, withdrawn: int = 0) -> Point:
    """Return a break, or its taking back."""
    tags = (("tenant", "contoso"), ("rbacGroupName", name), ("kind", "break"), ("id", "b1"))
    return Point(Series("exposure_annotation", tags), at, {"title": "new model", "text": "", "withdrawn": withdrawn})


def risen(to: float = 40.0, days: int = 3) -> list[Sample]:
    """Return six days at 20, and then some days higher."""
    return history([20.0] * 24 + [to] * 4 * days)


def organization(samples: Sequence[Sample]) -> list[Point]:
    """Return them as points."""
    return [org(sample.time, sample.score) for sample in samples]


BEGAN = MIDNIGHT + 6 * DAY
"""When `risen` has risen."""


def test_a_trend_has_its_fields_as_the_schema_says(lived: Lived) -> None:
    """Baseline and rise count from the third close on; a change is left out until it is known."""
    lived.came(*organization(risen(days=1)))
    trends = {point.time: point.fields for point in lived.points("exposure_trend")}
    assert trends[MIDNIGHT] == {"score": 20.0, "baseline": 20.0, "rise": 0.0, "level": 1, "spike": 0, "verdict": 0}
    assert trends[MIDNIGHT + 3 * DAY]["verdict"] == 1
    last = trends[BEGAN + 18 * HOUR]
    assert last == {
        "score": 40.0,
        "baseline": 20.0,
        "rise": 20.0,
        "change_1d": 20.0,
        "level": 2,
        "spike": 1,
        "verdict": 1,
    }


def test_a_day_is_kept_once_it_has_closed_and_again_when_late_points_arrive(lived: Lived) -> None:
    """Extremes, mean, last and number of a day's samples, at its midnight; none of the day that is not over."""
    points = organization(history([20.0, 26.0, 24.0, 22.0, 21.0]))
    lived.came(points[0], points[1], points[3], points[4])
    (day,) = lived.points("exposure_score_daily")
    assert (day.time, dict(day.fields)["samples"]) == (MIDNIGHT, 3)
    lived.came(points[2])
    (day,) = lived.points("exposure_score_daily")
    assert day.fields == {"min": 20.0, "mean": 23.0, "max": 26.0, "last": 22.0, "samples": 4}


def test_a_day_of_which_the_beginning_is_not_there_is_no_day(lived: Lived) -> None:
    """Neither the day in which collecting began, nor one of which the half is pruned."""
    points = organization(history([20.0] * 12, MIDNIGHT + 9 * HOUR))
    lived.came(*points)
    days = lived.points("exposure_score_daily")
    assert [(day.time, day.fields["samples"]) for day in days] == [(MIDNIGHT + DAY, 4), (MIDNIGHT + 2 * DAY, 4)]
    lived.journal.prune(MIDNIGHT + 2 * DAY - HOUR, [DERIVE])
    lived.came(org(MIDNIGHT + 2 * DAY - 2 * HOUR, 99.0))
    assert lived.points("exposure_score_daily") == days


def test_the_last_day_of_a_score_that_ends_is_kept_too(lived: Lived) -> None:
    """A day closes by the clock, also of a group of which nothing more comes, and also where nobody ran at midnight."""
    lived.came(*(group(MIDNIGHT + n * EACH, 30.0) for n in range(3)), org(MIDNIGHT))
    assert lived.points("exposure_score_by_group_daily") == []
    lived.now = MIDNIGHT + 3 * DAY
    lived.restart()
    lived.came()
    (day,) = lived.points("exposure_score_by_group_daily")
    assert (day.time, day.fields["samples"]) == (MIDNIGHT, 3)
    rows = lived.journal.tail()
    lived.restart()
    lived.came()
    assert lived.journal.tail() == rows, "once"


def test_a_break_that_is_set_afterwards_withdraws_what_it_explains(lived: Lived) -> None:
    """The spike is taken back by its state, and the baseline starts anew; taken back itself, all is as it was."""
    lived.came(*organization(risen()))
    before = lived.all()
    assert told(lived.points("exposure_spike")) == [(BEGAN, 20.0, 40.0, 0)]
    lived.came(broken(BEGAN))
    (spike,) = lived.points("exposure_spike")
    assert (spike.fields["state"], spike.time) == (2, BEGAN)
    trends = {point.time: point.fields for point in lived.points("exposure_trend")}
    assert [trends[time]["verdict"] for time in (BEGAN - HOUR * 6, BEGAN, BEGAN + 2 * DAY)] == [1, 0, 0]
    lived.came(broken(BEGAN, withdrawn=1))
    assert lived.all() == before


def test_a_break_known_before_and_one_set_afterwards_are_one(lived: Lived, tmp_path: Path) -> None:
    """In which order a break and the scores became known makes no difference."""
    other = Lived(tmp_path / "other.db")
    points = organization(risen(days=7))
    lived.came(broken(BEGAN + DAY))
    lived.came(*points)
    for n in range(0, len(points), 7):
        other.came(*points[n : n + 7])
    other.came(broken(BEGAN + DAY))
    assert lived.all() == other.all()
    assert told(lived.points("exposure_spike")) == [(BEGAN, 20.0, 40.0, BEGAN + DAY)]
    other.journal.close()


def test_a_break_of_one_group_is_no_break_of_others(lived: Lived) -> None:
    """A break speaks of its group, of all where it says so."""
    samples = risen(45.0)
    for name, id_ in (("a", "7"), ("b", "8")):
        lived.came(*(group(sample.time, sample.score, name, id_) for sample in samples))
    lived.came(broken(BEGAN, "a"))
    states = {point.series.tag("rbacGroupName"): point.fields["state"] for point in lived.points("exposure_spike")}
    assert states == {"a": 2, "b": 1}


def test_a_group_that_is_renamed_goes_on(lived: Lived) -> None:
    """The id stays: its baseline does, and a spike that is open goes on under the name that it began with."""
    samples = risen(45.0)
    for n, sample in enumerate(samples):
        lived.came(group(sample.time, sample.score, "a" if n < 28 else "b"))
    assert told(lived.points("exposure_spike")) == [(BEGAN, 20.0, 45.0, 0)]
    trends = [point for point in lived.points("exposure_trend_by_group") if point.series.tag("rbacGroupName") == "b"]
    assert [(point.fields["spike"], point.fields["baseline"]) for point in trends] == [(1, 20.0)] * 8


@pytest.mark.parametrize("live", [True, False])
def test_a_group_that_is_unseen_for_a_day_has_no_spike_any_more(lived: Lived, *, live: bool) -> None:
    """It ends a day after its last score, where others were seen meanwhile; it may come back, and be judged anew."""
    samples = risen(45.0, days=4)
    gone = range(26, 34)
    points = [
        (group(sample.time, 30.0, "there", "9"), *([] if n in gone else [group(sample.time, sample.score)]))
        for n, sample in enumerate(samples)
    ]
    if live:
        for some in points:
            lived.came(*some)
    else:
        lived.came(*(point for some in points for point in some))
    first, *others = [point for point in lived.points("exposure_spike") if point.series.tag("rbacGroupName") == "a"]
    assert (first.time, first.fields["end_time"]) == (BEGAN, samples[25].time + DAY)
    assert [point.time for point in others] == [samples[34].time]


def test_a_collector_that_was_down_ends_no_spike(lived: Lived) -> None:
    """Where nobody was seen, nobody was unseen."""
    samples = risen(45.0, days=4)
    lived.came(*(group(sample.time, sample.score) for n, sample in enumerate(samples) if n not in range(26, 34)))
    assert told(lived.points("exposure_spike")) == [(BEGAN, 20.0, 45.0, 0)]


def test_a_spike_tells_how_many_groups_rose_and_where_to_look(lived: Lived) -> None:
    """Also where the scores of the groups come after the organization's."""
    samples = risen()
    for sample in samples:
        lived.came(org(sample.time, sample.score))
        lived.came(group(sample.time, sample.score), group(sample.time, 30.0, "quiet", "9"))
    spike = next(p for p in lived.points("exposure_spike") if p.series.tag("rbacGroupName") == "(organization)")
    assert spike.fields["title"] == "Exposure score rose by 20.0 to 40.0"
    assert spike.fields["text"] == "contoso: usual was 20.0. 1 of 2 groups rose. https://portal/"


def test_a_replay_of_what_is_derived_appends_nothing(lived: Lived) -> None:
    """What is there already is not appended again: no sink gets a flood."""
    lived.came(*organization(risen()), *(group(sample.time, sample.score) for sample in risen(45.0)))
    tail = lived.journal.tail()
    lived.journal.move(DERIVE, 1)
    lived.restart()
    lived.came()
    assert lived.journal.tail() == tail


def test_scores_next_to_which_nothing_can_be_reckoned_stop_nobody(lived: Lived) -> None:
    """A score of 1e308 is kept as it came; the others are judged."""
    lived.came(*organization(history([20.0, 1e308, -1e308, 20.0, 20.0])))
    assert [point.fields["score"] for point in lived.points("exposure_trend")] == [20.0] * 3
    assert [point.fields["samples"] for point in lived.points("exposure_score_daily")] == [2]
