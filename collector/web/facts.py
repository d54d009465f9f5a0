"""What the web room asks of the service. It reads the journal and the process, never InfluxDB and never the API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from collector.history.view import Ranking, View
from collector.point import Point


@dataclass(frozen=True, slots=True, kw_only=True)
class PollFacts:
    """A subject's last poll: its slot in seconds since the epoch, the seconds of its exchanges, all tries together.

    `throttled`: how often, since this process began, an answer was that it is asked too often.
    """

    at: float
    seconds: float
    throttled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkFacts:
    """A sink's backlog in points, the age of the first of them in seconds (0 when there is none), its dead letters."""

    sink: str
    backlog: int
    oldest_seconds: float
    dead_letters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeriveFacts:
    """What is derived from the scores: points that it has yet to take, and the age of the first of them in seconds.

    `left_out`: how much could not be derived, while the rest was; `ok`: whether nothing is, and no turn failed.
    """

    backlog: int
    oldest_seconds: float
    left_out: int
    ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsFacts:
    """The settings that hold: `ok`, whether the last reload took them up; `taken_up`, when, in seconds since the epoch.

    `shard`: which part of the tenants is this process's, "0/1" for all; `here` and `elsewhere`: how many are, and not.
    """

    ok: bool
    taken_up: float
    shard: str
    here: int
    elsewhere: int


class Facts(Protocol):
    """Answers from any thread. What reads the journal raises JournalError when it can't be read."""

    def turns(self) -> bool:
        """Whether the process turns: its clock has fired and its housekeeping has run within a minute."""

    def reasons(self) -> Sequence[str]:
        """Why it isn't ready: the journal can't be written or is damaged, or no tenant is fresh. Empty when it is."""

    def warnings(self) -> Sequence[str]:
        """What is wrong though it is ready: what can't be derived from the scores, settings that were not taken up."""

    def settings(self) -> SettingsFacts:
        """The settings that hold, and this process's part of the tenants."""

    def scores(self, most: int) -> Sequence[Point]:
        """The newest point of each exposure score series that has one within three intervals; of groups, `most`."""

    def scored(self) -> Mapping[str, float]:
        """When each tenant's newest organization score is of, however old: its slot in seconds since the epoch."""

    def successes(self) -> Mapping[tuple[str, str], float]:
        """When (tenant, subject) last succeeded: the slot in seconds since the epoch."""

    def tenants(self) -> Sequence[str]:
        """The tenants of the settings that are this collector's."""

    def ranking(self, days: int, place: int) -> Ranking:
        """Those tenants, the worst first, as they are shown from a place on, with trends of so many days."""

    def view(self, tenant: str, days: int | None, group: str | None, place: int) -> View | None:
        """A tenant's page, or a group's; `days` None for all. None where there never was such a tenant or group."""

    def polls(self) -> Mapping[tuple[str, str, str], int]:
        """How many polls of (tenant, subject) ended in an outcome ("ok" or the error's name) in this process."""

    def polled(self) -> Mapping[tuple[str, str], PollFacts]:
        """The last poll of each (tenant, subject) that was settled, well or not."""

    def expiries(self) -> Mapping[str, float]:
        """When a tenant's credential ends, in seconds since the epoch; a tenant without a known end is left out."""

    def sinks(self) -> Sequence[SinkFacts]:
        """Each sink of the settings."""

    def derived(self) -> DeriveFacts:
        """How what follows from the scores is doing."""

    def journal_bytes(self) -> int:
        """Size of the journal's file."""

    def journal_ok(self) -> bool:
        """Whether the last append went well, and the last look found nothing damaged."""
