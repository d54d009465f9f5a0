"""The one moment by which all that an exchange waits for has to be over. Knows no connections."""

import contextlib
import threading
import time
from collections.abc import Iterator


class Deadline:
    """The moment by which this thread's exchange has to be over."""

    def __init__(self) -> None:
        self._local = threading.local()

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Set the moment for what this thread does inside of the block."""
        self._local.until = time.monotonic() + seconds
        try:
            yield
        finally:
            del self._local.until

    @contextlib.contextmanager
    def standing(self) -> Iterator[None]:
        """Let the moment wait for as long as what this thread does inside of the block takes."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._local.until += time.monotonic() - began

    def left(self, late: type[Exception]) -> float:
        """Return the seconds that are left, more than 0; raise `late` when none are."""
        left: float = self._local.until - time.monotonic()
        if left <= 0:
            raise late
        return left
