"""What people noted, as lines of text. Is not the notes themselves (`history/`), and writes none."""

from collections.abc import Collection, Iterator, Sequence

from rich.cells import cell_len

from collector.cli.terminal import console, draws, fitted
from collector.history import Note
from collector.history.words import minute

_NEWEST = 6
"""Notes that stand under a chart."""
_TITLE = 24
"""Columns of a title, under which it gets a line of its own."""
_NAMED = 3
"""Tenants that a line names."""
_ID, _KIND = 12, 8
"""Columns that they have at the most: what was imported may be called anything."""


def newest(notes: Sequence[Note], width: int, mark: str, more: str) -> Iterator[str]:
    """Yield lines for under a chart: the newest of notes in the order of time, each behind the chart's mark for it."""
    for note in notes[: -_NEWEST - 1 : -1]:
        head = f"  {mark} {minute(note.at)}  {one_line(note.kind, _KIND, more):5}  "
        if width < len(head) + _TITLE:
            yield head.rstrip()
            head = "    "
        yield f"{head}{titled(note, width - len(head), more)}"
    if len(notes) > _NEWEST:
        yield f"    {len(notes) - _NEWEST:,} more: `annotate --list`"


def one_line(text: str, cells: int, more: str) -> str:
    """Return a text of any lines as one, in at most so many cells, with `more` at its end where it was cut."""
    return fitted(" ".join(text.split()), cells, more=more)


def titled(note: Note, cells: int, more: str) -> str:
    """Return a note's title in at most so many cells, and its group behind it where it speaks of one alone."""
    if note.group is None:
        return one_line(note.title, cells, more)
    # The group has a third, and what the title leaves of the rest.
    left = cells - 3 - cell_len(one_line(note.title, cells, more))
    group = one_line(note.group, max(left, cells // 3), more)
    return f"{one_line(note.title, cells - cell_len(group) - 3, more)} ({group})"


class Lines:
    """Prints what was noted under one id: the facts on a line, what is said on the next. `tenants`: the settings'."""

    def __init__(self, tenants: Collection[str]) -> None:
        self._tenants = tenants
        page = console()
        self._width = page.width
        self._more = "…" if draws(page) else "..."

    def show(self, alike: Sequence[Note], *, text: bool = False) -> None:
        """Print it, with its text where that is wanted."""
        note = alike[0]
        head = (
            f"{one_line(note.id, _ID, self._more)}  {minute(note.at)} UTC  {one_line(note.kind, _KIND, self._more):5}  "
        )
        print(f"{head}{one_line(self._whom(alike), self._width - cell_len(head), self._more)}")
        for said in (note.title, note.text if text else ""):
            if said.strip():
                print(f"  {one_line(said, self._width - 2, self._more)}")

    def _whom(self, alike: Sequence[Note]) -> str:
        names = [note.tenant for note in alike]
        if len(names) > 1 and set(names) >= set(self._tenants):
            of = f"all {len(names):,} tenants"
        else:
            more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
            of = f"{', '.join(names[:_NAMED])}{more}"
        group = alike[0].group
        return f"{of}: {'all groups' if group is None else group}"
