"""What is left of a damaged journal: set aside under another name, with all that is sound carried over into a new file.

Nothing is deleted: the damaged file stays, byte for byte, beside the new one. A row is carried with its own id, and
only if it proves by its checksum that it is what was written; so a cursor means what it meant. A cursor that is lost
starts at the first row again: taking a point twice changes nothing. Whoever calls has the role.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from collector.errors import JournalError
from collector.journal import schema
from collector.journal.carving import PAGE, Carving
from collector.journal.filling import Carried, carry, ours
from collector.journal.lock import role_of
from collector.journal.syncing import sync

MOST = 5
"""Damaged files that one journal sets aside: a disk that goes on destroying them is not to be filled, too."""
_BUSY_SECONDS = 10.0
_BESIDE = ("-journal", "-wal", "-shm")
"""What SQLite keeps beside a file under that file's name."""


_LOCK_AT, _LOCK_BYTES = 1 << 30, 512
"""Where in a file SQLite's locks lie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvaged:
    """`aside`: the damaged file's new name."""

    aside: Path
    carried: Carried


def aside(path: Path) -> Sequence[Path]:
    """Return the damaged files that were set aside beside a journal, oldest first."""
    start = f"{path.name}.damaged-"
    return sorted(
        file for file in path.parent.iterdir() if file.name.startswith(start) and not file.name.endswith(_BESIDE)
    )


def recognised(path: Path) -> bool:
    """Whether a file that SQLite can't use, or not as a journal, was one: else it is another's, and not touched."""
    with Carving(path) as carving:
        return carving.application == schema.APPLICATION or (carving.blank and role_of(path).exists()) or ours(carving)


def salvage(path: Path, clock: Callable[[], float] = time.time) -> Salvaged:
    """Return once the new file has the journal's name, and the damaged one another.

    Raise JournalError, with nothing changed. A crash at any moment leaves the journal's name on one of both.
    """
    before = aside(path)
    if len(before) >= MOST:
        raise JournalError(
            f"{path}: damaged again; {len(before)} damaged files stand beside it already, so it stays as it is",
            mend="look at the disk; then move those files elsewhere, and start again",
        )
    part = path.with_name(f"{path.name}.salvage")
    try:
        with Carving(path) as carving, _kept(path) if carving.rollback else _locked(path):
            _drop(part)
            try:
                os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
                carried = _fill(part, carving)
                name = _free_name(path, clock)
                _swap(path, part, name)
            except BaseException:
                _drop(part)
                raise
    except (OSError, sqlite3.Error) as error:
        raise JournalError(
            f"{path}: damaged, and could not be set aside: {error}",
            mend="make room for a second file of its size beside it, and let this user write there",
        ) from error
    return Salvaged(aside=name, carried=carried)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other writers out, and take back a half-written transaction, as far as SQLite can still read the file."""
    url = f"{path.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(url, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            # What SQLite can't read no other process can write.
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise
        yield


@contextmanager
def _kept(path: Path) -> Iterator[None]:
    """Keep all others out by SQLite's own lock, without SQLite: it would undo what it can, and let go of the rest."""
    with path.open("r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, _LOCK_BYTES, _LOCK_AT)
        yield


def _fill(part: Path, carving: Carving) -> Carried:
    """Write all that is sound into the new file, and sync it."""
    with closing(sqlite3.connect(part, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {PAGE}")
        # Nobody reads it before it is whole and synced.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("BEGIN")
        schema.bring_up(connection, 0)
        carried = carry(carving, connection)
        connection.execute("COMMIT")
    sync(part)
    return carried


def _free_name(path: Path, clock: Callable[[], float]) -> Path:
    stamp = datetime.fromtimestamp(clock(), UTC).strftime("%Y%m%dT%H%M%SZ")
    names = (f"{path.name}.damaged-{stamp}{more}" for more in ("", *(f"-{n}" for n in range(2, MOST + 2))))
    return next(path.with_name(name) for name in names if not path.with_name(name).exists())


def _swap(path: Path, part: Path, name: Path) -> None:
    """Give the damaged file its other name, and the new one the journal's."""
    try:
        os.link(path, name)
    except OSError:
        path.rename(name)  # a file system without hard links: for a moment the journal has no name
    # Before the new file has the name: SQLite would undo in it what was half done in the old one.
    for end in _BESIDE:
        beside = path.with_name(f"{path.name}{end}")
        if beside.exists() and beside.stat().st_size:
            beside.rename(name.with_name(f"{name.name}{end}"))
    part.replace(path)
    sync(path.parent)


def _drop(part: Path) -> None:
    """Take away what an attempt of our own has left: never a journal."""
    for end in ("", *_BESIDE):
        part.with_name(f"{part.name}{end}").unlink(missing_ok=True)
