"""What is promised is shown by tests that are there, and by numbers that hold."""

import re
from pathlib import Path

from collector.defender.asking import MAX_GROUPS
from collector.defender.pages import MAX_PAGES
from collector.pipeline.hold import MOST

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")


def test_every_test_that_a_promise_names_is_there() -> None:
    """Each row of a table names at least one file of the suite, and each promise has a file with tests."""
    rows = [line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith("| promise")]
    assert len(rows) > 15
    for row in rows:
        named = [(ROOT / file).read_text(encoding="utf-8") for file in re.findall(r"`(tests/[\w/]+\.py)`", row)]
        assert any("def test_" in text for text in named), row


def test_the_bounds_that_are_named_are_those_of_the_code() -> None:
    """A number in a promise is the number that holds."""
    for bound in (f"{MOST:,} points", f"{MAX_PAGES} pages", f"{MAX_GROUPS:,} groups"):
        assert bound in TEXT
