"""A signal ends a command whenever it comes."""

import signal
import threading
from collections.abc import Iterator
from types import FrameType

import pytest

from collector.cli.ending import when_told

_STUCK_SECONDS = 10


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """The handlers of this process are what they were afterwards, and a test that is stuck ends."""

    def stuck(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(number, frame)

    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [*((number, signal.getsignal(number)) for number in numbers), (signal.SIGALRM, signal.SIG_DFL)]
    signal.signal(signal.SIGALRM, stuck)
    signal.alarm(_STUCK_SECONDS)
    yield
    signal.alarm(0)
    for number, handler in before:
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_the_moment_in_which_the_end_begins_to_be_waited_for_is_heard(number: signal.Signals) -> None:
    """The main thread may hold the event's own lock just then: the signal waits for nothing, and the end comes."""
    stop = threading.Event()
    when_told(stop.set)
    with stop._cond:  # type: ignore[attr-defined]  # as `wait` holds it for a moment
        signal.raise_signal(number)
    assert stop.wait(_STUCK_SECONDS)


def test_each_signal_counts() -> None:
    """Who asks twice is heard twice."""
    heard = threading.Semaphore(0)
    when_told(heard.release)
    for _ in range(2):
        signal.raise_signal(signal.SIGTERM)
        assert heard.acquire(timeout=_STUCK_SECONDS)
