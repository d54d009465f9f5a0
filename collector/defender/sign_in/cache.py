"""The file that a person's sign-in is kept in: whole at any moment, for its owner's eyes alone, one writer at a time.

Is msal's own form of cache, without access tokens: those live in memory. Whoever reads to write holds the lock, also
against other processes.
"""

import fcntl
import json
import os
import tempfile
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
_AGAIN = 0.05
"""Seconds between two looks at a lock that another has."""


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
        lock = real.with_name(f"{real.name}.lock")
        try:
            file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            if os.path.lexists(lock) and os.access(real.parent, os.W_OK):
                raise Unauthorized(
                    f"{self.key}: {lock} can't be opened ({error.strerror})",
                    mend=f"let the collector's user write to {lock}, or remove it",
                ) from error
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
        """Return once the file holds `text`, whatever happens to the machine; else raise OSError, and it is whole.

        It is readable by its owner alone from its creation on. Whoever calls this has it `held`.
        """
        real = self._real()
        # Always of one name: what a process that was killed has left there is not left for ever.
        made = real.with_name(f".{real.name}.new")
        made.unlink(missing_ok=True)
        file = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(file, "w", encoding="utf-8") as stream:
                with suppress(OSError):
                    # A umask could have taken its owner's rights away; where there are none to give, it took nothing.
                    os.fchmod(file, 0o600)
                _like(file, real)
                stream.write(text)
                stream.flush()
                os.fsync(file)
            made.replace(real)
        except BaseException:
            with suppress(OSError):
                made.unlink()
            raise
        folder = os.open(real.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def probe(self) -> None:
        """Return if a sign-in could be kept here; else raise Unauthorized."""
        real = self._real()
        if real.exists() and not real.is_file():
            raise Unauthorized(f"{self.key}: {self.path} is not a plain file", mend="name one that is yet to be made")
        try:
            with tempfile.TemporaryFile(dir=real.parent):
                pass
        except OSError as error:
            raise Unauthorized(
                f"{self.key}: {self.path} can't be written ({error.strerror})",
                mend=f"make the folder {self.path.parent}, and let this user write to it",
            ) from error

    def put_by(self) -> Path | None:
        """Move what is there, and is no sign-in, out of the way; return where to, None where nothing had to be."""
        try:
            if not self._absent():
                self.read()
        except Unauthorized:
            self.probe()
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
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                # To wait in the kernel would know no deadline. Who has it is in an exchange, as this one will be.
                if (left := until - time.monotonic()) <= 0:
                    return False
                time.sleep(min(_AGAIN, left))
            except OSError as error:
                raise Unauthorized(
                    f"{self.key}: {self.path} can't be locked ({error.strerror})", mend="keep it on a local disk"
                ) from error
            else:
                return True


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
