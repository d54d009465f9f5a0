"""`provision`: the databases and buckets that the sinks need are created, once it was said which."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.again import known, quiet
from collector.cli.borrowing import PasswordFile, TokenFile, Username, borrowed, lent
from collector.cli.options import ConfigFile, Json, pasted
from collector.errors import CollectorError, ConfigError

if TYPE_CHECKING:
    from collector.influx.provision import Plan, Provision
    from collector.settings import Influx

_DAY = 86_400
_KEEP_MOST = 36_500

_KeepDays = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=_KEEP_MOST,
        help="Days for which points are kept, 0 for ever. Else as it is, and for ever where something is created.",
        show_default=False,
    ),
]
_Yes = Annotated[bool, typer.Option("--yes", help="Also shorten a retention: the server deletes what is older.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
_Sinks = Annotated[
    list[str] | None,
    typer.Option("--sink", "-s", help="This sink alone, by its name in the settings; can be given more than once."),
]


def add(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(provision)


@dataclass(slots=True)
class _Outcome:
    """What came of one sink, as far as it has come."""

    name: str
    provision: "Provision | None" = None
    plan: "Plan | None" = None
    changes: Sequence[str] = ()
    error: CollectorError | None = None
    held: Sequence[str] = ()
    doubt: CollectorError | None = None
    """Why the sink would take no points though nothing is left to do."""

    @property
    def ok(self) -> bool:
        return self.error is None and self.doubt is None and not self.held

    def message(self) -> str:
        """Return what is to be said beside the changes."""
        parts = ["; ".join(str(self.error).splitlines())] if self.error else []
        parts += [f"not without --yes, since what is older would be deleted: {words}" for words in self.held]
        if not parts and self.plan:
            parts = [self.plan.note or ("" if self.plan.steps or self.doubt else "nothing to do")]
        if self.doubt:
            parts.append(f"nothing is lacking, and yet it takes no points: {self.doubt}")
        return "; ".join(filter(None, parts))

    def mend(self) -> str:
        """Return what is to be done about it."""
        error = self.error or self.doubt
        return "; ".join(filter(None, [error.mend if error else "", "say --yes to have it done" if self.held else ""]))


def provision(
    *,
    keep_days: _KeepDays = None,
    yes: _Yes = False,
    dry_run: _DryRun = False,
    sink: _Sinks = None,
    token_file: TokenFile = None,
    username: Username = None,
    password_file: PasswordFile = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Create what the sinks need in InfluxDB.

    That is buckets and their InfluxQL mapping, or databases and retention policies.
    """
    settings = quiet(config)
    for name in sink or ():
        known(name, settings.influxdb)
    chosen = {name: settings.influxdb[name] for name in dict.fromkeys(sink or settings.influxdb)}
    others = borrowed(token_file, username, password_file)
    lents = lent(others, chosen) if others else {}
    keep = None if keep_days is None else keep_days * _DAY
    called = " and ".join(others)
    outcomes = [_plan(name, each, lents.get(name), called, keep) for name, each in chosen.items()]
    if not as_json:
        _show_plans(outcomes, yes=yes)
    for outcome in outcomes:
        _carry_out(outcome, keep, yes=yes, dry_run=dry_run)
        if not as_json and not dry_run:
            for words in outcome.changes:
                print(f"{outcome.name}: done: {words}")
            if outcome.doubt and outcome.plan and outcome.plan.steps:
                print(f"{outcome.name}: {outcome.message()}")
    _finish(outcomes, dry_run=dry_run, as_json=as_json)


def _plan(name: str, sink: "Influx", other: "Influx | None", called: str, keep: int | None) -> _Outcome:
    from collector.http import Http
    from collector.influx.provision import Provision

    outcome = _Outcome(name)
    try:
        http = Http(sink.ca_file)
    except ConfigError as error:
        outcome.error = ConfigError([f"influxdb.{name}.{error}"], mend=error.mend)
        return outcome
    try:
        outcome.provision = Provision(name, sink, http, other, called)
        outcome.plan = outcome.provision.plan(keep)
        if not outcome.plan.steps:
            outcome.doubt = _doubt(outcome.provision)
    except CollectorError as error:
        outcome.error = error
    return outcome


def _doubt(provision: "Provision") -> CollectorError | None:
    """Return of what a write fails, as the settings have the sink."""
    try:
        provision.write()
    except CollectorError as error:
        return error
    return None


def _carry_out(outcome: _Outcome, keep: int | None, *, yes: bool, dry_run: bool) -> None:
    if outcome.error or not outcome.provision or not outcome.plan or not outcome.plan.steps:
        return
    if dry_run:
        outcome.changes = [step.words for step in outcome.plan.steps]
        return
    done = outcome.provision.carry_out(outcome.plan, keep, shorten=yes)
    outcome.changes = [step.words for step in done.steps]
    outcome.held = [step.words for step in done.held]
    outcome.error = done.error
    if not outcome.error:
        outcome.doubt = _doubt(outcome.provision)


def _show_plans(outcomes: Sequence[_Outcome], *, yes: bool) -> None:
    if not outcomes:
        print("no sink is named: the journal keeps the history alone")
    for outcome in outcomes:
        if not outcome.plan or not outcome.provision:
            continue
        print(f"{outcome.name}: {outcome.provision.target}")
        for step in outcome.plan.steps:
            only = "" if yes else "only with --yes: "
            aside = f" ({only}what is older is deleted)" if step.shortens else ""
            print(f"  to do: {step.words}{aside}\n    {step.statement}")
        if not outcome.plan.steps or outcome.plan.note:
            print(f"  {outcome.message()}")


def _finish(outcomes: Sequence[_Outcome], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        sinks = [
            {
                "name": outcome.name,
                "changes": list(outcome.changes),
                "ok": outcome.ok,
                "message": outcome.message(),
                "mend": outcome.mend(),
            }
            for outcome in outcomes
        ]
        print(json.dumps({"ok": all(outcome.ok for outcome in outcomes), "sinks": sinks}))
    elif dry_run and any(outcome.changes for outcome in outcomes):
        print("nothing was done: it was asked for as a dry run")
    bad = [outcome for outcome in outcomes if not outcome.ok]
    for outcome in bad:
        print(f"error: {outcome.name}: {outcome.message()}", file=sys.stderr)
        if outcome.mend():
            print(f"  mend: {pasted(outcome.mend())}", file=sys.stderr)
    if bad:
        # What the settings or the command line lack is theirs; all else has failed.
        failures = [error for outcome in bad for error in (outcome.error, outcome.doubt) if error]
        theirs = all(isinstance(error, ConfigError) for error in failures)
        raise typer.Exit(2 if theirs else 1)
