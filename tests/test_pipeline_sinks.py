"""Several sinks that catch up at once, on real threads: each at its own pace, whatever becomes of the others."""

import threading
from collections.abc import Iterator, Sequence

import pytest
from fakes import Store
from stages import many

from collector.errors import Unavailable
from collector.journal import Journal
from collector.pipeline import Backoff, Delivery, deliver
from collector.pipeline.deliver import DELIVER, State
from collector.point import Point
from collector.service.lanes import Lanes

BATCHES = 12
SECONDS = 60.0
"""Within which everything is over on a machine that is very busy; nothing here waits for a time."""


@pytest.fixture(name="lanes")
def _lanes() -> Iterator[Lanes]:
    lanes = Lanes({DELIVER: 4})
    lanes.start()
    yield lanes
    assert lanes.stop(SECONDS)


class Course:
    """A sink on its way; `done` is set once it has everything."""

    def __init__(self, name: str, journal: Journal, lanes: Lanes) -> None:
        self.sink = Store(name)
        self.done = threading.Event()
        self.failures = 0
        self.delivery = Delivery(
            sink=self.sink, journal=journal, workers=lanes, changed=self._changed, backoff=Backoff(base=0.01, most=0.02)
        )

    def _changed(self, state: State) -> None:
        self.failures += state.error is not None
        if state.up_to_date:
            self.done.set()


def test_sinks_that_catch_up_at_once_wait_for_none_of_each_other(
    journal: Journal, lanes: Lanes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one hangs in its first exchange and one refuses every connection, the others get everything at once.

    Each in as few requests as if it was alone; then those two get all of it too.
    """
    monkeypatch.setattr(deliver, "BATCH", 10)
    journal.append(many(10 * BATCHES))
    well, other, hangs, down = (Course(name, journal, lanes) for name in ("well", "other", "hangs", "down"))
    back = threading.Event()

    def hang(_: Sequence[Point]) -> None:
        assert well.done.wait(SECONDS), "nobody waits for an exchange of another's"
        assert other.done.wait(SECONDS)

    def refuse(_: Sequence[Point]) -> None:
        if not back.is_set():
            raise Unavailable("connection refused")

    hangs.sink.judge, down.sink.judge = hang, refuse
    for each in (hangs, down, well, other):
        each.delivery.nudge()
    assert all(each.done.wait(SECONDS) for each in (well, other, hangs))
    assert [each.sink.requests for each in (well, other, hangs)] == [[10] * BATCHES] * 3
    assert down.failures > 0
    assert not down.sink.kept
    back.set()
    assert down.done.wait(SECONDS)
    assert len(down.sink.kept) == 10 * BATCHES
