"""`check`: one line a thing, good or bad, with the mend."""

import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from collector.cli.options import ConfigFile, Json, Tenant, chosen
from collector.errors import ConfigError

if TYPE_CHECKING:
    from collector.check import Finding


def add(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(check)


def check(*, config: ConfigFile = None, tenant: Tenant = None, as_json: Json = False) -> None:
    """Ask everything that is needed, and say of each thing whether it is well, and what to do."""
    from collector import log
    from collector.check import Finding
    from collector.check import check as examine
    from collector.settings import load

    try:
        settings = load(config, os.environ)
        tenants = chosen(settings, tenant)
    except ConfigError as error:
        print(f"error: the settings are wrong{f' ({error.mend})' if error.mend else ''}", file=sys.stderr)
        _show([Finding("settings", ok=False, message=problem) for problem in error.problems], as_json=as_json)
        raise typer.Exit(2) from error
    # What is wrong is said below, once; warnings of libraries would only say it again.
    log.configure("error", settings.log.format)
    whole = Finding("settings", ok=True, message=f"tenants: {len(settings.tenants)}, sinks: {len(settings.influxdb)}")
    findings = [whole, *examine(settings, tenants)]
    _show(findings, as_json=as_json)
    bad = [finding.name for finding in findings if not finding.ok]
    if bad:
        print(f"error: not well: {', '.join(bad)}", file=sys.stderr)
        raise typer.Exit(1)


def _show(findings: "Sequence[Finding]", *, as_json: bool) -> None:
    if as_json:
        checks = [
            {"name": finding.name, "ok": finding.ok, "message": finding.message, "mend": finding.mend}
            for finding in findings
        ]
        document = {"ok": all(finding.ok for finding in findings), "checks": checks}
        print(json.dumps(document))
        return
    for finding in findings:
        print(f"{'good' if finding.ok else 'BAD '}  {finding.name}: {finding.message}")
        if finding.mend:
            print(f"      mend: {finding.mend}")
