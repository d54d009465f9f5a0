"""Delivering: in order, to the end, whatever the sink says."""

from collections.abc import Sequence

import pytest
from fakes import Store, group, score
from stages import HOUR, SLOT, Deliveries, failing, many, refusing

from collector.errors import Expired, JournalError, Rejected, TooLarge, Unauthorized, Unavailable
from collector.journal import Journal
from collector.pipeline import deliver
from collector.pipeline.deliver import BATCH, SUSPECT, State
from collector.point import Point


@pytest.fixture
def bench(journal: Journal) -> Deliveries:
    """A stage, nothing delivered yet."""
    return Deliveries(journal)


def test_everything_is_delivered_in_batches(bench: Deliveries) -> None:
    """A sink gets every point, in as few requests as batches are needed, and says when it is up to date."""
    bench.journal.append(many(BATCH + 10))
    sink = Store()
    delivery = bench.deliver(sink)
    assert sink.requests == [BATCH, 10]
    assert len(sink.kept) == BATCH + 10
    assert delivery.state == State(up_to_date=True)
    assert delivery.delivered == BATCH + 10


def test_a_sink_that_is_named_later_is_filled_from_the_first_row(bench: Deliveries) -> None:
    """A second sink is backfilled whole, the first one gets nothing twice."""
    bench.journal.append(many(20))
    first, second = Store("first"), Store("second")
    bench.deliver(first)
    bench.journal.append([score("contoso", SLOT + 99 * HOUR)])
    bench.deliver(second)
    assert len(second.kept) == 21
    bench.deliver(first)
    assert first.requests == [20, 1]


def test_a_sink_that_is_down_is_tried_again_without_end_and_loses_nothing(bench: Deliveries) -> None:
    """There is no deadline and no most of tries for a sink; what it missed is delivered when it is back."""
    bench.journal.append(many(3))
    sink = Store(judge=failing(50, Unavailable("503")))
    delivery = bench.deliver(sink)
    assert len(sink.requests) == 51
    assert len(sink.kept) == 3
    assert delivery.state.error is None
    assert bench.time.now > 1_700_000_000 + 40 * 30


def test_retry_after_of_a_sink_is_kept(bench: Deliveries) -> None:
    """A sink that asks for 500 seconds gets them."""
    bench.journal.append(many(1))
    bench.deliver(Store(judge=failing(1, Unavailable("429", retry_after=500.0))))
    assert bench.time.now >= 1_700_000_000 + 500


def test_a_nudge_does_not_disturb_a_sink_that_rests(bench: Deliveries) -> None:
    """New rows wait for the sink's own time; waking it is another thing."""
    bench.journal.append(many(1))
    sink = Store(judge=failing(2, Unavailable("503", retry_after=100.0)))
    delivery = bench.delivery(sink)
    delivery.nudge()
    bench.stage.play(until=bench.time.now + 1)
    delivery.nudge()
    bench.stage.play(until=bench.time.now + 1)
    assert len(sink.requests) == 1
    delivery.wake()
    bench.stage.play(until=bench.time.now + 1)
    assert len(sink.requests) == 2
    bench.stage.play()
    assert len(sink.kept) == 1


def test_a_point_that_is_rejected_does_not_hold_back_the_points_behind_it(bench: Deliveries) -> None:
    """A bad point stands alone in the dead letters with the server's words; all others are in the sink."""
    bench.journal.append(many(40))
    bad = SLOT + 17 * HOUR
    sink = Store(judge=refusing(lambda point: point.time == bad, lambda: Rejected("field type conflict")))
    delivery = bench.deliver(sink)
    assert len(sink.kept) == 39
    assert bench.journal.dead_letters("main") == 1
    assert delivery.state == State(up_to_date=True)
    assert delivery.delivered == 39


def test_a_whole_batch_that_is_rejected_is_a_wrong_setting_and_nothing_is_dropped(bench: Deliveries) -> None:
    """Where 100 points and more are rejected to the last one the sink stops, says so, and goes on once it is mended."""
    bench.journal.append(many(SUSPECT + 20))
    wrong = [True]

    def judge(_: Sequence[Point]) -> None:
        if wrong[0]:
            raise Rejected("field type conflict")

    sink = Store(judge=judge)
    delivery = bench.delivery(sink)
    delivery.nudge()
    bench.stage.play(until=bench.time.now)
    assert isinstance(delivery.state.error, Unauthorized)
    assert "field type conflict" in str(delivery.state.error)
    assert bench.journal.dead_letters("main") == 0
    sink.requests.clear()
    bench.stage.play(until=bench.time.now + 5)
    assert max(sink.requests) <= SUSPECT, "the next look costs little"
    wrong[0] = False
    bench.stage.play()
    assert len(sink.kept) == SUSPECT + 20


def test_few_points_that_are_all_rejected_are_bad_points(bench: Deliveries) -> None:
    """Below 100 points a batch that is rejected to the last one goes to the dead letters."""
    bench.journal.append(many(SUSPECT - 1))
    sink = Store(judge=refusing(lambda _: True, lambda: Rejected("no")))
    delivery = bench.deliver(sink)
    assert bench.journal.dead_letters("main") == SUSPECT - 1
    assert delivery.state == State(up_to_date=True)


def test_a_batch_that_is_too_large_is_halved_and_later_ones_stay_small(
    bench: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    """413 halves; the size that was taken is kept, so that the next batch is no surprise."""

    def judge(points: Sequence[Point]) -> None:
        if len(points) > 140:
            raise TooLarge("413")

    monkeypatch.setattr(deliver, "BATCH", 1_000)
    bench.journal.append(many(2_000))
    sink = Store(judge=judge)
    bench.deliver(sink)
    assert len(sink.kept) == 2_000
    assert sum(size > 140 for size in sink.requests) == 7


def test_a_point_that_is_too_large_alone_is_a_dead_letter(bench: Deliveries) -> None:
    """One point that no request can carry doesn't hold back the others."""
    bench.journal.append(many(5))
    bad = SLOT + 2 * HOUR
    sink = Store(judge=refusing(lambda point: point.time == bad, lambda: TooLarge("413")))
    bench.deliver(sink)
    assert len(sink.kept) == 4
    assert bench.journal.dead_letters("main") == 1
    sink.requests.clear()
    bench.journal.append([score("contoso", SLOT + n * HOUR) for n in range(1000, 1000 + SUSPECT)])
    bench.deliver(sink)
    assert sink.requests == [SUSPECT], "the batches behind it are no smaller for it"


def test_points_older_than_the_sink_keeps_are_counted_and_passed_over(bench: Deliveries) -> None:
    """Expired points are no dead letters: the sink would have deleted them by now."""
    bench.journal.append(many(10))
    sink = Store(judge=failing(1, Expired("points beyond retention policy dropped=4", dropped=4)))
    delivery = bench.deliver(sink)
    assert (delivery.expired, delivery.delivered) == (4, 6)
    assert bench.journal.dead_letters("main") == 0


def test_expired_points_that_are_not_counted_are_found_one_by_one(bench: Deliveries) -> None:
    """A server that doesn't say how many it dropped is asked until the old points stand alone."""
    bench.journal.append(many(10))
    old = refusing(lambda point: point.time < SLOT + 3 * HOUR, lambda: Expired("beyond retention"))
    sink = Store(judge=old)
    delivery = bench.deliver(sink)
    assert (delivery.expired, len(sink.kept)) == (3, 7)


def test_a_failure_midway_through_halving_leaves_the_cursor_where_it_was(bench: Deliveries) -> None:
    """Whatever was sent of a batch that did not end well is sent again: nothing is skipped, nothing is buried twice."""
    bench.journal.append(many(8))
    bad = SLOT + HOUR
    outage = [Unavailable("503")]

    def judge(points: Sequence[Point]) -> None:
        if any(point.time == bad for point in points):
            raise Rejected("no")
        if points[0].time >= SLOT + 4 * HOUR and outage:
            raise outage.pop()

    sink = Store(judge=judge)
    bench.deliver(sink)
    assert len(sink.kept) == 7
    assert bench.journal.dead_letters("main") == 1


def test_a_cursor_that_was_moved_while_a_batch_was_on_its_way_stays_moved(bench: Deliveries) -> None:
    """A replay never loses a race against a delivery that is under way."""
    bench.journal.append(many(6))
    sink = Store()
    bench.deliver(sink)
    bench.journal.append([score("contoso", SLOT + 50 * HOUR)])

    def replay(_: Sequence[Point]) -> None:
        sink.judge = lambda _: None
        bench.journal.move("main", 1)

    sink.judge = replay
    bench.deliver(sink)
    assert sink.requests == [6, 1, 7]


def test_a_sink_gets_only_what_its_filter_names(bench: Deliveries) -> None:
    """Patterns of measurements and names of tenants choose; what is not wanted counts as taken."""
    bench.journal.append([score("contoso", SLOT), group("contoso", "A", SLOT), group("fabrikam", "A", SLOT)])
    sink = Store()
    sink.measurements, sink.tenants = ("*_by_group",), ("fabrikam",)
    delivery = bench.deliver(sink)
    assert [series.tag("tenant") for series, _ in sink.kept] == ["fabrikam"]
    assert delivery.reached == bench.journal.tail()


def test_one_sink_that_fails_keeps_no_other_waiting(bench: Deliveries) -> None:
    """Each sink has its own cursor and its own rest."""
    bench.journal.append(many(4))
    down = bench.delivery(Store("down", judge=failing(10**6, Unavailable("503"))))
    well = bench.delivery(Store("well"))
    down.nudge()
    well.nudge()
    bench.stage.play(until=bench.time.now + 10)
    assert well.state == State(up_to_date=True)
    assert isinstance(down.state.error, Unavailable)


def test_what_a_sink_fails_of_is_kept_for_other_processes(bench: Deliveries) -> None:
    """`status` reads from the journal what the service's sinks fail of, and nothing once they are well."""
    bench.journal.append(many(1))
    delivery = bench.delivery(Store(judge=failing(1, Unavailable("connection refused"))))
    delivery.nudge()
    bench.stage.play(until=bench.time.now)
    assert bench.journal.noted("main") == "Unavailable: connection refused"
    bench.stage.play()
    assert bench.journal.noted("main") == ""


def test_a_journal_that_fails_is_tried_again_too(bench: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal that can't be read for a while is an outage like another."""
    bench.journal.append(many(2))
    real = bench.journal.read
    left = [2]

    def read(*args: object) -> object:
        if left[0]:
            left[0] -= 1
            raise JournalError("disk I/O error")
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.journal, "read", read)
    sink = Store()
    bench.deliver(sink)
    assert len(sink.kept) == 2


def test_a_fault_of_the_collector_lets_the_sink_rest_not_stop(bench: Deliveries) -> None:
    """Something unforeseen in a sink is tried again like an outage."""
    bench.journal.append(many(2))
    sink = Store(judge=failing(1, ZeroDivisionError("oh")))
    delivery = bench.delivery(sink)
    delivery.nudge()
    with pytest.raises(ZeroDivisionError):
        bench.stage.play()
    bench.stage.play()
    assert len(sink.kept) == 2


def test_a_cursor_that_a_person_moves_is_seen_by_a_sink_that_is_up_to_date(bench: Deliveries) -> None:
    """A replay beside a running service is taken up at the next look."""
    bench.journal.append(many(5))
    sink = Store()
    delivery = bench.deliver(sink)
    bench.journal.move("main", 1)
    delivery.nudge()
    bench.stage.play()
    assert sink.requests == [5, 5]


def test_an_error_of_an_earlier_process_is_forgotten_once_the_sink_is_well(bench: Deliveries) -> None:
    """What a process that is gone failed of does not stand in the journal for ever."""
    bench.journal.append(many(1))
    bench.journal.cursor("main")
    bench.journal.note("main", "Unavailable: of yesterday")
    bench.deliver(Store())
    assert bench.journal.noted("main") == ""
