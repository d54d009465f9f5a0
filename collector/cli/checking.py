"""`check`: one line a thing, good or bad, with the mend."""

import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli import findings
from collector.cli.options import ConfigFile, Json, Tenant, chosen
from collector.errors import ConfigError

if TYPE_CHECKING:
    from collector.check import Finding, Wait

_LONG_SECONDS = 2.0
"""What takes longer is named: a count that stands still says nothing."""


def add(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(check)


def check(
    *,
    config: ConfigFile = None,
    tenant: Tenant = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="A line for everything, however many tenants there are.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say of each thing that is needed if it is well.

    What isn't comes with its mend: what to do about it. Nothing is changed.
    """
    from collector import log
    from collector.check import Finding
    from collector.check import check as examine
    from collector.cli.progress import Progress
    from collector.settings import load

    try:
        settings = load(config, os.environ)
        tenants = chosen(settings, tenant)
    except ConfigError as error:
        print(f"error: the settings are wrong{f' ({error.mend})' if error.mend else ''}", file=sys.stderr)
        wrong = [Finding("settings", ok=False, message=problem) for problem in error.problems]
        _show(wrong, verbose=verbose, as_json=as_json)
        raise typer.Exit(2) from error
    # What is wrong is said below, once; warnings of libraries would only say it again.
    log.configure("error", settings.log.format)
    of = f" of {len(settings.tenants) + len(settings.elsewhere)}, shard {settings.shard}" if settings.shard else ""
    counts = f"tenants: {len(settings.tenants)}{of}, sinks: {len(settings.influxdb)}"
    whole = Finding("settings", ok=True, message=counts)
    with Progress("things") as progress:
        found = [
            whole,
            *examine(settings, tenants, lambda done, of, wait: progress.show(_doing(wait), done, of)),
        ]
    _show(found, verbose=verbose, as_json=as_json)
    if bad := [finding for finding in found if not finding.ok]:
        print(f"error: not well: {findings.named(bad)}", file=sys.stderr)
        raise typer.Exit(1)


def _doing(wait: "Wait | None") -> str:
    """Return what the progress says: what is awaited, where that takes long."""
    if wait is None or wait.seconds < _LONG_SECONDS:
        return "checking"
    return f"waiting for {wait.what}{f' and {wait.others} more' if wait.others else ''}, {wait.seconds:.0f} s"


def _show(found: "Sequence[Finding]", *, verbose: bool, as_json: bool) -> None:
    if as_json:
        print(json.dumps(findings.document(found)))
    else:
        findings.show(found, verbose=verbose)
