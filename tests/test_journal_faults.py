"""What is said of a file that can't be used: which kind of error it is, and what to do about it."""

import errno
import sqlite3
from pathlib import Path

import pytest

from collector.errors import JournalError
from collector.journal import OldFormat, Unsound
from collector.journal.faults import translated


def _of_sqlite(code: str) -> sqlite3.Error:
    error = sqlite3.DatabaseError("planted")
    error.sqlite_errorname = code
    return error


def _of_the_system(code: str) -> OSError:
    return OSError(getattr(errno, code), "planted")


@pytest.mark.parametrize(
    ("code", "mend"),
    [
        ("SQLITE_FULL", "make room"),
        ("ENOSPC", "make room"),
        ("EDQUOT", "make room"),
        ("SQLITE_READONLY_ROLLBACK", "start `run` or `once`, which takes it back"),
        ("SQLITE_READONLY", "let the user"),
        ("SQLITE_READONLY_DIRECTORY", "let the user"),
        ("SQLITE_CANTOPEN", "let the user"),
        ("SQLITE_PERM", "let the user"),
        ("EACCES", "let the user"),
        ("EPERM", "let the user"),
        ("EROFS", "let the user"),
        ("SQLITE_BUSY", "another process holds a transaction open; end it"),
        ("SQLITE_NOTADB", "if it is another program's"),
        ("SQLITE_CORRUPT_INDEX", "set the damaged file aside"),
        ("SQLITE_CONSTRAINT", "set the damaged file aside"),
        ("SQLITE_ERROR", "set the damaged file aside"),
        ("ENOENT", "bring it back, or a backup"),
        ("SQLITE_IOERR_FSYNC", "the disk failed"),
        ("EIO", "the disk failed"),
        ("SQLITE_NOMEM", ""),
        ("ENOMEM", ""),
    ],
)
def test_what_to_do_is_told_by_the_code(tmp_path: Path, code: str, mend: str) -> None:
    """Of SQLite or of the system: it is said by path, with the mend where there is one."""
    error = _of_sqlite(code) if code.startswith("SQLITE") else _of_the_system(code)
    with pytest.raises(JournalError, match=r"journal\.db: .*planted") as caught, translated(tmp_path / "journal.db"):
        raise error
    assert caught.value.mend.startswith(mend) if mend.startswith("let") else mend in caught.value.mend
    assert bool(caught.value.mend) == bool(mend)
    # Only what SQLite can't read is set aside: a full disk is no reason to.
    assert isinstance(caught.value, Unsound) == code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))


def test_an_error_without_a_code_is_said_all_the_same(tmp_path: Path) -> None:
    """What Python's SQLite finds out by itself has no code, and an error of the system may have none either."""
    for error in (sqlite3.ProgrammingError("planted"), OSError("planted")):
        with pytest.raises(JournalError, match="planted") as caught, translated(tmp_path / "journal.db"):
            raise error
        assert (caught.value.mend, type(caught.value)) == ("", JournalError)


@pytest.mark.parametrize("kind", [OldFormat, Unsound])
def test_whoever_knows_nothing_of_files_meets_one_kind_of_error(kind: type[JournalError]) -> None:
    """In logs and in what `status` says it is a JournalError, whatever it is inside."""
    assert kind("planted").name == JournalError("planted").name == "JournalError"
