"""`trend`: the score card in the terminal. Needs no network, no secret and no right to write."""

import difflib
import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.options import ConfigFile, Json, read_settings
from collector.errors import ConfigError, JournalError
from collector.point import NO_ID

if TYPE_CHECKING:
    from collector.cli.scorecard import Span
    from collector.history import Card, Standing
    from collector.journal import Journal
    from collector.settings import Settings

_DAY = 86_400_000
_GROUPS = "exposure_score_by_group"
_MOST_DAYS = 3650
_LATE_INTERVALS = 3
_CARDS = 3
"""That follow a ranking: the worst."""
_NAMED = 8
"""Names that a message has at the most."""


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
        tenants = _chosen(settings, journal, tenant)
        ranked: Sequence[Card] = []
        if len(tenants) > 1 and group is None and not as_json:
            ranked = rank(journal, tenants, now=now, late_ms=late_ms)
            tenants = [card.tenant for card in ranked[:_CARDS]]
        if group is not None:
            group = _group(journal, tenants, group)
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

    # A score is computed once a day: a hole of less hides nothing, unless a few days are all that is shown.
    return Span(now - days * _DAY, now, max(late_ms, min(_DAY, days * _DAY // 8)))


def _chosen(settings: "Settings", journal: "Journal", tenant: str | None) -> Sequence[str]:
    """Return the tenant that was asked for, or all of the settings; one with a history may have left the settings."""
    if tenant is None:
        return list(settings.tenants)
    known = list(dict.fromkeys([*settings.tenants, *journal.tenants()]))
    if tenant not in known:
        raise ConfigError([f"--tenant: no tenant of that name; there are {_some(tenant, known)}"])
    return [tenant]


def _group(journal: "Journal", tenants: Sequence[str], word: str) -> str:
    """Return the name or id of the group that is meant; raise ConfigError where that is none, or not one alone."""
    groups = [
        series
        for series in journal.series(_GROUPS, tenants[0] if len(tenants) == 1 else None)
        if series.tag("tenant") in tenants
    ]
    names = sorted({series.tag("rbacGroupName") for series in groups})
    if word in names or word in {series.tag("rbacGroupId") for series in groups} - {NO_ID}:
        return word
    small = word.casefold()
    same = [name for name in names if name.casefold() == small]
    begun = same or [name for name in names if small and name.casefold().startswith(small)]
    if len(begun) == 1:
        return begun[0]
    if begun:
        raise ConfigError([f"--group: {len(begun)} device groups are called or begin so: {_some(word, begun)}"])
    near = f"there are {_some(word, names)}" if names else "there are no groups"
    raise ConfigError([f"--group: no device group of that name or id; {near}"])


def _some(word: str, known: Sequence[str]) -> str:
    """Return the names that are known, those most like `word` first; of many, the first of them.

    A name may have a comma in it.
    """
    from collector.cli.terminal import plain

    small = word.casefold()
    near = sorted(known, key=lambda name: -difflib.SequenceMatcher(None, small, name.casefold()).ratio())
    more = len(near) - _NAMED
    return plain("; ".join(near[:_NAMED])) + (f"; and {more} more" if more > 0 else "")


def _document(card: "Card") -> dict[str, object]:
    return {
        "tenant": card.tenant,
        **_standing(card.standing),
        "groups": [
            {"rbacGroupName": group.name, "rbacGroupId": group.id, **_standing(group.standing)} for group in card.groups
        ],
    }


def _standing(standing: "Standing | None") -> dict[str, object]:
    from collector.point import rfc3339

    if standing is None:
        return dict.fromkeys(("score", "level", "at", "change_1d", "change_7d", "change_30d"))
    return {
        "score": standing.score,
        "level": standing.level,
        "at": rfc3339(standing.at),
        "change_1d": standing.change_1d,
        "change_7d": standing.change_7d,
        "change_30d": standing.change_30d,
    }
