"""What passes between the journal and its consumers: rows in order, and the cursor that says which come next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from collector.point import Point, Series, Value

DERIVE = "derive"
"""The consumer that appends what follows from the scores; every other is a sink, by its name in the settings."""


@dataclass(frozen=True, slots=True)
class Row:
    """A point as it stands in the journal. Ids grow with each append and are never used again."""

    id: int
    point: Point


Shape = tuple[tuple[str, str], ...]
"""The fields of a row in their order: (name, "float" | "int" | "str")."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Rows in their order, a list for each thing that is known of them, all of one length.

    So they go to a sink by the million: a point is made only for who needs one.
    """

    ids: Sequence[int]
    series: Sequence[Series]
    times: Sequence[int]
    shapes: Sequence[Shape]
    """Rows of one shape next to each other have it as the same object."""
    values: Sequence[tuple[Value, ...]]
    """Those of a row's fields, as its shape has them."""
    _rows: list[Row] = field(init=False, default_factory=list)

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, start: int, end: int) -> "Columns":
        """Return those from one place on to before another."""
        some = slice(start, end)
        return Columns(self.ids[some], self.series[some], self.times[some], self.shapes[some], self.values[some])

    def rows(self) -> Sequence[Row]:
        """Return them as rows, with points; made once."""
        if len(self._rows) < len(self):
            every = zip(self.ids, self.series, self.times, self.shapes, self.values, strict=True)
            self._rows[:] = [
                Row(id_, Point(series, time, {name: value for (name, _), value in zip(shape, values, strict=True)}))
                for id_, series, time, shape, values in every
            ]
        return self._rows


NO_ROWS = Columns((), (), (), (), ())

Write = Callable[[Callable[[], object] | None], None]
"""Writes the rows that it was made of. Calls what it is given, if anything, while it waits for the answer."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """`next`: the first row that the consumer has yet to take. `moves`: how often a person moved it."""

    consumer: str
    next: int
    moves: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What a consumer takes at once; `after` is the cursor's next once it has.

    No rows and an `after` past the cursor: what stood there is not for this consumer. No rows and an `after` at the
    cursor: there is nothing more.
    """

    columns: Columns
    after: int
    stood: int
    """How many rows there were: more than `columns` has where some of them are damaged."""

    @property
    def rows(self) -> Sequence[Row]:
        """The rows in order, each with its point."""
        return self.columns.rows()


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
