"""What the journal says of how things go, for a person and for `--json`. Reads; asks neither the API nor a sink."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from collector.batch import DERIVE, DERIVED_FROM, Backlog, Cursor, Filter
from collector.journal import Journal, holder
from collector.point import Point, rfc3339
from collector.settings import Settings

_LOOK_BACK_MS = 400 * 86_400_000
_LATE_INTERVALS = 3


@dataclass(frozen=True, slots=True)
class PollStatus:
    """The last poll of a subject that was settled. `ok` is None and `slot` too when there was none.

    `late`: there was one, and it is more than three intervals ago.
    """

    tenant: str
    subject: str
    slot: str | None
    ok: bool | None
    error: str
    tries: int
    late: bool


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """A sink's backlog in points, the time of the first of them, its dead letters, and what it fails of."""

    name: str
    backlog: int
    oldest: str | None
    dead_letters: int
    error: str


@dataclass(frozen=True, slots=True)
class DeriveStatus:
    """How many points it has yet to derive from, the time of the first of them, and what it fails of."""

    backlog: int
    oldest: str | None
    error: str


@dataclass(frozen=True, slots=True)
class JournalStatus:
    """The journal as a whole. `oldest` and `newest`: of what was polled or imported, not of what was noted."""

    points: int
    bytes: int
    oldest: str | None
    newest: str | None


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """Whether a process polls and delivers, and which; None where it runs and doesn't say."""

    running: bool
    pid: int | None


@dataclass(frozen=True, slots=True)
class ShardStatus:
    """Which part of the tenants is this one's, None for all; how many they are, and how many other shards poll."""

    shard: str | None
    tenants: int
    elsewhere: int


@dataclass(frozen=True, slots=True)
class Status:
    """All of it. Times are RFC 3339 in UTC."""

    tenants: Sequence[PollStatus]
    sinks: Sequence[SinkStatus]
    journal: JournalStatus
    derive: DeriveStatus
    process: ProcessStatus
    shard: ShardStatus

    def document(self) -> dict[str, object]:
        """Return the document of `--json`."""
        return asdict(self)


def read_status(settings: Settings, journal: Journal) -> Status:
    """Return the status of every sink in the settings, and of every tenant and subject of this shard."""
    last: dict[tuple[str, str], Point] = {}
    now = int(time.time() * 1000)
    late_before = now - _LATE_INTERVALS * settings.poll.interval_seconds * 1000
    for point in sorted(journal.latest("collector_poll", now - _LOOK_BACK_MS), key=lambda point: point.time):
        last[point.series.tag("tenant"), point.series.tag("subject")] = point
    summary = journal.summary()
    return Status(
        tenants=[
            _poll(tenant, subject, last.get((tenant, subject)), late_before)
            for tenant in settings.tenants
            for subject in settings.poll.subjects
        ],
        sinks=_sinks(settings, journal),
        journal=JournalStatus(summary.points, summary.bytes, _time(summary.oldest), _time(summary.newest)),
        derive=_derive(journal),
        process=_process(holder(settings.journal.path)),
        shard=ShardStatus(
            str(settings.shard) if settings.shard else None, len(settings.tenants), len(settings.elsewhere)
        ),
    )


def _process(pid: str | None) -> ProcessStatus:
    return ProcessStatus(pid is not None, int(pid) if pid and pid.isdecimal() else None)


def _poll(tenant: str, subject: str, point: Point | None, late_before: int) -> PollStatus:
    if point is None:
        return PollStatus(tenant, subject, None, None, "", 0, late=False)
    ok, error, tries = (point.fields[name] for name in ("ok", "error", "tries"))
    late = point.time < late_before
    return PollStatus(tenant, subject, rfc3339(point.time), bool(ok), str(error), int(tries), late=late)


def _derive(journal: Journal) -> DeriveStatus:
    known = (cursor for cursor in journal.cursors() if cursor.consumer == DERIVE)
    backlog = journal.backlog(next(known, Cursor(DERIVE, 1, 0)), DERIVED_FROM)
    return DeriveStatus(backlog.points, _time(backlog.oldest), journal.noted(DERIVE))


def _sinks(settings: Settings, journal: Journal) -> Sequence[SinkStatus]:
    cursors = {cursor.consumer: cursor for cursor in journal.cursors()}
    found = []
    for name, sink in settings.influxdb.items():
        cursor = cursors.get(name, Cursor(name, 1, 0))
        backlog: Backlog = journal.backlog(cursor, Filter(measurements=sink.measurements, tenants=sink.tenants))
        dead = journal.dead_letters(name)
        found.append(SinkStatus(name, backlog.points, _time(backlog.oldest), dead, journal.noted(name)))
    return found


def _time(moment: int | None) -> str | None:
    return None if moment is None else rfc3339(moment)
