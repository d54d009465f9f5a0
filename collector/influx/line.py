"""Rows as line protocol, as every InfluxDB version reads it back. Is not a judge of names: `point.py` is."""

import functools

from collector.batch import Columns, Shape
from collector.point import Series, Value

_HEADS = 1 << 14
"""Series whose escaped heads are kept: a poll asks for the same ones again."""
_FORMS = 256
"""Shapes of which a form is kept; all measurements together have some twenty."""
_WRITTEN = {"float": "%r", "int": "%di", "str": '"%s"'}
"""A value of each kind. A float is 5.0, never 5."""


class Encoder:
    """Turns rows into lines, and keeps the escaped heads of the series that it met last. For one thread at a time."""

    def __init__(self, heads: int = _HEADS) -> None:
        self._heads = _Heads(heads)

    def encode(self, rows: Columns) -> bytes:
        """Return one line for each row, in order, in UTF-8; times are milliseconds (`precision=ms`)."""
        heads = self._heads
        lines: list[str] = []
        last: Shape | None = None
        moment = -1
        form, texts, tail = "", False, ""
        for series, time, shape, values in zip(rows.series, rows.times, rows.shapes, rows.values, strict=True):
            # The rows of a poll stand together: they share their shape and their time.
            if shape is not last:
                last = shape
                form, texts = _form(shape)
            if time != moment:
                moment = time
                tail = f" {time}\n"
            lines.append(f"{heads[series]} {form % (_escaped(values) if texts else values)}{tail}")
        return "".join(lines).encode()


class _Heads(dict[Series, str]):
    """The heads of at most so many series: where one more comes, those that were kept go."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __missing__(self, series: Series) -> str:
        if len(self) >= self._most:
            self.clear()
        head = self[series] = _head(series)
        return head


def _head(series: Series) -> str:
    # Sorted by key, as the server keeps them: it spares each write a sort.
    pairs = sorted(zip(series[1::2], series[2::2], strict=False))
    tags = "".join([f",{_name(key)}={_name(value)}" for key, value in pairs])
    return series.measurement.replace(",", "\\,").replace(" ", "\\ ") + tags


@functools.lru_cache(maxsize=_FORMS)
def _form(shape: Shape) -> tuple[str, bool]:
    """Return what the fields of a shape look like, to be filled with values; and whether there are texts in it."""
    fields = [f"{_name(name).replace('%', '%%')}={_WRITTEN[kind]}" for name, kind in shape]
    return ",".join(fields), any(kind == "str" for _, kind in shape)


def _name(text: str) -> str:
    # A backslash stays as it is: it can't be escaped in a name, and versions read two of them differently.
    return text.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")


def _escaped(values: tuple[Value, ...]) -> tuple[Value, ...]:
    return tuple(
        [value.replace("\\", "\\\\").replace('"', '\\"') if isinstance(value, str) else value for value in values]
    )
