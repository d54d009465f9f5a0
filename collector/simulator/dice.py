"""Numbers that are always the same for the same key. Is not random: the simulator's worlds have to be repeatable."""

import hashlib
import struct
import uuid

SHOCKS = 32
"""How many shocks one throw gives."""

_UNPACK = struct.Struct(f"<{SHOCKS}H").unpack


def roll(*key: str | int) -> float:
    """Return a number in [0, 1)."""
    return (int.from_bytes(_digest(key, 8)) >> 11) / 2**53


def between(low: float, high: float, *key: str | int) -> float:
    """Return a number in [low, high)."""
    return low + (high - low) * roll(*key)


def whole(low: int, high: int, *key: str | int) -> int:
    """Return a whole number from `low` to `high`, both of them possible."""
    return low + int((high - low + 1) * roll(*key))


def shocks(*key: str | int) -> tuple[float, ...]:
    """Return `SHOCKS` numbers in [-1, 1], from one digest: a world asks for hundreds of them a group."""
    return tuple(value / 32767.5 - 1.0 for value in _UNPACK(_digest(key, 2 * SHOCKS)))


def guid(*key: str | int) -> str:
    """Return a GUID, as tenants and applications have them."""
    return str(uuid.UUID(bytes=_digest(key, 16), version=4))


def _digest(key: tuple[str | int, ...], size: int) -> bytes:
    return hashlib.blake2b(repr(key).encode(), digest_size=size).digest()
