"""The edges of collecting: the last moment of a slot, a fault nobody foresaw, a clock that is gone."""

import pytest
from fakes import Script, score
from stages import SLOT, Polls

from collector.errors import BadResponse, CollectorError, Unauthorized, Unavailable
from collector.journal import Journal
from collector.pipeline import Backoff
from collector.step import Step


@pytest.fixture
def polls(journal: Journal) -> Polls:
    """Nothing polled yet."""
    return Polls(journal)


def slow(polls: Polls, source: Script, seconds: float) -> Script:
    """Let each exchange of a source take so long."""
    source.takes, source.clock = seconds, polls.time
    return source


def test_a_page_that_would_begin_after_the_slot_settles_the_poll(polls: Polls) -> None:
    """What came before the slot's end is kept, the rest is given up in words; nothing is asked past the end."""
    source = slow(polls, Script("contoso", [Step.MORE, Step.MORE, [score("contoso", SLOT)]]), 5.0)
    polls.poll(source, seconds=10.0)
    polls.stage.play()
    assert source.seconds == [10.0, 5.0]
    (outcome,) = polls.outcomes
    assert isinstance(outcome.error, Unavailable)
    assert str(outcome.error) == "the slot ended before the answer was whole"
    assert polls.points()[-1].fields["error"] == "Unavailable"


def test_a_page_may_begin_in_the_slots_last_second(polls: Polls) -> None:
    """Whatever is left of the slot is given to an exchange."""
    source = slow(polls, Script("contoso", [Step.MORE, [score("contoso", SLOT)]]), 9.5)
    polls.poll(source, seconds=10.0)
    polls.stage.play()
    assert source.seconds == [10.0, 0.5]
    assert polls.outcomes[0].error is None


def test_a_poll_is_asked_for_its_own_subject_and_slot(polls: Polls) -> None:
    """The source is told which subject, and of which slot."""
    source = Script("contoso", [[]])
    polls.poll(source, subject="device_groups")
    polls.stage.play()
    assert source.asked == [("device_groups", SLOT)]


def test_a_fault_of_the_collector_is_named_as_one(polls: Polls) -> None:
    """A poll that met something unforeseen says where its trace is to be found."""
    polls.poll(Script("contoso", []))
    with pytest.raises(IndexError):
        polls.stage.play()
    assert str(polls.outcomes[0].error) == "a fault of the collector; its log has the trace"


def test_a_fault_in_a_sign_in_is_a_failed_try(polls: Polls, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something unforeseen in a sign-in keeps nobody waiting for ever: it is tried again, and named."""
    source = Script("contoso", [Step.SIGN_IN for _ in range(9)])
    monkeypatch.setattr(source, "sign_in", lambda _: 1 / 0)
    polls.poll(source, seconds=2.5)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            polls.stage.play()
    polls.stage.play()
    (outcome,) = polls.outcomes
    assert str(outcome.error) == "the sign-in failed by a fault of the collector; its log has the trace"


def test_a_poll_in_an_exchange_is_not_settled_when_the_clock_is_gone(polls: Polls) -> None:
    """What is under way when the clock jumps ends by itself, also in its second try, and its points are kept."""
    source = slow(polls, Script("contoso", [Unavailable("503"), Step.MORE, [score("contoso", SLOT)]]), 1.0)
    polls.poll(source)
    polls.stage.play(until=polls.time.now + 3.5)
    assert len(source.asked) == 2
    polls.collecting.abandon("the clock jumped")
    polls.stage.play()
    (outcome,) = polls.outcomes
    assert (outcome.error, outcome.tries) == (None, 2)


def test_only_what_ran_out_of_time_is_slow(polls: Polls) -> None:
    """An unusable answer that took the whole timeout holds no tenant back, nor does a failure that came at once."""
    source = slow(polls, Script("contoso", [BadResponse("not JSON"), Unavailable("reset"), []]), 30.0)
    polls.poll(source, seconds=90.0)
    polls.stage.play()
    source.takes = 1.0
    polls.poll(source, seconds=90.0)
    polls.stage.play()
    assert set(polls.stage.ran) == {"collect"}


def test_a_retry_may_start_in_the_slots_last_moment_and_no_later(polls: Polls) -> None:
    """A long draw is cut to what is left; where nothing is left there is no retry."""
    polls.poll(Script("contoso", [Unavailable("503"), []]), seconds=1.5)
    polls.stage.play()
    assert (polls.outcomes[0].error, polls.time.now) == (None, 1_700_000_000.5)
    polls.poll(Script("contoso", [Unavailable("503"), []]), seconds=1.0)
    polls.stage.play()
    assert polls.outcomes[1].error is not None


def test_what_asked_to_be_left_alone_is_settled_by_a_worker(polls: Polls) -> None:
    """The next slot of a subject that asked for more time than it has is settled on a lane, not by who starts slots."""
    source = Script("contoso", [Unavailable("429", retry_after=3000.0, throttled=True)])
    polls.poll(source)
    polls.stage.play()
    polls.poll(source)
    assert len(polls.outcomes) == 1
    polls.stage.play()
    assert (len(polls.outcomes), set(polls.stage.ran)) == (2, {"collect"})


def test_what_asked_to_be_left_alone_is_not_asked_a_moment_sooner(polls: Polls) -> None:
    """The next slot waits for the end of a Retry-After, also where that is near, or its last moment to start."""
    source = Script("contoso", [Unavailable("429", retry_after=700.0, throttled=True), [], []])
    polls.poll(source)
    polls.stage.play()
    polls.time.now += 699.5
    polls.poll(source, seconds=1.5)
    polls.stage.play()
    assert polls.time.now == 1_700_000_700
    assert polls.outcomes[1].error is None


def test_who_has_been_left_alone_long_enough_is_asked_at_once(polls: Polls) -> None:
    """A Retry-After that is over is none."""
    source = Script("contoso", [Unavailable("429", retry_after=700.0, throttled=True), []])
    polls.poll(source)
    polls.stage.play()
    polls.time.now += 3600.0
    polls.poll(source)
    assert polls.stage.waits == [0.0]
    polls.stage.step()
    assert len(source.asked) == 2


def test_a_sign_in_in_the_slots_last_second_gets_what_is_left(polls: Polls) -> None:
    """A sign-in is never given more than the slot has."""
    source = Script("contoso", [Step.SIGN_IN, []])
    polls.poll(source, seconds=0.5)
    polls.stage.play()
    assert source.seconds == [0.5] * 3


def test_a_sign_in_that_begins_after_the_slot_is_given_no_time(polls: Polls) -> None:
    """Where the exchange before it took all that the slot had, nothing is left for a sign-in, and never less."""
    source = slow(polls, Script("contoso", [Step.SIGN_IN]), 7.0)
    polls.poll(source, seconds=5.0)
    polls.stage.play()
    assert source.seconds == [5.0, 0.0]


def test_a_sign_in_has_the_time_of_whoever_waits_longest(polls: Polls) -> None:
    """A poll whose slot ends soon takes none from another of its tenant."""
    source = Script("contoso", [Step.SIGN_IN, Step.SIGN_IN, [], []])
    polls.poll(source, seconds=5.0)
    polls.poll(source, seconds=20.0, subject="device_groups")
    polls.stage.play()
    assert source.seconds[:3] == [5.0, 20.0, 20.0]


def test_a_poll_is_settled_once_whatever_comes_due_while_the_clock_is_dealt_with(polls: Polls) -> None:
    """A retry that a worker takes up while others are being given up is told once, and leaves one point."""
    for tenant in ("contoso", "fabrikam"):
        polls.poll(Script(tenant, [Unavailable("503"), []]))
    polls.stage.play(until=polls.time.now)
    polls.settled = lambda _: polls.stage.play()
    polls.collecting.abandon("the clock jumped")
    assert sorted(outcome.tenant for outcome in polls.outcomes) == ["contoso", "fabrikam"]
    assert [str(outcome.error) for outcome in polls.outcomes] == ["the clock jumped"] * 2
    assert len(polls.points()) == 2


@pytest.mark.parametrize("failure", [Unauthorized("AADSTS7000215", mend="a new secret"), BadResponse("a page")])
def test_a_sign_in_that_failed_is_said_in_its_own_words(polls: Polls, failure: CollectorError) -> None:
    """What the login said, and its mend, are those of the poll."""
    polls.poll(Script("contoso", [Step.SIGN_IN], sign_ins=[failure]), seconds=0.5)
    polls.stage.play()
    (outcome,) = polls.outcomes
    assert isinstance(outcome.error, Unavailable)
    assert (str(outcome.error), outcome.error.mend) == (str(failure), failure.mend)


def test_a_wait_that_was_asked_for_gets_a_tenth_of_the_jitter() -> None:
    """Who was told to come back in 100 s comes then, and not all at the same instant."""
    backoff = Backoff(base=2.0, most=1e12, draw=lambda _, high: high)
    assert backoff.wait(1, Unavailable("429", retry_after=100.0)) == 100.4
    assert backoff.wait(100) == 2.0 * 2.0**30, "and no power overflows"
