"""Collecting: retries, sign-in, pages, Retry-After, and the one `collector_poll` point of each poll."""

from math import inf

import pytest
from fakes import Script, ScriptedAsking, Turn, group, score
from stages import SLOT, Polls, middle

from collector.errors import BadResponse, Unauthorized, Unavailable
from collector.journal import Journal
from collector.pipeline import Backoff, Terms
from collector.step import Step


@pytest.fixture
def bench(journal: Journal) -> Polls:
    """Everything on a stage, nothing polled yet."""
    return Polls(journal)


def test_a_poll_that_succeeds_leaves_its_points_and_one_poll_point_of_the_slot(bench: Polls) -> None:
    """Each poll leaves its points and one `collector_poll` point, all at the slot's time."""
    bench.poll(Script("contoso", [[score("contoso", SLOT)]]))
    bench.stage.play()
    points = bench.points()
    assert [point.series.measurement for point in points] == ["exposure_score", "collector_poll"]
    assert {point.time for point in points} == {SLOT}
    poll = points[1]
    assert dict(poll.series.tags) == {"tenant": "contoso", "subject": "organization", "collector": "host-1"}
    assert poll.fields == {"ok": 1, "seconds": 0.0, "points": 1, "tries": 1, "throttled": 0, "error": ""}
    assert bench.outcomes[0].error is None
    assert bench.outcomes[0].safe


def test_an_unavailable_api_is_asked_again_until_it_answers(bench: Polls) -> None:
    """A poll that failed is tried again with growing waits, and its points carry the slot all the same."""
    turns: list[Turn] = [Unavailable("503"), Unavailable("503"), [score("contoso", SLOT)]]
    bench.poll(Script("contoso", turns))
    bench.stage.play()
    assert bench.time.now == pytest.approx(1_700_000_000 + 2 + 4)
    assert bench.points()[-1].fields["tries"] == 3
    assert bench.points()[0].time == SLOT


def test_retries_end_with_the_slot(bench: Polls) -> None:
    """No try starts that could not end inside the slot; then the slot is settled as failed, by the error's name."""
    source = Script("contoso", [Unavailable("503") for _ in range(100)])
    bench.poll(source, seconds=60.0)
    bench.stage.play()
    assert bench.time.now <= 1_700_000_000 + 59
    assert 3 <= len(source.asked) < 10
    (poll,) = bench.points()
    assert (poll.fields["ok"], poll.fields["error"], poll.fields["points"]) == (0, "Unavailable", 0)
    assert poll.fields["tries"] == len(source.asked)


def test_an_exchange_never_gets_more_time_than_the_slot_has_left(bench: Polls) -> None:
    """Near the slot's end an exchange gets what is left, not the whole timeout."""
    source = Script("contoso", [[score("contoso", SLOT)]])
    bench.poll(source, seconds=12.0)
    bench.stage.play()
    assert source.seconds == [12.0]


def test_retry_after_is_kept_and_outlives_the_slot(bench: Polls) -> None:
    """Whoever asked to be left alone for an hour is not asked by the next slot either."""
    source = Script("contoso", [Unavailable("429", retry_after=3000.0, throttled=True), [score("contoso", SLOT)]])
    bench.poll(source, seconds=600.0)
    bench.stage.play()
    assert bench.outcomes[0].throttled == 1
    bench.poll(source, seconds=600.0)
    bench.stage.play()
    assert len(source.asked) == 1
    assert bench.outcomes[1].tries == 0
    assert bench.outcomes[1].error is not None
    bench.time.now += 2000
    bench.poll(source, seconds=2000.0)
    bench.stage.play()
    assert bench.time.now >= 1_700_000_000 + 3000
    assert bench.outcomes[2].error is None


def test_one_subject_that_is_throttled_does_not_silence_another(bench: Polls) -> None:
    """Retry-After holds for the subject that was asked for, not for its tenant's other subject."""
    source = Script("contoso", [Unavailable("429", retry_after=3000.0, throttled=True), [group("contoso", "A", SLOT)]])
    bench.poll(source)
    bench.stage.play()
    bench.poll(source, subject="device_groups")
    bench.stage.play()
    assert [outcome.error is None for outcome in bench.outcomes] == [False, True]


def test_a_bad_response_keeps_what_is_good_and_is_not_asked_again(bench: Polls) -> None:
    """The good rows of an answer are kept; the slot is settled as not ok, with the error's name."""

    class Partly(Script):
        def ask(self, subject: str, slot: int):  # type: ignore[no-untyped-def]  # noqa: ANN202
            asking = super().ask(subject, slot)
            asking.points.append(group("contoso", "A", slot))
            return asking

    source = Partly("contoso", [BadResponse("row 2: score is not a number")])
    bench.poll(source)
    bench.stage.play()
    points = bench.points()
    assert [point.series.measurement for point in points] == ["exposure_score_by_group", "collector_poll"]
    assert (points[1].fields["ok"], points[1].fields["error"], points[1].fields["points"]) == (0, "BadResponse", 1)
    assert len(source.asked) == 1


def test_pages_that_came_before_a_failure_are_kept(bench: Polls) -> None:
    """What an earlier try brought is kept when the slot is given up, and left for the whole answer when one comes."""

    class Paged(Script):
        def ask(self, subject: str, slot: int):  # type: ignore[no-untyped-def]  # noqa: ANN202
            asking = super().ask(subject, slot)
            if len(self.asked) == 1:
                asking.points.append(group("contoso", "A", slot, 11.0))
            return asking

    bench.poll(Paged("contoso", [Step.MORE, *(Unavailable("503") for _ in range(50))]), seconds=60.0)
    bench.stage.play()
    assert [point.series.measurement for point in bench.points()] == ["exposure_score_by_group", "collector_poll"]
    assert bench.points()[-1].fields["points"] == 1
    bench.poll(Paged("contoso", [Step.MORE, Unavailable("503"), [group("contoso", "B", SLOT)]]), seconds=600.0)
    bench.stage.play()
    assert bench.outcomes[1].points == 1, "the whole answer has no group A any more"


def test_a_long_draw_does_not_give_up_the_end_of_the_slot(bench: Polls) -> None:
    """The last try is as late as it can be and still end inside the slot."""
    source = Script("contoso", [Unavailable("503") for _ in range(100)])
    now = bench.time.now
    terms = Terms(last_start=now + 100, end=now + 101, backoff=Backoff(base=64.0, most=120.0, draw=max))
    bench.collecting.poll(source, "organization", SLOT, terms, bench.outcomes.append, succeeded=False)
    bench.stage.play()
    assert bench.time.now == now + 100
    assert len(source.asked) == 2


def test_a_tenant_that_ran_out_of_time_asks_on_a_lane_of_its_own(bench: Polls) -> None:
    """After an exchange that took all its time a tenant's exchanges are on the slow lane, until one is answered."""
    source = Script(
        "contoso", [Unavailable("503"), Unavailable("503"), [score("contoso", SLOT)], [score("contoso", 0)]]
    )
    real = ScriptedAsking.step

    def step(asking: ScriptedAsking, seconds: float) -> Step:
        if len(source.turns) > 2:
            bench.time.now += seconds
        return real(asking, seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScriptedAsking, "step", step)
        bench.poll(source)
        bench.stage.play()
    bench.poll(source)
    bench.stage.play()
    lanes = [lane for lane in bench.stage.ran if lane != "sign-in"]
    assert lanes == ["collect", "collect", "slow", "collect", "slow", "collect"]


def test_what_waits_is_settled_when_the_clock_is_gone(bench: Polls) -> None:
    """A retry that will never come is settled as failed, once; an exchange under way ends by itself."""
    source = Script("contoso", [Unavailable("503"), [score("contoso", SLOT)]])
    bench.poll(source)
    bench.stage.play(until=bench.time.now)
    bench.collecting.abandon("the clock jumped")
    bench.stage.play()
    (outcome,) = bench.outcomes
    assert str(outcome.error) == "the clock jumped"
    assert len(source.asked) == 1


def test_each_page_is_a_job_of_its_own(bench: Polls) -> None:
    """A worker is held for one exchange: between two pages it is free for others."""
    bench.poll(Script("contoso", [Step.MORE, Step.MORE, [score("contoso", SLOT)]]))
    bench.stage.play()
    assert bench.stage.ran == ["collect"] * 3
    assert bench.points()[-1].fields["tries"] == 1


def test_a_sign_in_has_a_worker_of_its_own_and_serves_all_that_wait(bench: Polls) -> None:
    """Two subjects of a tenant without a token wait for one sign-in, on its own lane."""
    source = Script("contoso", [Step.SIGN_IN, Step.SIGN_IN, [score("contoso", SLOT)], [group("contoso", "A", SLOT)]])
    bench.poll(source)
    bench.poll(source, subject="device_groups")
    bench.stage.play()
    assert source.signed_in == 1
    assert bench.stage.ran == ["collect", "collect", "sign-in", "collect", "collect"]
    assert [outcome.error for outcome in bench.outcomes] == [None, None]


def test_a_sign_in_that_fails_is_tried_again(bench: Polls) -> None:
    """Each failed sign-in is a failed try of each poll that waited for it."""
    source = Script(
        "contoso",
        [Step.SIGN_IN, Step.SIGN_IN, Step.SIGN_IN, [score("contoso", SLOT)]],
        sign_ins=[Unauthorized("AADSTS7000215"), BadResponse("a page instead of a token"), None],
    )
    bench.poll(source)
    bench.stage.play()
    assert bench.points()[-1].fields["tries"] == 3
    assert bench.points()[-1].fields["ok"] == 1


def test_a_sign_in_gets_no_more_time_than_the_slot_has_left(bench: Polls) -> None:
    """Near the slot's end a sign-in is as short as an exchange would be."""
    source = Script("contoso", [Step.SIGN_IN, [score("contoso", SLOT)]])
    bench.poll(source, seconds=12.0)
    bench.stage.play()
    assert source.seconds == [12.0, 12.0, 12.0]


@pytest.mark.parametrize("succeeded", [False, True])
@pytest.mark.parametrize("fails", [False, True])
def test_a_slot_keeps_the_success_that_it_has(bench: Polls, *, fails: bool, succeeded: bool) -> None:
    """A poll that fails in a slot which went well before is told to who waits for it, and leaves no point of that."""
    bench.poll(Script("contoso", [BadResponse("no") if fails else [score("contoso", SLOT)]]), succeeded=succeeded)
    bench.stage.play()
    assert (bench.outcomes[0].error is not None) == fails
    told = [point.fields["ok"] for point in bench.points() if point.series.measurement == "collector_poll"]
    assert told == ([] if fails and succeeded else [int(not fails)])


def test_who_is_not_patient_does_not_try_again_what_a_person_has_to_mend(bench: Polls) -> None:
    """`once` gives up at once where waiting can't help."""
    source = Script("contoso", [Unauthorized("403")])
    bench.poll(source, patient=False)
    bench.stage.play()
    assert len(source.asked) == 1
    assert bench.outcomes[0].error is not None


def test_who_is_not_patient_tries_again_what_may_pass(bench: Polls) -> None:
    """`once` asks a busy API again while its patience lasts."""
    source = Script("contoso", [Unavailable("503"), [score("contoso", SLOT)]])
    bench.poll(source, patient=False)
    bench.stage.play()
    assert len(source.asked) == 2
    assert bench.outcomes[0].error is None


def test_who_says_nothing_of_patience_has_it(bench: Polls) -> None:
    """The service asks again also where a person has to mend something: it may be mended before the slot is over."""
    source = Script("contoso", [Unauthorized("403"), [score("contoso", SLOT)]])
    now = bench.time.now
    terms = Terms(last_start=now + 60, end=now + 61, backoff=Backoff(base=2.0, most=60.0, draw=max))
    bench.collecting.poll(source, "organization", SLOT, terms, bench.outcomes.append, succeeded=False)
    bench.stage.play()
    assert bench.outcomes[0].error is None


def test_a_fault_of_the_collector_settles_the_poll_too(bench: Polls) -> None:
    """Whatever happens to a poll it is settled, so that nobody waits for it for ever."""
    source = Script("contoso", [])  # an empty script raises IndexError
    bench.poll(source)
    with pytest.raises(IndexError):
        bench.stage.play()
    assert bench.outcomes[0].error is not None
    assert bench.points()[-1].fields["error"] == "CollectorError"


def test_backoff_is_full_jitter_and_never_sooner_than_asked() -> None:
    """Waits are drawn from nothing to a bound that doubles up to a most; Retry-After is a floor."""
    drawn: list[tuple[float, float]] = []

    def draw(low: float, high: float) -> float:
        drawn.append((low, high))
        return high

    backoff = Backoff(base=2.0, most=60.0, draw=draw)
    waits = [backoff.wait(tries) for tries in (1, 2, 3, 10, 5000)]
    assert drawn == [(0.0, 4.0), (0.0, 8.0), (0.0, 16.0), (0.0, 60.0), (0.0, 60.0)]
    assert waits == [4.0, 8.0, 16.0, 60.0, 60.0]
    assert backoff.wait(1, Unavailable("429", retry_after=100.0)) >= 100.0


def test_a_poll_that_waits_for_its_turn_has_its_whole_patience(bench: Polls) -> None:
    """However long a poll waits behind thousands of others, its retries have their seconds from its own first failure.

    An exchange that is under way is not cut off by what others have waited.
    """
    source = Script("contoso", [Unavailable("503") for _ in range(100)])
    terms = Terms(last_start=inf, end=inf, backoff=Backoff(base=2.0, most=4.0, draw=middle), patience=20.0)
    bench.collecting.poll(source, "organization", SLOT, terms, bench.outcomes.append, succeeded=False)
    began = bench.time.now = bench.time.now + 1000.0
    bench.stage.play()
    assert bench.time.now == pytest.approx(began + 20.0)
    assert source.seconds == [30.0] * len(source.seconds)
    assert len(source.seconds) > 5
    assert isinstance(bench.outcomes[0].error, Unavailable)


def test_a_poll_that_is_tried_again_ends_with_its_patience(bench: Polls) -> None:
    """Pages without end are no way past it: the last exchange is over by its end and a timeout, however many come."""
    source = Script("contoso", [Unavailable("503"), *[Step.MORE for _ in range(50)]])
    source.takes, source.clock = 8.0, bench.time
    terms = Terms(last_start=inf, end=inf, backoff=Backoff(base=2.0, most=4.0, draw=middle), patience=20.0)
    began = bench.time.now
    bench.collecting.poll(source, "organization", SLOT, terms, bench.outcomes.append, succeeded=False)
    bench.stage.play()
    assert isinstance(bench.outcomes[0].error, Unavailable)
    assert bench.time.now - began == pytest.approx(20.0 + 30.0, abs=8.0)
    assert source.seconds[-1] < 30.0, "it is given what is left"
