"""What a score card says of what is not as usual: what is missing, late or gone, and names that nobody expects."""

import re
from collections.abc import Sequence

import pytest
from cards import DAY, NOW, shown, standing
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from collector.history import Card, Group, Note, Sample, level
from collector.history.words import moved, said


@pytest.mark.parametrize(
    ("card", "former", "words"),
    [
        (Card(tenant="t", standing=None), [], "never polled; see `status`"),
        (Card(tenant="t", standing=standing(5.0)), ["t"], "scored 2023-11-14 22:00 UTC; no longer in the settings"),
        (
            Card(tenant="t", standing=standing(5.0), late=["organization", "device_groups"]),
            [],
            "late: the organization and the groups, see `status`",
        ),
        (
            Card(tenant="t", standing=None, groups=[Group(name="g", id="7", standing=standing(5.0))]),
            [],
            "no score of the organization",
        ),
        (
            Card(tenant="t", standing=standing(5.0)),
            [],
            "No score in the last 30 days: a larger --days goes back further.",
        ),
        (Card(tenant="t", standing=standing(5.0), unseen=1, unseen_since=NOW), [], "1 more group was not seen since"),
        (
            Card(
                tenant="t",
                standing=standing(5.0),
                groups=[Group(name="g", id="7", standing=standing(1.0, at=NOW - 9 * DAY), seen=False)],
            ),
            [],
            "g, not seen since 2023-11-05 22:00",
        ),
    ],
)
def test_what_is_not_as_it_should_be_is_said(card: Card, former: Sequence[str], words: str) -> None:
    """What is missing, late, gone or of a former customer stands there in words."""
    assert words in " ".join(shown(lambda page: page.card(card), 80, former=former).split())


def test_groups_of_one_name_are_told_apart_by_their_ids() -> None:
    """Two groups called the same have their ids beside the name, and a chart each."""
    groups = [
        Group(name="Twin", id=id_, standing=standing(5.0), samples=[Sample(NOW - DAY, 5.0)]) for id_ in ("7", "8")
    ]
    text = shown(lambda page: page.card(Card(tenant="t", standing=standing(5.0), groups=groups)), 80)
    for id_ in ("7", "8"):
        assert f"  Twin (id {id_})\n" in text
        assert f"The last 30 days of Twin (id {id_}), the highest score of each column\n" in text
    assert "of the organization" not in text


@pytest.mark.parametrize("width", [40, 59, 60, 80])
def test_the_longest_numbers_fit(width: int) -> None:
    """A score of 100 that has moved by 100 all the time takes no more than the width either."""
    most = standing(100.0, -100.0, -100.0, -100.0)
    card = Card(tenant="t", standing=most, groups=[Group(name="g", id="7", standing=most)])
    text = shown(lambda page: page.ranking([card]), width) + shown(lambda page: page.card(card), width)
    assert max(map(len, text.splitlines())) <= width
    assert text.count("-100.0") == 9


_NAMES = st.one_of(
    st.text(min_size=1, max_size=120),
    st.sampled_from(
        ["שרתים של המשרד", "👩‍👩‍👧‍👦", "[red]x[/red]", ":smile:", "~1a2b3c4d", "\u202eevil", "\u200b", "e\u0301" * 60]
    ),
)


@given(_NAMES, st.sampled_from([40, 59, 60, 80, 120]))
def test_no_name_breaks_a_line(name: str, width: int) -> None:
    """Whatever a group is called: one row a group, its numbers in their columns, no line wider than the terminal."""
    groups = [Group(name=each, id="7", standing=standing(55.5, 1.5, -2.5, 3.5)) for each in ("plain", name)]
    text = shown(lambda page: page.card(Card(tenant="t", standing=None, groups=groups)), width)
    rows = [line for line in text.split("\n") if re.match(r" +55\.5 +medium", line)]
    assert len(rows) == 2
    before = len(rows[0].partition("plain")[0])
    assert rows[0][:before] == rows[1][:before]
    assert all(cell_len(line) <= width for line in text.split("\n"))
    assert "\x1b" not in text
    assert not set(text) & set("\u202e\u200b\u2028\u200d\r\x85")


@given(st.floats(0.0, 100.0))
def test_a_score_is_never_shown_as_one_of_another_level(score: float) -> None:
    """29.96 is low and isn't shown as 30.0; any other score is as near as a decimal can be."""
    assert level(float(said(score))) == level(score)
    assert abs(float(said(score)) - score) < 0.1


@pytest.mark.parametrize(
    ("change", "text"),
    [(None, "-"), (0.0, "0.0"), (-0.04, "0.0"), (0.05, "+0.1"), (-12.34, "-12.3"), (100.0, "+100.0")],
)
def test_a_change_has_its_sign(change: float | None, text: str) -> None:
    """A rise has a plus; none is no minus zero; what is not known is a dash."""
    assert moved(change) == text


def noted(title: str, days: int = 1, *, group: str | None = None, kind: str = "note") -> Note:
    """Return a note of some days ago."""
    return Note(id="x", at=NOW - days * DAY, kind=kind, tenant="t", group=group, title=title)


def test_the_newest_notes_stand_below_the_chart() -> None:
    """Each with time, kind, title and group, the newest first; of many, how many more there are."""
    notes = [noted(f"n{n}", 20 - n) for n in range(9)]
    card = Card(tenant="t", standing=standing(5.0), samples=[Sample(NOW, 5.0)], notes=[*notes, noted("s", group="g")])
    text = shown(lambda page: page.card(card), 80)
    assert text.endswith(
        """
  ▲ 2023-11-13 22:00  note   s (g)
  ▲ 2023-11-02 22:00  note   n8
  ▲ 2023-11-01 22:00  note   n7
  ▲ 2023-10-31 22:00  note   n6
  ▲ 2023-10-30 22:00  note   n5
  ▲ 2023-10-29 22:00  note   n4
    4 more: `annotate --list`
"""
    )
    assert "more" not in shown(lambda page: page.card(Card(tenant="t", standing=None, notes=notes[:6])), 80)


def test_a_break_of_one_group_cuts_its_own_chart_alone() -> None:
    """The organization's chart has its mark; a break of all goes through every chart."""
    samples = [Sample(NOW, 5.0)]
    group = Group(name="g", id="7", standing=standing(5.0), samples=samples)
    for of, cut in (("g", False), (None, True)):
        notes = [noted("n", 9, group=of, kind="break")]
        whole = Card(tenant="t", standing=standing(5.0), samples=samples, notes=notes)
        text = shown(lambda page, card=whole: page.card(card), 80)  # type: ignore[misc]
        assert ("▲─" in text, "╎" in text) == (True, cut)
        alone = Card(tenant="t", standing=standing(5.0), groups=[group], notes=notes)
        text = shown(lambda page, card=alone: page.card(card), 80)  # type: ignore[misc]
        assert ("▲─" in text, "╎" in text) == (True, True)
        assert text.count("  break  n") == 1


@pytest.mark.parametrize("width", [40, 60, 80])
@given(title=st.text(min_size=1), group=st.none() | st.text(min_size=1))
def test_a_note_of_any_title_stays_on_its_line(width: int, title: str, group: str | None) -> None:
    """Whatever it is called, in whatever script: no line is wider than the page, and none is one more."""
    card = Card(tenant="t", standing=None, notes=[noted(title, group=group)])
    text = shown(lambda page: page.card(card), width)
    lines = text.removesuffix("\n").split("\n")
    assert all(cell_len(line) <= width for line in lines)
    assert len(lines) == len(
        shown(lambda page: page.card(Card(tenant="t", standing=None, notes=[noted("a")])), width).splitlines()
    )
