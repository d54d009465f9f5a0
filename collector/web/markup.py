"""Markup, in which a text is a text: whatever it holds, it opens no tag, ends no attribute and turns no direction.

Is not a template language: a page is written as calls.
"""

import html
import re
import unicodedata
from typing import Final

_LONGEST: Final = 300
"""Characters of a text that stands where it isn't seen at once."""
_VOID = frozenset({"br", "link", "meta"})
# Controls that no page may hold or that turn the direction of what follows, and halves of characters.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


class Markup(str):
    """A text that is markup. `tag` and `joined` alone make it."""

    __slots__ = ()


Attribute = str | int | float | bool | None


def tag(name: str, /, *children: str, **attributes: Attribute) -> Markup:
    """Return an element; children that aren't markup are texts.

    `class_` is written as class, `aria_label` as aria-label; None and False leave an attribute out.
    """
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{_escaped(_number(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return Markup(f"<{name}{written}>{'' if name in _VOID else f'{joined(*children)}</{name}>'}")


def joined(*children: str) -> Markup:
    """Return them one behind the other."""
    return Markup("".join([child if isinstance(child, Markup) else _escaped(child) for child in children]))


def name(text: str, most: int = 60) -> Markup:
    """Return a name as it stands in a sentence of another direction, cut where it is long, and then whole as a tip."""
    clean = one_line(text) or "?"
    cut = clean if len(clean) <= most else f"{clean[: most - 1].rstrip()}…"
    return tag("bdi", cut, title=tip(clean) if cut != clean else None)


def tip(text: str) -> str:
    """Return a text as it can stand in an attribute or a title, where nothing isolates it."""
    clean = "".join([char for char in one_line(text) if unicodedata.category(char) != "Cf"])
    return clean if len(clean) <= _LONGEST else f"{clean[: _LONGEST - 1]}…"


def one_line(text: str) -> str:
    """Return a text of any lines as one, without what no page may hold."""
    return " ".join(_UNFIT.sub("", text).split())


def _escaped(text: str) -> str:
    return html.escape(_UNFIT.sub("", text), quote=True)


def _number(value: str | float) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
