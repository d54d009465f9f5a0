"""Names in a message: those that are most like what a person typed, and of many the first."""

import difflib
from collections.abc import Sequence

_NAMED = 8
"""Names that a message has at the most."""


def nearest(word: str, known: Sequence[str]) -> str:
    """Return the names that are known, those most like `word` first; of many, the first of them.

    A name may have a comma in it.
    """
    from collector.cli.terminal import plain

    small = word.casefold()
    near = sorted(known, key=lambda name: -difflib.SequenceMatcher(None, small, name.casefold()).ratio())
    more = len(near) - _NAMED
    return plain("; ".join(near[:_NAMED])) + (f"; and {more} more" if more > 0 else "")
