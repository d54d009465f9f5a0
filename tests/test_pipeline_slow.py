"""The lane of tenants that ran out of time: who did so once is asked before those that do so again and again."""

import pytest
from fakes import Stage, Time

from collector.pipeline.slow import Slow


@pytest.fixture
def stage() -> Stage:
    """Workers that do one thing after the other."""
    return Stage(Time())


def ask(slow: Slow, tenant: str, asked: list[str], subject: str = "organization") -> None:
    """Let a tenant be asked when its turn comes."""
    slow.soon(tenant, subject, lambda: asked.append(tenant))


def test_a_tenant_that_hung_once_does_not_wait_behind_those_that_never_answer(stage: Stage) -> None:
    """However many of them wait: behind them it would be asked after the end of its slot, and of each one after it."""
    slow = Slow(stage)
    asked: list[str] = []
    down = [f"down-{n}" for n in range(9)]
    for tenant in down * 3:
        slow.late(tenant, "organization")
    slow.late("healthy", "organization")
    for tenant in (*down, "healthy"):
        ask(slow, tenant, asked)
    stage.play()
    assert asked == ["healthy", *down]
    assert set(stage.ran) == {"slow"}


def test_of_those_that_never_answer_none_is_asked_before_it_is_its_turn(stage: Stage) -> None:
    """A tenant that is well again after a hundred tries is found out as soon as one that was down for three."""
    slow = Slow(stage)
    asked: list[str] = []
    for tenant, times in {"contoso": 100, "fabrikam": 3}.items():
        for _ in range(times):
            slow.late(tenant, "organization")
    for tenant in ("contoso", "fabrikam", "contoso"):
        ask(slow, tenant, asked)
    stage.play()
    assert asked == ["contoso", "fabrikam", "contoso"]


def test_each_subject_counts_for_itself_and_an_answer_counts_for_the_tenant(stage: Stage) -> None:
    """Both polls of a tenant are under way when it hangs once: that isn't twice. Once it answers, all is forgotten."""
    slow = Slow(stage)
    asked: list[str] = []
    for tenant, subject in (("down", "organization"), ("down", "organization"), *TWO):
        slow.late(tenant, subject)
    ask(slow, "down", asked)
    for _, subject in TWO:
        ask(slow, "healthy", asked, subject)
    stage.play()
    assert asked == ["healthy", "healthy", "down"]
    assert "healthy" in slow
    slow.answered("healthy")
    assert "healthy" not in slow
    assert "down" in slow


def test_those_that_never_answer_have_every_fourth_turn(stage: Stage) -> None:
    """Who is well again among them is asked, however many others run out of time now and then."""
    slow = Slow(stage)
    asked: list[str] = []
    for _ in range(2):
        slow.late("down", "organization")
    for n in range(9):
        slow.late(f"at-times-{n}", "organization")
        ask(slow, f"at-times-{n}", asked)
    for _ in range(3):
        ask(slow, "down", asked)
    stage.play()
    assert [n for n, tenant in enumerate(asked, 1) if tenant == "down"] == [4, 8, 12]


TWO = (("healthy", "organization"), ("healthy", "device_groups"))
