"""The edges of delivering: a nudge at the wrong moment, the first failure, the last bad point of a batch."""

from collections.abc import Sequence

import pytest
from fakes import Store, score
from stages import HOUR, SLOT, Deliveries, failing, many, refusing

from collector.errors import Expired, JournalError, Rejected, TooLarge, Unavailable
from collector.journal import Journal
from collector.pipeline import Delivery, deliver
from collector.pipeline.deliver import SUSPECT, State
from collector.point import Point


@pytest.fixture
def deliveries(journal: Journal) -> Deliveries:
    """Nothing delivered yet."""
    return Deliveries(journal)


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three points a batch: many batches are few points."""
    monkeypatch.setattr(deliver, "BATCH", 3)


@pytest.mark.usefixtures("three")
def test_all_delivery_is_on_its_own_lane(deliveries: Deliveries) -> None:
    """First looks, next batches and retries alike take no worker of the polls."""
    deliveries.journal.append(many(4))
    deliveries.deliver(Store(judge=failing(1, Unavailable("503"))))
    assert set(deliveries.stage.ran) == {"deliver"}


def test_a_nudge_while_a_sink_looks_is_not_lost(deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    """Points that are appended just after a look found none are looked for right after, without another nudge."""
    sink = Store()
    delivery = deliveries.delivery(sink)
    real = deliveries.journal.read

    def read(*args: object) -> object:
        found = real(*args)  # type: ignore[arg-type]
        if not deliveries.journal.summary().points:
            deliveries.journal.append(many(1))
            delivery.nudge()
        return found

    monkeypatch.setattr(deliveries.journal, "read", read)
    delivery.nudge()
    deliveries.stage.play()
    assert len(sink.kept) == 1
    assert delivery.state == State(up_to_date=True)


def test_two_nudges_start_one_look(deliveries: Deliveries) -> None:
    """A sink has one job at a time, however often it is nudged or woken."""
    delivery = deliveries.delivery(Store())
    for _ in range(3):
        delivery.nudge()
        delivery.wake()
    assert len(deliveries.stage.waits) == 1
    deliveries.stage.play()
    delivery.wake()
    assert len(deliveries.stage.waits) == 1


@pytest.mark.usefixtures("three")
def test_a_nudge_while_a_batch_is_on_its_way_starts_no_second_job(deliveries: Deliveries) -> None:
    """Also between batches a sink has one job: two would send one batch twice."""
    deliveries.journal.append(many(6))
    sink = Store()
    delivery = deliveries.delivery(sink)
    waits: list[int] = []

    def nudged(_: object) -> None:
        delivery.nudge()
        waits.append(len(deliveries.stage.waits))

    sink.judge = nudged
    delivery.nudge()
    deliveries.stage.play()
    assert (waits, sink.requests) == ([0, 0], [3, 3])


@pytest.mark.usefixtures("three")
def test_how_far_a_sink_is_can_be_seen_after_each_batch(journal: Journal, deliveries: Deliveries) -> None:
    """Whoever waits for a sink sees which row it has yet to take; a batch counts once the next one is on its way."""
    deliveries.journal.append(many(7))
    seen: list[int] = []
    delivery = Delivery(
        sink=Store(), journal=journal, workers=deliveries.stage, changed=lambda _: seen.append(delivery.reached)
    )
    delivery.nudge()
    deliveries.stage.play()
    assert seen == [1, 4, 8, 8]
    assert (delivery._backoff.base, delivery._backoff.most) == (1.0, 60.0), "a minute at the most, unless told"


def test_a_small_batch_makes_no_later_one_smaller(deliveries: Deliveries) -> None:
    """Only a server that said "too large" gets smaller batches."""
    deliveries.journal.append(many(1))
    sink = Store()
    delivery = deliveries.deliver(sink)
    deliveries.journal.append([score("contoso", SLOT + n * HOUR) for n in range(10, 10 + 2 * SUSPECT)])
    delivery.nudge()
    deliveries.stage.play()
    assert sink.requests == [1, 2 * SUSPECT]


def test_a_bad_point_does_not_make_a_server_forget_what_is_too_large(deliveries: Deliveries) -> None:
    """A batch that was too large and held a bad point leaves smaller batches behind it all the same."""

    def judge(points: Sequence[Point]) -> None:
        if len(points) > 300:
            raise TooLarge("413")
        if any(point.time == SLOT + 399 * HOUR for point in points):
            raise Rejected("type conflict")

    deliveries.journal.append(many(400))
    sink = Store(judge=judge)
    delivery = deliveries.deliver(sink)
    sink.requests.clear()
    deliveries.journal.append([score("contoso", SLOT + n * HOUR) for n in range(1000, 1400)])
    delivery.nudge()
    deliveries.stage.play()
    assert sink.requests == [200, 200]


def test_a_fault_of_the_collector_is_named_as_one(deliveries: Deliveries) -> None:
    """A sink that met something unforeseen says where its trace is to be found."""
    deliveries.journal.append(many(1))
    delivery = deliveries.delivery(Store(judge=failing(1, ZeroDivisionError("oh"))))
    delivery.nudge()
    with pytest.raises(ZeroDivisionError):
        deliveries.stage.play()
    assert str(delivery.state.error) == "a fault of the collector; its log has the trace"


def test_waits_grow_from_the_first_failure_and_begin_anew_after_a_success(deliveries: Deliveries) -> None:
    """1, 2, 4 seconds in the middle of what is drawn; a sink that was well in between is not punished for the past."""
    deliveries.journal.append(many(1))
    sink = Store(judge=failing(3, Unavailable("503")))
    delivery = deliveries.deliver(sink)
    assert deliveries.time.now == 1_700_000_000 + 1 + 2 + 4
    deliveries.journal.append([score("contoso", SLOT - HOUR)])
    sink.judge = failing(1, Unavailable("503"))
    delivery.nudge()
    deliveries.stage.play()
    assert deliveries.time.now == 1_700_000_000 + 1 + 2 + 4 + 1


def test_the_state_and_the_target_are_told(deliveries: Deliveries) -> None:
    """Who asked for it is told each new state; the journal has what the sink writes to."""
    deliveries.journal.append(many(1))
    delivery = deliveries.delivery(Store())
    assert (delivery.state.up_to_date, delivery.reached) == (False, 0)
    delivery.nudge()
    deliveries.stage.play()
    assert deliveries.states == [State(up_to_date=False), State(up_to_date=True)]
    assert deliveries.journal.target("main") == delivery.sink.target
    assert delivery.reached == 2


def test_a_sink_that_fails_is_not_up_to_date(deliveries: Deliveries) -> None:
    """Whoever waits until a sink has everything waits on while it fails."""
    deliveries.journal.append(many(1))
    deliveries.deliver(Store(judge=failing(1, Unavailable("503"))))
    assert [state.up_to_date for state in deliveries.states] == [False, False, True]


def test_how_far_a_sink_is_can_be_seen_where_it_has_everything_already(deliveries: Deliveries) -> None:
    """A command that begins when nothing is left to send doesn't wait for anything."""
    deliveries.journal.append(many(3))
    deliveries.deliver(Store())
    assert deliveries.deliver(Store()).reached == 4


def test_a_replay_while_a_sink_rests_is_taken_up_by_its_next_try(deliveries: Deliveries) -> None:
    """Nothing is sent from where the cursor stood before a person moved it back."""
    deliveries.journal.append(many(5))
    sink = Store()
    delivery = deliveries.deliver(sink)
    deliveries.journal.append([score("contoso", SLOT + 50 * HOUR)])
    sink.judge = failing(1, Unavailable("503"))
    delivery.nudge()
    deliveries.stage.play(until=deliveries.time.now)
    deliveries.journal.move("main", 1)
    deliveries.stage.play()
    assert sink.requests == [5, 1, 6]


def test_an_error_that_could_not_be_noted_is_noted_later(
    deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal that can't take a sink's error is no new failure, and the error is noted when it can."""
    deliveries.journal.append(many(1))
    delivery = deliveries.delivery(Store(judge=failing(10, Unavailable("connection refused"))))
    with monkeypatch.context() as patch:
        patch.setattr(deliveries.journal, "note", lambda *_: (_ for _ in ()).throw(JournalError("full")))
        delivery.nudge()
        deliveries.stage.play(until=deliveries.time.now)
    assert deliveries.journal.noted("main") == ""
    deliveries.stage.play(until=deliveries.time.now + 2)
    assert deliveries.journal.noted("main") == "Unavailable: connection refused"


def test_an_error_is_noted_once(deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sink that is down for days costs the journal one write."""
    deliveries.journal.append(many(1))
    noted: list[str] = []
    monkeypatch.setattr(deliveries.journal, "note", lambda _, words: noted.append(words))
    deliveries.deliver(Store(judge=failing(5, Unavailable("connection refused"))))
    assert noted == ["Unavailable: connection refused", ""]


def test_two_old_points_are_told_apart(deliveries: Deliveries) -> None:
    """A server that doesn't say how many were too old is asked again about two of them, too."""
    deliveries.journal.append(many(2))
    sink = Store(judge=refusing(lambda point: point.time == SLOT, lambda: Expired("beyond retention")))
    delivery = deliveries.deliver(sink)
    assert (delivery.expired, len(sink.kept)) == (1, 1)


def test_bad_points_among_old_ones_are_buried(deliveries: Deliveries) -> None:
    """Where a batch has both, each gets its own fate: the old ones are counted, the bad ones are dead letters."""
    deliveries.journal.append(many(4))

    def judge(points: object) -> None:
        times = [point.time for point in points]  # type: ignore[attr-defined]
        if SLOT in times:
            raise Expired("beyond retention")
        if SLOT + HOUR in times:
            raise TooLarge("413")

    delivery = deliveries.deliver(Store(judge=judge))
    assert (delivery.expired, deliveries.journal.dead_letters("main")) == (1, 1)


def test_a_sink_that_takes_ever_smaller_requests_is_followed(
    deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it took once is no measure any more: each size is learnt from the last batch that was too large."""
    monkeypatch.setattr(deliver, "BATCH", 1_000)
    most = 700

    def judge(points: Sequence[Point]) -> None:
        if len(points) > most:
            raise TooLarge("413")

    sink = Store(judge=judge)
    deliveries.journal.append(many(1_000))
    delivery = deliveries.deliver(sink)
    most = 300
    deliveries.journal.append([score("contoso", SLOT + n * HOUR) for n in range(1_000, 2_000)])
    delivery.nudge()
    deliveries.stage.play()
    assert len(sink.kept) == 2_000
    too_large = [size for size in sink.requests if size > most]
    sink.requests.clear()
    deliveries.journal.append([score("contoso", SLOT + n * HOUR) for n in range(2_000, 2_500)])
    delivery.nudge()
    deliveries.stage.play()
    assert max(sink.requests) <= most
    assert len(too_large) < 20
