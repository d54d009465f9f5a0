"""JSON from strangers, read as strictly as it has to be. Knows no field: what a document means is said elsewhere."""

import json
import math
from typing import Any

from collector.errors import BadResponse

MAX_DIGITS = 400
"""Digits of an integer. No float holds more than 309, and Python refuses to read over 4300."""


_MOST_MARKS = 2_000_000
"""Commas and colons. Each value takes many times its bytes in memory; the longest answer of groups has 1.2 million."""


_ODD = ((b"\\", rb"\""), (b"\\", rb"\\"), (b" ", b" :"), (b"\t", b"\t:"), (b"\r", b"\r:"), (b"\n", b"\n:"))
"""What may hide a key from who counts them by their `":`, each behind a byte of it that is found much sooner."""


class Ambiguous(dict[str, Any]):
    """An object that has a key twice: either of its values could be meant."""


def read(body: bytes) -> dict[str, Any]:
    """Return the object that `body` holds: UTF-8, one JSON object, each of its keys once; else raise BadResponse.

    NaN, Infinity and numbers beyond a float's range are floats that aren't finite. An object further in that has a key
    twice is an `Ambiguous`.
    """
    if len(body) > _MOST_MARKS and body.count(b",") + body.count(b":") > _MOST_MARKS:
        raise BadResponse(f"over {_MOST_MARKS:,} values, in {len(body)} bytes")
    document = _plain(body)
    try:
        if document is None:
            document = json.loads(body.decode(), object_pairs_hook=_object, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise BadResponse(f"not JSON, in {len(body)} bytes") from error
    if not isinstance(document, dict):
        raise BadResponse(f"JSON, but {kind(document)} and not an object")
    if isinstance(document, Ambiguous):
        raise BadResponse("a JSON object that has a key twice")
    return document


def kind(value: object) -> str:
    """Return what JSON calls this value, with its article, for messages."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "text" if value else "empty text"
        case dict():
            return "an object"
        case list():
            return "a list"
        case _:
            return "a number"


def _plain(body: bytes) -> object | None:
    """Return what `body` holds where that is quickly seen to be right, some times faster; None where it has to be read.

    A text without what is odd has a `":` for each key at least, so that no key is there twice where as many are in its
    objects. The outermost is counted, and those in its lists: a text that nests deeper has to be read.
    """
    if any(byte in body and odd in body for byte, odd in _ODD):
        return None
    try:
        text = body.decode()
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    keys = len(document)
    for value in document.values():
        if isinstance(value, list):
            alike = set(map(type, value)) == {dict}
            keys += sum(map(len, value if alike else [row for row in value if isinstance(row, dict)]))
    return document if keys == text.count('":') else None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Ambiguous(found)


def _integer(digits: str) -> int | float:
    if len(digits) <= MAX_DIGITS:
        return int(digits)
    return -math.inf if digits.startswith("-") else math.inf
