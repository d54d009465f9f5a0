"""How a journal's file is opened: made where it may be, refused where it can be none. Knows nothing of its tables."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from collector.errors import JournalError
from collector.journal.carving import PAGE, whole_header
from collector.journal.faults import DAMAGED, NO_DATABASE, Unsound
from collector.journal.links import followed
from collector.journal.rights import permit, user
from collector.journal.rollback import beside, damaged

_BUSY_SECONDS = 10.0

Identity = tuple[int, int]
"""Which file has a name: device and number."""


def identity(path: Path) -> Identity:
    """Return which file has the name now; raise OSError where none has."""
    found = path.stat()
    return found.st_dev, found.st_ino


def connect(path: Path, *, readonly: bool, make: bool) -> tuple[sqlite3.Connection, Identity]:
    """Return a connection, and which file it is of; with `make` the file is there afterwards, for its owner alone."""
    path = followed(path)
    _want_file(path, readonly=readonly, make=make)
    # Before it is opened: should the name go over to another file meanwhile, the next look at it tells.
    found = identity(path)
    return _connected(path, readonly=readonly), found


def _connected(path: Path, *, readonly: bool) -> sqlite3.Connection:
    if not readonly and damaged(path):
        raise Unsound(f"{path}: a write was cut short, and what would undo it is damaged", mend=DAMAGED)
    if not (whole_header(path) or _taken_back(path, readonly=readonly)):
        raise Unsound(f"{path}: file is not a database, or its first bytes are damaged", mend=NO_DATABASE)
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={'ro' if readonly else 'rw'}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    # A damaged text has to reach its checksum; decoded strictly it would raise, and hold up every row behind it.
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    # Of a new file: a damaged one is read page by page.
    connection.execute(f"PRAGMA page_size = {PAGE}")
    return connection


def _taken_back(path: Path, *, readonly: bool) -> bool:
    """Whether its first bytes are well once SQLite has taken back what was half done, or SQLite itself will say it.

    A power cut in the very first transaction leaves a file that begins with nothing, and beside it what undoes that.
    """
    undoing = beside(path)
    if not undoing.exists() or not undoing.stat().st_size:
        return False
    if readonly:
        return True
    url = f"{path.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(url, uri=True, timeout=_BUSY_SECONDS)) as connection:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    return whole_header(path)


def _want_file(path: Path, *, readonly: bool, make: bool) -> None:
    if path.is_dir():
        raise JournalError(f"{path}: a folder, not a file", mend="set journal.path to a file in it")
    if path.exists() and not path.is_file():
        # It could be waited for without end, or be set aside as what is damaged.
        raise JournalError(f"{path}: a device, a pipe or the like, not a file", mend="set journal.path to a file")
    if not path.parent.is_dir():
        raise JournalError(f"{path}: its folder does not exist", mend=f"mkdir -p {path.parent}")
    if readonly and not path.exists():
        raise JournalError(f"{path}: there is no journal yet", mend="start `run`, or poll with `once`")
    if not readonly and not os.access(path.parent, os.R_OK):
        # SQLite would pass over a folder that it can't sync: a power cut could take what was promised.
        raise JournalError(f"{path}: the user {user()} may not read its folder, nor sync it", mend=permit(path))
    if make:
        _create(path)
    if not readonly and path.exists() and not os.access(path, os.W_OK):
        # Said here: SQLite would open it to read, and the first append would fail.
        raise JournalError(f"{path}: the user {user()} may not write to it", mend=permit(path))


def _create(path: Path) -> None:
    """Make the file where there is none, for its owner alone.

    Its name is durable with the first transaction: SQLite syncs the folder before it writes to the file.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
