"""What can go wrong with a journal's file, as errors with their mend. Is not a repair: see `salvage`."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collector.errors import JournalError
from collector.journal.lock import writer
from collector.journal.rights import permit

DAMAGED = (
    "`run` and `once` set the damaged file aside and carry over what is sound; a backup may have more; and look at the"
    " disk: something on it changed"
)

NO_DATABASE = (
    "if it is another program's, set journal.path to another file; if it was the journal, `run` and `once` set it aside"
    " and carry over what is sound"
)


class OldFormat(JournalError):
    """A journal that an older version wrote, or an empty one: the first that writes brings it up."""

    @property
    def name(self) -> str:
        """What it is to those who know nothing of formats."""
        return JournalError.__name__


class Unsound(JournalError):
    """A file that SQLite can't use, or not as a journal. If it was one, who has the role can save what is sound."""

    @property
    def name(self) -> str:
        """What it is to those who know nothing of pages."""
        return JournalError.__name__


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise JournalError, with the path and the mend, for what SQLite or the system says of the file."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        kind = Unsound if _code(error).startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) else JournalError
        raise kind(f"{path}: {error}", mend=mend(error, path)) from error
    except UnicodeDecodeError as error:
        # What SQLite says of a damaged table's definition holds the damaged bytes.
        raise Unsound(f"{path}: a table's definition is not text any more", mend=DAMAGED) from error


def mend(error: sqlite3.Error | OSError, path: Path) -> str:
    """Return what to do about an error, by its code: an OSError's words hold the path, and that may say anything."""
    mends = {
        ("SQLITE_FULL", "ENOSPC", "EDQUOT"): "make room on its disk",
        (
            "SQLITE_READONLY_ROLLBACK",
        ): "a process ended in the middle of a write: start `run` or `once`, which takes it back",
        # Of the file of a rollback, where its folder may not be written to.
        ("SQLITE_IOERR_DELETE",): permit(path),
        ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "EACCES", "EPERM", "EROFS"): permit(path),
        ("SQLITE_BUSY",): f"{writer(path)} holds a transaction open; end it",
        ("SQLITE_NOTADB",): NO_DATABASE,
        ("SQLITE_CORRUPT", "SQLITE_CONSTRAINT", "SQLITE_ERROR"): DAMAGED,
        ("ENOENT",): "it was there, and is gone: bring it back, or a backup; to begin a new journal, start again",
        (
            "SQLITE_IOERR",
            "EIO",
        ): "the disk failed (the system's log says more), or a file met its limit of size (ulimit -f)",
    }
    return next((words for codes, words in mends.items() if _code(error).startswith(codes)), "")


def _code(error: sqlite3.Error | OSError) -> str:
    if isinstance(error, OSError):
        return errno.errorcode.get(error.errno or 0, "")
    return getattr(error, "sqlite_errorname", "")
