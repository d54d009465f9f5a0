"""How requests are served: by uvicorn, and within bounds that are not its own.

Whoever asks slowly, or not at all, keeps a place only until another needs it.
"""

import asyncio
from collections.abc import Sequence

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from collector.web.facts import Facts
from collector.web.guard import EVERYWHERE, HEADERS, Token
from collector.web.pages import application

_HEADER_BYTES = 16 * 1024
_REQUEST_SECONDS = 10.0
"""For a request to arrive whole, from the connection's begin or from the answer before it."""
_CONNECTIONS = 200
"""Beyond so many, one that waits for its request makes room for the new one."""


def server(facts: Facts, allowed_hosts: Sequence[str], token: Token | None, *, card_served: bool) -> uvicorn.Server:
    """Return what serves the pages on a socket until its `should_exit`."""
    return uvicorn.Server(
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
