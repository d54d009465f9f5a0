"""Texts in markup: whatever they hold, they open no element, end no attribute and turn no direction."""

import re

from hypothesis import given
from hypothesis import strategies as st
from parsed import Parsed

from collector.web.markup import joined, name, one_line, tag, tip

ANY = st.text(alphabet=st.characters(categories=("L", "M", "N", "P", "S", "Z", "C")), max_size=80) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        '" onload="x',
        "' onload='x",
        "</bdi><img src=x>",
        "&lt;b&gt;",
        "\u202egnp.exe",
        "\u2069\u202e",
        "\ud800",
        "\x00<b>",
    ]
)


@given(ANY, ANY)
def test_a_text_stays_a_text(text: str, other: str) -> None:
    """As a child and as an attribute it is read back as it was, and there is no element but those that were made."""
    page = Parsed(tag("p", text, tag("b", other), title=other, aria_label=text))
    assert [name for name, _ in page.elements] == ["p", "b"]
    (attributes,) = page.all("p")
    assert set(attributes) == {"title", "aria-label"}
    # What no page may hold is left out; all else is there, to the blank.
    assert page.said.split() == f"{one_line(text)} {one_line(other)}".split()


@given(ANY)
def test_a_name_is_isolated_and_whole(text: str) -> None:
    """A name stands in an element of its own direction; where it is cut its tip has the whole."""
    page = Parsed(name(text, 10))
    ((element, attributes),) = page.elements
    assert element == "bdi"
    assert 1 <= len(page.said) <= 10
    if len(one_line(text)) > 10:
        assert attributes["title"] == tip(text)


@given(ANY)
def test_a_tip_holds_nothing_that_turns_a_line(text: str) -> None:
    """In an attribute, where nothing isolates it, there is no control left, and no end of a line."""
    assert not re.search("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", tip(text))
    assert len(tip(text * 20)) <= 300


def test_markup_is_taken_as_it_is() -> None:
    """What was made as an element is not escaped again; a false attribute is left out, a true one has no value."""
    made = tag("a", joined("a", tag("b", "<")), href="/?a=1&b", hidden=True, title=None, download=False)
    assert made == '<a href="/?a=1&amp;b" hidden>a<b>&lt;</b></a>'
