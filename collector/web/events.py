"""What happened: spikes, and what people noted, the newest first. The words of the card."""

from collections.abc import Iterator

from collector.history import Note
from collector.history.rises import EVERYBODY, Spike
from collector.history.view import View
from collector.history.words import minute, moved, said
from collector.point import NO_ID
from collector.web.links import Asked
from collector.web.markup import Markup, joined, name, one_line, tag

_SHOWN = 30
_TEXT = 400
"""Characters of a note's text."""
_HOUR = 3_600_000
_TWO_DAYS = 48


def events(view: View, asked: Asked) -> Markup:
    """Return the spikes and notes of the time that is shown; nothing where there are none."""
    told: list[tuple[int, Spike | Note]] = [
        *((spike.begin, spike) for spike in (view.own if view.group else view.spikes)),
        *((note.at, note) for note in view.card.notes),
    ]
    told.sort(key=lambda each: -each[0])
    if not told:
        return Markup("")
    more = len(told) - _SHOWN
    return tag(
        "section",
        tag("h2", "What happened"),
        tag("ol", *(_line(at, one, view, asked) for at, one in told[:_SHOWN])),
        tag("p", f"{more:,} more: see `spikes` and `annotate --list`.", class_="quiet") if more > 0 else "",
        class_="panel events",
    )


def _line(at: int, one: Spike | Note, view: View, asked: Asked) -> Markup:
    words = _note(one) if isinstance(one, Note) else _spike(one, view, asked)
    return tag("li", tag("time", minute(at), datetime=minute(at)), words)


def _spike(spike: Spike, view: View, asked: Asked) -> Markup:
    whom: Markup = joined("the organization")
    if spike.group != EVERYBODY:
        of = next((one for one in view.card.groups if one.id == spike.id != NO_ID or one.name == spike.group), None)
        address = asked.of(view.card.tenant, of) if of and not view.group else None
        whom = tag("a", name(spike.group), href=address) if address else name(spike.group)
    lasted = "still open" if spike.end is None else f"over after {_long(spike.end - spike.begin)}"
    return tag(
        "div",
        tag("span", "spike", class_="kind spike"),
        tag("strong", whom, f" {moved(spike.rise)}"),
        f", from the usual {said(spike.baseline)} to {said(spike.peak)}; {lasted}",
    )


def _note(note: Note) -> Markup:
    return tag("div", *_parts(note))


def _parts(note: Note) -> Iterator[Markup]:
    yield tag("span", name(note.kind, 12), class_=f"kind {'break' if note.kind == 'break' else 'note'}")
    yield tag("strong", name(note.title, 120))
    if note.group is not None:
        yield joined(" (", name(note.group), ")")
    if note.text.strip():
        text = one_line(note.text)
        yield tag("p", tag("bdi", text if len(text) <= _TEXT else f"{text[: _TEXT - 1]}…"))


def _long(span: int) -> str:
    hours = max(1, round(span / _HOUR))
    return f"{hours} h" if hours < _TWO_DAYS else f"{round(hours / 24)} days"
