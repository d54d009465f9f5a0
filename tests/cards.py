"""Cards for the tests of what a score card looks like, and what a page prints into a pipe."""

import io
from collections.abc import Callable, Sequence

from collector.cli.scorecard import Page, Span
from collector.cli.terminal import console
from collector.history import Card, Group, Sample, Standing

HOUR = 3_600_000
DAY = 24 * HOUR
NOW = 1_700_000_000_000 // HOUR * HOUR
"""2023-11-14 22:00."""
SPAN = Span(NOW - 30 * DAY, NOW, DAY)


def standing(score: float, *changes: float | None, at: int = NOW) -> Standing:
    """Return a standing with changes over 1, 7 and 30 days."""
    day, week, month = changes or (None, None, None)
    return Standing(score=score, at=at, change_1d=day, change_7d=week, change_30d=month)


def contoso() -> Card:
    """Return a tenant that rose into another level, with a hole of three days."""
    scores = [27.25] * 24 * 12 + [33.5] * 24 * 10 + [31.25] * 24 * 8
    samples = [Sample(SPAN.since + (n + 1) * HOUR, score) for n, score in enumerate(scores)]
    return Card(
        tenant="contoso",
        standing=standing(31.25, 0.0, -2.25, 4.0),
        samples=[one for one in samples if not 15 * DAY <= one.time - SPAN.since < 18 * DAY],
        groups=[
            Group(name="Servers", id="101", standing=standing(72.04, 0.31, 12.5, None)),
            Group(
                name="Clients of the branch office in Frankfurt am Main",
                id="102",
                standing=standing(29.96, -0.04, -1, 2),
            ),
            Group(name="日本支社のクライアント端末", id="103", standing=standing(8.0)),
        ],
        unseen=2,
        unseen_since=NOW - 3 * DAY,
    )


def shown(show: Callable[[Page], None], width: int, encoding: str = "utf-8", former: Sequence[str] = ()) -> str:
    """Return what a page prints into a pipe."""
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding=encoding, errors="replace", write_through=True) as stream:
        show(Page(console(stream, {"COLUMNS": str(width)}), SPAN, former))
        return raw.getvalue().decode(encoding)


def whole(page: Page) -> None:
    """Show contoso's card and the legend."""
    page.card(contoso())
    page.legend([contoso()])
