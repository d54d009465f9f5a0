"""`run` and `once`: the commands that poll and deliver."""

import json
import os
import signal
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.options import (
    ConfigFile,
    Json,
    Name,
    Tenant,
    chosen,
    collector_name,
    finish,
    read_settings,
    want_secrets,
)

if TYPE_CHECKING:
    from collector.errors import CollectorError
    from collector.service import Report, Service


def add(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(run)
    app.command()(once)


def run(*, config: ConfigFile = None, name: Name = None) -> None:
    """Run the service: poll each slot and deliver, until SIGTERM or Ctrl-C."""
    from collector.service import STOP_SECONDS, Service

    settings = read_settings(config)
    tenants = list(settings.tenants)
    want_secrets(settings, tenants)
    service = Service(settings, name=collector_name(name), tenants=tenants)
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        if stop.is_set():
            os._exit(1)  # asked twice: now
        stop.set()
        # Whatever a worker, a disk or a lock still waits for: then the process ends.
        cut = threading.Timer(STOP_SECONDS + 0.5, _end, (service,))
        cut.daemon = True
        cut.start()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    service.run(stop)
    _end(service)


def _end(service: "Service") -> None:
    """End the process: what a worker still waits for is not safe, so nothing that was promised is lost."""
    if service.lost:
        print(f"error: {service.lost} points were not in the journal, and are lost", file=sys.stderr)
    finish(1 if service.lost else 0)


def once(
    *,
    config: ConfigFile = None,
    tenant: Tenant = None,
    patience: Annotated[
        float, typer.Option(min=0.0, help="Seconds of retries for an API or a sink that is unavailable.")
    ] = 20.0,
    name: Name = None,
    as_json: Json = False,
) -> None:
    """Poll every tenant now, then deliver until every sink is up to date."""
    from collector.service import once as poll_once

    settings = read_settings(config)
    tenants = chosen(settings, tenant)
    want_secrets(settings, tenants)
    report = poll_once(settings, name=collector_name(name), tenants=tenants, patience=patience)
    if as_json:
        print(json.dumps(_document(report)))
    else:
        _show(report)
    failures = [
        *(f"{poll.tenant} {poll.subject}: {_words(poll.error)}" for poll in report.polls if poll.error),
        *(f"{sink.sink}: {_words(sink.error)}; {sink.backlog} points wait" for sink in report.sinks if sink.error),
        *([f"the journal did not take {report.lost} points: they are lost"] if report.lost else []),
    ]
    for failure in failures:
        print(f"error: {failure}", file=sys.stderr)
    if failures:
        raise typer.Exit(1)


def _words(error: "CollectorError") -> str:
    return f"{error.name}: {error}" + (f" ({error.mend})" if error.mend else "")


def _show(report: "Report") -> None:
    from rich.table import Table

    from collector.cli.terminal import console
    from collector.point import rfc3339

    page = console()
    polls = Table("tenant", "subject", "state", "points", "tries", "seconds", box=None, pad_edge=False)
    for poll in report.polls:
        how = "ok" if poll.error is None else poll.error.name
        polls.add_row(poll.tenant, poll.subject, how, str(poll.points), str(poll.tries), f"{poll.seconds:.2f}")
    sinks = Table("sink", "state", "delivered", "waiting", "dead letters", box=None, pad_edge=False)
    for sink in report.sinks:
        how = "up to date" if sink.error is None else sink.error.name
        sinks.add_row(sink.sink, how, str(sink.points), str(sink.backlog), str(sink.dead_letters))
    page.print(f"slot {rfc3339(report.slot)}\n")
    page.print(polls)
    page.print()
    page.print(sinks if report.sinks else "no sink is named: the journal keeps the history alone")


def _document(report: "Report") -> dict[str, object]:
    from collector.point import rfc3339

    return {
        "ok": report.ok,
        "slot": rfc3339(report.slot),
        "polls": [
            {
                "tenant": poll.tenant,
                "subject": poll.subject,
                "ok": poll.error is None,
                "points": poll.points,
                "tries": poll.tries,
                "throttled": poll.throttled,
                "seconds": poll.seconds,
                "error": poll.error.name if poll.error else "",
                "message": str(poll.error or ""),
            }
            for poll in report.polls
        ],
        "sinks": [
            {
                "name": sink.sink,
                "ok": sink.error is None,
                "points": sink.points,
                "backlog": sink.backlog,
                "dead_letters": sink.dead_letters,
                "error": sink.error.name if sink.error else "",
                "message": str(sink.error or ""),
            }
            for sink in report.sinks
        ],
    }
