"""Collecting when tenants leave, or have other settings: what waits is given up soon, what came of it is kept."""

import gc
from weakref import ref

import pytest
from fakes import Script, ScriptedAsking, group, score
from stages import SLOT, Polls

from collector.errors import Unavailable
from collector.journal import Journal
from collector.step import Step


@pytest.fixture
def polls(journal: Journal) -> Polls:
    """Nothing polled yet."""
    return Polls(journal)


def test_what_waits_for_a_tenant_that_leaves_is_settled_by_a_worker(polls: Polls) -> None:
    """A retry of it will never come: it is told as failed, soon and once. Other tenants go on."""
    for tenant in ("contoso", "fabrikam"):
        polls.poll(Script(tenant, [Unavailable("503"), [score(tenant, SLOT)]]))
    polls.stage.play(until=polls.time.now)
    polls.collecting.let_go("it is no longer in the settings", {"contoso"})
    assert polls.outcomes == [], "who changes the settings waits for no journal"
    polls.stage.play(until=polls.time.now)
    (outcome,) = polls.outcomes
    assert (outcome.tenant, str(outcome.error)) == ("contoso", "it is no longer in the settings")
    polls.stage.play()
    assert [(one.tenant, one.error is None) for one in polls.outcomes] == [("contoso", False), ("fabrikam", True)]
    assert set(polls.stage.ran) == {"collect"}


@pytest.mark.parametrize("abandoned", [False, True])
def test_nothing_is_kept_of_a_poll_that_was_given_up(polls: Polls, *, abandoned: bool) -> None:
    """Tenants come and go for years, and clocks jump: the source of a poll is gone once it is settled."""
    source = Script("contoso", [Unavailable("503")])
    polls.poll(source)
    polls.stage.play(until=polls.time.now)
    if abandoned:
        polls.collecting.abandon("the clock jumped")
    else:
        polls.collecting.let_go("it is no longer in the settings", {"contoso"})
    polls.stage.play()
    assert len(polls.outcomes) == 1
    there = ref(source)
    del source
    gc.collect()
    assert there() is None


def test_what_came_before_a_sign_in_is_kept_where_the_settings_changed_in_it(polls: Polls) -> None:
    """A page of the old poll came before its token was refused: it is kept, though the new poll alone is told of."""

    class Changing(Script):
        def ask(self, subject: str, slot: int) -> ScriptedAsking:
            asking = super().ask(subject, slot)
            asking.points.append(group("contoso", "A", slot, 11.0))
            return asking

        def sign_in(self, seconds: float) -> None:
            super().sign_in(seconds)
            polls.collecting.let_go("changed", {self.tenant})
            polls.poll(Script("contoso", [[score("contoso", SLOT)]]))

    polls.poll(Changing("contoso", [Step.MORE, Step.SIGN_IN]))
    polls.stage.play()
    assert sorted(point.series.measurement for point in polls.points()) == [
        "collector_poll",
        "exposure_score",
        "exposure_score_by_group",
    ]
    assert [outcome.error for outcome in polls.outcomes] == [None]
