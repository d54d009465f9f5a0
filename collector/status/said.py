"""What `status` says, with the keys of `--json`: those of the contract, and some beside them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class PollStatus:
    """The last poll of a subject that was settled. `ok` is None and `slot` too when there was none.

    `late`: there was one, and it is more than three intervals ago. `seconds`: of its exchanges, all tries together;
    `throttled`: tries to which the answer was that the tenant is asked too often.
    """

    tenant: str
    subject: str
    slot: str | None
    ok: bool | None
    error: str
    tries: int
    late: bool
    seconds: float | None
    throttled: int


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """A sink's backlog in points, the time of the first of them, its dead letters, and what it fails of.

    `begun`: no start of `run` or `once` had it in its settings yet where it is not.
    `exact`: whether all of a backlog were counted. `rate`: points a second that it takes while it catches up, and
    `seconds_left` until it has; None where it does not, or is nearly there.
    """

    name: str
    backlog: int
    oldest: str | None
    dead_letters: int
    error: str
    begun: bool
    exact: bool
    rate: float | None
    seconds_left: int | None


@dataclass(frozen=True, slots=True)
class DeriveStatus:
    """How many points it has yet to derive from, the time of the first of them, and what it fails of; else as above."""

    backlog: int
    oldest: str | None
    error: str
    exact: bool
    rate: float | None
    seconds_left: int | None


@dataclass(frozen=True, slots=True)
class JournalStatus:
    """The journal as a whole. `oldest` and `newest`: of what was polled or imported, not of what was noted.

    `exact`: whether all points were counted, and not a part of them.
    """

    points: int
    bytes: int
    oldest: str | None
    newest: str | None
    exact: bool


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
        return {
            "tenants": [_document(poll) for poll in self.tenants],
            "sinks": [_document(sink) for sink in self.sinks],
            "journal": _document(self.journal),
            "derive": _document(self.derive),
            "process": _document(self.process),
            "shard": _document(self.shard),
        }


def _document(
    one: PollStatus | SinkStatus | DeriveStatus | JournalStatus | ProcessStatus | ShardStatus,
) -> dict[str, object]:
    return {field.name: getattr(one, field.name) for field in fields(one)}
