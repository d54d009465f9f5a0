"""What the journal says of how things go, for a person and for `--json`. Reads; asks neither the API nor a sink."""

import time

from collector.batch import DERIVE
from collector.journal import Journal, holder
from collector.point import Point, rfc3339
from collector.settings import Settings
from collector.status.pace import Behind, behind, paces
from collector.status.said import (
    DeriveStatus,
    JournalStatus,
    PollStatus,
    ProcessStatus,
    ShardStatus,
    SinkStatus,
    Status,
)

_LOOK_BACK_MS = 400 * 86_400_000
_LATE_INTERVALS = 3


def read_status(settings: Settings, journal: Journal) -> Status:
    """Return the status of every sink in the settings, and of every tenant and subject of this shard."""
    last: dict[tuple[str, str], Point] = {}
    now = int(time.time() * 1000)
    late_before = now - _LATE_INTERVALS * settings.poll.interval_seconds * 1000
    for point in sorted(journal.latest("collector_poll", now - _LOOK_BACK_MS), key=lambda point: point.time):
        last[point.series.tag("tenant"), point.series.tag("subject")] = point
    process = _process(holder(settings.journal.path))
    stand = behind(settings, journal)
    pace = paces(journal, stand) if process.running else {}
    summary = journal.summary()
    return Status(
        tenants=[
            _poll(tenant, subject, last.get((tenant, subject)), late_before)
            for tenant in settings.tenants
            for subject in settings.poll.subjects
        ],
        sinks=[
            SinkStatus(
                name,
                stand[name].backlog.points,
                _time(stand[name].backlog.oldest),
                journal.dead_letters(name),
                stand[name].error,
                stand[name].begun,
                stand[name].backlog.exact,
                *_left(stand[name], pace.get(name)),
            )
            for name in settings.influxdb
        ],
        journal=JournalStatus(
            summary.points, summary.bytes, _time(summary.oldest), _time(summary.newest), summary.exact
        ),
        derive=_derive(stand[DERIVE], pace.get(DERIVE)),
        process=process,
        shard=ShardStatus(
            str(settings.shard) if settings.shard else None, len(settings.tenants), len(settings.elsewhere)
        ),
    )


def _process(pid: str | None) -> ProcessStatus:
    return ProcessStatus(pid is not None, int(pid) if pid and pid.isdecimal() else None)


def _poll(tenant: str, subject: str, point: Point | None, late_before: int) -> PollStatus:
    if point is None:
        return PollStatus(tenant, subject, None, None, "", 0, late=False, seconds=None, throttled=0)
    told = point.fields
    return PollStatus(
        tenant,
        subject,
        rfc3339(point.time),
        bool(told["ok"]),
        str(told["error"]),
        int(told["tries"]),
        late=point.time < late_before,
        seconds=float(told["seconds"]),
        throttled=int(told["throttled"]),
    )


def _derive(its: Behind, pace: float | None) -> DeriveStatus:
    backlog = its.backlog
    return DeriveStatus(backlog.points, _time(backlog.oldest), its.error, backlog.exact, *_left(its, pace))


def _left(its: Behind, pace: float | None) -> tuple[float | None, int | None]:
    """Return the pace, and in how many seconds nothing waits at it."""
    return pace, round(its.backlog.points / pace) if pace else None


def _time(moment: int | None) -> str | None:
    return None if moment is None else rfc3339(moment)
