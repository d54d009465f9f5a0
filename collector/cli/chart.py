"""A score over time, drawn with characters: braille dots, or ASCII where there is nothing better.

Each column of dots shows the highest score of its time: a spike of an hour is seen in a year. Where there was no poll
for long there is a gap. Knows no colours and no terminal.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from collector.history import Sample
from collector.history.card import HIGH, MEDIUM

ROWS = 9
_STEPS = 4
"""Of the scale, between its least and its greatest value: so that every second row has a label."""
_MOST = 100.0
"""The highest score that the API promises."""
_HOUR = 3_600_000
_DAY_HOURS = 24
_TICK_HOURS = (
    1,
    2,
    3,
    6,
    12,
    *(24 * days for days in (1, 2, 3, 5, 7, 10, 14, 20, 30, 50, 70, 100, 200, 300, 500, 1000, 2000)),
)


@dataclass(frozen=True, slots=True)
class Pen:
    """How dots become a character: so many `across` and `down`, its sum of bits by place; and what frames them."""

    across: int
    down: int
    bits: Sequence[Sequence[int]]
    """By dot, from the left and from below."""
    characters: str
    """By the sum of the bits."""
    border: str
    axis: str
    tick: str
    corner: str
    floor: str
    mark: str
    note: str
    cut: str


BRAILLE = Pen(
    across=2,
    down=4,
    bits=((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08)),
    characters=" " + "".join(chr(0x2800 + bits) for bits in range(1, 256)),
    border="╌",
    axis="│",
    tick="┤",
    corner="└",
    floor="─",
    mark="┬",
    note="▲",
    cut="╎",
)
ASCII = Pen(
    across=1,
    down=2,
    bits=((1, 2),),
    characters=" .':",
    border="-",
    axis="|",
    tick="+",
    corner="+",
    floor="-",
    mark="+",
    note="^",
    cut="!",
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chart. `value`: the score at its middle, None for the lines below it that tell the time."""

    label: str
    frame: str
    cells: str
    value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What is drawn: `samples` in the order of time, from `since` to `until` (ms), one of them at least.

    `reach`: the time (ms) over which a score is taken to have stood as it was. `notes`: times (ms) that have a mark
    below; `cuts`: those that have a line through the chart as well.
    """

    samples: Sequence[Sample]
    since: int
    until: int
    reach: int
    notes: Sequence[int] = ()
    cuts: Sequence[int] = ()

    def __post_init__(self) -> None:
        if not self.samples or not self.since <= self.samples[0].time <= self.samples[-1].time <= self.until:
            raise ValueError("a chart has samples, none of them outside its time")

    def lines(self, columns: int, pen: Pen) -> Sequence[Line]:
        """Return `ROWS` lines, an axis and its labels, all together `columns` wide at the most."""
        least, step = _scale([sample.score for sample in self.samples])
        labels = {2 * n: f"{least + n * step:g}" for n in range(_STEPS + 1)}
        borders = set()
        for border in (MEDIUM, HIGH):
            row = _dot(border, least, step, ROWS * pen.down) // pen.down
            # The labels of both ends stay.
            if 0 < row < ROWS - 1:
                borders.add(row)
                labels[row] = f"{border:g}"
        margin = max(map(len, labels.values()))
        width = columns - margin - 2
        grid = self._grid(width, pen, least, step)
        cuts = {self._column(time, width) for time in self.cuts}
        lines = []
        for row in reversed(range(ROWS)):
            empty = pen.border if row in borders else " "
            cells = "".join(
                pen.characters[bits] if bits else pen.cut if column in cuts else empty
                for column, bits in enumerate(grid[row])
            )
            frame = pen.tick if row in labels else pen.axis
            middle = least + _STEPS * step * (row + 0.5) / ROWS
            lines.append(Line(labels.get(row, "").rjust(margin), frame, cells, middle))
        marks, dates = self._times(width)
        noted = cuts | {self._column(time, width) for time in self.notes}
        floor = "".join(
            pen.note if column in noted else pen.mark if column in marks else pen.floor for column in range(width)
        )
        return [*lines, Line(" " * margin, pen.corner, floor), Line(" " * margin, " ", dates)]

    def _grid(self, width: int, pen: Pen, least: float, step: float) -> list[list[int]]:
        """Return the bits of each cell, by row from below and by column."""
        grid = [[0] * width for _ in range(ROWS)]
        for column, low, high in self._strokes(width * pen.across, pen, least, step):
            cell, dot = divmod(column, pen.across)
            for height in range(low, high + 1):
                grid[height // pen.down][cell] |= pen.bits[dot][height % pen.down]
        return grid

    def _strokes(self, dots: int, pen: Pen, least: float, step: float) -> Iterator[tuple[int, int, int]]:
        """Yield column, lowest and highest dot of each column that has some. A score holds until the next one."""
        before: tuple[int, int, Sample] | None = None
        for column, group in itertools.groupby(self.samples, lambda sample: self._column(sample.time, dots)):
            samples = list(group)
            height = _dot(max(sample.score for sample in samples), least, step, ROWS * pen.down)
            if before is not None and samples[0].time - before[2].time <= self.reach:
                last_column, stood, last = before
                for between in range(last_column + 1, column):
                    stood = _dot(last.score, least, step, ROWS * pen.down)
                    yield between, stood, stood
                # The higher column has the line between the two: a spike is as thin as it was short.
                if stood < height:
                    yield column, stood + 1, height
                elif stood > height:
                    yield column - 1, height + 1, stood
            yield column, height, height
            before = column, height, samples[-1]

    def _column(self, time: int, columns: int) -> int:
        return min(columns - 1, (time - self.since) * columns // max(1, self.until - self.since))

    def _times(self, width: int) -> tuple[set[int], str]:
        """Return the columns that have a mark, and the line of their dates and times (UTC)."""
        span = self.until - self.since
        hours = next(
            (hours for hours in _TICK_HOURS if hours * _HOUR * width >= (_size(hours) + 3) * span), _TICK_HOURS[-1]
        )
        size, every = _size(hours), hours * _HOUR
        marks = set()
        dates = [" "] * width
        for time in range(-(-self.since // every) * every, self.until + 1, every):
            column = self._column(time, width)
            start = column - size // 2
            if start >= 0 and start + size <= width:
                marks.add(column)
                dates[start : start + size] = _written(time, hours)
        return marks, "".join(dates).rstrip()


def _scale(scores: Sequence[float]) -> tuple[float, float]:
    """Return the least value of the scale, a whole multiple of its step, and the step, so that all scores are in it."""
    low, high = min(scores), max(scores)
    steps = (digit * 10.0**power for power in itertools.count() for digit in (1.0, 2.0, 2.5, 5.0))
    return next(
        (least, step)
        for step in steps
        for least in _starts(low, high, step)
        if least <= low and high <= least + _STEPS * step
    )


def _starts(low: float, high: float, step: float) -> Iterator[float]:
    """Yield where a scale might begin."""
    # In the middle where that is possible, with no room for scores that there can't be.
    middle = round((low + high) / 2 / step) - _STEPS // 2
    yield min(max(middle, 0), _MOST // step - _STEPS) * step
    below = math.floor(low / step)
    # A quotient next to nothing becomes 0, which is not below a score that is less.
    yield (below if below * step <= low else below - 1) * step


def _dot(score: float, least: float, step: float, dots: int) -> int:
    return round((score - least) / (_STEPS * step) * (dots - 1))


def _written(time: int, hours: int) -> str:
    """Return a date, or a day's time where marks are `hours` of less than a day apart."""
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%m-%d %H:%M" if hours < _DAY_HOURS else "%Y-%m-%d")


def _size(hours: int) -> int:
    return len(_written(0, hours))
