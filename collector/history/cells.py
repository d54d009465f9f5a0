"""What stands in one cell of a table of points: a time, a number, a text. Is not the table (`table.py`).

A text that a spreadsheet would run as a formula can have a single quote before it, and is taken back without: one
quote goes from each text that begins with quotes and then such a character. So a text that begins like that by itself
is always written with one more, and whoever reads it need not know how the file was written.
"""

import math
import re
from functools import lru_cache

from collector.measurements import Kind
from collector.point import MAX_TIME, Value, milliseconds, outside

TIME_FORMS = "a time is 2026-03-01T06:00:00Z, 2026-03-01 06:00 (in UTC), or a date like 2026-03-01"

_STARTS = r"[=+\-@\t\r\n＝＋－＠]"  # noqa: RUF001 - the wide ones begin a formula, too
_QUOTED = re.compile(rf"'+{_STARTS}")
_FORMULA = re.compile(rf"'*{_STARTS}")
_WITHOUT_ZONE = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt ](\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)", re.ASCII)
_FLOAT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INT = re.compile(r"[+-]?\d{1,20}", re.ASCII)
_ROUNDED = re.compile(r"[+-]?\d+([.,]\d+)?[eE]\+?\d+", re.ASCII)
_SAFE_DIGITS = 15
"""Of an int: a spreadsheet rounds a number of more."""
_SHOWN = 60
"""Characters of a cell in a message."""


class Slip(ValueError):
    """A cell that can't be taken: what stands there, and what would be right."""


def written(text: str, *, spreadsheet: bool) -> str:
    """Return the cell of a text. For a `spreadsheet`, one that would be run as a formula has a quote before it."""
    return f"'{text}" if (_FORMULA if spreadsheet else _QUOTED).match(text) else text


def read(cell: str) -> str:
    """Return the text that `written` was given, whichever way it wrote."""
    return cell[1:] if _QUOTED.match(cell) else cell


def written_value(value: Value, *, spreadsheet: bool) -> str:
    """Return the cell of a field's value; each float and int is told by its digits alone."""
    if isinstance(value, str):
        return written(value, spreadsheet=spreadsheet)
    if isinstance(value, float):
        return repr(float(value))
    digits = str(int(value))
    return f"'{digits}" if spreadsheet and len(digits.lstrip("-")) > _SAFE_DIGITS else digits


def value(kind: Kind, cell: str, *, comma: bool = False) -> Value:
    """Return the value of a field of that type; with `comma` a float may have a decimal comma. Raise Slip."""
    if kind == "string":
        return read(cell)
    return whole(cell) if kind == "int" else number(cell, comma=comma)


def number(cell: str, *, comma: bool = False) -> float:
    """Return a finite float; raise Slip."""
    text = cell.strip().removeprefix("'")
    if comma and "." not in text:
        text = text.replace(",", ".", 1)
    if not _FLOAT.fullmatch(text):
        right = "a number is 41.5 or 41,5" if comma else "a number is 41.5, with a point"
        raise Slip(f"{shown(cell)} is no number: {right}")
    found = float(text)
    if not math.isfinite(found):
        raise Slip(f"{shown(cell)} is more than a float holds")
    return found


def whole(cell: str) -> int:
    """Return an int of 64 bits; raise Slip."""
    text = cell.strip().removeprefix("'")
    if _ROUNDED.fullmatch(text):
        raise Slip(
            f"{shown(cell)} is what a spreadsheet has rounded a whole number to: export again with --spreadsheet,"
            " which keeps its digits"
        )
    if not _INT.fullmatch(text) or not -(2**63) <= int(text) < 2**63:
        raise Slip(f"{shown(cell)} is no whole number of 64 bits")
    return int(text)


# All that was polled in one slot has one time.
@lru_cache(maxsize=1000)
def time(cell: str) -> int:
    """Return a time in ms since the epoch; without a zone it is UTC. Raise Slip."""
    text = cell.strip()
    if bare := _WITHOUT_ZONE.fullmatch(text):
        clock = bare[2] if bare[2][1] != ":" else f"0{bare[2]}"
        text = f"{bare[1]}T{clock}Z"
    found = milliseconds(text)
    if found is None:
        raise Slip(f"{shown(cell)} is no time: {TIME_FORMS}")
    if not 0 <= found < MAX_TIME:
        raise Slip(f"{shown(cell)} {outside(found)}")
    return found


def shown(cell: str) -> str:
    """Return a cell as a message shows it: in quotes, on one line, and not all of a long one."""
    return repr(cell if len(cell) <= _SHOWN else f"{cell[:_SHOWN]}…")
