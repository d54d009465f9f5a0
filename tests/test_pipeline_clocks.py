"""Collecting when the clock jumps: no further try for a slot that is gone, and the one word on a slot begun anew."""

import pytest
from fakes import Script, group, score
from stages import SLOT, Polls

from collector.errors import BadResponse, Unavailable
from collector.journal import Journal
from collector.step import Step

JUMPED = "the clock jumped"


@pytest.fixture
def polls(journal: Journal) -> Polls:
    """Nothing polled yet."""
    return Polls(journal)


class Jumping(Script):
    """A source in whose first exchange the clock jumps: what is done about it is done before the exchange ends."""

    def __init__(self, polls: Polls, first: Unavailable | BadResponse | Step, again: Script | None = None) -> None:
        super().__init__("contoso", [first, [score("contoso", SLOT, 30.0)]])
        self.polls = polls
        self.again = again
        self.clock = polls.time
        self.takes = 1.0

    def ask(self, subject: str, slot: int):  # type: ignore[no-untyped-def]  # noqa: ANN201 - as the fake has it
        asking = super().ask(subject, slot)
        if len(self.asked) == 1:
            self.polls.collecting.abandon(JUMPED)
            if self.again is not None:
                self.polls.poll(self.again)
        return asking


def test_a_try_that_fails_after_a_jump_is_not_made_again(polls: Polls) -> None:
    """An exchange that was under way at the jump gets no second try: its slot may lie ahead of the clock by now."""
    source = Jumping(polls, Unavailable("timed out"))
    polls.poll(source)
    polls.stage.play()
    (outcome,) = polls.outcomes
    assert (str(outcome.error), len(source.asked)) == ("timed out", 1)


def test_a_sign_in_that_fails_after_a_jump_is_not_made_again(polls: Polls) -> None:
    """A poll that waited for a token at the jump is given up with the sign-in's own words."""
    source = Jumping(polls, Step.SIGN_IN)
    source.sign_ins.append(Unavailable("no token"))
    polls.poll(source)
    polls.stage.play()
    (outcome,) = polls.outcomes
    assert (str(outcome.error), source.signed_in, len(source.asked)) == ("no token", 1, 1)


def test_a_poll_that_no_worker_had_taken_up_is_not_begun_after_a_jump(polls: Polls) -> None:
    """What was queued behind others when the clock jumped is settled as failed, and asks nothing."""
    source = Script("contoso", [[score("contoso", SLOT)]])
    polls.poll(source)
    polls.collecting.abandon(JUMPED)
    polls.stage.play()
    (outcome,) = polls.outcomes
    assert (str(outcome.error), outcome.tries, source.asked) == (JUMPED, 0, [])


def test_a_slot_that_was_begun_anew_is_told_of_by_its_later_poll(polls: Polls) -> None:
    """A poll that hangs over a jump inside its slot, and then fails, does not call the slot's success a failure."""
    polls.poll(Jumping(polls, Unavailable("timed out"), Script("contoso", [[score("contoso", SLOT, 41.5)]])))
    polls.stage.play()
    (outcome,) = polls.outcomes
    assert outcome.error is None
    assert [point.fields.get("score", point.fields.get("ok")) for point in polls.points()] == [41.5, 1]


def test_of_a_slot_that_was_begun_twice_anew_the_last_poll_tells(polls: Polls) -> None:
    """Two jumps inside one slot: each tenant's last poll tells of it, not one that no worker had taken up before."""
    tenants = [f"tenant {n}" for n in range(8)]
    for _ in range(2):
        for tenant in tenants:
            polls.poll(Script(tenant))
        polls.collecting.abandon(JUMPED)
    for tenant in tenants:
        polls.poll(Script(tenant, [[score(tenant, SLOT)]]))
    polls.stage.play()
    assert [outcome.error for outcome in polls.outcomes] == [None] * 8


def test_what_an_overtaken_poll_has_brought_is_kept(polls: Polls) -> None:
    """Also of a poll whose slot was begun anew every point is kept: the later one may bring nothing."""

    class Partly(Jumping):
        def ask(self, subject: str, slot: int):  # type: ignore[no-untyped-def]  # noqa: ANN202 - as the fake has it
            asking = super().ask(subject, slot)
            asking.points.append(group("contoso", "A", slot, 11.0))
            return asking

    polls.poll(Partly(polls, BadResponse("row 2"), Script("contoso", [BadResponse("not JSON")])))
    polls.stage.play()
    (outcome,) = polls.outcomes
    assert str(outcome.error) == "not JSON"
    assert [point.series.measurement for point in polls.points()] == ["exposure_score_by_group", "collector_poll"]


def test_an_overtaken_poll_that_succeeds_counts_as_every_other(polls: Polls) -> None:
    """Either's answer stands, and both are told."""
    polls.poll(Jumping(polls, Step.MORE, Script("contoso", [Unavailable("503") for _ in range(99)])))
    polls.stage.play()
    assert sorted(outcome.error is None for outcome in polls.outcomes) == [False, True]
    assert 30.0 in [point.fields.get("score") for point in polls.points()]


def test_after_a_jump_nobody_is_left_alone_any_longer(polls: Polls) -> None:
    """A Retry-After was counted by a clock that is gone, or that stood still: the server is asked, and may say again.

    A suspended machine would otherwise leave out slots for hours after the server's wish was over.
    """
    polls.poll(Script("contoso", [Unavailable("429", retry_after=7200)]))
    polls.stage.play()
    waiting = Script("contoso", [[score("contoso", SLOT)]])
    polls.poll(waiting)
    polls.stage.play()
    assert waiting.asked == []
    polls.collecting.abandon(JUMPED)
    polls.poll(waiting)
    polls.stage.play()
    assert len(waiting.asked) == 1
    assert polls.outcomes[-1].error is None


def test_who_signs_in_while_settings_change_does_not_ask_by_the_old_ones(polls: Polls) -> None:
    """The poll that was begun with the new settings asks, and it alone: what the old ones name may be another tenant.

    A tenant that leaves in its sign-in ends in order instead: nobody else asks in its place.
    """

    class Changing(Script):
        def sign_in(self, seconds: float) -> None:
            super().sign_in(seconds)
            polls.collecting.let_go("changed", {self.tenant})
            if self.tenant == "contoso":
                polls.poll(new)

    new = Script("contoso", [[score("contoso", SLOT, 30.0)]])
    old, leaving = (Changing(name, [Step.SIGN_IN, [score(name, SLOT, 90.0)]]) for name in ("contoso", "fabrikam"))
    polls.poll(old)
    polls.poll(leaving)
    polls.stage.play()
    assert len(old.turns) == 1
    scores = {point.series.tag("tenant"): point.fields["score"] for point in polls.points() if "score" in point.fields}
    assert scores == {"contoso": 30.0, "fabrikam": 90.0}
    assert [(outcome.tenant, outcome.error) for outcome in polls.outcomes] == [("contoso", None), ("fabrikam", None)]
