"""Numbers by the fingerprint of a series: 27 to 40 bytes each, where the series themselves would take 300.

A fingerprint is 96 bits of a hash that begins with a secret of this object: that two series have the same is less
likely than that the memory errs, and nobody can choose names that do. Is not a memory of names: none can be read here.
"""

import os
import struct
from collections.abc import Iterable
from hashlib import blake2b

_ENTRY = struct.Struct("<12sQ")
_SIZE = _ENTRY.size
_GET, _PUT = _ENTRY.unpack_from, _ENTRY.pack_into
_PLACE = struct.Struct("<Q").unpack_from
_NOTHING = bytes(12)
_FIRST = 1 << 10
"""Places at the beginning; there are half as many more whenever three in four are taken."""


class Fingerprints:
    """A table with open addressing: what finds its place taken has the next free one behind it."""

    def __init__(self) -> None:
        self._secret = os.urandom(16)
        self.clear()

    def clear(self) -> None:
        """Let go of all."""
        self._places = _FIRST
        self._taken = 0
        self._table = bytearray(_FIRST * _SIZE)

    def of(self, texts: Iterable[str]) -> bytes:
        """Return the fingerprint of a series by its texts: the measurement, and each tag's key and value."""
        # No tag holds the character between them.
        return blake2b(self._secret + "\0".join(texts).encode(), digest_size=12).digest()

    def get(self, fingerprint: bytes) -> int | None:
        """Return the number of a fingerprint, None where it has none."""
        return self._find(fingerprint)[1] or None

    def put(self, fingerprint: bytes, number: int) -> None:
        """Let a fingerprint have a number (1 and up)."""
        at, known = self._find(fingerprint)
        if known is None:
            if 4 * self._taken >= 3 * self._places:
                self._grow()
                at, _ = self._find(fingerprint)
            self._taken += 1
        _PUT(self._table, at, fingerprint, number)

    def drop(self, fingerprint: bytes) -> None:
        """Let a fingerprint have no number any more."""
        at, known = self._find(fingerprint)
        if known is not None:
            # Its place stays taken: those behind it were put there because of it.
            _PUT(self._table, at, fingerprint, 0)

    def _find(self, fingerprint: bytes) -> tuple[int, int | None]:
        """Return where a fingerprint stands, and its number or 0; or where it would stand, and None."""
        table = self._table
        at = _PLACE(fingerprint)[0] % self._places * _SIZE
        while True:
            there, number = _GET(table, at)
            if there == fingerprint:
                return at, number
            if there == _NOTHING:
                return at, None
            at += _SIZE
            if at == len(table):
                at = 0

    def _grow(self) -> None:
        before = self._table
        places = self._places + self._places // 2
        # Where there is no memory for more, what there is still stands.
        self._table = bytearray(places * _SIZE)
        self._places, self._taken = places, 0
        for fingerprint, number in _ENTRY.iter_unpack(before):
            if number:
                self._taken += 1
                _PUT(self._table, self._find(fingerprint)[0], fingerprint, number)
