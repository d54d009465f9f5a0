"""Whether a name that nobody knows is probably a known one, mistyped.

That is one that differs in capitals and spaces alone, or by one letter that is missing, too many, wrong or swapped with
its neighbour, in a word of four letters and more. So `Tier 1` and `Tier 2`, `Hall A` and `Hall B` are each their own.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

_LONGEST = 100
"""Characters of a name; a longer one is compared with none."""
_MOST = 10_000
"""Names that others are compared with."""
_LEAST = 4
_WORD = re.compile(r"\w+")
_DIGITS = re.compile(r"\d+")


class Likeness:
    """What known names are like."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known: dict[str, str] = {}
        for name in islice(known, _MOST):
            for form in _forms(_plain(name)):
                self._known.setdefault(form, name)

    def of(self, name: str) -> str | None:
        """Return the known name that this one probably is to be, None where there is none."""
        plain = _plain(name)
        for form in _forms(plain):
            found = self._known.get(form)
            if found is not None and found != name and _alike(plain, _plain(found)):
                return found
        return None


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def _forms(name: str) -> Iterator[str]:
    """Yield the name, and what is left of it without one of its characters."""
    if len(name) <= _LONGEST:
        yield name
        yield from (name[:place] + name[place + 1 :] for place in range(len(name)))


def _alike(one: str, other: str) -> bool:
    if _DIGITS.findall(one) != _DIGITS.findall(other):
        return False
    words, others = _WORD.findall(one), _WORD.findall(other)
    if len(words) != len(others):
        return True
    return all(
        min(len(word), len(its)) >= _LEAST for word, its in zip(words, others, strict=True) if word != its
    ) and _near(one, other)


def _near(one: str, other: str) -> bool:
    """Whether they are equal but for one character, or two neighbours that are swapped."""
    start = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    tail, its = one[start:], other[start:]
    return (
        tail[1:] == its or tail == its[1:] or tail[1:] == its[1:] or (tail[:2] == its[:2][::-1] and tail[2:] == its[2:])
    )
