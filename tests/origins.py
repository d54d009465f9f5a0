"""Servers on loopback that answer exactly what a test tells them to, byte for byte, and keep what they were asked.

Is not the simulator: nothing here knows what Defender or Entra would say.
"""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Self

import trustme


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked. Header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered, with its length."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def raw(self) -> bytes:
        """Return the bytes on the wire."""
        lines = [f"HTTP/1.1 {self.status} Said", f"Content-Length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + self.body


Talk = Callable[[Request, socket.socket], Reply | None]
"""Return what is answered; or write to the connection and return None, which closes it."""


class Origin:
    """One server. `talk` may be replaced at any time; `requests` holds what was asked, in order."""

    def __init__(self, talk: Talk, tls: ssl.SSLContext | None = None) -> None:
        self.talk = talk
        self.requests: list[Request] = []
        self.connections = 0
        self._tls = tls
        self._open: list[socket.socket] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _shut(self._socket)
        for connection in self._open:
            _shut(connection)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open.append(connection)
                self.connections += 1
                self._threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
                self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.callback(_shut, connection)
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
                stack.callback(_shut, connection)
            with connection.makefile("rb") as stream:
                while request := _request(stream):
                    self.requests.append(request)
                    reply = self.talk(request, connection)
                    if reply is None:
                        return
                    connection.sendall(reply.raw())


class Authority:
    """A certificate authority of the test's own; `pem` is the file that trusts it."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        self.pem = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(self.pem)

    def context(self, *names: str, **more: object) -> ssl.SSLContext:
        """Return what a server of these names needs (127.0.0.1 and localhost when none are given)."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(*(names or ("127.0.0.1", "localhost")), **more).configure_cert(context)  # type: ignore[arg-type]
        return context


@contextlib.contextmanager
def crowded() -> Iterator[int]:
    """Yield a port that takes no connection and refuses none: connecting to it waits."""
    with socket.socket() as server, contextlib.ExitStack() as stack:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield server.getsockname()[1]


def _request(stream: BinaryIO) -> Request | None:
    line = stream.readline().decode("latin-1").split()
    if len(line) != 3 or not line[2].startswith("HTTP/"):
        return None
    headers: dict[str, str] = {}
    while text := stream.readline().decode("utf-8", "surrogateescape").strip():
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    return Request(line[0], line[1], headers, stream.read(int(headers.get("content-length", 0))))


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
