"""Figures as people read them, the same in a terminal and on a page. Is not what they mean (`card.py`)."""

from collector.history.card import level
from collector.point import rfc3339

ACROSS = "*"
"""The sign of a change that reaches across a break."""
ACROSS_SAID = "reaches across a break: not comparable"


def said(score: float) -> str:
    """Return a score with one decimal, never one that belongs to another level: 29.96 is low, and no 30.0."""
    rounded = round(score, 1)
    return f"{score - 0.05 if level(rounded) != level(score) else score:.1f}"


def moved(change: float | None, unknown: str = "-") -> str:
    """Return a change with its sign, `unknown` where it is not known."""
    if change is None:
        return unknown
    return f"{change:+.1f}" if round(change, 1) else "0.0"


def minute(time: int) -> str:
    """Return a time (ms) to the minute, in UTC."""
    return rfc3339(time - time % 60_000)[:16].replace("T", " ")


def date(time: int) -> str:
    """Return the day (UTC) of a time (ms)."""
    return rfc3339(time)[:10]
