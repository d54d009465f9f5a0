"""The doctor: asks everything that the collector needs, and says of each thing whether it is well, and its mend.

Changes nothing: an API is asked as a poll would, a sink whether it would take a point, the journal whether it opens.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from collector.defender import Defender
from collector.errors import CollectorError, JournalError, Unauthorized
from collector.http import Http
from collector.influx import V1, V2, open_sink
from collector.journal import Journal, holder
from collector.settings import Settings
from collector.step import Step

_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing: whether it is well, what was seen, and what to do about it."""

    name: str
    ok: bool
    message: str
    mend: str = ""


def check(settings: Settings, tenants: Sequence[str]) -> Sequence[Finding]:
    """Return what was found of `tenants`, of the journal and of every sink, in that order."""
    probes: list[Callable[[], Sequence[Finding]]] = [
        *(partial(_tenant, settings, tenant) for tenant in tenants),
        partial(_journal, settings),
        *(partial(_sink, settings, sink) for sink in settings.influxdb),
    ]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [finding for findings in pool.map(lambda probe: probe(), probes) for finding in findings]


def _tenant(settings: Settings, name: str) -> Sequence[Finding]:
    tenant = settings.tenants[name]
    seconds = settings.poll.timeout_seconds
    try:
        source = Defender(name, tenant, Http(tenant.ca_file), dict)
        source.sign_in(seconds)
    except CollectorError as error:
        return [_bad(f"{name}: sign-in", error)]
    signed_in = Finding(f"{name}: sign-in", ok=True, message="a token was given")
    # Asked before the calls: a 403 makes the source forget its token.
    needed, held = source.permissions()
    calls = [_subject(source, subject, seconds) for subject in settings.poll.subjects]
    return [signed_in, _permission(f"{name}: permission", needed, held, calls), *calls]


def _permission(name: str, needed: str, held: Sequence[str], calls: Sequence[Finding]) -> Finding:
    if needed in held:
        return Finding(name, ok=True, message=needed)
    has = f"the token has {', '.join(held) or 'none that it names'}"
    if all(call.ok for call in calls):
        return Finding(name, ok=True, message=f"{has}, and the API answers")
    return Finding(
        name,
        ok=False,
        message=f"{needed} is needed, and {has}",
        mend=f"add the permission {needed} of WindowsDefenderATP to the application, and grant admin consent",
    )


def _subject(source: Defender, subject: str, seconds: float) -> Finding:
    name = f"{source.tenant}: {subject}"
    asking = source.ask(subject, 0)
    try:
        while (step := asking.step(seconds)) is not Step.DONE:
            if step is Step.SIGN_IN:
                source.sign_in(seconds)
    except CollectorError as error:
        return _bad(name, error)
    if subject == "device_groups":
        return Finding(name, ok=True, message=f"{len(asking.points)} groups")
    return Finding(name, ok=True, message=f"score {asking.points[0].fields['score']:.1f}")


def _journal(settings: Settings) -> Sequence[Finding]:
    path = settings.journal.path
    if not path.exists():
        well = path.parent.is_dir() and os.access(path.parent, os.W_OK | os.X_OK)
        what = "will be made by the first poll" if well else "can't be made"
        mend = "" if well else f"make the folder {path.parent}, and let this user write to it"
        return [Finding("journal", ok=well, message=f"{path}: {what}", mend=mend)]
    try:
        with Journal(path) as journal:
            summary = journal.summary()
            journal.probe()
    except JournalError as error:
        return [_bad("journal", error)]
    pid = holder(path)
    role = f"polled by the process {pid}" if pid else "no process polls it now"
    return [Finding("journal", ok=True, message=f"{path}: {summary.points} points; {role}")]


def _sink(settings: Settings, name: str) -> Sequence[Finding]:
    where = settings.influxdb[name]
    try:
        sink = open_sink(name, where, Http(where.ca_file))
        sink.write([])
    except CollectorError as error:
        return [_bad(f"sink {name}: write", error)]
    return [Finding(f"sink {name}: write", ok=True, message=sink.target), _read(sink)]


def _read(sink: V1 | V2) -> Finding:
    name = f"sink {sink.name}: read"
    try:
        seen = sink.read()
        # VictoriaMetrics has no measurements to show, however full it is.
        return Finding(name, ok=True, message=f"{seen} measurements are there" if seen else "allowed; none is shown")
    except Unauthorized as error:
        return Finding(name, ok=True, message=f"not allowed, and not needed to deliver ({error})")
    except CollectorError as error:
        return _bad(name, error)


def _bad(name: str, error: CollectorError) -> Finding:
    return Finding(name, ok=False, message=str(error), mend=error.mend)
