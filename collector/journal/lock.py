"""The role of polling and delivering, which one process at a time has for a journal. Reading never asks for it."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from collector.errors import JournalError
from collector.journal.links import followed

_LOCKS = Path("/proc/locks")
"""Linux's list of who holds which lock; elsewhere there is none."""


class Held(JournalError):
    """Another has the role: the process `pid`, "?" where it has not said so yet."""

    def __init__(self, journal: Path, pid: str) -> None:
        super().__init__(
            f"{journal}: in use by the process {pid}",
            mend="one process polls and delivers a journal; end the other, or give this one another journal.path",
        )
        self.pid = pid


def holder(journal: Path) -> str | None:
    """Return the pid of the process that polls and delivers a journal; None when none does, or it can't be told."""
    path = role_of(journal)
    with suppress(OSError):
        file = os.open(path, os.O_RDONLY)
        try:
            return None if _locked(file, fcntl.LOCK_SH) else _pid(file)
        finally:
            os.close(file)
    return None


def reachable(journal: Path) -> None:
    """Return if this user could take the role, held or not; else raise JournalError. No file is made."""
    path = role_of(journal)
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise JournalError(f"{path}: can't be made", mend=f"let this user write to {path.parent}") from None
        return
    except OSError as error:
        raise _closed(path, error) from error
    try:
        _locked(file, fcntl.LOCK_SH)
    except OSError as error:
        raise _unlockable(path, error) from error
    finally:
        os.close(file)


def writer(journal: Path) -> str:
    """Return which process holds SQLite's lock on a journal, in words, as far as the system tells."""
    with suppress(OSError, ValueError):
        found = journal.stat()
        own = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
        for line in _LOCKS.read_text(encoding="ascii").splitlines():
            # Never by opening the journal: to close it again would give up this process's own locks on it.
            _, kind, _, access, pid, file, *_ = line.split()
            if (kind, access, file) == ("POSIX", "WRITE", own) and int(pid) > 0:
                return f"the process {pid}"
    return "another process"


class RoleLock:
    """Held from `with` to its end, or to the end of the process however that comes."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._path = role_of(journal)
        self._file: int | None = None

    def __enter__(self) -> Self:
        """Take the role; raise Held when another has it, JournalError when it can't be had at all."""
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise _closed(self._path, error) from error
        try:
            self._take(file)
        except BaseException:
            os.close(file)
            raise
        self._file = file
        # A lock is shared with a child that was forked; closed there, it is this process's alone.
        os.register_at_fork(after_in_child=self._close)
        with suppress(OSError):  # no room for the pid: the role is held nonetheless
            pid = f"{os.getpid()}\n".encode()
            os.pwrite(file, pid, 0)
            os.ftruncate(file, len(pid))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The file stays: to remove it would let two processes lock two files of one name.
        if self._file is not None:
            with suppress(OSError):
                os.ftruncate(self._file, 0)
        self._close()

    def _take(self, file: int) -> None:
        try:
            # Whoever only asks who has the role shares the lock for an instant. A holder shares it with nobody.
            while not _locked(file, fcntl.LOCK_EX):
                if not _locked(file, fcntl.LOCK_SH):
                    raise Held(self._journal, _pid(file))
        except OSError as error:
            raise _unlockable(self._path, error) from error

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _locked(file: int, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pid(file: int) -> str:
    """Return what the holder of the role wrote into its file."""
    return os.pread(file, 20, 0).decode("ascii", "replace").strip() or "?"


def _closed(path: Path, error: OSError) -> JournalError:
    mend = "it is a folder: take it away" if isinstance(error, IsADirectoryError) else "let this user write to it"
    return JournalError(f"{path}: {error.strerror}", mend=mend)


def _unlockable(path: Path, error: OSError) -> JournalError:
    return JournalError(f"{path}: can't be locked: {error.strerror}", mend="keep the journal on a local disk")


def role_of(journal: Path) -> Path:
    """Return the file by which the role over a journal is held; it stays when the role ends."""
    # Two ways to one journal are one role.
    file = followed(journal)
    return file.with_name(f"{file.name}.lock")
