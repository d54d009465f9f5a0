"""Connections, plain and over TLS, whose every wait ends at one moment: the deadline of the thread's exchange.

Knows no HTTP. TLS runs over memory here, never over the socket: a handshake over the socket holds truststore's lock, so
one server that hangs in its handshake would stop every other handshake, for longer than their own deadlines.
"""

import contextlib
import errno
import os
import socket
import ssl
from collections.abc import Callable, Iterable
from typing import TypeVar

import httpcore

from collector.http.deadline import Deadline
from collector.http.lean import httpx
from collector.http.resolver import Address, Resolver
from collector.http.trust import Trust

T = TypeVar("T")

_RECORD = 16 * 1024
"""Bytes of a whole TLS record."""


class Untrusted(httpx.ConnectError):
    """The certificate of `host` can't be trusted. `code` is OpenSSL's number for why, the message its words."""

    def __init__(self, host: str, error: ssl.SSLCertVerificationError) -> None:
        super().__init__(error.verify_message)
        self.host = host
        self.code = error.verify_code


class NoAddress(httpx.ConnectError):
    """The resolver has no address for `host`; the message is its words."""

    def __init__(self, host: str, words: str) -> None:
        super().__init__(words)
        self.host = host


class NoConnection(httpx.ConnectError):
    """No address of a host took a connection. `code`: the system's number for why the last one didn't."""

    def __init__(self, cause: BaseException | None) -> None:
        self.code = errno.ETIMEDOUT
        if isinstance(cause, OSError) and not isinstance(cause, TimeoutError):
            self.code = cause.errno or 0
        super().__init__(os.strerror(self.code) if self.code else str(cause))


class NoTls(httpx.ConnectError):
    """The handshake with `host` came to nothing, for another reason than its certificate. `reason`: OpenSSL's."""

    def __init__(self, host: str, error: ssl.SSLError) -> None:
        super().__init__(str(error.reason or error.strerror or error).replace("_", " ").lower())
        self.host = host
        self.reason = error.reason


class Backend(httpcore.NetworkBackend):
    """Connections that know the deadline, and by `trust` whom to believe."""

    def __init__(self, deadline: Deadline, trust: Trust) -> None:
        self._deadline = deadline
        self._trust = trust
        self._inner = httpcore.SyncBackend()
        self._resolver = Resolver()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline stands in for it
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Return a connection to the first of the host's addresses that takes one."""
        options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), *(socket_options or ())]
        failure: Exception | None = None
        addresses = self._addresses(host, port)
        for tried, address in enumerate(addresses):
            # Each address gets its share: a dead IPv6 route leaves time for IPv4.
            share = self._deadline.left(httpcore.ConnectTimeout) / (len(addresses) - tried)
            try:
                stream = self._inner.connect_tcp(*address, share, local_address, options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Plain(stream, self._deadline, self._trust)
        raise NoConnection(failure.__cause__ if failure else None) from failure

    def _addresses(self, host: str, port: int) -> list[Address]:
        try:
            return self._resolver.addresses(host, port, self._deadline.left(httpcore.ConnectTimeout))
        except TimeoutError as error:
            raise NoAddress(host, "the resolver does not answer in time") from error
        except OSError as error:
            raise NoAddress(host, error.strerror or str(error)) from error
        except UnicodeError as error:
            raise NoAddress(host, "no host can be called so") from error


class _Plain(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline, trust: Trust) -> None:
        self._inner = inner
        self._trust = trust
        self._socket: socket.socket = inner.get_extra_info("socket")
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - as above
        return self._inner.read(max_bytes, self._deadline.left(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - as above
        view = memoryview(buffer)
        while view:
            # Not httpcore's own loop: its timeout starts anew with each piece that the other side takes.
            self._socket.settimeout(self._deadline.left(httpcore.WriteTimeout))
            try:
                view = view[self._socket.send(view) :]
            except TimeoutError as error:
                raise httpcore.WriteTimeout(str(error)) from error
            except OSError as error:
                raise httpcore.WriteError(str(error)) from error

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,  # noqa: ARG002 - the backend's trust stands in for it
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - as above
    ) -> httpcore.NetworkStream:
        return _Tls(self, self._trust, server_hostname or "")

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


class _Tls(httpcore.NetworkStream):
    """TLS over any stream, another TLS among them. Its handshake is done when it stands."""

    def __init__(self, outer: httpcore.NetworkStream, trust: Trust, host: str) -> None:
        self._outer = outer
        self._trust = trust
        self._received = ssl.MemoryBIO()
        self._to_send = ssl.MemoryBIO()
        try:
            self._tls = trust.wrap(self._received, self._to_send, host)
            self._run(self._tls.do_handshake)
        except ssl.SSLCertVerificationError as error:
            self._outer.close()
            raise Untrusted(host, error) from error
        except ssl.SSLError as error:
            self._outer.close()
            raise NoTls(host, error) from error
        except BaseException:
            self._outer.close()
            raise

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - as above
        try:
            return self._run(lambda: self._tls.read(max_bytes))
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return b""
        except ssl.SSLError as error:
            raise httpcore.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - as above
        view = memoryview(buffer)
        while view:
            piece = view[:_RECORD]
            try:
                view = view[self._run(lambda piece=piece: self._tls.write(piece)) :]  # type: ignore[misc]
            except ssl.SSLError as error:
                raise httpcore.WriteError(str(error)) from error

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,  # noqa: ARG002 - the backend's trust stands in for it
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - as above
    ) -> httpcore.NetworkStream:
        return _Tls(self, self._trust, server_hostname or "")

    def close(self) -> None:
        self._outer.close()

    def get_extra_info(self, info: str) -> object:
        if info == "ssl_object":
            return self._tls
        # What was received and not yet read is as good as what waits in the socket: an idle connection has neither.
        waits = info == "is_readable" and bool(self._received.pending or self._tls.pending())
        return waits or self._outer.get_extra_info(info)

    def _run(self, step: Callable[[], T]) -> T:
        """Return what `step` returns, once everything that it waits for has come and what it makes is sent."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._send()
                if data := self._outer.read(_RECORD):
                    self._received.write(data)
                else:
                    self._received.write_eof()
            except ssl.SSLError:
                # The other side is told why, if it still listens.
                with contextlib.suppress(httpcore.NetworkError, httpcore.TimeoutException):
                    self._send()
                raise
            else:
                self._send()
                return result

    def _send(self) -> None:
        if data := self._to_send.read():
            self._outer.write(data)
