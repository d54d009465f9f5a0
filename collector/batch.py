"""What passes between the journal and its consumers: rows in order, and the cursor that says which come next."""

from collections.abc import Sequence
from dataclasses import dataclass

from collector.point import Point

DERIVE = "derive"
"""The consumer that appends what follows from the scores; every other is a sink, by its name in the settings."""


@dataclass(frozen=True, slots=True)
class Row:
    """A point as it stands in the journal. Ids grow with each append and are never used again."""

    id: int
    point: Point


@dataclass(frozen=True, slots=True)
class Cursor:
    """`next`: the first row that the consumer has yet to take. `moves`: how often a person moved it."""

    consumer: str
    next: int
    moves: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows in order; `after` is the cursor's next once they are taken.

    No rows and an `after` past the cursor: what stood there is not for this consumer. No rows and an `after` at the
    cursor: there is nothing more.
    """

    rows: Sequence[Row]
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which points are for a consumer: shell-style patterns of measurements, and tenants by name (None: all)."""

    measurements: tuple[str, ...] = ("*",)
    tenants: tuple[str, ...] | None = None


DERIVED_FROM = Filter(measurements=("exposure_score", "exposure_score_by_group", "exposure_annotation"))
"""What the consumer `derive` takes."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A row that a sink will never take as it is, and the server's words."""

    row: Row
    words: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a consumer has yet to take: how many points, and the time (ms) of the first of them.

    `exact`: whether all were counted, and not a part of them.
    """

    points: int
    oldest: int | None
    exact: bool = True
