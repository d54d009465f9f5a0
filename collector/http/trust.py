"""Whose certificates are trusted: the system's store, and a file beside it. Is not a judge of hosts: OpenSSL is.

Both are read when they are first needed, and again when they have changed. On Linux truststore would read all of the
store anew for each connection, 20 ms of CPU; on macOS, where the system itself is asked, truststore does that.
"""

import contextlib
import errno
import os
import re
import ssl
import sys
import threading
from pathlib import Path

import truststore

from collector.errors import ConfigError

_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")
"""A certificate in OpenSSL's own kind of folder."""
_MEND = "name a PEM file with the certificate of the authority that issued the server's"
_ELSEWHERE = (
    "/etc/ssl/cert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/ca-bundle.pem",
)
"""Where distributions keep the store, for a Python whose OpenSSL was built for another one."""

_Stamp = tuple[tuple[int, int, int] | None, ...]
_UNREAD: _Stamp = ()


class Trust:
    """The authorities of the system and of `ca_file`, for any thread. Raise ConfigError where that isn't a PEM file."""

    def __init__(self, ca_file: Path | None) -> None:
        self._ca_file = ca_file
        self._lock = threading.Lock()
        self._context = self._beginning()
        self._stamp = _UNREAD
        """Of the system's store and of `ca_file`, as the context has them."""

    def wrap(self, received: ssl.MemoryBIO, to_send: ssl.MemoryBIO, host: str) -> ssl.SSLObject:
        """Return TLS over these two, yet to shake hands with `host`."""
        return self._current().wrap_bio(received, to_send, server_hostname=host)

    def _current(self) -> ssl.SSLContext:
        files = _store() if sys.platform != "darwin" else ()
        stamp = tuple(map(_stamp, (*files, *([self._ca_file] if self._ca_file else []))))
        with self._lock:
            if stamp != self._stamp:
                # Not into the one that is there: who is no longer in them would stay trusted.
                context = self._anew()
                _load(context, files)
                self._context, self._stamp = context, stamp
            return self._context

    def _anew(self) -> ssl.SSLContext:
        try:
            return self._beginning()
        except ConfigError:
            # It was sound when it was named: that it can't be read now is no reason to forget it.
            return self._context

    def _beginning(self) -> ssl.SSLContext:
        kind = truststore.SSLContext if sys.platform == "darwin" else ssl.SSLContext
        context = kind(ssl.PROTOCOL_TLS_CLIENT)
        context.set_alpn_protocols(["http/1.1"])
        if self._ca_file is not None:
            try:
                context.load_verify_locations(cafile=self._ca_file)
            except OSError as error:
                raise ConfigError([f"ca_file: {self._ca_file}: {_unread(error)}"], mend=_MEND) from error
        return context


def _store() -> tuple[Path, ...]:
    """Return the file and the folders that the system's store is in: OpenSSL's, or as SSL_CERT_FILE and _DIR say."""
    named = ssl.get_default_verify_paths()
    folders = (os.environ.get(named.openssl_capath_env) or named.openssl_capath).split(os.pathsep)
    own = tuple(Path(path) for path in (named.cafile, *folders) if path)
    if named.cafile or any(map(_hashed, folders)):
        return own
    return next(((path,) for path in map(Path, _ELSEWHERE) if path.is_file()), own)


def _hashed(folder: str) -> bool:
    """Whether a folder has certificates by OpenSSL's names; one that can't be read has none."""
    with contextlib.suppress(OSError):
        return bool(folder) and any(_HASHED.fullmatch(file.name) for file in Path(folder).iterdir())
    return False


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _load(context: ssl.SSLContext, store: tuple[Path, ...]) -> None:
    for path in store:
        # A store that can't be read has no authority in it: who needs one of them is told that it isn't trusted.
        with contextlib.suppress(OSError):
            if path.is_dir():
                context.load_verify_locations(capath=path)
            else:
                context.load_verify_locations(cafile=path)


def _unread(error: OSError) -> str:
    """Return why no certificate was read from a file: OpenSSL's words name lines of its source."""
    if isinstance(error, ssl.SSLError):
        return "holds no certificate in PEM form (one that begins with -----BEGIN CERTIFICATE-----)"
    whys = {errno.ENOENT: "no such file", errno.EACCES: "this user may not read it"}
    return whys.get(error.errno or 0, "can't be read as a file of certificates")
