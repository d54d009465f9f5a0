"""The service's parts: lanes, slots, and the clock's jumps."""

import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from fakes import Script, Time, score
from pytest_structlog import StructuredLogCapture
from time_machine import TimeMachineFixture

from collector.journal import Journal
from collector.service.clock import ClockWatch
from collector.service.engine import Engine, slot_of
from collector.service.lanes import Lanes
from collector.service.run import Running
from collector.settings import Settings, load

TENANT = """
[tenants.contoso]
tenant_id = "11111111-1111-1111-1111-111111111111"
client_id = "22222222-2222-2222-2222-222222222222"
credential = { kind = "client_secret", client_secret = "made-up" }
[web]
listen = ""
"""


@pytest.fixture
def lanes() -> Iterator[Lanes]:
    """Two lanes, of two workers and of one."""
    lanes = Lanes({"wide": 2, "narrow": 1})
    lanes.start()
    yield lanes
    lanes.stop(5)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings for one tenant, polled every hour."""
    path = tmp_path / "collector.toml"
    path.write_text(TENANT)
    return load(path, {})


def wait(event: threading.Event) -> None:
    """Hold a worker until an event, or for 10 seconds."""
    event.wait(10)


def test_a_lane_that_is_full_keeps_no_other_waiting(lanes: Lanes) -> None:
    """A job on one lane runs while the workers of another are all held."""
    held, ran = threading.Event(), threading.Event()
    for _ in range(5):
        lanes.soon("narrow", partial(wait, held))
    lanes.soon("wide", ran.set)
    assert ran.wait(5)
    held.set()


def test_a_job_runs_later_once(lanes: Lanes) -> None:
    """A one-shot job runs once, no sooner than asked."""
    ran: list[float] = []
    started = time.monotonic()
    lanes.later(0.2, "wide", lambda: ran.append(time.monotonic()))
    time.sleep(0.7)
    assert len(ran) == 1
    assert ran[0] - started >= 0.2


def test_a_job_that_fails_is_logged_and_the_lane_goes_on(lanes: Lanes, log: StructuredLogCapture) -> None:
    """A fault of ours costs one job, not its worker."""
    ran = threading.Event()

    def fail() -> None:
        raise ZeroDivisionError

    lanes.soon("narrow", fail)
    lanes.soon("narrow", ran.set)
    assert ran.wait(5)
    assert log.has("job.failed", lane="narrow")


def test_nothing_starts_after_the_stop_and_what_runs_gets_its_time(lanes: Lanes) -> None:
    """`stop` waits for what runs, up to a bound, and drops what waits."""
    release, ran = threading.Event(), threading.Event()
    lanes.soon("narrow", partial(wait, release))
    lanes.soon("narrow", ran.set)
    lanes.later(0.0, "wide", lambda: time.sleep(0))
    assert not lanes.stop(0.1)
    lanes.soon("wide", ran.set)
    release.set()
    assert lanes.stop(5)
    assert not ran.is_set()


def test_a_slot_is_a_whole_multiple_of_the_interval() -> None:
    """Slots count from the epoch, in milliseconds, whatever the moment of the start."""
    assert slot_of(1_700_000_000.999, 3600) == 1_699_999_200_000
    assert slot_of(1_699_999_200.0, 3600) == 1_699_999_200_000
    assert slot_of(1_700_000_000.999, 7) % 7000 == 0


@pytest.mark.parametrize("jump", [-3600.0, -2.5, 2.5, 86400.0])
def test_a_jump_of_the_clock_is_seen(jump: float) -> None:
    """The wall clock is held against the monotonic one: a jump in either direction is said once."""
    wall, monotonic = Time(), Time(50.0)
    jumps: list[float] = []
    watch = ClockWatch(jumps.append, wall, monotonic)
    for _ in range(3):
        wall.now += 1.0005
        monotonic.now += 1
        watch.look()
    assert jumps == []
    wall.now += jump
    watch.look()
    watch.look()
    assert jumps == [pytest.approx(jump)]


class Moved:
    """A running service, in slots of a second, whose sources follow a script; a test moves its clock."""

    def __init__(self, settings: Settings, journal: Journal) -> None:
        engine = Engine(settings, journal, name="host-1", tenants=[], delivered=lambda _: None)
        self.script = Script("contoso", ([score("contoso", 0)] for _ in range(1000)))
        engine.sources = [self.script]  # type: ignore[list-item]
        self.stop = threading.Event()
        self.thread = threading.Thread(target=Running(settings, engine).until, args=(self.stop,))
        self.thread.start()

    def slots(self, more: int) -> list[int]:
        """Return the slots that are asked for from now on, once there are so many."""
        known = len(self.script.asked)
        end = time.monotonic() + 30
        while len(self.script.asked) < known + more:
            assert time.monotonic() < end, self.script.asked
            time.sleep(0.02)
        return [slot for _, slot in self.script.asked[known:]]

    def end(self) -> None:
        self.stop.set()
        self.thread.join(15)


@pytest.mark.parametrize("jump", [-7200, 7200])
def test_polls_go_on_after_a_jump_of_the_clock(
    jump: int, settings: Settings, tmp_path: Path, time_machine: TimeMachineFixture
) -> None:
    """When the machine's clock jumps, polls go on in the slots of its new time, and never in one ahead of it."""
    seconds = settings.model_copy(update={"poll": settings.poll.model_copy(update={"interval_seconds": 1})})
    time_machine.move_to(time.time())
    with Journal(tmp_path / "journal.db") as journal:
        moved = Moved(seconds, journal)
        try:
            before = moved.slots(4)[-1]
            time_machine.shift(jump)
            after = moved.slots(12)[4:]
            now = time.time() * 1000
        finally:
            moved.end()
    assert all(jump * 1000 < slot - before < jump * 1000 + 60_000 for slot in after), (before, after)
    assert max(after) <= now
    assert after == sorted(after)
    assert len(set(after)) >= 3
