"""What a consumer remembers between two turns makes it quicker, and changes nothing of what it says."""

import random
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from journals import DAY, HOUR, MIDNIGHT, org
from test_derive import EACH, Lived, broken, group, history, lived
from test_derive_steady import counted

from collector.batch import DERIVE
from collector.journal import Journal
from collector.point import Point, Series, Value

__all__ = ["lived"]

_NOTE = (("rbacGroupName", "(all)"), ("kind", "note"), ("id", "n1"))
_LEVELS = (20.0, 20.0, 20.0, 20.25, 24.0, 31.0, 45.0)


class _Fresh(Lived):
    """One whose consumer is thrown away before each turn."""

    def came(self, *points: Point, turn: bool = True) -> None:
        self.journal.append(points)
        self.now = max([self.now, *(point.time for point in points)])
        while turn and self._turn():
            pass

    def _turn(self) -> bool:
        """Let a new consumer take rows once; return whether it had any."""
        self.restart()
        start = self.journal.cursor(DERIVE)
        while self.derive.turn():
            if self.journal.cursor(DERIVE) != start:
                return True
        return False


def _lives(dice: random.Random) -> list[list[Point]]:
    """Return what comes, an append after the other: mostly poll by poll, with gaps, late points and breaks."""
    days = dice.randint(5, 11)
    scores = {"": 20.0, "a": 20.0, "b": 30.0}
    appends: list[list[Point]] = []
    late: list[Point] = []
    names = {"a": "a", "b": "b"}
    held: list[Point] = []
    away = range(first := dice.randrange(days * 4), first + dice.randint(3, 8))
    for n in range(days * 4):
        time = MIDNIGHT + n * EACH
        if dice.random() < 0.15:
            scores = {name: dice.choice(_LEVELS) for name in scores}
        if dice.random() < 0.03:
            names["a"] += "2"
        polled = [org(time, scores[""])] if dice.random() < 0.95 else []
        polled += [
            group(time, scores[name], names[name], id_)
            for name, id_ in (("a", "7"), ("b", "none" if dice.random() < 0.1 else "8"))
            if dice.random() < 0.9
        ]
        if n in away:  # of one group all comes at once and in order, later
            held += polled[-1:]
            polled = polled[:-1]
        elif held and dice.random() < 0.5:
            appends.append(held)
            held = []
        now = [point for point in polled if dice.random() < 0.93]
        late += [point for point in polled if point not in now]
        if dice.random() < 0.05:
            now.append(broken(time - dice.randrange(5) * EACH + HOUR, dice.choice(("(all)", "a"))))
        if late and dice.random() < 0.2:
            now.append(late.pop(dice.randrange(len(late))))
        if dice.random() < 0.1:
            again = [point for point in now if "score" in point.fields][:1]
            now = [*now, *(org(point.time, float(point.fields["score"]) + 1.0) for point in again)]  # asked again
        appends.append(now)
        if dice.random() < 0.1:
            appends[-1:] = [appends[-1][:1], appends[-1][1:]]
    return appends


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_who_remembers_says_what_one_says_who_has_forgotten_all(seed: int) -> None:
    """After each append, by whatever process: late points, polls made again, breaks set afterwards, new names, gaps."""
    dice = random.Random(seed)  # noqa: S311 - nothing is kept secret by it
    appends = _lives(dice)
    with TemporaryDirectory() as folder:
        remembers, fresh = Lived(Path(folder) / "remembers.db"), _Fresh(Path(folder) / "fresh.db")
        waiting: list[Point] = []
        for points in appends:
            waiting += points
            if dice.random() < 0.2:
                continue  # several polls in a turn
            fresh.came(*waiting)
            if dice.random() < 0.2:
                # Another process brings some of it in.
                with Journal(remembers.journal.path) as other:
                    other.append(waiting)
                remembers.now, waiting = fresh.now, []
            remembers.came(*waiting)
            assert remembers.all() == fresh.all()
            waiting = []
        for each in (remembers, fresh):
            each.journal.close()


def test_what_another_process_writes_is_seen_by_the_next_sample(lived: Lived) -> None:
    """A spike that was imported beside a running service ends with the score that is no rise any more."""
    samples = history([20.0] * 24)
    lived.came(*(org(sample.time, sample.score) for sample in samples[:-1]))
    tags = (("tenant", "contoso"), ("rbacGroupName", "(organization)"), ("rbacGroupId", "none"))
    fields: dict[str, Value] = {"baseline": 20.0, "peak": 40.0, "rise": 20.0, "state": 1, "end_time": 0}
    spike = Point(Series("exposure_spike", tags), samples[-3].time, {**fields, "title": "", "text": ""})
    with Journal(lived.journal.path) as other:
        other.append([spike])
    lived.came(org(samples[-1].time, 20.0))
    assert [point.fields["end_time"] for point in lived.points("exposure_spike")] == [samples[-1].time]


def test_a_day_that_another_process_brings_in_is_seen_by_the_next_sample(lived: Lived) -> None:
    """Its close, where it has no samples, is in what is usual from then on."""
    known, now = history([20.0] * 4 + [22.0] * 4 + [24.0] * 4), MIDNIGHT + 4 * DAY
    lived.came(*(org(sample.time, sample.score) for sample in known), org(now, 24.0))
    fields: dict[str, Value] = {"min": 26.0, "mean": 26.0, "max": 26.0, "last": 26.0, "samples": 4}
    with Journal(lived.journal.path) as other:
        other.append([Point(Series("exposure_score_daily", (("tenant", "contoso"),)), MIDNIGHT + 3 * DAY, fields)])
    lived.came(org(now + EACH, 24.0))
    assert [point.fields["baseline"] for point in lived.points("exposure_trend")[-2:]] == [22.0, 23.0]


def test_what_another_process_writes_of_others_is_nothing_to_learn_anew(lived: Lived) -> None:
    """After a note, a late sample of another score and another tenant's trend a score goes on the short way."""
    times = [MIDNIGHT + n * EACH for n in range(24)]
    lived.came(*(org(time, 20.0) for time in times), *(group(time, 30.0) for time in times))
    now = MIDNIGHT + 24 * EACH
    note = Point(
        Series("exposure_annotation", (*org(0).series.tags, *_NOTE)), now, {"title": "t", "text": "", "withdrawn": 0}
    )
    theirs = Point(Series("exposure_trend", (("tenant", "fabrikam"),)), now, {"score": 20.0})
    with Journal(lived.journal.path) as other:
        other.append([note, theirs, group(now - EACH - 1, 31.0)])
    while lived.derive.turn():
        pass
    counts = counted(lived)
    lived.came(org(now, 20.0), group(now, 30.0))
    assert sum(counts) == 2
