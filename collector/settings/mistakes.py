"""How a settings model says in plain words what is wrong with a value. Knows no keys: `problems.py` adds the key.

A text never stands in such words, since a secret may have been pasted into the wrong key. A number or a boolean does,
unless text was wanted there: it may be a secret without its quotes.
"""

import difflib
from collections.abc import Iterable

from pydantic_core import PydanticCustomError

_LONG = 10**15
"""From here on a number says no more than that it is long."""


def mistake(words: str, *, at: str = "") -> PydanticCustomError:
    """Return the error to raise in a validator; `at` names a neighbouring key that is to blame instead of this one."""
    # The words go in as a fact: as the template itself, a brace in them would be read as a place to fill.
    return PydanticCustomError("mistake", "{words}", {"words": words, "at": at})


def shown(value: object) -> str:
    """Return ` (is VALUE)` for a number or a boolean, as TOML writes it, and nothing for all else."""
    if isinstance(value, bool):
        return f" (is {str(value).lower()})"
    if isinstance(value, int | float) and abs(value) < _LONG:
        return f" (is {value})"
    return ""


def nearest(word: str, known: Iterable[str], *, likeness: float = 0.6) -> str:
    """Return the one of `known` that is most like `word`, or nothing when none is `likeness` (0 to 1) like it."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=likeness)
    return found[0] if found else ""
