"""How far a score has moved, and what its signs mean: the words and colours of the card. Is not the figures."""

from collections.abc import Iterable

from collector.history import Standing
from collector.history.words import ACROSS, ACROSS_SAID, minute, moved
from collector.web.markup import Markup, tag

SPANS = {1: "1 day", 7: "7 days", 30: "30 days"}
UNKNOWN = "\N{EN DASH}"


def move(standing: Standing | None, days: int) -> Markup:
    """Return a change; its colour says again what its sign says, and nothing across a break."""
    change = dict(standing.changes)[days] if standing else None
    if standing is None or change is None:
        return tag("span", UNKNOWN, title="not known", class_="same")
    words = moved(change)
    shown = words.replace("-", "\N{MINUS SIGN}")
    if days in standing.across:
        heard = tag("span", ", across a break", class_="unseen")
        return tag("span", shown, tag("span", ACROSS, aria_hidden="true"), heard, title=ACROSS_SAID, class_="same")
    way = "same" if words == "0.0" else "worse" if change > 0 else "better"
    return tag("span", shown, class_=way)


def foot(until: int, standings: Iterable[Standing | None]) -> str:
    """Return what holds for every figure of a page of that time (ms)."""
    across = f" {ACROSS} {ACROSS_SAID}." if any(one.across for one in standings if one) else ""
    return (
        f"As of {minute(until)}; this page renews itself every five minutes. Lower is better, + is worse."
        f" {UNKNOWN} is not known.{across} Times are UTC."
    )
