"""Whoever asked to be left alone is: for as long as it said, and nobody else."""

from collector.errors import Unavailable
from collector.pipeline.left_alone import LeftAlone, Wait


def test_who_asked_for_rest_has_it_to_its_end() -> None:
    """What is left gets less, with the same words, and ends; another subject and another tenant may be asked."""
    now = [100.0]
    left_alone = LeftAlone(lambda: now[0])
    error = Unavailable("come back later")
    left_alone.ask("contoso", "organization", 10.0, error)
    assert left_alone.wait("contoso", "organization") == Wait(10.0, error)
    assert left_alone.wait("contoso", "device_groups") is None
    assert left_alone.wait("fabrikam", "organization") is None
    now[0] = 109.5
    assert left_alone.wait("contoso", "organization") == Wait(0.5, error)
    now[0] = 110.0
    assert left_alone.wait("contoso", "organization") is None


def test_a_later_word_stands_until_all_is_forgotten() -> None:
    """A server that asks anew has what it asked for last; after a clock's jump nobody has anything."""
    left_alone = LeftAlone(lambda: 0.0)
    first, second = Unavailable("an hour"), Unavailable("a minute")
    left_alone.ask("contoso", "organization", 3600.0, first)
    left_alone.ask("contoso", "organization", 60.0, second)
    assert left_alone.wait("contoso", "organization") == Wait(60.0, second)
    left_alone.forget()
    assert left_alone.wait("contoso", "organization") is None
