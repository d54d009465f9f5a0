"""What else one could page by. Each takes a history and yields the times (ms) at which somebody would be paged.

None but the rule knows what a break is: an alert on a query has nowhere to look it up.
"""

import math
from collections import deque
from collections.abc import Iterator

from benchmarks.histories import History

from collector.history import spikes
from collector.history.card import DAY

WINDOW_DAYS = 14
_LEAST = 3 * DAY
"""How much of the past the deviations want, as the rule wants three closes."""
_GRAIN = 1e-6
"""Sums of floats are not finer than this."""


def rule(history: History) -> Iterator[int]:
    """Page as the collector does, at its defaults: when an episode begins."""
    at_defaults = spikes.Rule(rise=history.rise, window_days=WINDOW_DAYS)
    return (episode.begin for episode in spikes.episodes(history.samples, at_defaults, history.breaks))


def change(history: History) -> Iterator[int]:
    """Page when the score passes what it was 24 h before, or at the last sample before that, by the same points."""
    samples, old, over = history.samples, 0, False
    for sample in samples:
        while samples[old + 1].time <= sample.time - DAY:
            old += 1
        was_over, over = over, sample.score - samples[old].score >= history.rise
        if over and not was_over:
            yield sample.time


def deviations(history: History) -> Iterator[int]:
    """Page when the score passes the mean of the samples of 14 days by three of their standard deviations."""
    start = history.samples[0]
    window: deque[tuple[int, float]] = deque()
    total = squares = 0.0
    over = False
    for time, score in history.samples:
        while window and window[0][0] < time - WINDOW_DAYS * DAY:
            _, old = window.popleft()
            total, squares = total - old, squares - old * old
        points = score - start.score  # sums of what is near zero keep their digits
        if time - start.time >= _LEAST and window:
            mean = total / len(window)
            deviation = math.sqrt(max(0.0, squares / len(window) - mean * mean))
            was_over, over = over, points > mean + 3 * deviation + _GRAIN
            if over and not was_over:
                yield time
        window.append((time, points))
        total, squares = total + points, squares + points * points
