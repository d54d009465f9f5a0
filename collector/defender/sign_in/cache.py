"""The file that a person's sign-in is kept in: whole at any moment, for its owner's eyes alone, one writer at a time.

Is msal's own form of cache, without access tokens: those live in memory. Whoever reads to write holds the lock, also
against other processes.
"""

import fcntl
import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collector.errors import Unauthorized, Unavailable
from collector.settings import content

_NEEDED = {
    "RefreshToken": ("credential_type", "secret", "home_account_id", "environment", "client_id"),
    "Account": ("home_account_id", "environment", "realm", "authority_type", "username"),
}
"""What of an entry has to be there, as text, for msal to use it."""


@dataclass(frozen=True, slots=True)
class CacheFile:
    """The file `path`, named `key` in the settings. `mend`: what brings a sign-in into it."""

    key: str
    path: Path
    mend: str

    @contextmanager
    def held(self, until: float) -> Iterator[None]:
        """Let no other process read to write meanwhile; raise Unavailable where one does so until `until`."""
        real = self._real()
        try:
            file = os.open(
                real.with_name(f"{real.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
            )
        except OSError:
            # Where no lock can be made, this process can't write the cache either.
            yield
            return
        try:
            _like(file, real)
            if not self._taken(file, until):
                raise Unavailable(f"{self.key}: {self.path} is being renewed by another process")
            yield
        finally:
            os.close(file)

    def read(self) -> str:
        """Return the cache as msal reads it; raise Unauthorized where nobody has signed in, or it is none."""
        if self._absent():
            raise Unauthorized(f"{self.key}: nobody has signed in: {self.path} is not there", mend=self.mend)
        held = content(self.key, self.path, mend=f"let the collector's user read it, or {self.mend}")
        try:
            text = held.decode()
            sound = _sound(json.loads(text))
        except (ValueError, RecursionError):
            sound = False
        if not sound:
            raise self.unusable("holds no sign-in that can be read")
        return text

    def unusable(self, fault: str) -> Unauthorized:
        """Return the error that says so."""
        return Unauthorized(f"{self.key}: {self.path} {fault}", mend=self.mend)

    def write(self, text: str) -> None:
        """Return once the file holds `text`, whatever happens to the machine; else raise OSError, and it is as before.

        It is readable by its owner alone from its creation on.
        """
        real = self._real()
        file, made = tempfile.mkstemp(prefix=f".{real.name}.", dir=real.parent)
        try:
            with os.fdopen(file, "w", encoding="utf-8") as stream:
                _like(stream.fileno(), real)
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            Path(made).replace(real)
        except BaseException:
            with suppress(OSError):
                Path(made).unlink()
            raise
        folder = os.open(real.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def probe(self) -> None:
        """Return if a file can be made beside this one; else raise OSError."""
        file, made = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self._real().parent)
        os.close(file)
        Path(made).unlink()

    def put_by(self) -> Path | None:
        """Move what is there, and is no sign-in, out of the way; return where to, None where nothing had to be."""
        try:
            if not self._absent():
                self.read()
        except Unauthorized:
            real = self._real()
            aside = real.with_name(f"{real.name}.unusable-{time.time_ns()}")
            real.rename(aside)
            return aside
        return None

    def _absent(self) -> bool:
        try:
            self.path.stat()
        except FileNotFoundError:
            return True
        except OSError:
            # It may be there; why it can't be seen is said by who reads it.
            return False
        return False

    def _real(self) -> Path:
        # A link is followed: two names of one file are one sign-in.
        return Path(os.path.realpath(self.path))

    def _taken(self, file: int, until: float) -> bool:
        """Return whether the lock was had in time."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return _awaited(file, until)
        except OSError as error:
            raise Unauthorized(
                f"{self.key}: {self.path} can't be locked ({error.strerror})", mend="keep it on a local disk"
            ) from error
        return True


def _awaited(file: int, until: float) -> bool:
    """Return whether who has the lock has let it go in time."""
    had = threading.Event()

    def wait() -> None:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
            had.set()

    # Waiting for a lock knows no deadline; a thread that is left behind has it for no longer than the file is open.
    threading.Thread(target=wait, name="sign-in-lock", daemon=True).start()
    return had.wait(max(0.0, until - time.monotonic()))


def _like(file: int, real: Path) -> None:
    """Give a file that root has made to whom the cache, or else its folder, belongs: the service has to read it."""
    if os.geteuid() == 0:
        with suppress(OSError):
            owner = (real if real.exists() else real.parent).stat()
            os.fchown(file, owner.st_uid, owner.st_gid)


def _sound(cache: Any) -> bool:  # noqa: ANN401 - whatever JSON was there
    """Return whether msal can use it: tables of entries of text, and one sign-in at the least."""
    if not isinstance(cache, dict) or not all(isinstance(table, dict) for table in cache.values()):
        return False
    entries = [(name, entry) for name, table in cache.items() for entry in table.values()]
    for name, entry in entries:
        if not isinstance(entry, dict) or not all(isinstance(value, str | None) for value in entry.values()):
            return False
        if not all(isinstance(entry.get(key), str) for key in _NEEDED.get(name, ())):
            return False
        if not (entry.get("last_modification_time") or "0").isdecimal():
            return False
    return all(cache.get(name) for name in _NEEDED)
