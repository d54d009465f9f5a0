"""The end of a command that runs until it is told to: SIGTERM, or Ctrl-C. Is not what is then done in order."""

import _thread
import signal
from collections.abc import Callable
from types import FrameType


def when_told(end: Callable[[], None]) -> None:
    """Call `end` at each SIGTERM and Ctrl-C from now on, in a thread of its own."""

    def begin(number: int, frame: FrameType | None) -> None:
        del number, frame
        # A handler interrupts the main thread anywhere, also inside `Event.wait` or `Thread.start` with their lock
        # held. To set an event or start a `Thread` right here would then wait for that lock for ever.
        _thread.start_new_thread(end, ())

    signal.signal(signal.SIGTERM, begin)
    signal.signal(signal.SIGINT, begin)
