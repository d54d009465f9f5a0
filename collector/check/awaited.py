"""What is being asked right now, and since when, for whoever shows that it goes on. Any thread begins and ends."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wait:
    """What is awaited longest, for how many seconds, and how many others are awaited beside it."""

    what: str
    seconds: float
    others: int


class Awaited:
    """`monotonic`: seconds."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._asked: dict[object, tuple[str, float]] = {}

    @contextmanager
    def asking(self, what: str) -> Iterator[None]:
        """Let `what` be awaited from here to the end of the block."""
        # A mark of its own: two may be asked by one name.
        mark = object()
        self._asked[mark] = (what, self._monotonic())
        try:
            yield
        finally:
            del self._asked[mark]

    def longest(self) -> Wait | None:
        """Return what is awaited longest, None while nothing is."""
        asked = list(self._asked.values())
        if not asked:
            return None
        what, since = min(asked, key=lambda each: each[1])
        return Wait(what, self._monotonic() - since, len(asked) - 1)
