"""`trend`: the score card in the terminal. Needs no network, no secret and no right to write."""

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.choosing import one_group, some_tenants
from collector.cli.options import ConfigFile, Json, read_settings
from collector.errors import JournalError

if TYPE_CHECKING:
    from collector.cli.scorecard import Span
    from collector.history import Card, Note, Standing

_DAY = 86_400_000
_MOST_DAYS = 3650
_LATE_INTERVALS = 3
_CARDS = 3
"""That follow a ranking: the worst."""


def add(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(trend)


def trend(
    *,
    config: ConfigFile = None,
    tenant: Annotated[
        str | None, typer.Option("--tenant", "-t", help="This tenant alone, by its name; a former one too.")
    ] = None,
    group: Annotated[
        str | None,
        typer.Option("--group", "-g", help="This device group alone: its name, a beginning of it, or its id."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=_MOST_DAYS, help="Days that the chart shows.")] = 30,
    as_json: Json = False,
) -> None:
    """Show the scores, how they moved, and the device groups.

    The most exposed come first.
    """
    from collector.history import rank, read
    from collector.journal import Journal

    settings = read_settings(config)
    now = int(time.time() * 1000)
    late_ms = _LATE_INTERVALS * settings.poll.interval_seconds * 1000
    with Journal(settings.journal.path, readonly=True) as journal:
        tenants = some_tenants(settings, journal, [] if tenant is None else [tenant])
        ranked: Sequence[Card] = []
        if len(tenants) > 1 and group is None and not as_json:
            ranked = rank(journal, tenants, now=now, late_ms=late_ms)
            tenants = [card.tenant for card in ranked[:_CARDS]]
        if group is not None:
            group = one_group(journal, tenants, group)
        cards = read(journal, tenants, now=now, late_ms=late_ms, days=days, group=group, drawn=not as_json)
        if group is not None:
            cards = [card for card in cards if card.groups]
    empty = all(card.polled is None for card in (*ranked, *cards))
    if as_json:
        several = tenant is None and len(settings.tenants) > 1
        print(json.dumps({"tenants": [_document(card) for card in cards]} if several else _document(cards[0])))
    elif not empty:
        _show(ranked, cards, _span(now, days, late_ms), set(tenants) - set(settings.tenants))
    if empty:
        raise JournalError(
            f"{settings.journal.path}: no score of {tenant or 'any tenant'} yet",
            mend="start `run`, or poll with `once`; `status` says how polls went",
        )


def _show(ranked: "Sequence[Card]", cards: "Sequence[Card]", span: "Span", former: set[str]) -> None:
    from collector.cli.scorecard import Page
    from collector.cli.terminal import console

    page = Page(console(), span, former)
    if ranked:
        cards = [card for card in cards if card.polled is not None]
        page.ranking(ranked)
        page.say(_following(len(ranked), len(cards)))
    for n, card in enumerate(cards):
        if n or ranked:
            page.gap()
        page.card(card)
    page.legend([*ranked, *cards])


def _following(ranked: int, cards: int) -> str:
    if cards < _CARDS or cards == ranked:
        return "Each that has a score:"
    return f"The {cards} most exposed; `trend --tenant NAME` shows another:"


def _span(now: int, days: int, late_ms: int) -> "Span":
    from collector.cli.scorecard import Span
    from collector.history.view import reach

    return Span(now - days * _DAY, now, reach(days, late_ms))


def _document(card: "Card") -> dict[str, object]:
    return {
        "tenant": card.tenant,
        **_standing(card.standing),
        "groups": [
            {"rbacGroupName": group.name, "rbacGroupId": group.id, **_standing(group.standing)} for group in card.groups
        ],
        "annotations": [_noted(note) for note in reversed(card.notes)],
    }


def _noted(note: "Note") -> dict[str, object]:
    from collector.history.notes import EVERY_GROUP
    from collector.point import rfc3339

    return {
        "id": note.id,
        "time": rfc3339(note.at),
        "kind": note.kind,
        "rbacGroupName": note.group or EVERY_GROUP,
        "title": note.title,
        "text": note.text,
    }


def _standing(standing: "Standing | None") -> dict[str, object]:
    from collector.point import rfc3339

    if standing is None:
        return {**dict.fromkeys(("score", "level", "at", "change_1d", "change_7d", "change_30d")), "across_break": []}
    return {
        "score": standing.score,
        "level": standing.level,
        "at": rfc3339(standing.at),
        "change_1d": standing.change_1d,
        "change_7d": standing.change_7d,
        "change_30d": standing.change_30d,
        "across_break": [f"change_{days}d" for days in sorted(standing.across)],
    }
