"""The facts of a score card: where a tenant and its device groups stand, and how far each has moved.

Pure: points in, facts out. Is not what is asked of the journal (`reading.py`), and not what a card looks like.

- *Now* is the newest point of a series. The *change* over N days is now less the newest point at or before the moment
  N days before it. Where that point is more than another day older, or there is none, the change is not known. Where a
  break of the scores lies between the two points, the change is told, and that it reaches across the break.
- A group is followed by its id, under the newest of its names. What was kept for a name before an id was seen with it
  belongs to the group of that name, as long as there is only one. Groups of one name with different ids stay apart.
- A group counts as seen when it has a point within a day of the tenant's newest group point.
- Low is under 30, medium under 70, high the rest. Lower is better.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from collector.history.notes import Note
from collector.point import NO_ID, Point, Series

DAY = 86_400_000
"""Milliseconds."""
SPANS = (1, 7, 30)
"""Days over which a change is told."""
MEDIUM, HIGH = 30.0, 70.0
"""Where these levels begin."""

Level = Literal["low", "medium", "high"]


class Sample(NamedTuple):
    """A score at a time, in ms since the epoch."""

    time: int
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one score stands at `at` (ms), and its changes; None where one is not known.

    `across`: the days whose change reaches across a break, so that it says nothing of better or worse.
    """

    score: float
    at: int
    change_1d: float | None
    change_7d: float | None
    change_30d: float | None
    across: frozenset[int] = frozenset()

    @property
    def level(self) -> Level:
        """The level of the score."""
        return level(self.score)

    @property
    def changes(self) -> Sequence[tuple[int, float | None]]:
        """Each of `SPANS` with its change."""
        return list(zip(SPANS, (self.change_1d, self.change_7d, self.change_30d), strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A device group under its newest name. `samples`: what was asked for of its past, in the order of time.

    `seen`: whether it counts as such; one that isn't is shown when it is asked for by name. `series`: what is its past.
    """

    name: str
    id: str
    standing: Standing
    seen: bool = True
    samples: Sequence[Sample] = ()
    series: Sequence[Series] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is known of a tenant. `standing`: the organization's, None without a single point.

    `groups`: worst first, ties by name. `unseen`: how many more had a point within the days asked for, none of them
    after `unseen_since` (ms). `late`: the subjects whose newest point is older than it should be. `notes`: what people
    wrote of those days, in the order of time.
    """

    tenant: str
    standing: Standing | None
    samples: Sequence[Sample] = ()
    groups: Sequence[Group] = ()
    unseen: int = 0
    unseen_since: int | None = None
    late: Sequence[str] = ()
    notes: Sequence[Note] = ()

    @property
    def polled(self) -> int | None:
        """The time (ms) of the newest score, the organization's or a group's; None when there is none."""
        known = [self.standing] if self.standing else []
        return max((one.at for one in (*known, *(group.standing for group in self.groups))), default=None)


def level(score: float) -> Level:
    """Return the level of a score."""
    return "low" if score < MEDIUM else "medium" if score < HIGH else "high"


def sample(point: Point) -> Sample:
    """Return time and score of a point that has a score."""
    return Sample(point.time, float(point.fields["score"]))


def moments(now: int) -> Sequence[int]:
    """Return the moments (ms) before which the changes at `now` look for a point, in the order of `SPANS`."""
    return [now - days * DAY for days in SPANS]


def stand(now: Sample, before: Sequence[Sample | None], breaks: Collection[int] = ()) -> Standing:
    """Return where a score stands. `before`: the newest sample at or before each of its `moments`, at any age.

    `breaks`: when (ms) scores ceased to be comparable with those before.
    """
    day, week, month = known = changes(now, before)
    across = frozenset(
        days
        for days, old, change in zip(SPANS, before, known, strict=True)
        if old is not None and change is not None and any(old.time < at <= now.time for at in breaks)
    )
    return Standing(score=now.score, at=now.time, change_1d=day, change_7d=week, change_30d=month, across=across)


def changes(now: Sample, before: Sequence[Sample | None]) -> Sequence[float | None]:
    """Return how far a score has moved over each of the `SPANS`; None where that is not known. `before`: as above."""
    found: list[float | None] = []
    for old, days in zip(before, SPANS, strict=True):
        change = math.inf
        if old is not None and old.time <= now.time - days * DAY <= old.time + DAY:
            change = now.score - old.score
        found.append(change if math.isfinite(change) else None)
    return found


@dataclass(frozen=True, slots=True)
class Followed:
    """A group: its newest point, and all series that are its past."""

    newest: Point
    series: Sequence[Series]

    @property
    def name(self) -> str:
        """The newest name."""
        return self.newest.series.tag("rbacGroupName")

    @property
    def id(self) -> str:
        """The id, `none` where none was ever seen."""
        return self.newest.series.tag("rbacGroupId")


def follow(newest: Iterable[Point], every: Iterable[Series]) -> Sequence[Followed]:
    """Return a tenant's groups. `newest`: of each series the newest point; `every`: series, older ones too."""
    last: dict[tuple[str, str], Point] = {}
    for point in sorted(newest, key=lambda point: (point.time, point.series.tag("rbacGroupName"))):
        last[_identity(point.series)] = point
    named: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for identity, point in last.items():
        if identity[0] != NO_ID:
            named[point.series.tag("rbacGroupName")].append(identity)
    pasts: defaultdict[tuple[str, str], list[Series]] = defaultdict(list)
    for series in every:
        identity = _identity(series)
        owners = named.get(identity[1], []) if identity[0] == NO_ID else []
        pasts[owners[0] if len(owners) == 1 else identity].append(series)
    return [Followed(point, pasts[identity]) for identity, point in last.items() if identity in pasts]


def _identity(series: Series) -> tuple[str, str]:
    """Return what stays the same of a group: its id alone, or `none` and its name."""
    id_ = series.tag("rbacGroupId")
    return (id_, "" if id_ != NO_ID else series.tag("rbacGroupName"))


def seen(groups: Sequence[Followed]) -> tuple[Sequence[Followed], Sequence[Followed]]:
    """Return the groups that have a point within a day of the newest point of all, and the others."""
    newest = max((group.newest.time for group in groups), default=0)
    fresh = [group for group in groups if group.newest.time >= newest - DAY]
    return fresh, [group for group in groups if group.newest.time < newest - DAY]


def called(groups: Sequence[Followed], what: str) -> Sequence[Followed]:
    """Return the groups of that name; else those that once had it; else the one of that id."""
    return (
        [group for group in groups if group.name == what]
        or [group for group in groups if any(series.tag("rbacGroupName") == what for series in group.series)]
        or [group for group in groups if group.id == what]
    )


def worst_first(cards: Iterable[Card]) -> Sequence[Card]:
    """Return the cards by score, ties by name; those without a score at the end."""
    return sorted(cards, key=lambda card: (-card.standing.score if card.standing else math.inf, card.tenant))


def rank_groups(groups: Iterable[Group]) -> Sequence[Group]:
    """Return the groups by score, ties by name, then by id."""
    return sorted(groups, key=lambda group: (-group.standing.score, group.name, group.id))
