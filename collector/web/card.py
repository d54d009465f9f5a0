"""The score card as a page: where a tenant or one of its groups stands, how it moved, and what explains it.

Says the facts of `history/`, the same as `trend`, and knows nothing that they don't. Is not how a chart is drawn
(`chart.py`), and runs nothing in a browser: ranges and groups are links.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from collector.history import Group, Standing
from collector.history.card import DAY, HIGH, MEDIUM
from collector.history.drawing import Row
from collector.history.rises import Spike
from collector.history.view import SHOWN, Ranking, View
from collector.history.words import date, minute, said
from collector.web.chart import chart, gauge, small
from collector.web.events import events
from collector.web.frame import home, page
from collector.web.links import RANGES, Asked
from collector.web.markup import Markup, joined, name, tag, tip
from collector.web.moves import SPANS, UNKNOWN, foot, move
from collector.web.polling import late, polled

_BANDS = {"low": f"under {MEDIUM:.0f}", "medium": f"{MEDIUM:.0f} to {HIGH:.0f}", "high": f"{HIGH:.0f} and over"}


def card(view: View, asked: Asked, *, several: bool, former: bool) -> str:
    """Return the page of a tenant, or of one of its groups. `former`: it is no longer in the settings."""
    tenant, group, standing = view.card.tenant, view.group, view.standing
    what = group.name if group else tenant
    crumbs = [home()] if several or group else []
    if group:
        crumbs.append(tag("a", name(tenant), href=asked.of(tenant)))
    crumbs = [*crumbs, tag("span", name(what), aria_current="page")] if crumbs else [tag("span", "Exposure score")]
    main = joined(
        tag("h1", name(what, 120), tag("small", f"id {tip(group.id)}") if group else ""),
        late(view, former=former),
        _now(standing) if standing else "",
        _trend(view, asked) if standing else "",
        _groups(view, asked) if view.shown else "",
        events(view, asked),
    )
    title = f"{said(standing.score)} {standing.level} - {what}" if standing else what
    below = foot(view.until, [standing, *(group.standing for group in view.shown)])
    return page(title, crumbs, polled(view), main, standing.level if standing else "", below)


def ranking(found: Ranking, asked: Asked) -> str:
    """Return the page of several tenants."""
    first = found.first
    rows = (
        _row(
            tag("a", name(card.tenant), href=asked.of(card.tenant)),
            card.standing,
            small(card.samples, found.since, found.until),
            tag("span", "late", class_="flag") if card.late else "",
            minute(card.standing.at) if card.standing else "never polled",
        )
        for card in found.shown
    )
    ranges = [each for each in RANGES if each != "all"]
    main = joined(
        tag("h1", "Tenants"),
        tag(
            "section",
            tag("div", tag("h2", "The most exposed first"), _ranges(asked, ranges), class_="head"),
            _table("tenant", rows, f"{(found.until - found.since) // DAY} days", when=True),
            _pages(asked, first, len(found.cards)),
            class_="panel",
        ),
    )
    worst = next((card.standing for card in found.cards if card.standing), None)
    current = tag("span", "Exposure score", aria_current="page")
    return page(
        "Exposure score",
        [current],
        Markup(""),
        main,
        worst.level if worst else "",
        foot(found.until, (card.standing for card in found.shown)),
    )


def _now(standing: Standing) -> Markup:
    level = standing.level
    score = tag(
        "p",
        tag("strong", said(standing.score), class_="figure"),
        " ",
        tag("span", level, class_=f"chip {level}"),
        " ",
        tag("span", _BANDS[level], class_="band"),
    )
    moves = joined(*(tag("div", tag("dt", words), tag("dd", move(standing, days))) for days, words in SPANS.items()))
    return tag(
        "section",
        tag("h2", "Now", class_="unseen"),
        tag("div", score, gauge(standing.score), class_="score"),
        tag("dl", moves, class_="moves"),
        class_="panel now",
    )


def _trend(view: View, asked: Asked) -> Markup:
    length = "All that is known" if asked.days is None else f"The last {RANGES[asked.range]}"
    head = joined(tag("h2", length), _ranges(asked, list(RANGES)))
    if not view.strokes:
        empty = tag("p", "There is no score in this time; a longer range goes back further.")
        return tag("section", tag("div", head, class_="head"), empty, class_="panel")
    lows, highs = min(row.low for row in view.rows), max(row.high for row in view.rows)
    label = (
        f"Line chart of the exposure score from {date(view.since)} to {date(view.until)}: between {said(lows)} and"
        f" {said(highs)}, spikes: {len(view.own)}. The table below has its figures."
    )
    marks = (
        ("line", "score, the highest of each moment"),
        ("usual", "what is usual"),
        ("spike", "spike"),
        ("break", "break: not comparable with before"),
        ("note", "note"),
    )
    shown = {"line", "usual", *(["spike"] if view.own else []), *(note.kind for note in view.card.notes)}
    key = (tag("li", tag("i", class_=f"key {mark}"), words) for mark, words in marks if mark in shown)
    return tag(
        "section",
        tag("div", head, class_="head"),
        tag("figure", chart(view, label), tag("figcaption", tag("ul", *key))),
        _days(view.rows),
        class_="panel trend",
    )


def _ranges(asked: Asked, names: Sequence[str]) -> Markup:
    links = (
        tag(
            "a",
            RANGES[each],
            href=asked.ranged(each).address(),
            aria_current="true" if each == asked.range else None,
        )
        for each in names
    )
    return tag("nav", *links, class_="ranges", aria_label="Range")


def _days(rows: Sequence[Row]) -> Markup:
    """Return the table behind the chart, the newest day first."""
    whole = all(row.end - row.begin == DAY for row in rows)
    lines = (
        tag(
            "tr",
            tag("th", date(row.begin) if whole else f"{date(row.begin)} to {date(row.end - 1)}", scope="row"),
            *(
                tag("td", UNKNOWN if score is None else said(score))
                for score in (row.low, row.high, row.last, row.usual)
            ),
        )
        for row in reversed(rows)
    )
    heads = (tag("th", words, scope="col") for words in ("day" if whole else "days", "low", "high", "last", "usual"))
    return tag(
        "details",
        tag("summary", "The figures as a table"),
        tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *lines), class_="days"),
    )


def _groups(view: View, asked: Asked) -> Markup:
    alike = Counter(group.name for group in view.card.groups)
    open_ = [spike for spike in view.spikes if spike.end is None]
    rows = (
        _row(
            _group_link(view.card.tenant, group, asked, alone=alike[group.name] == 1),
            group.standing,
            small(group.samples, view.since, view.until),
            tag("span", "spike", class_="flag") if any(_of(spike, group) for spike in open_) else "",
        )
        for group in view.shown
    )
    count = len(view.card.groups)
    unseen, since = view.card.unseen, view.card.unseen_since
    more = "1 more group was" if unseen == 1 else f"{unseen:,} more groups were"
    return tag(
        "section",
        tag("h2", "Device groups ", tag("small", f"{count:,}, the most exposed first")),
        _table("device group", rows, "trend"),
        _pages(asked, view.first, count),
        tag("p", f"{more} not seen since {minute(since)}.", class_="quiet") if unseen and since is not None else "",
        class_="panel groups",
    )


def _group_link(tenant: str, group: Group, asked: Asked, *, alone: bool) -> Markup:
    address = asked.of(tenant, group, alone=alone)
    shown = joined(name(group.name), "" if alone else tag("small", f" id {tip(group.id)}"))
    return tag("a", shown, href=address) if address else shown


def _of(spike: Spike, group: Group) -> bool:
    return spike.group == group.name and spike.id == group.id


def _table(what: str, rows: Iterator[Markup], trend: str, *, when: bool = False) -> Markup:
    heads = (what, "level", "score", trend, *SPANS.values(), *(["last score"] if when else []))
    head = tag("tr", *(tag("th", words, scope="col") for words in heads))
    return tag("table", tag("thead", head), tag("tbody", *rows), class_="ranked")


def _row(named: Markup, standing: Standing | None, trend: Markup, flag: str = "", when: str | None = None) -> Markup:
    level = standing.level if standing else ""
    return tag(
        "tr",
        tag("th", named, " ", flag, scope="row"),
        tag("td", tag("span", level, class_=f"chip {level}") if level else UNKNOWN, class_="level"),
        tag("td", said(standing.score) if standing else UNKNOWN, class_="score"),
        tag("td", trend, class_="trend"),
        *(tag("td", move(standing, days), class_="move", data_of=words) for days, words in SPANS.items()),
        tag("td", when, class_="when") if when is not None else "",
    )


def _pages(asked: Asked, first: int, count: int) -> Markup:
    if count <= SHOWN:
        return Markup("")
    last = min(first + SHOWN, count)
    links = joined(
        tag("a", "Previous", href=asked.from_place(first - SHOWN).address(), rel="prev") if first else "",
        tag("span", f"{first + 1:,} to {last:,} of {count:,}"),
        tag("a", "Next", href=asked.from_place(last).address(), rel="next") if last < count else "",
    )
    return tag("nav", links, class_="pages", aria_label="Pages")
