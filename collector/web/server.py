"""The server on its thread. Whoever asks slowly, or not at all, keeps a place only until another needs it."""

import asyncio
import socket
import threading
from collections.abc import Sequence

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from collector.errors import ConfigError
from collector.web.facts import Facts
from collector.web.guard import EVERYWHERE, HEADERS, Token
from collector.web.pages import application

_HEADER_BYTES = 16 * 1024
_REQUEST_SECONDS = 10.0
"""For a request to arrive whole, from the connection's begin or from the answer before it."""
_CONNECTIONS = 200
"""Beyond so many, one that waits for its request makes room for the new one."""


class Web:
    """A server on a thread of its own. The socket is bound at once, where a port that is taken can still be said."""

    def __init__(
        self,
        host: str,
        port: int,
        allowed_hosts: Sequence[str],
        facts: Facts,
        token: Token | None = None,
        *,
        card_served: bool = True,
    ) -> None:
        try:
            self._socket = _bound(host, port)
        except OSError as error:
            raise ConfigError(
                [f'web.listen: {host}:{port}: {error.strerror or error}; name a free address, or none with ""']
            ) from error
        address, bound = self._socket.getsockname()[:2]
        self.url = f"http://{f'[{address}]' if ':' in address else address}:{bound}/"
        """Where it answers."""
        self._server = uvicorn.Server(
            uvicorn.Config(
                application(facts, allowed_hosts, token, card_served=card_served),
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                http=_Connection,
                headers=list(EVERYWHERE),
                server_header=False,
                h11_max_incomplete_event_size=_HEADER_BYTES,
                timeout_graceful_shutdown=2,
            )
        )
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="web", daemon=True)

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more; return when the thread has ended."""
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join(timeout=5)
        self._socket.close()


class _Connection(H11Protocol):
    """One connection. uvicorn bounds how long one may idle after an answer, not how long a request may take to come."""

    _late: asyncio.TimerHandle | None = None

    @property
    def waits(self) -> bool:
        """Whether no request of it is being answered."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def since(self) -> float:
        """By when it has to have brought its request; infinite where it isn't waited for."""
        return self._late.when() if self._late else float("inf")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > _CONNECTIONS:
            others = (each for each in self.connections if isinstance(each, _Connection) and each is not self)
            oldest = min((each for each in others if each.waits), key=lambda each: each.since, default=None)
            if oldest is not None:
                oldest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._late:
            self._late.cancel()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._wait()

    def send_400_response(self, msg: str) -> None:
        """Answer what isn't HTTP, with the headers that every answer has."""
        headers = "".join(f"{name}: {value}\r\n" for name, value in HEADERS)
        body = f"{msg}\n"
        self.transport.write(
            f"HTTP/1.1 400 Bad Request\r\n{headers}Content-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode("ascii")
        )
        self.transport.close()

    def _wait(self) -> None:
        if self._late:
            self._late.cancel()
        self._late = self.loop.call_later(_REQUEST_SECONDS, self._give_up)

    def _give_up(self) -> None:
        if self.waits:
            self.transport.abort()


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named; without it an answer takes 40 ms more.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen()
    except OSError:
        bound.close()
        raise
    return bound
