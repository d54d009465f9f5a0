"""A history as SVG: the line with the levels behind it, what was usual, spikes and notes; and a small one of a group.

Sizes are shares of whatever room the page gives, texts keep theirs, and nothing is styled here: the style sheet knows
the classes. Every figure stands in a table of the page, too, so a chart is one picture to who can't see it.
"""

from collections.abc import Iterator, Sequence

from collector.history import Note, Sample
from collector.history.card import DAY, HIGH, MEDIUM
from collector.history.drawing import Stroke
from collector.history.rises import Spike
from collector.history.view import View
from collector.history.words import date, minute, moved, said
from collector.web.markup import Markup, joined, tag, tip
from collector.web.scale import Scale, Span, close, scale

_SIDE = 10_000
"""Of the square in which lines are drawn, in whole numbers, before it is stretched."""
_LABELS = 6
"""Spikes, and breaks, that are named on the chart."""
_TITLE = 28
_RIGHT = 0.8
"""From where on a label stands to the left of its mark."""
_BANDS = (("low", -1e9, MEDIUM), ("medium", MEDIUM, HIGH), ("high", HIGH, 1e9))


def chart(view: View, label: str) -> Markup:
    """Return the picture of a history; `label` says what is in it."""
    span = Span(view.since, view.until)
    known = [score for _, score in view.usual if score is not None]
    scores = scale([*(s.low for s in view.strokes), *(s.high for s in view.strokes), *known])
    breaks = [note for note in view.card.notes if note.kind == "break"]
    lines = joined(
        tag("path", d=_spread(view.strokes, span, scores), class_="spread"),
        tag("path", d=_usual(view.usual, span, scores), class_="usual"),
        tag("path", d=_line(view.strokes, span, scores), class_="line"),
    )
    return tag(
        "svg",
        joined(*_bands(scores)),
        joined(*(_stood(spike, span) for spike in view.own)),
        joined(*_axes(span, scores)),
        tag("svg", lines, viewBox=f"0 0 {_SIDE} {_SIDE}", preserveAspectRatio="none", width="100%", height="100%"),
        joined(*_now(view, span, scores)),
        joined(*(_rise(spike, span, scores) for spike in view.own[:_LABELS])),
        joined(*(_noted(note, span) for note in view.card.notes)),
        joined(*(_named(note, span, place) for place, note in enumerate(breaks[-_LABELS:]))),
        joined(*_tips(view, span)),
        class_="chart",
        role="img",
        aria_label=label,
    )


def small(samples: Sequence[Sample], since: int, until: int) -> Markup:
    """Return the picture of a trend beside its figures."""
    span = Span(since, until)
    scores = close(sample.score for sample in samples)
    corners = [(_across(span, one.time), _down(scores, one.score)) for one in samples]
    path = "".join(f"{'L' if place else 'M'}{x} {y}" for place, (x, y) in enumerate(corners))
    drawn = tag("svg", tag("path", d=path), viewBox=f"0 0 {_SIDE} {_SIDE}", preserveAspectRatio="none")
    end = joined(*(tag("circle", cx=_percent(x / _SIDE), cy=_percent(y / _SIDE), r="2.5") for x, y in corners[-1:]))
    return tag("svg", drawn, end, class_="small", aria_hidden="true")


def gauge(score: float) -> Markup:
    """Return the levels side by side, with a mark where the score is."""
    bands = (
        tag("rect", x=f"{from_}%", width=f"{to - from_}%", height="100%", class_=f"band {level}")
        for level, from_, to in (("low", 0, int(MEDIUM)), ("medium", int(MEDIUM), int(HIGH)), ("high", int(HIGH), 100))
    )
    place = _percent(min(max(score / 100, 0.0), 1.0))
    return tag("svg", *bands, tag("circle", cx=place, cy="50%", r="7"), class_="gauge", aria_hidden="true")


def _bands(scores: Scale) -> Iterator[Markup]:
    for level, low, high in _BANDS:
        top, end = scores.height(high), scores.height(low)
        if end > top:
            yield tag("rect", y=_percent(top), width="100%", height=_percent(end - top), class_=f"band {level}")
            if end - top > 0.08:  # noqa: PLR2004 - less has no room for a word
                yield tag("text", level, dx="8", y=_percent(top), dy="1.4em", class_=f"level {level}")


def _axes(span: Span, scores: Scale) -> Iterator[Markup]:
    for score in scores.lines():
        y = _percent(scores.height(score))
        yield tag("line", x2="100%", y1=y, y2=y, class_="grid")
        yield tag("text", f"{score:g}", x="-8", y=y, dy="0.32em", class_="score")
    for place, (time, words) in enumerate(span.ticks()):
        x = span.place(time)
        yield tag("line", x1=_percent(x), x2=_percent(x), y1="100%", y2="100%", class_="tick")
        class_ = f"time{' between' if place % 2 else ''}{_edge(x)}"
        yield tag("text", words, x=_percent(x), y="100%", dy="1.5em", class_=class_)


def _edge(x: float) -> str:
    return " begin" if x < 0.03 else " end" if x > 0.97 else ""  # noqa: PLR2004 - there half a date has no room


def _line(strokes: Sequence[Stroke], span: Span, scores: Scale) -> str:
    """Return the line at the highest score of each column; a stroke that follows on another is joined to it."""
    path, end = [], None
    for stroke in strokes:
        x, to, y = _across(span, stroke.begin), _across(span, stroke.end), _down(scores, stroke.high)
        path.append(f"V{y}H{to}" if stroke.begin == end else f"M{x} {y}H{to}")
        end = stroke.end
    return "".join(path)


def _spread(strokes: Sequence[Stroke], span: Span, scores: Scale) -> str:
    """Return what lies between the lowest and the highest score of each column."""
    path = []
    for stroke in strokes:
        if stroke.low < stroke.high:
            x, to = _across(span, stroke.begin), _across(span, stroke.end)
            path.append(f"M{x} {_down(scores, stroke.high)}H{max(to, x + 8)}V{_down(scores, stroke.low)}H{x}Z")
    return "".join(path)


def _usual(usual: Sequence[tuple[int, float | None]], span: Span, scores: Scale) -> str:
    """Return what was usual up to each moment, from the moment before it."""
    path, begin, drawn = [], span.since, False
    for moment, score in usual:
        if score is not None:
            y = _down(scores, score)
            path.append((f"V{y}" if drawn else f"M{_across(span, begin)} {y}") + f"H{_across(span, moment)}")
        begin, drawn = moment, score is not None
    return "".join(path)


def _stood(spike: Spike, span: Span) -> Markup:
    begin, end = span.place(spike.begin), span.place(span.until if spike.end is None else spike.end)
    return tag("rect", x=_percent(begin), width=_percent(max(end - begin, 0.002)), height="100%", class_="spike")


def _rise(spike: Spike, span: Span, scores: Scale) -> Markup:
    x = span.place(spike.begin)
    return tag(
        "text",
        moved(spike.rise),
        x=_percent(x),
        dx="-6",
        y=_percent(scores.height(spike.peak)),
        dy="0.3em",
        class_=f"rise{' begin' if x < 1 - _RIGHT else ''}",
    )


def _noted(note: Note, span: Span) -> Markup:
    x = _percent(span.place(note.at))
    if note.kind == "break":
        return tag("line", x1=x, x2=x, y2="100%", class_="break")
    return tag("circle", cx=x, cy="100%", r="4.5", class_="note")


def _named(note: Note, span: Span, place: int) -> Markup:
    x = span.place(note.at)
    words = tip(note.title)
    words = words if len(words) <= _TITLE else f"{words[: _TITLE - 1].rstrip()}…"
    return tag(
        "text",
        words,
        x=_percent(x),
        dx=-7 if x > 1 - _RIGHT else 7,
        dy=f"{1.3 + 1.3 * (place % 3):.1f}em",
        class_=f"named{' end' if x > 1 - _RIGHT else ''}",
    )


def _now(view: View, span: Span, scores: Scale) -> Iterator[Markup]:
    if view.strokes and view.standing and view.standing.at >= view.since:
        x, y = span.place(view.strokes[-1].end), scores.height(view.standing.score)
        yield tag("circle", cx=_percent(x), cy=_percent(y), r="4.5", class_="now")


def _tips(view: View, span: Span) -> Iterator[Markup]:
    """Yield for each row of the table what a pointer over it is told."""
    for row in view.rows:
        begin, end = span.place(row.begin), span.place(row.end)
        when = date(row.begin) if row.end - row.begin <= DAY else f"{date(row.begin)} to {date(row.end - 1)}"
        scores = said(row.high) if row.low == row.high else f"{said(row.low)} to {said(row.high)}"
        usual = "" if row.usual is None else f", usual {said(row.usual)}"
        notes = [note for note in view.card.notes if row.begin <= note.at < row.end]
        told = "".join(f"\n{note.kind} {minute(note.at)}: {tip(note.title)}" for note in notes[:3])
        title = tag("title", f"{when}: {scores}{usual}{told}")
        yield tag("rect", title, x=_percent(begin), width=_percent(end - begin), height="100%", class_="day")


def _across(span: Span, time: int) -> int:
    return round(span.place(time) * _SIDE)


def _down(scores: Scale, score: float) -> int:
    return round(scores.height(score) * _SIDE)


def _percent(share: float) -> str:
    return f"{100 * share:.2f}%"
