"""`status`: what the journal says of tenants, sinks and itself; `health`: what the service says of itself.

They need no secret and no right to write; `status` asks nobody, `health` the service on this machine alone.
"""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.options import ConfigFile, Json, pasted, read_settings
from collector.cli.progress import counted

_MEGABYTE = 1_000_000

if TYPE_CHECKING:
    from collector.status import PollStatus, Status


def add(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(status)
    app.command()(health)


def status(*, config: ConfigFile = None, as_json: Json = False) -> None:
    """Say how tenants and sinks do, and what the journal holds."""
    from collector.journal import Journal
    from collector.status import read_status

    settings = read_settings(config)
    with Journal(settings.journal.path, readonly=True) as journal:
        found = read_status(settings, journal)
    if as_json:
        print(json.dumps(found.document()))
    else:
        _show(found)


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


def _show(found: "Status") -> None:
    from rich.table import Table

    from collector.cli.terminal import console, put

    page = console()
    polls = Table("tenant", "subject", "slot", "state", "tries", box=None, pad_edge=False)
    ill = False
    for poll in found.tenants:
        state = _state(poll)
        ill = ill or poll.ok is False
        polls.add_row(poll.tenant, poll.subject, poll.slot or "-", state, str(poll.tries))
    sinks = Table("sink", "waiting", "oldest", "dead letters", "state", box=None, pad_edge=False)
    for sink in found.sinks:
        refused = [f"{sink.dead_letters} refused; see `rejected list`"] if sink.dead_letters else []
        state = "; ".join([*([sink.error] if sink.error else []), *refused]) or "ok"
        sinks.add_row(sink.name, str(sink.backlog), sink.oldest or "-", str(sink.dead_letters), state)
    put(page, polls)
    page.print()
    if found.shard.shard:
        count = f"{found.shard.tenants} of {counted(found.shard.tenants + found.shard.elsewhere, 'tenant')}"
        page.print(f"shard {found.shard.shard}: {count}, the others are elsewhere", soft_wrap=True)
        page.print()
    put(page, sinks if found.sinks else "no sink is named: the journal keeps the history alone")
    page.print()
    page.print(pasted(_derived(found)), soft_wrap=True)
    journal = found.journal
    span = f", from {journal.oldest} to {journal.newest}" if journal.oldest else ""
    pid = found.process.pid if found.process.pid is not None else "?"
    polled = f"polled by the process {pid}" if found.process.running else pasted("no process polls it now: start `run`")
    page.print(polled, soft_wrap=True)
    page.print(f"journal: {journal.points} points in {_size(journal.bytes)}{span}", soft_wrap=True)
    if ill:
        page.print(pasted("what is wrong with a poll: `check`"), soft_wrap=True)
    if any(sink.error for sink in found.sinks):
        page.print(pasted("what is wrong with a sink, and what to do: `check`"), soft_wrap=True)
    if any(sink.dead_letters for sink in found.sinks):
        page.print(pasted("what was refused, and why: `rejected list`"), soft_wrap=True)


def _state(poll: "PollStatus") -> str:
    if poll.ok is None:
        return "never polled"
    if not poll.ok:
        return f"{poll.error}; see `check`"
    return "late" if poll.late else "ok"


def _derived(found: "Status") -> str:
    derive = found.derive
    behind = f"{counted(derive.backlog, 'point')} behind, from {derive.oldest}" if derive.backlog else "up to date"
    return f"trends, spikes and days: {behind}" + (f"; {derive.error}" if derive.error else "")


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= _MEGABYTE else f"{count / 1e3:.0f} kB"
