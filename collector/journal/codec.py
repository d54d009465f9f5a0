"""How a row's fields become bytes, and how the bytes prove that they are whole.

A shape is a point's field names and types, kept once; a row holds the values alone: a float in 8 bytes, an int as a
zigzag varint, a str by its length and UTF-8. The last four bytes are the CRC-32 of the row's key and values. Is not
compression: a score is 8 bytes, and 70 bytes a point with all indexes is the budget.
"""

import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from collector.batch import Shape
from collector.point import Value

_KEY = struct.Struct("<4q")
key_bytes = _KEY.pack
"""Returns the bytes of a `Key`, of which a row's checksum begins."""
_CRC = struct.Struct("<I")
_FLOAT = struct.Struct("<d")
FLOAT_BYTES = _FLOAT.size

WHOLE = zlib.crc32(_CRC.pack(0))
"""The CRC-32 of anything that ends in its own, as key and bytes of a row do together when they are those written."""
_SMALL = tuple([~(byte >> 1) if byte & 1 else byte >> 1 for byte in range(0x80)])
"""The ints that take one byte, by that byte."""

Read = Callable[[bytes], tuple[Value, ...]]
"""Returns the values of a row's bytes, checksum included. Is only shown what was proven."""


class Key(NamedTuple):
    """What a row's checksum covers beside its values."""

    id: int
    series: int
    time: int
    shape: int


class Damaged(ValueError):
    """What stands in the file is not what was written. `what`: "row 5", "series 3" or "shape 1"."""

    def __init__(self, what: str, how: str) -> None:
        super().__init__(how)
        self.what = what


def shape_of(fields: Mapping[str, Value]) -> Shape:
    """Return the shape of a point's fields."""
    return tuple([(name, _kind(value)) for name, value in fields.items()])


def encode(key: Key, fields: Mapping[str, Value]) -> bytes:
    """Return the values of `fields` and their checksum."""
    values = b"".join([_pack(value) for value in fields.values()])
    return values + _CRC.pack(_sum(key, values))


def reader(shape: Shape) -> Read:
    """Return what reads the rows of a shape."""
    kinds = tuple([kind for _, kind in shape])
    if "str" in kinds:
        return partial(_each, kinds)
    least = struct.Struct(f"<{''.join(['d' if kind == 'float' else 'B' for kind in kinds])}{_CRC.size}x")
    if "int" not in kinds:
        return least.unpack
    return partial(_small, kinds, least, [place for place, kind in enumerate(kinds) if kind == "int"])


def checksum(*parts: str | int) -> int:
    """Return the CRC-32 of parts, each with its end marked: for the rows that hold names and cursors."""
    return zlib.crc32("".join([f"{part}\0" for part in parts]).encode())


def proven(key: Sequence[int], data: bytes) -> bool:
    """Whether key (in the order of `Key`) and bytes are those that were written."""
    try:
        return zlib.crc32(data, zlib.crc32(key_bytes(*key))) == WHOLE and len(data) >= _CRC.size
    except (struct.error, TypeError):
        # A flipped bit can cut the bytes short, and make NULL or a text of a number.
        return False


def _sum(key: Sequence[int], values: bytes) -> int:
    return zlib.crc32(values, zlib.crc32(key_bytes(*key)))


def _kind(value: Value) -> str:
    # By isinstance: an IntEnum is an int to whoever makes a point.
    return "float" if isinstance(value, float) else "int" if isinstance(value, int) else "str"


def _pack(value: Value) -> bytes:
    if isinstance(value, float):
        return _FLOAT.pack(value)
    if isinstance(value, int):
        return _varint(value << 1 if value >= 0 else (~value << 1) | 1)
    text = value.encode()
    return _varint(len(text)) + text


def _small(kinds: Sequence[str], least: struct.Struct, ints: Sequence[int], data: bytes) -> tuple[Value, ...]:
    """Read floats and ints; where the bytes are as few as can be each int is one byte, and all have their places."""
    if len(data) != least.size:
        return _each(kinds, data)
    values = list(least.unpack(data))
    for place in ints:
        values[place] = _SMALL[values[place]]
    return tuple(values)


def _each(kinds: Sequence[str], data: bytes) -> tuple[Value, ...]:
    """Read one value after the other, each from where the one before it ends."""
    values: list[Value] = []
    at = 0
    for kind in kinds:
        value, at = _unpack(kind, data, at)
        values.append(value)
    return tuple(values)


def _unpack(kind: str, values: bytes, at: int) -> tuple[Value, int]:
    if kind == "float":
        return _FLOAT.unpack_from(values, at)[0], at + _FLOAT.size
    number, at = _unvarint(values, at)
    if kind == "int":
        return (~(number >> 1) if number & 1 else number >> 1), at
    return values[at : at + number].decode(), at + number


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits a byte, the top bit says that another follows
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _unvarint(values: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = values[at]
        number |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:  # noqa: PLR2004 - the top bit says that another follows
            return number, at
        shift += 7
