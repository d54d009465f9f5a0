"""`run` and `once`: the commands that poll and deliver."""

import json
import os
import signal
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING

import typer

from collector.cli.again import Patience
from collector.cli.ending import when_hung_up, when_told
from collector.cli.garbage import search_seldom
from collector.cli.memory import share_one_pool
from collector.cli.options import (
    ConfigFile,
    Json,
    Name,
    Tenant,
    chosen,
    collector_name,
    finish,
    pasted,
    read_settings,
    settings_anew,
    want_secrets,
)
from collector.cli.progress import counted

if TYPE_CHECKING:
    from collector.errors import CollectorError
    from collector.service import Report, Service


def add(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(run)
    app.command()(once)


def run(*, config: ConfigFile = None, name: Name = None) -> None:
    """Run the service, which polls each slot and delivers.

    It goes on until SIGTERM or Ctrl-C. SIGHUP takes up changed tenants, [spikes], [log] and shard.
    """
    reload = threading.Event()
    # As early as can be: one that comes before would end the process.
    when_hung_up(reload.set, lambda: os.kill(os.getpid(), signal.SIGTERM))

    from collector.service import STOP_SECONDS, Manager, Service

    settings = read_settings(config)
    tenants = list(settings.tenants)
    want_secrets(settings, tenants)
    manager = Manager(os.environ, os.getpid())
    service = Service(
        settings,
        name=collector_name(name),
        tenants=tenants,
        manager=manager,
        anew=partial(settings_anew, config),
        reload=reload,
    )
    stop = threading.Event()

    def end() -> None:
        if stop.is_set():
            os._exit(1)  # asked twice: now
        stop.set()
        # Whatever a worker, a disk or a lock still waits for: then the process ends.
        cut = threading.Timer(STOP_SECONDS + 0.5, _end, (service,))
        cut.daemon = True
        cut.start()

    when_told(end)
    search_seldom()
    share_one_pool()
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
    patience: Patience = 20.0,
    name: Name = None,
    as_json: Json = False,
) -> None:
    """Poll every tenant now, and deliver all there is.

    It ends when every sink is up to date; what can't be delivered waits in the journal.
    """
    # Nothing is there to reload; what is meant for a service beside it breaks nothing off.
    when_hung_up(lambda: None, lambda: os._exit(128 + signal.SIGHUP))

    from collector.service import once as poll_once

    settings = read_settings(config)
    tenants = chosen(settings, tenant)
    want_secrets(settings, tenants)
    search_seldom()
    share_one_pool()
    report = poll_once(settings, name=collector_name(name), tenants=tenants, patience=patience)
    if as_json:
        print(json.dumps(_document(report)))
    else:
        _show(report)
    for failure in _failures(report):
        print(pasted(f"error: {failure}"), file=sys.stderr)
    if not report.ok:
        raise typer.Exit(1)


def _failures(report: "Report") -> list[str]:
    """Return a line a failure; what a tenant's subjects fail of alike is said once."""
    alike: dict[tuple[str, str], list[str]] = {}
    for poll in report.polls:
        if poll.error:
            alike.setdefault((poll.tenant, _words(poll.error)), []).append(poll.subject)
    return [
        *(f"{tenant}: {', '.join(subjects)}: {words}" for (tenant, words), subjects in alike.items()),
        *(f"{sink.sink}: {_words(sink.error)}; {sink.backlog} points wait" for sink in report.sinks if sink.error),
        *(
            f"{sink.sink}: refused {counted(sink.refused, 'point')} for good; see `rejected list`"
            for sink in report.sinks
            if sink.refused
        ),
        *([f"derive: {_words(report.underived)}; the next call derives it"] if report.underived else []),
        *([f"derive: {report.left_out}"] if report.left_out else []),
        *([f"the journal did not take {report.lost} points: they are lost"] if report.lost else []),
    ]


def _words(error: "CollectorError") -> str:
    return f"{error.name}: {error}" + (f" ({error.mend})" if error.mend else "")


def _show(report: "Report") -> None:
    from rich.table import Table

    from collector.cli.terminal import console, put
    from collector.point import rfc3339

    page = console()
    # What is waited for between two tries is no exchange: a poll of many tries may take longer than that.
    polls = Table("tenant", "subject", "state", "points", "tries", "in exchanges", box=None, pad_edge=False)
    for poll in report.polls:
        how = ", ".join([*([poll.error.name] if poll.error else []), *([] if report.kept(poll) else ["not kept"])])
        seconds = f"{poll.seconds:.2f} s"
        polls.add_row(poll.tenant, poll.subject, how or "ok", str(poll.points), str(poll.tries), seconds)
    sinks = Table("sink", "state", "delivered", "waiting", "dead letters", box=None, pad_edge=False)
    for sink in report.sinks:
        how = "up to date" if sink.error is None else sink.error.name
        sinks.add_row(sink.sink, how, str(sink.points), str(sink.backlog), str(sink.dead_letters))
    page.print(f"slot {rfc3339(report.slot)}\n")
    put(page, polls)
    page.print()
    put(page, sinks if report.sinks else "no sink is named: the journal keeps the history alone")
    if report.waiting:
        page.print()
        put(page, f"{counted(report.waiting, 'point')} are yet to be derived from; the next call goes on there")


def _document(report: "Report") -> dict[str, object]:
    from collector.point import rfc3339

    return {
        "ok": report.ok,
        "slot": rfc3339(report.slot),
        "polls": [
            {
                "tenant": poll.tenant,
                "subject": poll.subject,
                "ok": poll.error is None and report.kept(poll),
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
                "ok": sink.error is None and not sink.refused,
                "points": sink.points,
                "backlog": sink.backlog,
                "dead_letters": sink.dead_letters,
                "refused": sink.refused,
                "error": sink.error.name if sink.error else "",
                "message": str(sink.error or ""),
            }
            for sink in report.sinks
        ],
        "derive": {
            "ok": not report.underived and not report.left_out,
            "waiting": report.waiting,
            "error": report.underived.name if report.underived else "",
            "message": str(report.underived or report.left_out),
        },
    }
