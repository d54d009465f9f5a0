"""The first samples of a score, told of many at once, are told as they would be one score after the other."""

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import DAY, MIDNIGHT, org
from test_derive import EACH, Lived, broken, group, lived

from collector.derive.changes import Change
from collector.derive.followed import Followed
from collector.derive.stands import Stand
from collector.point import Point, Series

__all__ = ["lived"]

_NAMES = [("a", "1"), ("b", "2"), ("b", "none"), ("c", "3"), ("c", "4"), ("d", "5"), ("e", "5"), ("f", "none")]
"""Some are one score under two names, some two scores under one, and of some no id was seen at first."""


def _counted(lived: Lived) -> list[int]:
    """Return what will hold how many scores begin the short way in each turn."""
    counts: list[int] = []
    its: Callable[[Mapping[Followed, Change]], tuple[Sequence[Point], Sequence[Stand]]]
    its = lived.derive._taking._beginning.go

    def go(changed: Mapping[Followed, Change]) -> tuple[Sequence[Point], Sequence[Stand]]:
        points, stands = its(changed)
        counts.append(len(stands))
        return points, stands

    lived.derive._taking._beginning.go = go  # type: ignore[method-assign]
    return counts


def _long(lived: Lived) -> None:
    """Let a consumer go the long way alone."""
    lived.derive._taking._beginning.go = lambda _: ((), ())  # type: ignore[assignment,method-assign]


def _polls(dice: random.Random, days: int) -> list[list[Point]]:
    """Return polls in any order: groups join, are missed, and have spikes; some polls come before all others."""
    joins = {name: dice.randrange(days * 4) for name in _NAMES}
    polls = []
    for n in range(days * 4):
        time = MIDNIGHT + n * EACH
        seen = [name for name in _NAMES if joins[name] <= n and dice.random() < 0.9]
        poll = [group(time, dice.choice((20.0, 20.5, 40.0, 1.1e12)), *name) for name in seen]
        polls.append([org(time, 20.0 + dice.choice((0, 0, 9))), *poll])
    for _ in range(dice.randrange(3)):
        polls.insert(dice.randrange(len(polls)), polls.pop(dice.randrange(len(polls))))
    moment = MIDNIGHT + dice.randrange(days * 4) * EACH
    polls.insert(dice.randrange(len(polls)), [broken(moment, dice.choice(("(all)", "a", "b")))])
    return polls


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_what_begins_is_told_as_by_the_long_way(seed: int) -> None:
    """Whatever the order in which polls come, and however many in a turn; also after a restart."""
    dice = random.Random(seed)  # noqa: S311 - nothing is kept secret by it
    with TemporaryDirectory() as folder:
        short, long = Lived(Path(folder) / "short.db"), Lived(Path(folder) / "long.db")
        _long(long)
        counts = _counted(short)
        waiting: list[Point] = []
        for poll in _polls(dice, dice.choice((2, 6, 9))):
            waiting += poll
            if dice.random() < 0.4:
                continue
            if dice.random() < 0.1:
                short.restart()
                long.restart()
                _long(long)
            short.came(*waiting)
            long.came(*waiting)
            waiting = []
        assert short.all() == long.all()
        assert sum(counts) <= len(_NAMES) + 1
        for each in (short, long):
            each.journal.close()


def test_a_poll_of_new_groups_begins_at_once(lived: Lived) -> None:
    """All of a first poll go the short way, and so do those that join a week later; who was there does not."""
    counts = _counted(lived)
    lived.came(org(MIDNIGHT, 20.0), *(group(MIDNIGHT, 20.0, str(n), str(n)) for n in range(9)))
    later = MIDNIGHT + 7 * DAY
    lived.came(*(group(later, 30.0, str(n), str(n)) for n in range(12)))
    assert [count for count in counts if count] == [10, 3]
    points = [point for point in lived.points("exposure_trend_by_group") if point.time == later]
    assert len(points) == 12
    assert {point.fields["verdict"] for point in points} == {0}


def test_a_score_with_a_day_but_no_samples_does_not_begin(lived: Lived) -> None:
    """Where all but the days was pruned, what is usual comes of them."""
    for n in range(4):
        day = {"min": 20.0, "mean": 20.0, "max": 20.0, "last": 20.0, "samples": 4}
        series = Series("exposure_score_daily", (("tenant", "contoso"),))
        lived.journal.append([Point(series, MIDNIGHT + n * DAY, day)])
    counts = _counted(lived)
    lived.came(org(MIDNIGHT + 4 * DAY, 21.0))
    (point,) = lived.points("exposure_trend")
    assert sum(counts) == 0
    assert (point.fields["baseline"], point.fields["rise"], point.fields["verdict"]) == (20.0, 1.0, 1)


def test_who_never_had_a_spike_is_not_asked_for_one(lived: Lived, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first poll costs no look at all series a tenant; once there was a spike, a silence has its weeks looked at."""
    asked: list[str | None] = []
    between = lived.journal.between

    def counted(measurement: str, since: int, until: int, tenant: str | None = None) -> Sequence[Point]:
        asked.append(tenant)
        return between(measurement, since, until, tenant)

    monkeypatch.setattr(lived.journal, "between", counted)
    lived.came(group(MIDNIGHT, 20.0, "a", "1"))
    assert "contoso" not in asked
    for n in range(1, 25):
        lived.came(group(MIDNIGHT + n * EACH, 20.0 if n < 20 else 40.0, "a", "1"))
    assert lived.points("exposure_spike")
    lived.restart()
    lived.came(group(MIDNIGHT + 60 * DAY, 20.0, "a", "1"))
    assert "contoso" in asked
    (spike,) = lived.points("exposure_spike")
    assert spike.fields["state"] == 0
