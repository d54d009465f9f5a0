"""What a token says of itself, read without verifying it: whom it is for and what it may is its reader's to judge."""

import base64
from typing import Any

from collector.defender import document
from collector.errors import BadResponse

_PARTS = 3
"""Of a JWT: header, claims, signature."""


def claims(token: str) -> dict[str, Any]:
    """Return what a token says of itself, without verifying it; nothing for a token that can't be read."""
    parts = token.split(".")
    return part(parts[1]) if len(parts) == _PARTS else {}


def part(text: str) -> dict[str, Any]:
    """Return the object that `text` is in base64url; nothing for anything else."""
    try:
        return document.read(base64.urlsafe_b64decode(text + "=="))
    except (BadResponse, ValueError):
        return {}
