"""Collecting: the API is never asked more often for one tenant than it allows."""

from bisect import bisect_left
from itertools import pairwise

import pytest
from fakes import Script, Time, Turn, score
from hypothesis import given
from hypothesis import strategies as st
from stages import SLOT, Polls

from collector.errors import Unavailable
from collector.journal import Journal
from collector.pipeline import Pace
from collector.pipeline.pace import LIMITS
from collector.step import Step

SUBJECTS = ("organization", "device_groups", "device_secure_score")


class Watched(Script):
    """Remembers when it was asked: what `seconds` is told at each step."""

    def __init__(self, bench: Polls, turns: list[Turn]) -> None:
        super().__init__("contoso", turns)
        self.bench = bench
        self.takes = 0.0
        self.moments: list[float] = []
        self.seconds = _Moments(self)


class _Moments(list[float]):
    def __init__(self, source: Watched) -> None:
        super().__init__()
        self._source = source

    def append(self, seconds: float, /) -> None:
        super().append(seconds)
        self._source.moments.append(self._source.bench.time.now)


@pytest.fixture
def bench(journal: Journal) -> Polls:
    """Everything on a stage, with the pace that the API's limits set."""
    return Polls(journal, paced=True)


def most(moments: list[float], seconds: float) -> int:
    """Return the most exchanges that any so many seconds have; `moments` are in order."""
    return max(bisect_left(moments, first + seconds) - number for number, first in enumerate(moments))


def within_limits(moments: list[float]) -> bool:
    """Whether no time has more exchanges than a limit allows."""
    return all(most(moments, seconds - 0.002) <= count for count, seconds in LIMITS)


def test_three_subjects_that_fail_with_the_worst_of_luck_stay_under_the_limits(bench: Polls) -> None:
    """An hour in which every try fails at once, and every wait is drawn as none, asks no more than the API allows."""
    source = Watched(bench, [Unavailable("503")] * 5_000)
    for subject in SUBJECTS:
        bench.poll(source, seconds=3600.0, subject=subject, draw=lambda low, _: low)
    bench.stage.play(most=100_000)
    assert within_limits(source.moments)
    assert 700 < len(source.moments) <= 1_500
    assert {type(outcome.error) for outcome in bench.outcomes} == {Unavailable}
    assert len(bench.outcomes) == 3


def test_an_answer_of_very_many_pages_takes_its_time_and_is_whole(bench: Polls) -> None:
    """A hundred pages come in two minutes, within the limits, and none is left out."""
    source = Watched(bench, [*[Step.MORE] * 99, [score("contoso", SLOT)]])
    bench.poll(source, seconds=3600.0)
    bench.stage.play()
    assert bench.outcomes[0].error is None
    assert len(source.moments) == 100
    assert within_limits(source.moments)
    assert source.moments[-1] - source.moments[0] < 120
    assert sum(after > before for before, after in pairwise(source.moments)) == 50


def test_a_part_of_a_second_is_waited_too(bench: Polls) -> None:
    """Pages that each take a third of a second to come are asked for no sooner than the limits allow."""
    source = Watched(bench, [*[Step.MORE] * 149, [score("contoso", SLOT)]])
    source.takes, source.clock = 0.3, bench.time
    bench.poll(source, seconds=3600.0)
    bench.stage.play()
    assert bench.outcomes[0].error is None
    assert within_limits(source.moments)


def test_a_page_that_is_on_its_way_when_the_clock_jumps_counts(bench: Polls) -> None:
    """A poll that has waited to be allowed its page is in an exchange again: that ends by itself, and is kept."""
    source = Watched(bench, [*[Step.MORE] * 60, [score("contoso", SLOT)]])
    moments = source.seconds

    class Jumping(list[float]):
        def append(self, seconds: float, /) -> None:
            moments.append(seconds)
            if len(moments) == 61:
                bench.collecting.abandon("the clock jumped")

    source.seconds = Jumping()
    bench.poll(source, seconds=600.0)
    bench.stage.play()
    (outcome,) = bench.outcomes
    assert outcome.error is None
    assert [point.series.measurement for point in bench.points()] == ["exposure_score", "collector_poll"]


def test_what_may_not_be_asked_inside_the_slot_is_settled_as_failed(bench: Polls) -> None:
    """A poll that would have to wait beyond its slot is given up before that ends, and says why."""
    end = bench.time.now + 20.0
    bench.poll(Watched(bench, [*[Step.MORE] * 99, [score("contoso", SLOT)]]), seconds=20.0)
    bench.stage.play()
    [outcome] = bench.outcomes
    assert "might be asked" in str(outcome.error)
    assert bench.time.now < end


def test_one_tenant_waits_for_no_other(bench: Polls) -> None:
    """A tenant of very many pages takes none of another's exchanges."""
    slow, other = Watched(bench, [Step.MORE] * 200), Script("fabrikam", [[score("fabrikam", SLOT)]])
    bench.poll(slow, seconds=600.0)
    bench.stage.play(until=bench.time.now + 30)
    before = bench.time.now
    bench.poll(other, seconds=600.0)
    bench.stage.play(until=before)
    assert [outcome.tenant for outcome in bench.outcomes] == ["fabrikam"]


def test_a_poll_that_waits_for_its_turn_is_given_up_with_the_others(bench: Polls) -> None:
    """When the clock jumps, a poll that waits to be allowed its next page is settled at once, and only once."""
    bench.poll(Watched(bench, [Step.MORE] * 200), seconds=600.0)
    bench.stage.play(until=bench.time.now)
    bench.collecting.abandon("the clock jumped")
    assert [str(outcome.error) for outcome in bench.outcomes] == ["the clock jumped"]
    bench.stage.play()
    assert len(bench.outcomes) == 1


@given(st.lists(st.floats(0, 3) | st.just(0.0), max_size=200), st.integers(1, 20), st.integers(1, 20))
def test_no_time_has_more_than_a_limit_however_one_asks(gaps: list[float], count: int, wide: int) -> None:
    """Asked again as soon as it may be, or whenever: no span of a limit's length has more exchanges than it."""
    clock = Time()
    clock.now = 0.0
    limits = ((2 * count, 10.0), (3 * count * wide, 50.0))
    pace = Pace(limits, clock)
    moments: list[float] = []
    for gap in gaps:
        clock.now += gap
        while wait := pace.wait("contoso"):
            clock.now += wait
        moments.append(clock.now)
    for allowed, seconds in limits if moments else ():
        # A millisecond is the same moment.
        assert most(moments, seconds - 0.002) <= allowed
