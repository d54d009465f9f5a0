"""The journal's SQLite file: how it is opened, and how a transaction becomes durable.

A rollback journal (TRUNCATE) with synchronous=EXTRA, not WAL: one file at rest, nothing to lose beside it, readers need
no right to write, and no checkpoint can meet another writer. One connection a process, one lock around each use of it.
Is not the log: what the tables mean stands in the files beside this one.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from collector.errors import JournalError
from collector.journal import schema
from collector.journal.copying import copy
from collector.journal.faults import DAMAGED, OldFormat, Unsound, mend, translated
from collector.journal.opening import Identity, connect, identity
from collector.journal.rollback import beside
from collector.journal.salvage import Salvaged, salvage
from collector.journal.swapping import halfway

_OF_THE_SOURCE = ("SQLITE_BUSY", "SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR_READ", "SQLITE_IOERR_SHORT_READ")
"""What can only be said of the file that is copied."""


class Database:
    """One open journal file. Raise JournalError, with the path and the mend, for all that SQLite has to say.

    `untouched`: it can be written to, and opening it changes nothing: no file is made, and none is brought up.
    `stale` is called inside the lock whenever what was learnt from the file may no longer hold: a transaction came to
    nothing, another process has written, or the name has gone over to another file. Before that `undone` is called in
    the first case, and `another` in the last.
    """

    def __init__(
        self,
        path: Path,
        *,
        readonly: bool = False,
        untouched: bool = False,
        stale: Callable[[], None] = lambda: None,
        undone: Callable[[], None] = lambda: None,
        another: Callable[[], None] = lambda: None,
    ) -> None:
        self.path = path
        self._readonly = readonly
        self._untouched = untouched
        self._stale = stale
        self._undone = undone
        self._another = another
        self._lock = threading.RLock()
        self._seen = -1
        self._mending = False
        self.opened = 0
        """How often a file was opened: where that grows, it may be another."""
        self._file: Identity | None = None
        self._open(make=not (readonly or untouched))

    def _open(self, *, make: bool = False) -> None:
        with translated(self.path):
            if halfway(self.path) is not None:
                raise Unsound(f"{self.path}: damaged, and to set it aside was cut short", mend=DAMAGED)
            self._connection, self._file = connect(self.path, readonly=self._readonly, make=make)
        self.opened += 1
        try:
            self._set_up()
        except BaseException:
            self._close()
            raise

    def _set_up(self) -> None:
        # Recognised first, in one view: another's file is never written, and another process may be making the tables.
        with self.reading() as connection:
            version = self._version(connection)
        if (self._readonly or self._untouched) and version < len(schema.STEPS):
            raise OldFormat(f"{self.path}: not brought up to this version yet", mend="start `run` or `once`")
        if self._readonly:
            return
        with translated(self.path):
            # Untouched, the file of a rollback is left where it is, and not where it isn't.
            if not self._untouched or beside(self.path).exists():
                self._connection.execute("PRAGMA journal_mode=TRUNCATE")
            # EXTRA is FULL, and where the file of a rollback is deleted, because nothing stood there before, its folder
            # is synced too: else a power cut could bring it back, and it would undo what was committed.
            self._connection.execute("PRAGMA synchronous=EXTRA")
            # What is deleted is overwritten: a tenant that was forgotten is not to be read from free pages.
            self._connection.execute("PRAGMA secure_delete=ON")
        if version < len(schema.STEPS):
            with self.writing() as connection:
                # Asked again inside the transaction: another process may have been first.
                schema.bring_up(connection, self._version(connection))

    def _version(self, connection: sqlite3.Connection) -> int:
        version = schema.version(connection)
        if version is None:
            raise Unsound(f"{self.path}: a database, but not a journal", mend="set journal.path to another file")
        if version > len(schema.STEPS):
            raise JournalError(
                f"{self.path}: written by a newer version (format {version}, this one knows {len(schema.STEPS)})",
                mend="use that version or a newer one",
            )
        if not schema.intact(connection, version):
            raise Unsound(f"{self.path}: its tables are not those of a journal any more", mend=DAMAGED)
        return version

    def mend(self) -> Salvaged:
        """Set the file aside, and go on with a new one that holds all that is sound. The caller has the role.

        Meanwhile whoever asks for a transaction gets JournalError at once. Raise JournalError where it can't be done:
        then the damaged file is as it was.
        """
        with self._lock:
            if self._mending:
                raise JournalError(f"{self.path}: is being mended")
            self._mending = True
            self._close()
        try:
            return salvage(self.path)
        finally:
            with self._lock:
                self._mending = False

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
            self._follow()
            try:
                copy(self._connection, to, seen)
            except sqlite3.Error as error:
                ours = getattr(error, "sqlite_errorname", "").startswith(_OF_THE_SOURCE)
                path = self.path if ours else to
                raise JournalError(f"{path}: {error}", mend=mend(error, path)) from error

    def size(self) -> int:
        """Return the file's size in bytes."""
        with translated(self.path):
            return self.path.stat().st_size

    def close(self) -> None:
        """Close the file; nothing is pending."""
        with self._lock:
            self._connection.close()

    def _close(self) -> None:
        self._connection.close()
        self._file = None

    @contextmanager
    def _transaction(self, begin: str, end: str) -> Iterator[sqlite3.Connection]:
        with self._lock, translated(self.path):
            try:
                self._begin(begin)
                self._look()
                yield self._connection
                self._connection.execute(end)
            except BaseException:
                self._take_back()
                self._undone()
                self._stale()
                raise

    def _take_back(self) -> None:
        """Leave no transaction open: where even that fails the file is closed, and whoever opens it next does it."""
        with suppress(sqlite3.Error):
            self._connection.execute("ROLLBACK")
        if self._file is not None and self._connection.in_transaction:
            self._close()

    def _begin(self, begin: str) -> None:
        """Begin a transaction on the file that has the journal's name: while a writer waited, that may have changed."""
        while True:
            self._follow()
            self._connection.execute(begin)
            if identity(self.path) == self._file:
                return
            self._connection.execute("ROLLBACK")

    def _follow(self) -> None:
        """Open the file that has the journal's name now: it was mended, or a person has brought back a backup."""
        if self._mending:
            raise JournalError(f"{self.path}: is being mended")
        with translated(self.path):
            moved = identity(self.path) != self._file
        if moved:
            self._close()
            self._open()
            self._seen = -1
            self._another()

    def _look(self) -> None:
        """See whether another process has written since the last transaction, or there is another file."""
        seen = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if seen != self._seen:
            self._seen = seen
            self._stale()
