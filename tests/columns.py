"""Points as a sink gets them: column by column, as if a journal had read them."""

from collections.abc import Iterable

from collector.batch import Columns, Shape
from collector.point import Point, Value


def columns(points: Iterable[Point]) -> Columns:
    """Return rows of the points, with ids from 1 on."""
    every = list(points)
    shapes: dict[Shape, Shape] = {}
    found = [tuple((name, _kind(value)) for name, value in point.fields.items()) for point in every]
    return Columns(
        range(1, len(every) + 1),
        [point.series for point in every],
        [point.time for point in every],
        [shapes.setdefault(shape, shape) for shape in found],
        [tuple(point.fields.values()) for point in every],
    )


def _kind(value: Value) -> str:
    return "float" if isinstance(value, float) else "int" if isinstance(value, int) else "str"
