"""What is left of a damaged journal: set aside under another name, with all that is sound carried over into a new file.

Nothing is deleted: the damaged file stays, byte for byte, beside the new one. A row is carried with its own id, and
only if it proves by its checksum that it is what was written; so a cursor means what it meant. A cursor that is lost
starts at the first row again: taking a point twice changes nothing. Whoever calls has the role.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from collector.errors import JournalError
from collector.journal import schema
from collector.journal.carving import PAGE, Carving
from collector.journal.filling import Carried, carry, ours
from collector.journal.links import followed
from collector.journal.lock import role_of
from collector.journal.swapping import BESIDE, aside, free_name, halfway, part_of, swap, take_back
from collector.journal.syncing import sync

MOST = 5
"""Damaged files that one journal sets aside: a disk that goes on destroying them is not to be filled, too."""
_BUSY_SECONDS = 10.0
_BUSY_PAUSE = 0.02
_LOCK_AT, _LOCK_BYTES = 1 << 30, 512
"""Where in a file SQLite's locks lie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvaged:
    """`aside`: the damaged file's new name."""

    aside: Path
    carried: Carried


def recognised(path: Path) -> bool:
    """Whether a file that SQLite can't use, or not as a journal, was one: else it is another's, and not touched."""
    if halfway(path) is not None:
        return True
    with Carving(path) as carving:
        return carving.application == schema.APPLICATION or (carving.blank and role_of(path).exists()) or ours(carving)


def salvage(path: Path, clock: Callable[[], float] = time.time) -> Salvaged:
    """Return once the new file has the journal's name, and the damaged one another.

    Raise JournalError, with nothing changed. A crash at any moment leaves the journal's name on one of both, or on none
    where there are no hard links; unless it is the new one's, whoever comes next begins anew.
    """
    path = followed(path)
    part = part_of(path)
    try:
        take_back(path)
        _want_few(path)
        with Carving(path) as carving, _kept(path) if carving.rollback else _locked(path):
            _drop(part)
            try:
                os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
                carried = _fill(part, carving)
                name = free_name(path, clock)
                swap(path, name)
            except BaseException:
                # In this order: where nothing has the journal's name the new file tells that it was on its way to it.
                take_back(path)
                _drop(part)
                raise
    except (OSError, sqlite3.Error) as error:
        raise JournalError(
            f"{path}: damaged, and could not be set aside: {error}",
            mend="make room for a second file of its size beside it, and let this user write there",
        ) from error
    return Salvaged(aside=name, carried=carried)


def _want_few(path: Path) -> None:
    before = aside(path)
    if len(before) >= MOST:
        raise JournalError(
            f"{path}: damaged again; {len(before)} damaged files stand beside it already, so it stays as it is",
            mend="look at the disk; then move those files elsewhere, and start again",
        )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other writers out, and take back a half-written transaction, as far as SQLite can still read the file."""
    url = f"{path.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(url, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise
        # Also where SQLite can't read it: who has read the first page before it was damaged looks at it no more.
        with _kept(path):
            yield


@contextmanager
def _kept(path: Path) -> Iterator[None]:
    """Keep all others out by SQLite's own lock. Alone where SQLite would undo what it can, and let go of the rest."""
    until = time.monotonic() + _BUSY_SECONDS
    with path.open("r+b") as file:
        while True:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, _LOCK_BYTES, _LOCK_AT)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise
                time.sleep(_BUSY_PAUSE)  # whoever reads it has it for an instant
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


def _drop(part: Path) -> None:
    """Take away what an attempt of our own has left: never a journal."""
    for end in ("", *BESIDE):
        part.with_name(f"{part.name}{end}").unlink(missing_ok=True)
