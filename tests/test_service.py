"""The service's parts: lanes, slots, the watch on the clock, and the house that is kept."""

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from fakes import Script, Time, group, score
from pytest_structlog import StructuredLogCapture

from collector.errors import JournalError
from collector.journal import Journal
from collector.pipeline import Outcome
from collector.point import Point
from collector.service import run
from collector.service.clock import ClockWatch
from collector.service.engine import Engine
from collector.service.expiry import Expiry
from collector.service.facts import Watching
from collector.service.lanes import Lanes
from collector.service.run import Running
from collector.service.slots import slot_of
from collector.service.soundness import Soundness
from collector.settings import Settings, load

HOUR = 3_600_000
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


def test_readiness_names_a_journal_that_fails_and_the_housekeeping_mends_it(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While points wait in memory `/readyz` says why; when the journal is well again they are appended unasked."""
    seconds = settings.model_copy(update={"poll": settings.poll.model_copy(update={"interval_seconds": 1})})
    monkeypatch.setattr(run, "_KEEP_SECONDS", 1)
    with Journal(tmp_path / "journal.db") as journal:
        engine = Engine(seconds, journal, name="host-1", tenants=[], delivered=lambda _: None)
        engine.sources = [Script("contoso", ([score("contoso", 0)] for _ in range(1000)))]  # type: ignore[list-item]
        watching = Watching(engine, Expiry(engine.sources), Soundness(journal))
        assert watching.turns()
        (reason,) = watching.reasons()
        assert "no tenant" in reason
        stop = threading.Event()
        thread = threading.Thread(target=Running(seconds, engine).until, args=(stop,))
        try:
            with monkeypatch.context() as patch:
                patch.setattr(journal, "append", lambda *_: (_ for _ in ()).throw(JournalError("the disk is full")))
                thread.start()
                until(lambda: engine.lost > 0)
                assert any("the disk is full" in reason for reason in watching.reasons())
                assert not watching.journal_ok()
            until(lambda: engine.lost == 0 and engine.hold.error is None)
            assert watching.journal_ok()
        finally:
            stop.set()
            thread.join(15)
        assert journal.at("collector_poll", journal.summary().newest or 0)


def test_what_is_older_than_keep_days_goes_at_the_start(settings: Settings, tmp_path: Path) -> None:
    """Old points go, new ones stay, and without `keep_days` all of them do."""
    now = int(time.time()) * 1000
    old, new = score("contoso", now - 3 * 86_400_000), score("contoso", now - 3_600_000)
    for days, left in ((0, [old, new]), (1, [new])):
        kept = settings.model_copy(update={"journal": settings.journal.model_copy(update={"keep_days": days})})
        with Journal(tmp_path / f"{days}.db") as journal:
            journal.append([old, new])
            stop = threading.Event()
            engine = Engine(kept, journal, name="host-1", tenants=[], delivered=lambda _: None)
            thread = threading.Thread(target=Running(kept, engine).until, args=(stop,))
            thread.start()
            try:
                if days:
                    until(partial(gone, journal, old))
            finally:
                stop.set()
                thread.join(15)
            assert list(journal.history(old.series, 0, now + 1)) == left


def gone(journal: Journal, point: Point) -> bool:
    """Return whether a point is no longer in the journal."""
    return not journal.at(point.series.measurement, point.time)


def until(true: Callable[[], bool]) -> None:
    """Wait until something is so; fail when it isn't within 20 seconds."""
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_points_that_a_fault_of_ours_keeps_from_the_journal_are_a_warning(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`/readyz` says so, and the journal is well: it takes all others, and no disk is to be looked at."""
    with Journal(tmp_path / "journal.db") as journal:
        engine = Engine(settings, journal, name="host-1", tenants=[], delivered=lambda _: None)
        watching = Watching(engine, Expiry([]), Soundness(journal))
        with monkeypatch.context() as patch:
            patch.setattr(journal, "append", lambda *_: (_ for _ in ()).throw(RuntimeError("a fault of ours")))
            assert not engine.hold.keep([score("contoso", 0)])
        assert watching.warnings() == ["1 points can't be stored by a fault of the collector; its log has the trace"]
        assert (watching.reasons(), watching.journal_ok(), engine.lost) == ([], True, 1)


def test_a_success_that_a_wrong_clock_told_does_not_count_for_ever(settings: Settings, tmp_path: Path) -> None:
    """After the clock was set back a new success takes the place of one that lies ahead of it."""
    with Journal(tmp_path / "journal.db") as journal:
        engine = Engine(settings, journal, name="host-1", tenants=[], delivered=lambda _: None)
        watching = Watching(engine, Expiry([]), Soundness(journal))
        facts = {"tenant": "contoso", "subject": "organization", "points": 1, "tries": 1, "throttled": 0}
        for slot in (time.time() + 4000, time.time() - 60):
            watching.settled(Outcome(**facts, slot=int(slot * 1000), error=None, seconds=0.1))  # type: ignore[arg-type]
        assert watching.successes()["contoso", "organization"] <= time.time()
        assert watching.polls() == {("contoso", "organization", "ok"): 2}


def test_a_restart_takes_no_score_from_prometheus_and_gives_none_back(settings: Settings, tmp_path: Path) -> None:
    """Before its first poll a service shows the scores of three intervals, and of older ones when they were."""
    now = int(time.time()) * 1000
    fresh, stale = score("contoso", now - 2 * HOUR), score("fabrikam", now - 500 * HOUR)
    with Journal(tmp_path / "journal.db") as journal:
        journal.append([fresh, stale, group("contoso", "Servers", now - 2 * HOUR), score("left", now - HOUR)])
        engine = Engine(settings, journal, name="host-1", tenants=[], delivered=lambda _: None)
        engine.sources = [Script(tenant, iter(())) for tenant in ("contoso", "fabrikam", "new")]  # type: ignore[misc]
        watching = Watching(engine, Expiry([]), Soundness(journal))
        shown = {(point.series.measurement, point.series.tag("tenant")) for point in watching.scores(9)}
        assert shown >= {("exposure_score", "contoso"), ("exposure_score_by_group", "contoso")}
        assert ("exposure_score", "fabrikam") not in shown
        assert watching.scored() == {"contoso": fresh.time / 1000, "fabrikam": stale.time / 1000}
