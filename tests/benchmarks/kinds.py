"""What happens to scores, kind by kind, and of what a person would want to be told: each docstring says so.

A person asks for rises of 5 points in an organization, of 10 in a device group; half of the histories are of the one,
half of the other, but for what happens to small groups alone. The same seed draws the same history everywhere. Is not
what tenants look like: each history shows one difficulty, many times over.
"""

import random
from collections.abc import Callable, Sequence

from benchmarks.histories import Draft, History, clipped

ORGANIZATION, GROUP = 5.0, 10.0
"""The points that a person wants to be told of."""
_QUIET = 16
"""Days after which whatever happened before is past for everybody."""

Kind = Callable[[Draft], None]


def step(draft: Draft) -> None:
    """Steps of 3 to 30 points that last 3 to 40 days, weeks apart. Told of each that is large enough, at once."""
    draw, usual = draft.draw, draft.levels[-1]
    draft.stay(draw.randint(4, 30))
    while draft.going_on:
        draft.step(draw.uniform(3, 30), draw.randint(3, 40))
        draft.back(usual, draw.randint(_QUIET, 40))


def step_after_step(draft: Draft) -> None:
    """Two or three steps, 2 to 6 days apart, each on top of the last. Told of each that is large enough by itself.

    Two in a row that are both too small do not come: whether they are one rise is a matter of taste.
    """
    draw, usual = draft.draw, draft.levels[-1]
    while draft.going_on:
        draft.back(usual, draw.randint(_QUIET, 40))
        small = False
        for _ in range(draw.randint(2, 3)):
            small = not small and draw.random() < 0.2
            points = draw.uniform(3, draft.rise) if small else draw.uniform(draft.rise, 20)
            draft.step(points, draw.randint(2, 6))
        draft.stay(draw.randint(0, 20))


def step_again(draft: Draft) -> None:
    """A step that is mended within 4 days, and comes again 2 to 6 days later. Told of both: it was not mended well."""
    draw, usual = draft.draw, draft.levels[-1]
    while draft.going_on:
        draft.back(usual, draw.randint(_QUIET, 40))
        points = draw.uniform(3, 30)
        draft.step(points, draw.randint(1, 4))
        draft.back(usual, draw.randint(2, 6))
        draft.step(points + draw.uniform(-1, 1), draw.randint(1, 4))


def decay(draft: Draft) -> None:
    """A step of 3 to 30 points that is worked off, half of it in 1 to 6 days. Told of the step alone."""
    draw, usual = draft.draw, draft.levels[-1]
    while draft.going_on:
        draft.back(usual, draw.randint(_QUIET, 40))
        points, left = draw.uniform(3, 30), 0.5 ** (1 / draw.uniform(1, 6))
        draft.step(points, 1)
        while points > 0.1:
            points *= left
            draft.back(clipped(usual + points), 1)


def ramp(draft: Draft) -> None:
    """A drift of 0.3 to 2 points a day, up to 30 in all, then back at once. Told of nothing: `trend` shows a drift."""
    draw, usual = draft.draw, draft.levels[-1]
    while draft.going_on:
        draft.back(usual, draw.randint(_QUIET, 40))
        slope = draw.uniform(0.3, 2)
        for _ in range(draw.randint(5, int(30 / slope))):
            draft.move(slope, 1)


def dip(draft: Draft) -> None:
    """The score falls by 5 to 30 points and is back after 1 to 6 days. Told of nothing: it is what it was."""
    draw, usual = draft.draw, draft.levels[-1]
    while draft.going_on:
        draft.back(usual, draw.randint(_QUIET, 40))
        draft.move(-draw.uniform(5, 30), draw.randint(1, 6))


def walk(draft: Draft) -> None:
    """A random walk of 0.2 to 1 points a day. Told of nothing: nothing happened on any day."""
    pace = draft.draw.uniform(0.2, 1)
    while draft.going_on:
        draft.move(draft.draw.gauss(0.0, pace), 1)


def noise(draft: Draft) -> None:
    """Always the same but for noise, its deviation 0 to 1.5 points. Told of nothing."""
    draft.noise = draft.draw.uniform(0, 1.5)
    draft.stay(draft.days)


def toggle(draft: Draft) -> None:
    """A group of a few machines, of which some come and go: every 1 to 4 days, or each weekend. Told of nothing.

    It has done so since before the history began, so that whoever owns it knows; the first rise is none either.
    """
    draft.rise = GROUP
    draw, low = draft.draw, draft.levels[-1]
    points, weekly, longer = draw.uniform(5, 40), draw.random() < 1 / 3, draw.random() < 1 / 2
    while draft.going_on:
        if weekly:
            down, up = (5, 2) if longer else (2, 5)
        else:
            down, up = draw.randint(1, 4), draw.randint(1, 4)
        draft.back(low, down)
        draft.back(clipped(low + points + draw.uniform(-1, 1)), up)


def gaps(draft: Draft) -> None:
    """Steps as above, and nothing polled for 2 hours to 5 days, often over a step. Told at the first sample after."""
    draw, usual = draft.draw, draft.levels[-1]
    draft.stay(draw.randint(_QUIET, 30))
    while draft.going_on:
        long = draw.choice((draw.randint(2, 23), draw.randint(24, 120)))
        draft.gaps.append((24 * draft.today + draw.randint(-long, 48), long))
        draft.step(draw.uniform(3, 30), draw.randint(10, 40))
        draft.back(usual, draw.randint(_QUIET, 40))
        draft.gaps.append((24 * (draft.today - draw.randint(2, 10)), draw.randint(2, 48)))


def broken(draft: Draft) -> None:
    """A change of model moves the score by 5 to 30 points, and its owner marks a break. Told of nothing."""
    draw = draft.draw
    while draft.going_on:
        draft.stay(draw.randint(_QUIET, 60))
        draft.breaks.append(draft.today)
        if draw.random() < 1 / 2:
            draft.exact.append(draft.today)
        up = draw.random() < 3 / 4 and draft.levels[-1] < 70
        draft.move(draw.uniform(5, 30) * (1 if up else -1), 1)


def quantized(draft: Draft) -> None:
    """Whole points, a step of exactly 5 or 10 among others of 3 to 30. Told of each that is large enough."""
    draw, usual = draft.draw, float(round(draft.levels[-1]))
    draft.grain, draft.noise = 1.0, draw.choice((0.0, 0.2, 0.4))
    draft.back(usual, draw.randint(_QUIET, 30))
    while draft.going_on:
        draft.step(float(draw.randint(3, 30)), draw.randint(3, 40))
        draft.back(usual, draw.randint(_QUIET, 40))


def flat(draft: Draft) -> None:
    """The same score for ever. Told of nothing."""
    draft.noise = 0.0
    draft.stay(draft.days)


STEPPING: Sequence[Kind] = (step, step_after_step, step_again, decay, gaps, quantized)
STEPLESS: Sequence[Kind] = (ramp, dip, walk, noise, toggle, broken, flat)
"""Kinds in which a person is never told of anything."""


def history(kind: Kind, seed: int, days: int) -> History:
    """Return the history of that kind and seed."""
    draw = random.Random(f"{kind.__name__} {seed}")  # noqa: S311 - scores, not secrets; the same ones in each run
    draft = Draft(
        draw=draw,
        days=days,
        rise=draw.choice((ORGANIZATION, GROUP)),
        noise=draw.uniform(0, 0.4),
        levels=[draw.uniform(10, 40)],
    )
    kind(draft)
    return draft.whole()
