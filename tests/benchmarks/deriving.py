"""What it costs to derive from polls: each makes a trend point a score, and a day's point where one has closed."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks.figures import Spread, short
from benchmarks.polls import HOUR, Polls, slots
from benchmarks.size import Size
from benchmarks.table import Row

from collector.derive import Derive, Rules
from collector.history.spikes import Rule
from collector.journal import Journal
from collector.point import Point, Series

_NOTED = 3
_WEEKS = 15
"""Days with one poll each, so that there is something that is usual."""


def measure(size: Size, folder: Path) -> Iterator[Row]:
    """Yield the row of a score that is recomputed once a day, and polled each hour."""
    rule = Rule(rise=5.0, window_days=14)
    rules = Rules(organization=rule, groups=rule, interval=3600, links={})
    polls = Polls(size.followed)
    every = list(slots(24 * (_WEEKS + size.derived) + 1))
    now = every[0]
    cpu = raw = 0.0
    noted: list[float] = []
    with Journal(folder / "deriving.db", clock=lambda: now / 1000) as journal:
        derive = Derive(journal, rules, clock=lambda: now / 1000)
        for now in every[: 24 * _WEEKS : 24]:
            journal.append(_steady(polls, now))
            while derive.turn():
                pass
        counted = every[24 * _WEEKS :]
        for now in counted:
            began = time.thread_time()
            journal.append(_steady(polls, now))
            appended = time.thread_time()
            while derive.turn():
                pass
            raw += appended - began
            cpu += time.thread_time() - appended
        for _ in range(_NOTED):
            now += HOUR
            with Journal(folder / "deriving.db") as other:
                other.append([_note(now)])
            journal.append(_steady(polls, now))
            began = time.thread_time()
            while derive.turn():
                pass
            noted.append((time.thread_time() - began) / size.followed * 1e6)
    scores = len(counted) * size.followed
    yield Row(
        what=f"deriving, {len(counted)} hourly polls of {size.followed:,} groups: CPU",
        measured=f"{short(cpu / scores * 1e6)} µs a score",
        against=f"{short(raw / scores * 1e6)} µs, its append",
        figure=f"{short((raw + cpu) / scores * 1e6)} µs together",
        goal="60 µs at most",
    )
    yield Row(
        what=f"deriving from {size.followed:,} groups after a note by another process: CPU",
        measured=Spread(tuple(noted)).said("µs"),
        against=f"{short(cpu / scores * 1e6)} µs, as above",
        figure=f"{short(median(noted) / (cpu / scores * 1e6))} x",
    )


def _note(time: int) -> Point:
    tags = (("tenant", "contoso"), ("rbacGroupName", "(all)"), ("kind", "note"), ("id", str(time)))
    return Point(Series("exposure_annotation", tags), time, {"title": "patched", "text": "", "withdrawn": 0})


def _steady(polls: Polls, slot: int) -> Sequence[Point]:
    """Return a poll whose scores change at two in the afternoon, each by a bit, with what is said of it."""
    day = (slot - 14 * HOUR) // (24 * HOUR)
    *scores, said = polls.groups(slot)
    score = [30.0 + n % 40 + (n + day) % 3 / 4 for n in range(len(scores))]
    return [*(Point(point.series, slot, {"score": its}) for point, its in zip(scores, score, strict=True)), said]
