"""A name that is probably another one, mistyped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.history.likeness import Likeness

KNOWN = ["Build Agents", "Servers, Tier 0", "Hall A", "SQL-Servers", "Büro München", "R&D"]


@pytest.mark.parametrize(
    ("name", "known"),
    [
        *(("Build Agnets", "Build Agents"), ("Build Agent", "Build Agents"), ("Build Aagents", "Build Agents")),
        *(("Build Azents", "Build Agents"), ("build agents", "Build Agents"), ("BuildAgents", "Build Agents")),
        *((" Build  Agents ", "Build Agents"), ("Servers Tier 0", "Servers, Tier 0"), ("SQL Servers", "SQL-Servers")),
        ("Büro Munchen", "Büro München"),
    ],
)
def test_a_slip_of_the_finger_is_known(name: str, known: str) -> None:
    """A letter missing, too many, wrong or swapped; capitals, spaces and what stands between words."""
    assert Likeness(KNOWN).of(name) == known


@pytest.mark.parametrize(
    "name",
    [
        *("Servers, Tier 1", "Hall B", "Hall AB", "R&B", "Laptops", "Build", "Agents", "SQL-Servers Test", "", "x"),
        *("Build Agents", "Bulid Agnets"),
    ],
)
def test_a_name_of_its_own_is_nobodys_slip(name: str) -> None:
    """Numbers, short words and letters tell names apart; two slips are no slip; the name itself is none."""
    assert Likeness(KNOWN).of(name) is None


@given(st.lists(st.text(max_size=8), max_size=5), st.text(max_size=8))
def test_what_is_found_is_known_and_another(known: list[str], name: str) -> None:
    """Whatever the names are, the answer is one of those that are known, and not the name itself."""
    found = Likeness(known).of(name)
    assert found is None or (found in known and found != name)


def test_long_names_cost_nothing() -> None:
    """A name of 60 KiB is compared with none."""
    assert Likeness(["x" * 60_000]).of("x" * 59_999) is None
