"""`import`: a table of points into the journal, beside a running service or none. All of a file, or nothing."""

import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from collector.cli.imported import SHOWN, Found, fail, show, show_json, warn
from collector.cli.incoming import GROUPS, Job
from collector.cli.options import ConfigFile, Json, read_settings
from collector.cli.progress import Progress, counted
from collector.errors import CollectorError, ConfigError

if TYPE_CHECKING:
    from collector.history.sheet import Sheet
    from collector.journal import Journal
    from collector.service import Intake
    from collector.settings import Settings

_TOLD_EVERY = 2_000


def add(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("import")(import_)


def import_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A CSV file, or - for stdin.")],
    *,
    tenant: Annotated[
        str | None,
        typer.Option("--tenant", "-t", help="Of an export this tenant alone; of a plain file the one that it is of."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be new, and what would change.")
    ] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Take what is right in a file that is wrong in part.")
    ] = False,
    any_score: Annotated[
        bool, typer.Option("--any-score", help="Take exposure scores outside of 0 to 100 too.")
    ] = False,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Take a CSV file into the journal.

    It is an export, or a plain one: time,score or time,score,rbacGroupName; an empty group is the organization. What is
    there already is left alone, another value replaces it, and sinks get what is new. A service may be running.
    """
    from collector.journal import Journal
    from collector.service import Intake

    settings = read_settings(config)
    # As Ctrl-C: what is in is said.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as stack:
        stream = stack.enter_context(_opened(file))
        journal = stack.enter_context(_journal(settings, dry_run=dry_run))
        job = Job(_sheet(file, stream), settings, journal, tenant, any_score=any_score)
        if job.sheet.plain:
            job.want_tenant()
        with Progress() as progress:
            found = _look(job, stream, file, progress)
            wanted = bool(found.points) and (partial or not found.wrong)
            if wanted and journal is None and not dry_run:
                # Begun only now: for nothing none is.
                journal = stack.enter_context(Journal(settings.journal.path))
            intake = Intake(journal, dry=dry_run, scores=job.sheet.plain)
            if wanted:
                _take(job, intake, found.points, file, progress)
    done = bool(intake.points) and not dry_run
    (show_json if as_json else show)(file, found, intake, done=done)
    warn(settings, found)
    fail(file, found, done=done, partial=partial, tenant=tenant)


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    """Open a file that is read twice; what can't be is kept in a file without a name meanwhile."""
    if file != "-" and Path(file).is_file():
        with Path(file).open("rb") as stream:
            yield stream
        return
    if file != "-" and not Path(file).exists():
        raise ConfigError([f"{file}: there is no such file"])
    if Path(file).is_dir():
        raise ConfigError([f"{file}: is a folder"])
    with tempfile.TemporaryFile() as kept:
        with sys.stdin.buffer if file == "-" else Path(file).open("rb") as stream:
            shutil.copyfileobj(stream, kept)
        kept.seek(0)
        yield kept


@contextmanager
def _journal(settings: "Settings", *, dry_run: bool) -> "Iterator[Journal | None]":
    """Open the journal, if there is one."""
    from collector.journal import Journal

    path = settings.journal.path
    if not path.exists():
        yield None
        return
    with Journal(path, readonly=dry_run) as journal:
        yield journal


def _sheet(file: str, stream: BinaryIO) -> "Sheet":
    from collector.history.cells import Slip
    from collector.history.sheet import Sheet

    try:
        return Sheet(stream)
    except Slip as slip:
        raise CollectorError(f"{file}: {slip}") from slip


def _look(job: Job, stream: BinaryIO, file: str, progress: Progress) -> Found:
    """Read the whole file, and keep nothing of it but what is wrong, and who is in it."""
    torn = len(job.torn)
    found = _looked(job, stream, file, progress)
    # What a line contradicts stands above it, and has been counted as right.
    if len(job.torn) > torn:
        found = _looked(job, stream, file, progress)
    found.new_tenants = sorted(found.tenants - set(job.tenants()))
    for tenant, names in found.groups.items():
        found.new_groups[tenant] = sorted(names - job.groups(tenant))
    return found


def _looked(job: Job, stream: BinaryIO, file: str, progress: Progress) -> Found:
    from collector.history.sheet import Wrong

    found, size = Found(), stream.seek(0, 2)
    for n, point in enumerate(job.points()):
        if not n % _TOLD_EVERY:
            progress.show(f"checking {file}", stream.tell(), size, "bytes")
        if isinstance(point, Wrong):
            found.wrong += 1
            if len(found.errors) < SHOWN:
                found.errors.append(point)
            continue
        found.points += 1
        tenant = point.series.tag("tenant")
        found.tenants.add(tenant)
        if point.series.measurement == GROUPS:
            found.groups[tenant].add(point.series.tag("rbacGroupName"))
        found.oldest = point.time if found.oldest is None else min(found.oldest, point.time)
        found.newest = max(found.newest, point.time)
    found.passed = job.passed
    return found


def _take(job: Job, intake: "Intake", of: int, file: str, progress: Progress) -> None:
    """Read it again, and take its points; say how things stand when a person breaks it off."""
    from collector.history.sheet import Wrong
    from collector.service.intake import CHUNK

    points = (point for point in job.points() if not isinstance(point, Wrong))
    try:
        while chunk := list(islice(points, CHUNK)):
            intake.take(chunk)
            progress.show(f"{'comparing' if intake.dry else 'importing'} {file}", intake.points, of)
    except KeyboardInterrupt:
        print(
            f"interrupted: {intake.points:,} of {counted(of, 'point')} are in; call it again for the others",
            file=sys.stderr,
        )
        raise typer.Exit(1) from None
