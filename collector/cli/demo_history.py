"""The past of the demo's tenant: put into the journal as the service would have, and shown. Is not made up here."""

from collections.abc import Iterator

from rich.console import Console

from collector.cli.chart import ASCII, BRAILLE, Chart
from collector.cli.terminal import draws, fitted
from collector.defender import scores
from collector.defender.groups import Groups
from collector.history import Group, Note, read
from collector.history.words import said
from collector.journal import Journal
from collector.point import Point
from collector.simulator import World

DAYS = 90

_HOUR = 3_600_000
_DAY = 24 * _HOUR
_COLUMNS = 78
_WHOLE = "the organization"
_ROUND_DAYS = 2
"""After them the first updates of the simulated organization take effect."""
_NAME = 24
"""Columns of a group's name in a sentence."""


def fill(journal: Journal, world: World, tenant: str, now: int) -> int:
    """Return how many points the hourly polls of the last days have brought, and notes, once they are safe.

    `now` is in ms.
    """
    # One memory for all polls, as the service has it: a row without an id gets the last one seen for its name.
    groups = Groups(tenant, dict)
    end = now // _HOUR * _HOUR
    count = 0
    for start in range(end - DAYS * _DAY, end, _DAY):
        points = [point for slot in range(start, start + _DAY, _HOUR) for point in _poll(world, tenant, slot, groups)]
        journal.append(points)
        count += len(points)
    notes = [note.point() for note in _notes(world, tenant)]
    journal.append(notes)
    return count + len(notes)


def _notes(world: World, tenant: str) -> Iterator[Note]:
    """Yield what a person would have noted: when the great spike's updates began, and the break of the new model."""
    for event in world.events(tenant):
        if event.kind == "model change":
            text = "Microsoft counts in a new way: " + event.text
            yield Note(id="demo-break", at=event.at, kind="break", tenant=tenant, title="New scoring model", text=text)
        elif event.kind == "spike" and event.text.startswith(_WHOLE):
            at = event.at + _ROUND_DAYS * _DAY
            yield Note(id="demo-note", at=at, kind="note", tenant=tenant, title="Updates are rolled out in rounds")


def _poll(world: World, tenant: str, slot: int, groups: Groups) -> Iterator[Point]:
    """Yield the points that a poll would have brought at a past slot."""
    faults: list[str] = []
    for points in (
        *scores.organization(tenant, slot, world.organization(tenant, slot), slot * 1_000_000, faults.append),
        *scores.device_groups(slot, world.groups(tenant, slot), groups, faults.append),
    ):
        yield from points


def show(console: Console, journal: Journal, world: World, tenant: str, now: int) -> None:
    """Print the organization's score over the days, and what is to be seen in it."""
    (card,) = read(journal, [tenant], now=now, late_ms=_DAY, days=DAYS, drawn=True)
    chart = Chart(
        samples=card.samples,
        since=now - DAYS * _DAY,
        until=now,
        reach=3 * _HOUR,
        notes=[note.at for note in card.notes],
        cuts=[note.at for note in card.notes if note.kind == "break"],
    )
    pen = BRAILLE if draws(console) else ASCII
    for line in chart.lines(min(console.width, _COLUMNS) - 2, pen):
        _print(console, f"  {line.label}{line.frame}{line.cells}".rstrip())
    _print(console, "\nWhat is to be seen in it, and in its groups:")
    for event in world.events(tenant):
        _print(console, f"  {event.day:%m-%d}  {event.kind:12}  {event.text}")


def standing(journal: Journal, tenant: str, now: int) -> str:
    """Return where the groups stand, from the best to the worst, as any reader of the journal finds them."""
    (card,) = read(journal, [tenant], now=now, late_ms=_DAY, days=DAYS)
    worst, *_, best = card.groups
    return f"{len(card.groups)} groups: {_stands(best)} to {_stands(worst)}."


def _stands(group: Group) -> str:
    return f"{said(group.standing.score)} {group.standing.level} ({fitted(group.name, _NAME)})"


def _print(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True)
