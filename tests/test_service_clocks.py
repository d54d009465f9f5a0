"""The running service through clocks that jump, machines that sleep, and slots that are polled twice.

To the process a suspended machine is a jump ahead: the wall clock went on while the monotonic one stood still. Each
test that shifts the wall clock ahead is also about that.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from clocked import HALF_PAST, HOUR, SETTINGS, YEARS, Answers, Clocked, hour, until
from fakes import Script, Store, score
from pytest_structlog import StructuredLogCapture
from servers import Influxd
from time_machine import TimeMachineFixture

from collector.errors import Unavailable
from collector.http import Http
from collector.influx import open_sink
from collector.journal import Journal
from collector.service import run
from collector.service.engine import PRUNE, SLOT
from collector.service.expiry import Expiry
from collector.service.facts import Watching
from collector.service.soundness import Soundness
from collector.settings import load

Make = Callable[..., Clocked]


@pytest.fixture
def make(tmp_path: Path, time_machine: TimeMachineFixture) -> Iterator[Callable[..., Clocked]]:
    """Makes services, at half past nine by a clock that the test may move."""
    time_machine.move_to(HALF_PAST)
    with Journal(tmp_path / "journal.db") as journal:

        def made(source: Script, more: str = "", **poll: int) -> Clocked:
            path = tmp_path / "collector.toml"
            path.write_text(SETTINGS + more)
            settings = load(path, {})
            return Clocked(settings.model_copy(update={"poll": settings.poll.model_copy(update=poll)}), journal, source)

        yield made


@pytest.fixture
def source() -> Answers:
    """One tenant that answers."""
    return Answers()


@pytest.mark.parametrize("jump", [-2 * HOUR, 2 * HOUR, -YEARS, YEARS])
def test_polls_go_on_after_a_jump_of_the_clock(
    jump: int, make: Make, source: Answers, time_machine: TimeMachineFixture
) -> None:
    """When the machine's clock jumps, polls go on in the slots of its new time, and never in one ahead of it."""
    service = make(source, interval_seconds=1)
    with service.runs():
        service.settles(2)
        before = source.asked[-1][1]
        time_machine.shift(jump)
        count = len(source.asked) + 3  # a slot or two may have begun before the jump is seen
        service.settles(count + 4)
        after = [slot for _, slot in source.asked[count:]]
        now = time.time() * 1000
    assert all(jump * 1000 < slot - before < jump * 1000 + 60_000 for slot in after), (before, after)
    assert max(after) <= now
    assert after == sorted(after)
    assert len(set(after)) >= 3


def test_a_machine_that_sleeps_in_an_exchange_keeps_what_that_brings(
    make: Make, source: Answers, time_machine: TimeMachineFixture
) -> None:
    """Suspended for five hours in the middle of a poll: the present slot is polled on waking, and both are kept."""
    source.hang = woken = threading.Event()
    service = make(source)
    with service.runs():
        assert source.hangs.wait(60)
        time_machine.shift(5 * HOUR)
        assert service.settles(1).slot == hour(5)
        woken.set()
        assert service.settles(2).slot == hour(0)
    assert all(outcome.error is None and outcome.safe for outcome in service.outcomes)
    assert {point.time for point in service.points().values()} == {hour(0), hour(5)}


@pytest.mark.parametrize("jump", [-2, 2])
def test_a_poll_that_waits_for_its_retry_gives_way_to_the_present_slot(
    jump: int, make: Make, source: Answers, time_machine: TimeMachineFixture, log: StructuredLogCapture
) -> None:
    """A retry that was due by a clock that is gone never comes: its slot is told as failed, the present one polled."""
    source.errors.append(Unavailable("429", retry_after=1500))
    service = make(source)
    with service.runs():
        # Asked is not yet answered: an exchange that a jump meets ends in its own words.
        until(lambda: log.count("poll.failed"))
        service.rests(SLOT)
        time_machine.shift(jump * HOUR)
        failed, fresh = service.settles(1), service.settles(2)
    assert (failed.slot, str(failed.error)) == (hour(0), "the clock jumped before the next try")
    assert (fresh.slot, fresh.error) == (hour(jump), None)
    assert source.slots == [0, jump]


def test_a_jump_inside_a_slot_costs_the_slot_nothing(
    make: Make, source: Answers, time_machine: TimeMachineFixture, log: StructuredLogCapture
) -> None:
    """Five minutes of sleep: what waited for its retry is polled again at once, what had succeeded is left alone."""
    source.errors.append(Unavailable("429", retry_after=1500))
    service = make(source)
    with service.runs():
        until(lambda: source.asked)
        time_machine.shift(300)
        assert service.settles(2).error is None
        time_machine.shift(300)
        until(lambda: log.count("clock.jumped") == 2)
        service.rests(SLOT)
        assert source.slots == [0, 0]
    (poll,) = service.journal.at("collector_poll", hour(0))
    assert poll.fields["ok"] == 1


@pytest.mark.parametrize("jump", [-2 * HOUR, 300, 2 * HOUR])
def test_a_sink_that_rests_is_tried_again_soon_after_a_jump(
    jump: int, make: Make, source: Answers, time_machine: TimeMachineFixture
) -> None:
    """A sink that was to be left alone for hours gets its points once the clock has jumped, or the machine is awake."""
    down = [Unavailable("503", retry_after=20_000)]

    def judge(_: object) -> None:
        if down:
            raise down.pop()

    service = make(source, '[influxdb.main]\napi = "v1"\nurl = "http://127.0.0.1:9"\ndatabase = "exposure"\n')
    (delivery,) = service.engine.deliveries
    delivery.sink = store = Store("main", judge)
    with service.runs():
        until(lambda: delivery.state.error)
        service.settles(1)
        assert not store.kept
        time_machine.shift(jump)
        until(lambda: store.kept)
        # What follows from the scores comes after them.
        until(lambda: {point.time for point in service.points().values()} <= {time for _, time in store.kept})


def test_a_slot_that_is_polled_twice_has_its_later_answer_once(
    make: Make, source: Answers, time_machine: TimeMachineFixture, influxd: Influxd, database: str
) -> None:
    """A clock that runs an hour ahead and is set right: each slot that comes again is polled again, and replaced.

    No row's id is used twice, and InfluxDB has one point a slot: the later one.
    """
    sink = f'[influxdb.main]\napi = "v1"\nurl = "{influxd.url}"\ndatabase = "{database}"\n'
    service = make(source, sink)
    (delivery,) = service.engine.deliveries
    http = Http()
    delivery.sink = open_sink("main", service.engine.settings.influxdb["main"], http)
    rows: list[int] = []
    with closing(http), service.runs():
        for n, jump in enumerate((HOUR, -HOUR, HOUR, 0), 1):
            assert service.settles(n).error is None
            rows += [id_ for id_ in service.points() if id_ not in rows]
            time_machine.shift(jump)
        until(lambda: influxd.points("exposure_score", database)[-1:] and len(rows) == 4)
        until(lambda: [row["score"] for row in influxd.points("exposure_score", database)] == [3.0, 4.0])
    assert source.slots == [0, 1, 0, 1]
    assert rows == sorted(rows)
    assert {id_: (point.time, point.fields["score"]) for id_, point in service.points().items()} == {
        rows[2]: (hour(0), 3.0),
        rows[3]: (hour(1), 4.0),
    }
    assert [row["time"] for row in influxd.points("exposure_score", database)] == [hour(0), hour(1)]
    assert [row["ok"] for row in influxd.points("collector_poll", database)] == [1, 1]


def test_what_lies_ahead_of_a_clock_that_was_set_back_is_no_news(
    make: Make, source: Answers, time_machine: TimeMachineFixture
) -> None:
    """The pages show the present's scores, not those of hours to come, and a success of then makes nobody ready."""
    service = make(source)
    watching = Watching(service.engine, Expiry([]), Soundness(service.journal))
    with service.runs():
        watching.settled(service.settles(1))
        time_machine.shift(2 * HOUR)
        watching.settled(service.settles(2))
        assert watching.reasons() == []
        time_machine.shift(-10 * HOUR)
        (reason,) = watching.reasons()
        assert "no tenant was polled with success" in reason
        watching.settled(service.settles(3))
        assert watching.reasons() == []
        assert [point.fields["score"] for point in watching.scores(9)] == [3.0]
        assert watching.successes() == {("contoso", "organization"): hour(-8) / 1000}


def test_a_clock_that_is_years_ahead_prunes_nothing_of_the_present(
    make: Make, source: Answers, time_machine: TimeMachineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows go by the time that the tenants' servers tell, and none before one of them has told it."""
    monkeypatch.setattr(run, "_KEEP_SECONDS", 1)
    old, new = score("contoso", hour(-3 * 24)), score("contoso", hour(-1))
    source.hang = answered = threading.Event()
    source.clock_ahead = float(YEARS)
    service = make(source, "[journal]\nkeep_days = 1\n")
    service.journal.append([old, new])
    time_machine.shift(YEARS)
    with service.runs():
        assert source.hangs.wait(60)
        service.rests(PRUNE)
        assert list(service.journal.history(old.series, 0, hour(1))) == [old, new], "nobody has told the time yet"
        answered.set()
        until(lambda: list(service.journal.history(old.series, 0, hour(1))) == [new])


def test_a_clock_that_jumps_years_ahead_prunes_nothing_before_it_is_compared(
    make: Make, source: Answers, time_machine: TimeMachineFixture
) -> None:
    """What servers told before the jump says nothing about the clock after it."""
    new = score("contoso", hour(-1))
    service = make(source, "[journal]\nkeep_days = 1\n")
    service.journal.append([new])
    with service.runs():
        service.settles(1)
        source.hang = answered = threading.Event()
        time_machine.shift(YEARS)
        assert source.hangs.wait(60)
        service.engine.lanes.soon(PRUNE, service.running._prune)
        service.rests(PRUNE)
        assert new in service.points().values()
        answered.set()
