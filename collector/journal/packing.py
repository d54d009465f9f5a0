"""Many points to rows: what all points of a shape have in common is worked out once.

The bytes are those of `codec.encode`, field for field; whatever is not plain goes that way itself.
"""

import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence

from collector.batch import Shape
from collector.journal.codec import Key, encode
from collector.point import Value

_KEY = struct.Struct("<4q")
_CRC = struct.Struct("<I").pack
_PLAIN = {"float": "d", "int": "b"}
"""How a float stands in a row, and an int of one byte: its top bit, that another follows, is not set."""


class Packer:
    """Packs the values of one shape, `number`."""

    def __init__(self, number: int, shape: Shape) -> None:
        self.number = number
        kinds = [kind for _, kind in shape]
        self._ints = [place for place, kind in enumerate(kinds) if kind == "int"]
        self._pack = None
        if _PLAIN.keys() >= set(kinds):
            self._pack = struct.Struct("<4q" + "".join(map(_PLAIN.__getitem__, kinds))).pack

    def packed(self, id_: int, series: int, time: int, fields: Mapping[str, Value]) -> bytes:
        """Return the values of a point's fields, which have this shape, and their checksum."""
        values = fields.values()
        if self._pack is not None:
            try:
                whole = self._pack(id_, series, time, self.number, *(self._zigzag(values) if self._ints else values))
            except struct.error:
                pass  # an int that takes more than one byte
            else:
                return whole[_KEY.size :] + _CRC(zlib.crc32(whole))
        return encode(Key(id_, series, time, self.number), fields)

    def _zigzag(self, fields: Iterable[Value]) -> Sequence[Value]:
        values = list(fields)
        for place in self._ints:
            value = int(values[place])
            values[place] = value << 1 if value >= 0 else (~value << 1) | 1
        return values
