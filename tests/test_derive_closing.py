"""Days are closed some at a time: nobody waits for all of them, and a process that is stopped loses none."""

import pytest
from journals import DAY, HOUR, MIDNIGHT
from test_derive import Lived, group, lived

from collector.derive import closing

__all__ = ["lived"]

_GROUPS = [(f"g{n}", str(n)) for n in range(10)]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "PORTION", 3)


def _polled(lived: Lived, time: int, *, turn: bool) -> None:
    lived.came(*(group(time, 20.0, *each) for each in _GROUPS), turn=turn)


def _closed(lived: Lived, day: int) -> int:
    return sum(point.time == MIDNIGHT + day * DAY for point in lived.points("exposure_score_by_group_daily"))


def test_new_scores_are_derived_between_the_days_of_others(lived: Lived) -> None:
    """At midnight the days close three by three here, and the first poll of the new day comes after some of them."""
    for hour in range(24):
        _polled(lived, MIDNIGHT + hour * HOUR, turn=True)
    _polled(lived, MIDNIGHT + DAY, turn=False)
    seen = []
    while lived.derive.turn():
        told = any(point.time == MIDNIGHT + DAY for point in lived.points("exposure_trend_by_group"))
        seen.append((_closed(lived, 0), told))
    assert seen[0] == (3, False)
    assert (3, True) in seen
    assert [count for count, _ in seen if count] == sorted(count for count, _ in seen)
    assert seen[-1] == (10, True)


@pytest.mark.parametrize("days_off", [1, 3])
def test_a_process_that_is_stopped_between_two_portions_loses_no_day(lived: Lived, days_off: int) -> None:
    """Whether it ran at midnight or was away for days; a new poll or a late score of another day changes nothing."""
    for day in range(days_off):
        for hour in range(0, 24, 6):
            _polled(lived, MIDNIGHT + day * DAY + hour * HOUR, turn=day == 0)
    now = MIDNIGHT + days_off * DAY
    _polled(lived, now, turn=False)
    lived.came(group(now - 5 * HOUR, 20.0, *_GROUPS[-1]), turn=False)
    for _ in range(60):
        lived.restart()
        lived.derive.turn()
        lived.derive.turn()
    lived.came()
    assert [_closed(lived, day) for day in range(days_off)] == [10] * days_off
