"""What score cards look like in a terminal: lines of text, at any width from 40 columns on.

A name is the last thing on its line: however wide a terminal makes it, in whatever direction it is written, it moves no
number. Colour only repeats what a word says. Is not the facts (`history/`), and asks nobody for anything.
"""

import itertools
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from collector.cli.chart import ASCII, BRAILLE, Chart
from collector.cli.noted import newest
from collector.cli.terminal import draws, fitted
from collector.history import Card, Group, Level, Note, Sample, Standing, level
from collector.history.card import DAY, HIGH, MEDIUM, SPANS
from collector.history.words import ACROSS, ACROSS_SAID, minute, moved, said

_STYLES: dict[Level, str] = {"low": "green", "medium": "yellow", "high": "red"}
_BANDS: dict[Level, str] = {
    "low": f"under {MEDIUM:.0f}",
    "medium": f"{MEDIUM:.0f} to under {HIGH:.0f}",
    "high": f"{HIGH:.0f} and over",
}
_SUBJECTS = {"organization": "the organization", "device_groups": "the groups"}
_NAME = 18
"""Columns of a name, under which a row takes two lines."""
_SHORT = ("1d", "7d", "30d")
_LEAST = 40
_CHART = 70
_UNKNOWN = "-"


@dataclass(frozen=True, slots=True)
class Span:
    """What is drawn: from `since` to `until` (ms), and for how long (ms) a score is taken to stand."""

    since: int
    until: int
    reach: int

    def __str__(self) -> str:
        """Its length, as it stands in a sentence."""
        days = (self.until - self.since) // DAY
        return f"{days} days" if days > 1 else "day"


class Page:
    """Prints cards, one after the other. `former`: tenants that are in the journal alone."""

    def __init__(self, console: Console, span: Span, former: Collection[str] = ()) -> None:
        self._console = console
        self._span = span
        self._former = former
        self._width = max(_LEAST, console.width)
        self._drawn = draws(console)
        self._more = "…" if self._drawn else "..."

    def ranking(self, cards: Sequence[Card]) -> None:
        """Print the tenants by score, in the order given."""
        rows = []
        for card in cards:
            name = f"{card.tenant}, late" if card.late else card.tenant
            when = minute(card.standing.at) if card.standing else "never polled"
            rows.append((card.standing, when, name))
        self._table("tenant", rows, when=True)

    def card(self, card: Card) -> None:
        """Print one tenant's card."""
        self._print(Text(self._fit(card.tenant, self._width), style="bold"))
        if card.standing is not None:
            for line in self._headline(card.standing):
                self._print(line)
        for words in self._state(card):
            self._say(words, indent=2)
        if not any(group.samples for group in card.groups):
            if card.standing is not None:
                self._chart("the organization", card.samples, card.notes, [n for n in card.notes if n.group is None])
            self._notes(card.notes)
        if card.groups:
            self._groups(card)
        if card.unseen and card.unseen_since is not None:
            more = "1 more group was" if card.unseen == 1 else f"{card.unseen} more groups were"
            self._say(f"{more} not seen since {minute(card.unseen_since)}.", indent=2)

    def legend(self, cards: Sequence[Card]) -> None:
        """Print what holds for every number above."""
        every = [card.standing for card in cards] + [group.standing for card in cards for group in card.groups]
        unknown = any(change is None for one in every for _, change in _changes(one))
        self._print()
        across = f" {ACROSS} {ACROSS_SAID}." if any(one.across for one in every if one) else ""
        self._say(f"Lower is better, + is worse.{' - is not known.' if unknown else ''}{across} Times are UTC.")

    def say(self, words: str) -> None:
        """Print a sentence, and an empty line before it."""
        self._print()
        self._say(words)

    def gap(self) -> None:
        """Print an empty line."""
        self._print()

    def _headline(self, standing: Standing) -> Iterator[Text]:
        score = Text(f"  {said(standing.score)} {standing.level}", style=f"bold {_STYLES[standing.level]}")
        score.append(f" ({_BANDS[standing.level]})", style="not bold default")
        changes = _moves(standing, ("1 day", "7 days", "30 days"), "   ")
        if score.cell_len + 3 + changes.cell_len <= self._width:
            yield Text.assemble(score, "   ", changes)
            return
        yield score
        fits = 2 + changes.cell_len <= self._width
        yield Text.assemble("  ", changes if fits else _moves(standing, _SHORT, "  "))

    def _state(self, card: Card) -> Iterator[str]:
        if card.polled is None:
            yield "never polled; see `status`"
            return
        if card.standing is None:
            yield "no score of the organization"
        when = f"scored {minute(card.polled if card.standing is None else card.standing.at)} UTC"
        if card.tenant in self._former:
            yield f"{when}; no longer in the settings"
        elif card.late:
            yield f"{when}; late: {' and '.join(_SUBJECTS[each] for each in card.late)}, see `status`"
        else:
            yield when

    def _chart(self, of: str, samples: Sequence[Sample], notes: Sequence[Note], own: Sequence[Note]) -> None:
        """Draw samples. `own`: the notes that speak of them; the breaks among these cut the chart."""
        span = self._span
        self._print()
        if not samples:
            self._say(f"No score in the last {span}: a larger --days goes back further.", indent=2)
            return
        head, how = f"The last {span} of ", ", the highest score of each column"
        wide = self._width >= len(head) + len(how) + _NAME
        name = self._fit(of, self._width - 2 - len(head) - len(how) * wide)
        self._print(Text(f"  {head}{name}{how if wide else ','}"))
        if not wide:
            self._print(Text(f"  {how.removeprefix(', ')}"))
        chart = Chart(
            samples=samples,
            since=span.since,
            until=span.until,
            reach=span.reach,
            notes=[note.at for note in notes],
            cuts=[note.at for note in own if note.kind == "break"],
        )
        pen = BRAILLE if self._drawn else ASCII
        for line in chart.lines(min(self._width - 2, _CHART), pen):
            text = Text(f"  {line.label}{line.frame}")
            style = "dim" if line.value is None else _STYLES[level(line.value)]
            for border, run in itertools.groupby(line.cells.rstrip(), (pen.border + pen.cut).__contains__):
                text.append("".join(run), style="dim" if border else style)
            self._print(text)

    def _groups(self, card: Card) -> None:
        self._print()
        names = _names(card.groups)
        self._table("device group", [(g.standing, "", name) for g, name in zip(card.groups, names, strict=True)])
        drawn = [(name, group.samples) for name, group in zip(names, card.groups, strict=True) if group.samples]
        for name, samples in drawn:
            self._chart(name, samples, card.notes, card.notes)
        if drawn:
            self._notes(card.notes)

    def _notes(self, notes: Sequence[Note]) -> None:
        mark = (BRAILLE if self._drawn else ASCII).note
        for line in newest(notes, self._width, mark, self._more):
            self._print(line)

    def _table(self, what: str, rows: Sequence[tuple[Standing | None, str, str]], *, when: bool = False) -> None:
        head = f"  score  level    1 day  7 days  30 days  {'last score        ' if when else ''}"
        if self._width < len(head) + _NAME:
            self._stacked(rows)
            return
        self._print(Text(f"{head}{what}", style="bold"))
        for standing, at, name in rows:
            line = Text("  ")
            line.append(f"{said(standing.score) if standing else _UNKNOWN:>5}  ")
            rank = standing.level if standing else _UNKNOWN
            line.append(f"{rank:6}", style=_STYLES[standing.level] if standing else "")
            # A sign takes a place of the gap behind its number: numbers stay below each other.
            for (days, change), width in zip(_changes(standing), (8, 7, 8), strict=True):
                across = standing is not None and days in standing.across
                line.append(f"{moved(change):>{width}}", style=_movement(change, across=across))
                line.append(ACROSS if across else " ")
            line.append(f" {at:16}  " if when else " ")
            line.append(self._fit(name, self._width - len(head)))
            self._print(line)

    def _stacked(self, rows: Sequence[tuple[Standing | None, str, str]]) -> None:
        """Two lines a row, and a third for when it was."""
        for standing, at, name in rows:
            line = Text("  ")
            line.append(f"{said(standing.score) if standing else _UNKNOWN:>5} ")
            rank = standing.level if standing else _UNKNOWN
            line.append(f"{rank:6} ", style=_STYLES[standing.level] if standing else "")
            line.append(self._fit(name, self._width - 15))
            self._print(line)
            if standing:
                self._print(Text.assemble(" " * 8, _moves(standing, _SHORT, "  ")))
            if at:
                self._print(Text(f"{' ' * 8}{at}"))

    def _fit(self, name: str, cells: int) -> str:
        return fitted(name, max(4, cells), more=self._more)

    def _say(self, words: str, indent: int = 0) -> None:
        for line in Text(words).wrap(self._console, self._width - indent):
            line.rstrip()
            self._print(Text.assemble(" " * indent, line))

    def _print(self, line: Text | str = "") -> None:
        # Every line has its width already; what a name does to it is the terminal's own business.
        self._console.print(line, no_wrap=True, overflow="ignore", crop=False, soft_wrap=True)


def _moves(standing: Standing, names: Sequence[str], between: str) -> Text:
    """Return the changes on one line, each behind its name."""
    line = Text()
    for name, (days, change) in zip(names, standing.changes, strict=True):
        across = days in standing.across
        line.append(f"{between if line else ''}{name} ")
        line.append(moved(change), style=_movement(change, across=across))
        line.append(ACROSS if across else "")
    return line


def _changes(standing: Standing | None) -> Sequence[tuple[int, float | None]]:
    return standing.changes if standing else [(days, None) for days in SPANS]


def _movement(change: float | None, *, across: bool) -> str:
    # Across a break up is not worse, nor down better.
    moves = 0.0 if across else round(change or 0.0, 1)
    return "red" if moves > 0 else "green" if moves < 0 else ""


def _names(groups: Sequence[Group]) -> Sequence[str]:
    """Return what each group is called, with its id where others are called the same."""
    shared = Counter(group.name for group in groups)
    return [
        f"{group.name}{f' (id {group.id})' if shared[group.name] > 1 else ''}"
        f"{'' if group.seen else f', not seen since {minute(group.standing.at)}'}"
        for group in groups
    ]
