"""`status`: what the journal says of tenants, sinks and itself; `health`: what the service says of itself.

They need no secret and no right to write; `status` asks nobody, `health` the service on this machine alone.
"""

import json
import sys
from typing import Annotated

import typer

from collector.cli.options import ConfigFile, Json, read_settings


def add(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(status)
    app.command()(health)


def status(
    *,
    config: ConfigFile = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every subject of every tenant, also where many are well.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say how tenants and sinks do, and what the journal holds.

    What is wrong or late comes first.
    """
    from collector.cli.overview import lines
    from collector.journal import Journal
    from collector.status import read_status

    settings = read_settings(config)
    with Journal(settings.journal.path, readonly=True) as journal:
        found = read_status(settings, journal)
    if as_json:
        print(json.dumps(found.document()))
    else:
        for line in lines(found, everything=everything):
            print(line)


def health(
    *,
    config: ConfigFile = None,
    ready: Annotated[bool, typer.Option("--ready", help="Whether it does its work, not only turns.")] = False,
) -> None:
    """Ask the service on this machine if it turns.

    For whoever watches it: 0 it does, 1 it does not.
    """
    from collector.health import unwell

    reasons = unwell(read_settings(config), ready=ready)
    for reason in reasons:
        print(f"error: {reason}", file=sys.stderr)
    if reasons:
        raise typer.Exit(1)
    print("ready" if ready else "live")
