"""What the oracle knows from outside: what was served, what was acknowledged, what stands in the database.

Is not a verdict (`judge.py`). No score is ever served twice, so a score tells which answer it came from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

INTERVAL = 1000
"""Milliseconds of a slot: the service polls each second."""

Group = tuple[str, str]
"""The name and the id of a device group."""
ORGANIZATION: Group = ("", "")


def slot_of(moment: int) -> int:
    """Return the slot of a moment, both in ms since the epoch."""
    return moment // INTERVAL * INTERVAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One whole answer with status 200. `rows` are those with a score; their number is the answer's `points`."""

    number: int
    """Later requests have greater ones."""
    tenant: str
    subject: str
    asked: int
    """When the request came, in ms since the epoch."""
    rows: Mapping[Group, float]
    api_time: str = ""
    """The organization's `time` as it was served."""

    @property
    def key(self) -> tuple[str, str]:
        """Whose answer to what it is."""
        return self.tenant, self.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """How a poll ended: as the service acknowledged it in its log, or as it stands in the database."""

    tenant: str
    subject: str
    slot: int
    ok: bool
    points: int
    tries: int
    error: str
    said: int = 0
    """When it was acknowledged, in ms since the epoch; 0 in the database."""
    collector: str = ""
    """By whom, in the database."""

    @property
    def key(self) -> tuple[str, str, int]:
        """Whose poll of what and when it is."""
        return self.tenant, self.subject, self.slot

    @property
    def facts(self) -> tuple[bool, int, int, str]:
        """What the database has to say as the log did."""
        return self.ok, self.points, self.tries, self.error


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A score in the database, with the identity under which it stands there."""

    tenant: str
    group: Group
    slot: int
    value: float
    api_time: int | None = None
    """ns since the epoch; the organization's alone."""

    @property
    def identity(self) -> tuple[str, Group, int]:
        """What tells it from every other."""
        return self.tenant, self.group, self.slot


@dataclass(slots=True, kw_only=True)
class Truth:
    """What really happened. `kills`, `begun`: when the service was killed and started, in ms since the epoch."""

    answers: Sequence[Answer] = ()
    acknowledged: Sequence[Poll] = ()
    kills: Sequence[int] = ()
    begun: Sequence[int] = ()
    collector: str = "oracle"


@dataclass(slots=True, kw_only=True)
class Stored:
    """What the database has."""

    scores: Sequence[Score] = ()
    polls: Sequence[Poll] = ()


@dataclass(slots=True)
class Verdict:
    """What the judge found, a line each; `points` is how many acknowledged points it asked for."""

    points: int = 0
    lost: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """All that is not as it should be."""
        kinds = (("lost", self.lost), ("repeated", self.repeated), ("wrong", self.wrong))
        return [f"{kind}: {line}" for kind, lines in kinds for line in lines]
