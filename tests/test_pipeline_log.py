"""What the pipeline says: one line a job, with the facts that a person searches for."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace

import pytest
from fakes import Script, Store, score
from pytest_structlog import StructuredLogCapture
from stages import HOUR, SLOT, Deliveries, Polls, failing, many, refusing

from collector.errors import BadResponse, Expired, JournalError, Rejected, TooLarge, Unauthorized, Unavailable
from collector.journal import Journal
from collector.pipeline import Hold, deliver
from collector.pipeline.deliver import SUSPECT
from collector.point import Point
from collector.step import Step

_POLL = {"tenant": "contoso", "subject": "organization"}
_SLOT = "2023-11-14T22:00:00Z"


@pytest.fixture
def polls(journal: Journal) -> Polls:
    """Nothing polled yet."""
    return Polls(journal)


@pytest.fixture
def deliveries(journal: Journal) -> Deliveries:
    """Nothing delivered yet."""
    return Deliveries(journal)


def lines(log: StructuredLogCapture, event: str) -> list[dict[str, object]]:
    """Return what was said of an event, without its name."""
    return [
        {key: value for key, value in line.items() if key != "event"} for line in log.events if line["event"] == event
    ]


def test_a_poll_that_went_well_is_one_line(polls: Polls, log: StructuredLogCapture) -> None:
    """Tenant, subject, slot, points, tries, how long the exchanges took, and whether the journal has it."""
    source = Script("contoso", [Step.MORE, [score("contoso", SLOT)]])
    source.takes = 1.2344
    source.clock = polls.time
    polls.poll(source)
    polls.stage.play()
    facts = {"slot": _SLOT, "points": 1, "tries": 1, "seconds": 2.469, "safe": True}
    assert log.events == [{"event": "poll.settled", "level": "info", "ok": True, **_POLL, **facts}]
    assert polls.points()[-1].fields["seconds"] == pytest.approx(2.4688)


def test_each_try_that_failed_is_a_line_and_so_is_the_end(polls: Polls, log: StructuredLogCapture) -> None:
    """A failed try says what it was and when the next one is; the last one that there is none; then the poll."""
    polls.poll(Script("contoso", [Unavailable("HTTP 503") for _ in range(9)]), seconds=5.0)
    polls.stage.play()
    said = {"level": "warning", **_POLL, "error": "Unavailable", "what": "HTTP 503"}
    assert lines(log, "poll.failed") == [
        {**said, "tries": 1, "again_in": 2.0},
        {**said, "tries": 2, "again_in": 2.0},
        {**said, "tries": 3, "again_in": None},
    ]
    facts = {"slot": _SLOT, "points": 0, "tries": 3, "seconds": 0.0, "safe": True}
    assert lines(log, "poll.settled") == [{**said, "ok": False, **facts}]


def test_what_a_person_has_to_mend_is_said_louder_and_with_the_mend(polls: Polls, log: StructuredLogCapture) -> None:
    """A wrong secret is an error, and the line holds what to do; a wait is said to a tenth of a second."""
    polls.poll(Script("contoso", [Unauthorized("HTTP 401", mend="renew the secret", retry_after=10.04), []]))
    polls.stage.play()
    (line,) = lines(log, "poll.failed")
    assert (line["level"], line["error"], line["mend"]) == ("error", "Unauthorized", "renew the secret")
    assert line["again_in"] == 10.2


def test_a_sign_in_that_is_no_answer_keeps_its_words(polls: Polls, log: StructuredLogCapture) -> None:
    """What the sign-in said instead of a token is in the log, with the mend, and its time counts as the poll's."""
    wrong = BadResponse("a page instead of a token", mend="look at login_url")
    source = Script("contoso", [Step.SIGN_IN, Step.SIGN_IN, [score("contoso", SLOT)]], sign_ins=[wrong])
    source.takes = 0.5
    source.clock = polls.time
    polls.poll(source)
    polls.stage.play()
    (line,) = lines(log, "poll.failed")
    assert (line["what"], line["mend"]) == ("a page instead of a token", "look at login_url")
    assert lines(log, "poll.settled")[0]["seconds"] == 2.5


def test_a_batch_that_was_taken_is_one_line(
    deliveries: Deliveries, log: StructuredLogCapture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sink, how many points it took, how many it refused for good, and how long that took, to the millisecond."""
    moments = iter([10.0, 11.2344])
    monkeypatch.setattr(deliver, "time", SimpleNamespace(monotonic=lambda: next(moments)))
    deliveries.journal.append(many(7))
    bad = SLOT + 2 * HOUR
    deliveries.deliver(Store(judge=refusing(lambda point: point.time == bad, lambda: Rejected("type conflict"))))
    (line,) = lines(log, "points.delivered")
    assert line == {"level": "info", "sink": "main", "count": 6, "dead_letters": 1, "seconds": 1.234}
    assert lines(log, "point.rejected") == [
        {
            "level": "error",
            "sink": "main",
            "measurement": "exposure_score",
            "point_time": "2023-11-15T00:00:00Z",
            "words": "type conflict",
        }
    ]


def test_nothing_is_said_of_rows_that_nobody_wants(deliveries: Deliveries, log: StructuredLogCapture) -> None:
    """Rows that a sink's filter leaves out are passed over in silence."""
    deliveries.journal.append(many(3))
    sink = Store()
    sink.measurements = ("collector_poll",)
    delivery = deliveries.deliver(sink)
    assert (sink.requests, log.events, delivery.reached) == ([], [], 4)


def test_a_sink_that_fails_and_recovers_says_both(deliveries: Deliveries, log: StructuredLogCapture) -> None:
    """Each failure has its count, its words and the wait; the recovery is one line."""
    deliveries.journal.append(many(1))
    deliveries.deliver(Store(judge=failing(2, Unavailable("connection refused", mend="start it", retry_after=7.04))))
    said = {"sink": "main", "error": "Unavailable", "what": "connection refused", "mend": "start it"}
    assert lines(log, "sink.failed") == [
        {"level": "warning", **said, "tries": 1, "again_in": 7.1},
        {"level": "warning", **said, "tries": 2, "again_in": 7.2},
    ]
    assert lines(log, "sink.recovered") == [{"level": "info", "sink": "main"}]


def test_a_sink_that_is_well_recovers_from_nothing(deliveries: Deliveries, log: StructuredLogCapture) -> None:
    """A sink that never failed is not said to have recovered."""
    deliveries.journal.append(many(1))
    deliveries.deliver(Store())
    assert [line["event"] for line in log.events] == ["points.delivered"]


def test_a_wrong_setting_of_a_sink_is_an_error_with_its_mend(deliveries: Deliveries, log: StructuredLogCapture) -> None:
    """A batch that is rejected to the last point: the server's words of the first, and that nothing was dropped."""
    words = iter(range(10_000))
    deliveries.journal.append(many(SUSPECT))

    def judge(points: Sequence[Point]) -> None:
        raise Rejected(f"no {next(words)}" if len(points) == 1 else "all of it")

    delivery = deliveries.delivery(Store(judge=judge))
    delivery.nudge()
    deliveries.stage.play(until=deliveries.time.now)
    (line,) = lines(log, "sink.failed")
    assert (line["level"], line["what"]) == ("error", "every one of 100 points was rejected: no 0")
    assert line["mend"] == (
        "that is a wrong setting or another program's data, not bad points: nothing was dropped;"
        " mend it, and delivery goes on by itself"
    )
    assert lines(log, "point.rejected") == []


def test_points_that_are_too_old_are_said_once(deliveries: Deliveries, log: StructuredLogCapture) -> None:
    """The first time with how many and why, then they are only counted; they don't count as delivered."""
    deliveries.journal.append(many(10))
    sink = Store(judge=failing(1, Expired("beyond retention, dropped=4", mend="lengthen it", dropped=4)))
    delivery = deliveries.deliver(sink)
    deliveries.journal.append([score("contoso", SLOT - HOUR), score("contoso", SLOT - 2 * HOUR)])
    sink.judge = failing(1, Expired("beyond retention, dropped=1", dropped=1))
    delivery.nudge()
    deliveries.stage.play()
    expected = {"level": "warning", "sink": "main", "count": 4, "what": "beyond retention, dropped=4"}
    assert lines(log, "points.expired") == [{**expected, "mend": "lengthen it"}]
    assert [line["count"] for line in lines(log, "points.delivered")] == [6, 1]
    assert (delivery.expired, delivery.delivered) == (5, 7)


def test_a_point_too_large_alone_keeps_the_servers_words(deliveries: Deliveries) -> None:
    """The dead letter of a point that no request can carry says why."""
    deliveries.journal.append(many(1))
    deliveries.deliver(Store(judge=refusing(lambda _: True, lambda: TooLarge("HTTP 413"))))
    (letter,) = deliveries.journal.letters.every(["main"])
    assert letter.words == "HTTP 413"


def test_points_that_wait_in_memory_and_those_that_are_lost_are_said(
    journal: Journal, log: StructuredLogCapture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal that fails says why, what to do and how many wait; what finds no room is counted."""
    hold = Hold(journal, appended=lambda: None, most=3)
    real: Callable[..., bool] = journal.append
    monkeypatch.setattr(journal, "append", lambda *_: (_ for _ in ()).throw(JournalError("full", mend="make room")))
    hold.keep(many(2))
    hold.keep(many(2))
    hold.keep(many(4))
    failed = {"level": "error", "error": "full", "mend": "make room", "held": 2}
    assert lines(log, "journal.failed") == [failed] * 3
    lost = {"level": "error", "held": 2, "most": 3}
    assert lines(log, "points.lost") == [{**lost, "count": 2}, {**lost, "count": 4}]
    assert (hold.held, hold.lost) == (2, 6)
    monkeypatch.setattr(journal, "append", real)
    assert hold.flush()
    assert lines(log, "journal.recovered") == [{"level": "warning", "appended": 2}]
    hold.keep(many(1))
    assert len(lines(log, "journal.recovered")) == 1
