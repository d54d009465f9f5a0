"""Watches the wall clock against the monotonic one, from a thread that no jump can put to sleep."""

import threading
import time
from collections.abc import Callable

JUMP_SECONDS = 2.0
"""A difference that slewing can't make between two looks."""
LOOK_SECONDS = 1.0


class ClockWatch:
    """Calls `jumped` with the seconds by which the wall clock went ahead (or back, below 0) of where it should be."""

    def __init__(
        self,
        jumped: Callable[[float], None],
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._jumped = jumped
        self._wall = wall
        self._monotonic = monotonic
        self._offset = wall() - monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="clock-watch", daemon=True)

    def start(self) -> None:
        """Watch from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._stop.set()
        self._thread.join()

    def look(self) -> None:
        """Compare the clocks once."""
        offset = self._wall() - self._monotonic()
        jump, self._offset = offset - self._offset, offset
        if abs(jump) >= JUMP_SECONDS:
            self._jumped(jump)

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            self.look()
