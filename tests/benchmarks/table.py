"""The tables that are printed: a row a thing that was measured. Is not a judge: a goal stands beside its figure."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line. `figure` begins with its number: a ratio of `measured` to `against`, or what the goal speaks of."""

    what: str
    measured: str
    against: str = "-"
    figure: str
    goal: str = "-"


_HEAD = ("what", "measured", "held against", "ratio or figure", "goal")


def rendered(rows: Sequence[Row]) -> str:
    """Return the rows as a table."""
    return lined(_HEAD, [astuple(row) for row in rows])


def lined(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return the lines under their head as a table in Markdown, its columns in line."""
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    first, *body = ("| " + " | ".join(map(str.ljust, line, widths)) + " |\n" for line in (head, *lines))
    return "".join([first, "|" + "|".join("-" * (width + 2) for width in widths) + "|\n", *body])
