"""The signals that a command heeds: SIGTERM and Ctrl-C end it, SIGHUP doesn't. Is not what is then done in order."""

import _thread
import os
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


def when_hung_up(anew: Callable[[], None], end: Callable[[], None]) -> None:
    """Call `anew` at each SIGHUP from now on, in a thread of its own; `end` instead where a terminal was closed.

    Under `nohup`, which has that one ignored, it means nothing but `anew`.
    """
    ends = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN and _terminal()

    def told() -> None:
        if ends and not _terminal():
            end()
        else:
            anew()

    def begin(number: int, frame: FrameType | None) -> None:
        del number, frame
        _thread.start_new_thread(told, ())

    signal.signal(signal.SIGHUP, begin)


def _terminal() -> bool:
    """Whether this process has a terminal that can be closed, and that is not."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
