"""What every page of the card has about it: head, style, header and footer; and the pages that say what is wrong.

Knows no facts. The style stands in the page itself, named by its hash: a page is one answer, and nothing else may run.
"""

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from urllib.parse import quote

from collector.web.markup import Markup, joined, one_line, tag, tip

STYLE = Markup(files("collector.web").joinpath("card.css").read_text(encoding="utf-8"))
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; img-src data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
"""The style of the page by its hash, and the picture of its tab, which stands in it, too: nothing else is let in."""
REFRESH_SECONDS = 300
"""After so long a page is asked for again: a screen on the wall stays fresh."""

_COLOURS = {"low": "#1a7f45", "medium": "#c77f00", "high": "#c9302c", "": "#5b6570"}


def page(title: str, crumbs: Sequence[Markup], aside: Markup, main: Markup, level: str = "", foot: str = "") -> str:
    """Return a whole page. `crumbs`: the way back; `level`: that of the score that it is about."""
    head = joined(
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", tip(title)),
        tag("link", rel="icon", href=f"data:image/svg+xml,{quote(_icon(level))}"),
        tag("style", STYLE),
    )
    way = joined(*(tag("li", crumb) for crumb in crumbs))
    body = joined(
        tag("a", "Skip to the score", href="#main", class_="skip"),
        tag("header", tag("nav", tag("ol", way), aria_label="Where you are"), aside, class_="top"),
        tag("main", main, id="main"),
        tag("footer", tag("p", foot)) if foot else "",
    )
    return f"<!doctype html>{tag('html', tag('head', head), tag('body', body), lang='en')}"


def _icon(level: str) -> Markup:
    return tag(
        "svg",
        tag("circle", cx=8, cy=8, r=7, fill=_COLOURS[level]),
        xmlns="http://www.w3.org/2000/svg",
        viewBox="0 0 16 16",
    )


def home() -> Markup:
    """Return the way to the first page."""
    return tag("a", "Exposure score", href="/")


def trouble(title: str, text: str, mend: str = "") -> str:
    """Return a page that says what is wrong, and has a way back."""
    main = tag(
        "section",
        tag("h1", title),
        tag("p", one_line(text)),
        tag("p", one_line(mend)) if mend else "",
        tag("p", tag("a", "Back to the score card", href="/")),
        class_="trouble",
    )
    return page(title, [home()], Markup(""), main)
