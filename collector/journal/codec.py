"""How a row's fields become bytes, and how the bytes prove that they are whole.

A shape is a point's field names and types, kept once; a row holds the values alone: a float in 8 bytes, an int as a
zigzag varint, a str by its length and UTF-8. The last four bytes are the CRC-32 of the row's key and values. Is not
compression: a score is 8 bytes, and 70 bytes a point with all indexes is the budget.
"""

import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from collector.point import Value

_KEY = struct.Struct("<4q")
_CRC = struct.Struct("<I")
_FLOAT = struct.Struct("<d")
FLOAT_BYTES = _FLOAT.size

Shape = tuple[tuple[str, str], ...]
"""The fields of a row in their order: (name, "float" | "int" | "str")."""


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


def decode(key: Key, shape: Sequence[tuple[str, str]], data: object) -> dict[str, Value]:
    """Return the fields; raise Damaged unless key, shape and bytes are those that were written."""
    if not isinstance(data, bytes) or not proven(key, data):
        raise Damaged(f"row {key.id}", "the checksum differs")
    fields: dict[str, Value] = {}
    at = 0
    for name, kind in shape:
        fields[name], at = _unpack(kind, data, at)
    return fields


def checksum(*parts: str | int) -> int:
    """Return the CRC-32 of parts, each with its end marked: for the rows that hold names and cursors."""
    return zlib.crc32("".join([f"{part}\0" for part in parts]).encode())


def proven(key: Sequence[int], data: bytes) -> bool:
    """Whether key (in the order of `Key`) and bytes are those that were written."""
    try:
        return bool(_CRC.unpack_from(data, len(data) - _CRC.size)[0] == _sum(key, data[: -_CRC.size]))
    except (struct.error, TypeError):
        # A flipped bit can cut the bytes short, and make NULL or a text of a number.
        return False


def _sum(key: Sequence[int], values: bytes) -> int:
    return zlib.crc32(values, zlib.crc32(_KEY.pack(*key)))


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
