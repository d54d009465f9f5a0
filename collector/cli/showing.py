"""`status`: what the journal says of tenants, sinks and itself. Needs no network, no secret and no right to write."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from collector.cli.options import ConfigFile, Json, pasted, read_settings
from collector.cli.progress import counted

_MEGABYTE = 1_000_000
_LATE_INTERVALS = 3

if TYPE_CHECKING:
    from collector.status import PollStatus, Status


def add(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(status)


def status(*, config: ConfigFile = None, as_json: Json = False) -> None:
    """Say how tenants and sinks do, and what the journal holds."""
    from collector.journal import Journal, holder
    from collector.status import read_status

    settings = read_settings(config)
    with Journal(settings.journal.path, readonly=True) as journal:
        found = read_status(settings, journal)
    if as_json:
        print(json.dumps(found.document()))
    else:
        _show(found, settings.poll.interval_seconds, holder(settings.journal.path))


def _show(found: "Status", interval_seconds: int, pid: str | None) -> None:
    from rich.table import Table

    from collector.cli.terminal import console, put

    page = console()
    polls = Table("tenant", "subject", "slot", "state", "tries", box=None, pad_edge=False)
    ill = False
    for poll in found.tenants:
        state = _state(poll, interval_seconds)
        ill = ill or poll.ok is False
        polls.add_row(poll.tenant, poll.subject, poll.slot or "-", state, str(poll.tries))
    sinks = Table("sink", "waiting", "oldest", "dead letters", "state", box=None, pad_edge=False)
    for sink in found.sinks:
        refused = [f"{sink.dead_letters} refused; see `rejected list`"] if sink.dead_letters else []
        state = "; ".join([*([sink.error] if sink.error else []), *refused]) or "ok"
        sinks.add_row(sink.name, str(sink.backlog), sink.oldest or "-", str(sink.dead_letters), state)
    put(page, polls)
    page.print()
    put(page, sinks if found.sinks else "no sink is named: the journal keeps the history alone")
    page.print()
    page.print(pasted(_derived(found)), soft_wrap=True)
    journal = found.journal
    span = f", from {journal.oldest} to {journal.newest}" if journal.oldest else ""
    polled = f"polled by the process {pid}" if pid else pasted("no process polls it now: start `run`")
    page.print(polled, soft_wrap=True)
    page.print(f"journal: {journal.points} points in {_size(journal.bytes)}{span}", soft_wrap=True)
    if ill:
        page.print(pasted("what is wrong with a poll: `check`"), soft_wrap=True)
    if any(sink.dead_letters for sink in found.sinks):
        page.print(pasted("what was refused, and why: `rejected list`"), soft_wrap=True)


def _state(poll: "PollStatus", interval_seconds: int) -> str:
    if poll.ok is None or poll.slot is None:
        return "never polled"
    if not poll.ok:
        return f"{poll.error}; see `check`"
    age = datetime.now(UTC) - datetime.fromisoformat(poll.slot)
    return "ok" if age.total_seconds() <= _LATE_INTERVALS * interval_seconds else "late"


def _derived(found: "Status") -> str:
    derive = found.derive
    behind = f"{counted(derive.backlog, 'point')} behind, from {derive.oldest}" if derive.backlog else "up to date"
    return f"trends, spikes and days: {behind}" + (f"; {derive.error}" if derive.error else "")


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= _MEGABYTE else f"{count / 1e3:.0f} kB"
