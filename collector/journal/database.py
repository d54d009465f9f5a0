"""The journal's SQLite file: how it is opened, and how a transaction becomes durable.

A rollback journal (TRUNCATE) with synchronous=FULL, not WAL: one file at rest, nothing to lose beside it, readers need
no right to write, and no checkpoint can meet another writer. One connection a process, one lock around each use of it.
Is not the log: what the tables mean stands in the files beside this one.
"""

import errno
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from collector.errors import JournalError
from collector.journal import schema
from collector.journal.copying import copy
from collector.journal.lock import writer
from collector.journal.rights import permit, user

_BUSY_SECONDS = 10.0
_OF_THE_SOURCE = ("SQLITE_BUSY", "SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR_READ", "SQLITE_IOERR_SHORT_READ")
"""What can only be said of the file that is copied."""
_DAMAGED = "the file is damaged: move it aside and bring back a backup"


class OldFormat(JournalError):
    """A journal that an older version wrote, or an empty one: the first that writes brings it up."""

    @property
    def name(self) -> str:
        """What it is to those who know nothing of formats."""
        return JournalError.__name__


class Database:
    """One open journal file. Raise JournalError, with the path and the mend, for all that SQLite has to say.

    `untouched`: it can be written to, and opening it changes nothing: no file is made, and none is brought up.
    `stale` is called inside the lock whenever what was learnt from the file may no longer hold: a transaction came to
    nothing, or another process has written.
    """

    def __init__(
        self, path: Path, *, readonly: bool = False, untouched: bool = False, stale: Callable[[], None] = lambda: None
    ) -> None:
        self.path = path
        self._stale = stale
        self._lock = threading.RLock()
        self._seen = -1
        with self._translated():
            self._connection = _connect(path, readonly=readonly, make=not (readonly or untouched))
        try:
            self._set_up(readonly=readonly, untouched=untouched)
        except BaseException:
            self._connection.close()
            raise

    def _set_up(self, *, readonly: bool, untouched: bool) -> None:
        # Recognised first, in one view: another's file is never written, and another process may be making the tables.
        with self.reading() as connection:
            version = self._version(connection)
        if (readonly or untouched) and version < len(schema.STEPS):
            raise OldFormat(f"{self.path}: not brought up to this version yet", mend="start `run` or `once`")
        if readonly:
            return
        with self._translated():
            # Untouched, the file of a rollback is left where it is, and not where it isn't.
            if not untouched or self.path.with_name(f"{self.path.name}-journal").exists():
                self._connection.execute("PRAGMA journal_mode=TRUNCATE")
            self._connection.execute("PRAGMA synchronous=FULL")
            # What is deleted is overwritten: a tenant that was forgotten is not to be read from free pages.
            self._connection.execute("PRAGMA secure_delete=ON")
        if version < len(schema.STEPS):
            with self.writing() as connection:
                # Asked again inside the transaction: another process may have been first.
                schema.bring_up(connection, self._version(connection))

    def _version(self, connection: sqlite3.Connection) -> int:
        version = schema.version(connection)
        if version is None:
            raise JournalError(f"{self.path}: a database, but not a journal", mend="set journal.path to another file")
        if version > len(schema.STEPS):
            raise JournalError(
                f"{self.path}: written by a newer version (format {version}, this one knows {len(schema.STEPS)})",
                mend="use that version or a newer one",
            )
        return version

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: it is durable when the block has ended, or it never was."""
        with self._transaction("BEGIN IMMEDIATE", "COMMIT") as connection:
            yield connection

    @contextmanager
    def trying(self) -> Iterator[sqlite3.Connection]:
        """One transaction that is taken back at its end: nobody sees anything of it."""
        with self._transaction("BEGIN IMMEDIATE", "ROLLBACK") as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent view. Keep it short: no writer of any process can commit meanwhile."""
        # Not COMMIT: that fails once a damaged row was met.
        with self._transaction("BEGIN", "ROLLBACK") as connection:
            yield connection

    def copy(self, to: Path, seen: Callable[[int, int], None]) -> None:
        """Let the file `to` be a whole copy; `seen` is called with pages copied, and of how many."""
        with self._lock:
            try:
                copy(self._connection, to, seen)
            except sqlite3.Error as error:
                ours = getattr(error, "sqlite_errorname", "").startswith(_OF_THE_SOURCE)
                path = self.path if ours else to
                raise JournalError(f"{path}: {error}", mend=_mend(error, path)) from error

    def size(self) -> int:
        """Return the file's size in bytes."""
        with self._translated():
            return self.path.stat().st_size

    def close(self) -> None:
        """Close the file; nothing is pending."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self, begin: str, end: str) -> Iterator[sqlite3.Connection]:
        with self._lock, self._translated():
            self._connection.execute(begin)
            try:
                self._look()
                yield self._connection
                self._connection.execute(end)
            except BaseException:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                self._stale()
                raise

    def _look(self) -> None:
        """See whether another process has written since the last transaction."""
        seen = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if seen != self._seen:
            self._seen = seen
            self._stale()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise JournalError(f"{self.path}: {error}", mend=_mend(error, self.path)) from error
        except UnicodeDecodeError as error:
            # What SQLite says of a damaged table's definition holds the damaged bytes.
            raise JournalError(f"{self.path}: a table's definition is not text any more", mend=_DAMAGED) from error


def _connect(path: Path, *, readonly: bool, make: bool) -> sqlite3.Connection:
    if path.is_dir():
        raise JournalError(f"{path}: a folder, not a file", mend="set journal.path to a file in it")
    if not path.parent.is_dir():
        raise JournalError(f"{path}: its folder does not exist", mend=f"mkdir -p {path.parent}")
    if readonly and not path.exists():
        raise JournalError(f"{path}: there is no journal yet", mend="start `run`, or poll with `once`")
    if make:
        _create(path)
    if not readonly and path.exists() and not os.access(path, os.W_OK):
        # Said here: SQLite would open it to read, and the first append would fail.
        raise JournalError(f"{path}: the user {user()} may not write to it", mend=permit(path))
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={'ro' if readonly else 'rw'}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    # A damaged text has to reach its checksum; decoded strictly it would raise, and hold up every row behind it.
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    return connection


def _create(path: Path) -> None:
    """Make the file where there is none, for its owner alone, and its name durable."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _mend(error: sqlite3.Error | OSError, path: Path) -> str:
    # Decided on codes: the words of an OSError hold the path, and that may say anything.
    if isinstance(error, OSError):
        code = errno.errorcode.get(error.errno or 0, "")
    else:
        code = getattr(error, "sqlite_errorname", "")
    mends = {
        ("SQLITE_FULL", "ENOSPC", "EDQUOT"): "make room on its disk",
        (
            "SQLITE_READONLY_ROLLBACK",
        ): "a process ended in the middle of a write: start `run` or `once`, which takes it back",
        ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "EACCES", "EPERM", "EROFS"): permit(path),
        ("SQLITE_BUSY",): f"{writer(path)} holds a transaction open; end it",
        ("SQLITE_NOTADB",): "set journal.path to another file; if this was the journal, bring back a backup",
        ("SQLITE_CORRUPT", "SQLITE_CONSTRAINT", "SQLITE_ERROR"): _DAMAGED,
        (
            "SQLITE_IOERR",
            "EIO",
        ): "the disk failed (the system's log says more), or a file met its limit of size (ulimit -f)",
    }
    return next((mend for codes, mend in mends.items() if code.startswith(codes)), "")
