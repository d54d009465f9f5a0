"""Servers that asked not to be asked again for a while (`Retry-After`). Waits for nobody, and asks nothing.

It is kept beyond the slot: whoever asks sooner is only told to wait again.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from collector.errors import Unavailable


class Wait(NamedTuple):
    """The seconds that are left, and the words in which it was asked for."""

    seconds: float
    error: Unavailable


class LeftAlone:
    """What was asked for of each tenant and subject, for any thread."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._until: dict[tuple[str, str], tuple[float, Unavailable]] = {}

    def ask(self, tenant: str, subject: str, seconds: float, error: Unavailable) -> None:
        """Take note that a server asked for so many seconds."""
        self._until[tenant, subject] = self._monotonic() + seconds, error

    def wait(self, tenant: str, subject: str) -> Wait | None:
        """Return what is left of that, None where it may be asked."""
        asked = self._until.get((tenant, subject))
        if asked is None:
            return None
        until, error = asked
        left = until - self._monotonic()
        return Wait(left, error) if left > 0 else None

    def forget(self) -> None:
        """Let all be asked."""
        self._until.clear()
