"""Where results are printed: colour and width follow the terminal, and a pipe gets plain text.

`NO_COLOR` takes the colours out. Text is shown as it is: no markup, no emoji codes, whatever a group is called.
"""

import os
import sys
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

from rich.cells import cell_len, set_cell_size

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_PLAIN_COLUMNS = 80
_DRAWN = "⣿┤╌▲…"
"""Of what a chart is drawn with, a character of each kind."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of what moves the cursor, turns the direction of a line or has no width that terminals agree on."""


def console(stream: TextIO | None = None, environ: Mapping[str, str] = os.environ) -> "Console":
    """Return the console of a stream, stdout unless told otherwise.

    A terminal's width is its own. Anything else gets no escape codes, and 80 columns or `$COLUMNS`.
    """
    from rich.console import Console

    file = stream or sys.stdout
    terminal = file.isatty()
    columns = environ.get("COLUMNS", "")
    wanted = int(columns) if columns.isdecimal() else 0
    return Console(
        file=file,
        # Said here, since FORCE_COLOR and the like would put escape codes into a pipe.
        force_terminal=terminal,
        width=wanted or (None if terminal else _PLAIN_COLUMNS),
        highlight=False,
        markup=False,
        emoji=False,
    )


def put(console: "Console", what: "RenderableType") -> None:
    """Print a table or a text, on no terminal without the blanks that only end a line."""
    if console.is_terminal:
        console.print(what)
        return
    with console.capture() as printed:
        console.print(what)
    for line in printed.get().splitlines():
        print(line.rstrip(), file=console.file)


def draws(console: "Console") -> bool:
    """Whether what is printed there can hold a chart's characters; else it is drawn in ASCII."""
    try:
        _DRAWN.encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def plain(text: str) -> str:
    """Return a text as it can stand in a line: without what moves the cursor or turns the direction."""
    return "".join([char for char in text if unicodedata.category(char) not in _UNSEEN])


def fitted(name: str, cells: int, *, more: str = "…") -> str:
    """Return a name in at most so many cells of one line, with `more` at its end where it was cut."""
    clean = plain(name).strip() or "?"
    if cell_len(clean) <= cells:
        return clean
    return f"{set_cell_size(clean, max(1, cells - len(more))).rstrip()}{more}"
