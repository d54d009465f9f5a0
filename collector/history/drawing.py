"""What is left of a history when it is drawn: a line of columns, and a table of days. Pure; knows no page.

A column has the lowest and the highest score of its time: a spike of an hour is seen in a year. A score stands until
the next one; where there was none for too long, there is a hole.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from collector.history.card import DAY

COLUMNS = 600
_MOST_ROWS = 120
_ROW_DAYS = (1, 7, 28, 91, 364)


class Piece(NamedTuple):
    """Something that is known of a time, from `begin` to `end` (ms): a sample, or a whole day."""

    begin: int
    end: int
    low: float
    high: float
    last: float


class Stroke(NamedTuple):
    """A part of a line. It stands at `high` from `begin` to `end` (ms); within, scores went down to `low`."""

    begin: int
    end: int
    low: float
    high: float


class Row(NamedTuple):
    """A line of the table: the days from `begin` to before `end` (ms). `usual`: the baseline at their end."""

    begin: int
    end: int
    low: float
    high: float
    last: float
    usual: float | None


def strokes(pieces: Iterable[Piece], since: int, until: int, gap: int, columns: int) -> Sequence[Stroke]:
    """Return the line, a stroke a column at the most. Holes of less than `gap` (ms) are none."""
    span = max(1, until - since)
    drawn: list[Stroke] = []
    for _, group in groupby(pieces, lambda piece: (piece.begin - since) * columns // span):
        some = list(group)
        stroke = Stroke(some[0].begin, some[-1].end, min(p.low for p in some), max(p.high for p in some))
        if drawn and stroke.begin - drawn[-1].end <= gap:
            before = drawn[-1]._replace(end=stroke.begin)
            if before[2:] == stroke[2:]:  # the same goes on: one stroke tells both
                drawn[-1] = before._replace(end=stroke.end)
                continue
            drawn[-1] = before
        drawn.append(stroke)
    if drawn and until - drawn[-1].end <= gap:
        drawn[-1] = drawn[-1]._replace(end=until)
    return drawn


def rows(pieces: Sequence[Piece], since: int, until: int, usual: Sequence[tuple[int, float | None]]) -> Sequence[Row]:
    """Return the table, oldest first: days, or as many of them in a row as leave it a table that is read."""
    days = max(1, (until - since) // DAY)
    size = DAY * next((size for size in _ROW_DAYS if days <= size * _MOST_ROWS), _ROW_DAYS[-1])
    first = since // DAY * DAY
    found = []
    moments = iter(usual)
    moment = next(moments, None)
    baseline: float | None = None
    for number, group in groupby(pieces, lambda piece: (piece.begin - first) // size):
        some = list(group)
        end = first + (number + 1) * size
        while moment is not None and moment[0] < end:
            baseline, moment = moment[1], next(moments, None)
        low, high = min(p.low for p in some), max(p.high for p in some)
        found.append(Row(end - size, end, low, high, some[-1].last, baseline))
    return found
