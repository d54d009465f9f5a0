"""How far a command is, on stderr: a bar on a terminal, elsewhere a line every few seconds. No results go here."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

_LINE_SECONDS = 5.0


class Progress:
    """Shown from `with` to its end. `unit`: what is counted, where `show` names no other."""

    def __init__(
        self,
        unit: str = "points",
        *,
        stream: TextIO | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._unit = unit
        self._stream = stream or sys.stderr
        self._monotonic = monotonic
        self._began = self._said = monotonic()
        self._what = ""
        self._bar: Bar | None = _bar(self._stream) if self._stream.isatty() else None

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def show(self, what: str, done: int, of: int, unit: str | None = None) -> None:
        """Say that `done` of `of` is done of what is being done; call it as often as there is news."""
        now = self._monotonic()
        if what != self._what:
            self._what, self._began = what, now
        # More may come to be done than was counted before.
        of = max(done, of)
        words = _words(done, of, unit or self._unit, now - self._began)
        if self._bar:
            task = self._bar.task_ids[0]
            self._bar.update(task, description=what, completed=done, total=max(of, 1), words=words)
        elif now - self._said >= _LINE_SECONDS:
            self._said = now
            print(f"{what}: {words}", file=self._stream, flush=True)


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, as "1 point", "2 points", "2 series"."""
    return f"{count:,} {noun}{'' if count == 1 or noun.endswith('s') else 's'}"


def _bar(stream: TextIO) -> "Bar":
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[words]}", markup=False),
        console=Console(file=stream, highlight=False, markup=False),
        transient=True,
    )
    bar.add_task("", total=None, words="")
    return bar


def _words(done: int, of: int, unit: str, seconds: float) -> str:
    words = f"{done:,} of {of:,} {unit}"
    if not done or seconds < 1:
        return words
    rate = done / seconds
    return f"{words}, {rate:,.0f}/s, {span((of - done) / rate)} left"


def span(seconds: float) -> str:
    """Return a length of time as a person says it: 12 s, 3 min 5 s, 2 h 10 min."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"
