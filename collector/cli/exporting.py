"""`export`: the history as a table, for a spreadsheet, another tool, or another collector's `import`."""

import codecs
import csv
import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from collector.cli.moments import Since
from collector.cli.options import ConfigFile, read_settings
from collector.cli.progress import Progress, counted
from collector.errors import ConfigError

if TYPE_CHECKING:
    from collector.batch import Filter
    from collector.journal import Journal
    from collector.point import Point
    from collector.settings import Settings

_BATCH = 5_000


def add(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(export)


def export(
    *,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="The file to write, or - for stdout.")
    ] = "-",
    tenant: Annotated[
        str | None, typer.Option("--tenant", "-t", help="This tenant alone, by its name; a former one too.")
    ] = None,
    since: Since = None,
    everything: Annotated[bool, typer.Option("--all", help="Derived measurements too: trends, spikes, days.")] = False,
    spreadsheet: Annotated[
        bool,
        typer.Option(
            "--spreadsheet",
            help="For Excel and the like: a text that would run as a formula has a single quote before it, long whole"
            " numbers too, and a mark says that it is UTF-8. `import` takes all of that back.",
        ),
    ] = False,
    config: ConfigFile = None,
) -> None:
    """Write the history as CSV, one line a field.

    `import` brings it back as it was: scores, polls and annotations.
    """
    from collector.journal import Journal

    settings = read_settings(config)
    # As Ctrl-C: what is half done is removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Journal(settings.journal.path, readonly=True) as journal:
        reading = _Reading(journal, since or 0, _wanted(settings, journal, tenant, everything=everything))
        try:
            with _opened(output) as stream, _progress(output) as progress:
                rows = _write(reading, stream, spreadsheet=spreadsheet, progress=progress)
        except KeyboardInterrupt:
            print(
                f"interrupted: {'the output is not whole' if output == '-' else output + ' was not made'}",
                file=sys.stderr,
            )
            raise typer.Exit(1) from None
        damaged = reading.damaged()
    if output != "-":
        print(f"{output}: {counted(reading.written, 'point')} in {counted(rows, 'line')}")
    if reading.unfit:
        print(f"error: {counted(len(reading.unfit), 'point')} left out, the first: {reading.unfit[0]}", file=sys.stderr)
    if damaged:
        print(
            f"error: {counted(damaged, 'row')} of the journal can't be read any more, and are left out; the log above"
            " has their numbers (a backup may have them whole)",
            file=sys.stderr,
        )
    if damaged or reading.unfit:
        raise typer.Exit(1)


class _Reading:
    """The journal's points in the order of their rows, up to its end."""

    def __init__(self, journal: "Journal", since: int, wanted: "Filter") -> None:
        from collector.batch import Cursor

        self._journal = journal
        self._since = since
        self._wanted = wanted
        self._tail = journal.tail()
        self._start = Cursor("export", journal.place(since, self._tail), 0)
        self._read = 0
        self.of = journal.backlog(self._start, wanted, self._tail).points
        """How many points are probably met."""
        self.done = self.written = 0
        self.unfit: list[str] = []

    def points(self) -> "Iterator[Point]":
        """Yield them; what is superseded meanwhile may come twice, the newer one later."""
        from dataclasses import replace

        cursor = self._start
        while True:
            batch = self._journal.read(cursor, _BATCH, self._wanted)
            for row in batch.rows:
                self.done += 1
                self._read += row.id < self._tail
                if row.point.time >= self._since:
                    yield row.point
            if batch.after == cursor.next:
                return
            cursor = replace(cursor, next=batch.after)

    def damaged(self) -> int:
        """Return how many rows are there now and could not be read before."""
        return max(self._journal.backlog(self._start, self._wanted, self._tail).points - self._read, 0)


def _wanted(settings: "Settings", journal: "Journal", tenant: str | None, *, everything: bool) -> "Filter":
    from collector.batch import Filter
    from collector.measurements import MEASUREMENTS, Origin

    if tenant is not None:
        known = list(dict.fromkeys([*settings.tenants, *journal.tenants()]))
        if tenant not in known:
            raise ConfigError(
                [f"--tenant: {tenant}: neither the settings nor the journal have it; they have {', '.join(known)}"]
            )
    names = tuple(name for name, its in MEASUREMENTS.items() if its.origin is not Origin.DERIVED)
    return Filter(measurements=("*",) if everything else names, tenants=None if tenant is None else (tenant,))


def _write(reading: _Reading, stream: TextIO, *, spreadsheet: bool, progress: Progress | None) -> int:
    """Return how many lines were written below the first."""
    from collector.history.sheet import COLUMNS
    from collector.history.table import Unfit, lines

    if spreadsheet:
        stream.write("\ufeff")
    # Both characters of a line's end: the module puts a text in quotes that has one of those that it ends lines with.
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    count = 0
    for point in reading.points():
        try:
            rows = list(lines(point, spreadsheet=spreadsheet))
        except Unfit as unfit:
            reading.unfit.append(str(unfit))
            continue
        writer.writerows(rows)
        count += len(rows)
        reading.written += 1
        if progress and not reading.written % 500:
            progress.show("exporting", reading.done, reading.of)
    return count


def _progress(output: str) -> "Progress | nullcontext[None]":
    # A bar between the lines of a table on one terminal helps nobody.
    return nullcontext() if output == "-" and sys.stdout.isatty() else Progress()


@contextmanager
def _opened(output: str) -> Iterator[TextIO]:
    """Open what is to be written to; a file has its name once it is whole, and its user's rights alone."""
    if output == "-":
        # Not by the terminal's encoding: what comes out is the file.
        stream = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")
        try:
            yield stream
            stream.flush()
        finally:
            with suppress(OSError, ValueError):
                stream.detach()
        return
    path = Path(output)
    _want_writable(path)
    if path.exists() and not path.is_file():
        with path.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        return
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        # Inside: Ctrl-C may come as soon as the file is there.
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _want_writable(path: Path) -> None:
    """Return if the file is new, or an earlier table of points; else raise ConfigError, and leave it as it is."""
    from collector.history.sheet import COLUMNS

    if path.is_dir():
        raise ConfigError([f"--output: {path}: is a folder"])
    if not path.parent.is_dir():
        raise ConfigError([f"--output: {path}: its folder does not exist"], mend=f"mkdir -p {path.parent}")
    if path.is_file():
        with path.open("rb") as file:
            start = file.read(200).removeprefix(codecs.BOM_UTF8)
        if start and not start.startswith(",".join(COLUMNS).encode()):
            raise ConfigError(
                [f"--output: {path}: is there already, and is no table of points; nothing was written"],
                mend="name another file",
            )
