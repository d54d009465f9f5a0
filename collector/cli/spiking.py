"""`spikes`: the rises that a person should have been told of. Needs no network, no secret and no right to write."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.choosing import some_tenants
from collector.cli.moments import Since
from collector.cli.options import ConfigFile, Json, read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.history.rises import Spike

_STYLES = {"open": "bold red", "over": "", "withdrawn": "dim"}
_NAME = 24
"""Columns of a name."""


def add(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(spikes)


def spikes(
    *,
    tenant: Annotated[
        str | None, typer.Option("--tenant", "-t", help="This tenant alone, by its name; a former one too.")
    ] = None,
    since: Since = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Show the spikes, the newest first.

    A spike is a rise above what is usual that lasts until the score is back, or the new level is the usual one.
    """
    from collector.history.rises import spikes as read
    from collector.journal import Journal

    settings = read_settings(config)
    with Journal(settings.journal.path, readonly=True) as journal:
        named = [tenant] if tenant is not None else [*settings.tenants, *journal.tenants()]
        found = read(journal, some_tenants(settings, journal, named), since or 0)
    if as_json:
        print(json.dumps({"spikes": [_document(spike) for spike in found]}))
    else:
        _show(found)


def _document(spike: "Spike") -> dict[str, object]:
    from collector.point import rfc3339

    return {
        "tenant": spike.tenant,
        "rbacGroupName": spike.group,
        "rbacGroupId": spike.id,
        "begin": rfc3339(spike.begin),
        "end": None if spike.end is None else rfc3339(spike.end),
        "state": spike.state,
        "baseline": spike.baseline,
        "peak": spike.peak,
        "rise": spike.rise,
    }


def _show(found: "Sequence[Spike]") -> None:
    from rich.table import Table
    from rich.text import Text

    from collector.cli.terminal import console, fitted, put
    from collector.point import rfc3339

    page = console()
    if not found:
        page.print("no spike: no score rose that far above what was usual")
        return
    several = len({spike.tenant for spike in found}) > 1
    columns = [*(["tenant"] if several else []), "began", "ended", "whose", "usual", "peak", "rise"]
    table = Table(*columns, box=None, pad_edge=False)
    for column in table.columns[-3:]:
        column.justify = "right"
    for spike in found:
        ended = {"open": "open", "withdrawn": "withdrawn"}.get(spike.state) or rfc3339(spike.end or 0)[:16]
        cells = [
            *([fitted(spike.tenant, _NAME)] if several else []),
            rfc3339(spike.begin)[:16].replace("T", " "),
            ended.replace("T", " "),
            fitted(spike.group, _NAME),
            *(f"{value:.1f}" for value in (spike.baseline, spike.peak)),
            f"+{spike.rise:.1f}",
        ]
        table.add_row(*(Text(cell) for cell in cells), style=_STYLES[spike.state])
    put(page, table)
