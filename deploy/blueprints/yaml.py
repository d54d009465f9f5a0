"""Plain data as YAML: blocks, and texts in double quotes as JSON writes them. Reads nothing."""

import json
import re
from collections.abc import Iterator

_BARE = re.compile(r"[A-Za-z_][\w-]*")


def dumped(value: object) -> str:
    """Return dictionaries, lists, texts and numbers as a YAML document."""
    return "\n".join(_lines(value, 0)) + "\n"


def _lines(value: object, deep: int) -> Iterator[str]:
    indent = "  " * deep
    if isinstance(value, dict):
        for key, inner in value.items():
            name = key if _BARE.fullmatch(key) else json.dumps(key)
            yield from _entry(f"{indent}{name}:", inner, deep)
    elif isinstance(value, list | tuple):
        for inner in value:
            first, *rest = _lines(inner, deep + 1) if isinstance(inner, dict) else [f"{indent}  {_plain(inner)}"]
            yield f"{indent}- {first.lstrip()}"
            yield from rest
    else:
        yield f"{indent}{_plain(value)}"


def _entry(head: str, inner: object, deep: int) -> Iterator[str]:
    if isinstance(inner, dict | list | tuple) and inner:
        yield head
        yield from _lines(inner, deep + 1)
    else:
        yield f"{head} {_plain(inner)}"


def _plain(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
