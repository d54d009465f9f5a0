"""`backup` and `forget`: the journal as a file that is kept, and what is taken out of it."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.again import breakable, open_journal
from collector.cli.names import nearest
from collector.cli.options import ConfigFile, Json, read_settings
from collector.cli.progress import Progress, counted
from collector.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collector.journal import Holdings, Journal
    from collector.settings import Settings


_UNITS = {"copying": "pages", "checking": "rows"}


def add(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(backup)
    app.command()(forget)


def backup(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The file to make; one that is there already is left alone.")
    ],
    *,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Copy the journal, also one that is in use.

    The copy is whole: one file on which a collector can run.
    """
    from collector.journal import Journal
    from collector.journal import backup as copy

    settings = read_settings(config)
    breakable()
    with Journal(settings.journal.path, readonly=True) as journal, Progress() as progress:
        try:
            done = copy(journal, file, lambda what, done, of: progress.show(what, done, of, _UNITS[what]))
        except KeyboardInterrupt:
            print(f"interrupted: {file} was not made", file=sys.stderr)
            raise typer.Exit(1) from None
    if as_json:
        document = {"file": str(file), "points": done.points, "bytes": done.bytes, "damaged": done.damaged}
        print(json.dumps({**document, "ok": not done.damaged}))
    else:
        print(f"{file}: {counted(done.points, 'point')} in {done.bytes:,} bytes, each of them checked")
    if done.damaged:
        print(
            f"error: {counted(done.damaged, 'row')} of the journal itself can't be read any more, and so can't their"
            " copies; the log above has their numbers (an older backup may have them whole)",
            file=sys.stderr,
        )
        raise typer.Exit(1)


def forget(
    *,
    tenant: Annotated[str, typer.Option("--tenant", "-t", help="Its name; it need not be in the settings any more.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Else it is only said what would go.")] = False,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Take a tenant out of the journal.

    Its points, its dead letters and its names go. What InfluxDB has stays there.
    """
    from collector.journal import Journal

    settings = read_settings(config)
    breakable()
    # Who may write takes back what a process left that was killed in the middle of this; who only reads can't.
    with open_journal(settings) if yes else Journal(settings.journal.path, readonly=True) as journal:
        known = journal.tenants()
        if tenant not in known and tenant not in settings.tenants:
            raise ConfigError(
                [f"--tenant: {tenant}: the journal has nothing of it; it has {nearest(tenant, known) or 'none'}"]
            )
        there = journal.holdings(tenant)
        waiting = _undelivered(journal, settings, tenant)
        if not yes:
            _show(settings, tenant, there, waiting, done=False, as_json=as_json)
            print("error: nothing was done: say --yes to have it done", file=sys.stderr)
            raise typer.Exit(2)
        done = _forget(journal, tenant, there.points)
    _show(settings, tenant, done, waiting, done=True, as_json=as_json)
    if done.stuck:
        print(
            f"error: {counted(done.stuck, 'row')} are damaged and could not be deleted; they have no name any more",
            file=sys.stderr,
        )
        raise typer.Exit(1)


def _forget(journal: "Journal", tenant: str, points: int) -> "Holdings":
    """Return what went, and show how far it is; say how things stand when a person breaks it off."""
    gone = 0

    def went(rows: int) -> None:
        nonlocal gone
        gone += rows
        progress.show(f"forgetting {tenant}", gone, points)

    with Progress() as progress:
        try:
            return journal.forget(tenant, went)
        except KeyboardInterrupt:
            print(f"interrupted: {counted(gone, 'point')} went, the others stay; call it again", file=sys.stderr)
            raise typer.Exit(1) from None


def _undelivered(journal: "Journal", settings: "Settings", tenant: str) -> "Mapping[str, int]":
    """Return how many points of the tenant each sink has yet to take; only those sinks that have."""
    from collector.batch import Cursor, Filter

    cursors = {cursor.consumer: cursor for cursor in journal.cursors()}
    found = {}
    for name, sink in settings.influxdb.items():
        if sink.tenants is None or tenant in sink.tenants:
            wanted = Filter(measurements=tuple(sink.measurements), tenants=(tenant,))
            points = journal.backlog(cursors.get(name, Cursor(name, 1, 0)), wanted).points
            if points:
                found[name] = points
    return found


def _show(
    settings: "Settings",
    tenant: str,
    what: "Holdings",
    waiting: "Mapping[str, int]",
    *,
    done: bool,
    as_json: bool,
) -> None:
    polled = tenant in settings.tenants
    if as_json:
        counts = {"points": what.points, "dead_letters": what.dead_letters, "series": what.series}
        document = {"tenant": tenant, **counts, "undelivered": dict(waiting), "polled": polled, "done": done}
        print(json.dumps(document))
    else:
        parts = [
            counted(what.points, "point"),
            counted(what.series, "series"),
            counted(what.dead_letters, "dead letter"),
        ]
        print(f"{tenant}: {', '.join(parts)} {'forgotten' if done else 'would be forgotten'}")
        for name, points in waiting.items():
            print(f"  {counted(points, 'point')} {'were' if done else 'are'} not delivered to {name} yet")
        print("  what was delivered stays in InfluxDB; the file keeps its size, and uses the room again")
        if not done:
            print("  a backup that was made before keeps all of it")
    if polled:
        print(
            f"warning: {tenant} is in the settings: it is polled again; take it out of them, reload `run`, and then"
            " forget it",
            file=sys.stderr,
        )
