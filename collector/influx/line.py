"""Points as line protocol, as every InfluxDB version reads it back. Is not a judge of names: `point.py` is."""

import functools
from collections.abc import Iterable, Mapping

from collector.point import Point, Series, Value

_HEADS = 1 << 14
"""Series whose escaped heads are kept: a poll asks for the same ones again."""


class Encoder:
    """Turns points into lines, and keeps the escaped heads of the series that it met last. For any thread."""

    def __init__(self, heads: int = _HEADS) -> None:
        self._head = functools.lru_cache(maxsize=heads)(_head)

    def encode(self, points: Iterable[Point]) -> bytes:
        """Return one line for each point, in order, in UTF-8; times are milliseconds (`precision=ms`)."""
        head = self._head
        return "".join([f"{head(point.series)} {_fields(point.fields)} {point.time}\n" for point in points]).encode()


def _head(series: Series) -> str:
    # Sorted by key, as the server keeps them: it spares each write a sort.
    tags = "".join(f",{_name(key)}={_name(value)}" for key, value in sorted(series.tags))
    return series.measurement.replace(",", "\\,").replace(" ", "\\ ") + tags


def _fields(fields: Mapping[str, Value]) -> str:
    return ",".join([f"{_name(key)}={_value(value)}" for key, value in fields.items()])


def _name(text: str) -> str:
    # A backslash stays as it is: it can't be escaped in a name, and versions read two of them differently.
    return text.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")


def _value(value: Value) -> str:
    if isinstance(value, float):
        # 5.0, never 5. Asked of float itself, since a subclass (numpy has one) may print its own name.
        return float.__repr__(value)
    if isinstance(value, int):
        return f"{value}i"
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
