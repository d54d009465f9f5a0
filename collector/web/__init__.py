"""Live, ready and metrics over HTTP. Reads facts, changes nothing, and depends on neither InfluxDB nor the API."""

import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from collector.errors import ConfigError
from collector.web.facts import Facts, SinkFacts
from collector.web.metrics import exposition

__all__ = ["Facts", "SinkFacts", "Web", "application"]


class Web:
    """A server on a thread of its own. The socket is bound at once, where a port that is taken can still be said."""

    def __init__(self, host: str, port: int, allowed_hosts: Sequence[str], facts: Facts) -> None:
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
                application(facts, allowed_hosts),
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                http="h11",
                server_header=False,
                limit_concurrency=1000,  # a connection that only stands open must not shut the pages
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


def application(facts: Facts, allowed_hosts: Sequence[str] = ()) -> ASGIApp:
    """Return the pages over `facts`, for requests whose Host header is an address, this machine, or allowed."""

    async def livez(_: Request) -> Response:  # on no worker: pages that wait for the journal must not make it wait
        turns = facts.turns()
        return PlainTextResponse("ok\n" if turns else "the clock stands still\n", 200 if turns else 503)

    def readyz(_: Request) -> Response:
        reasons = list(facts.reasons())
        return JSONResponse({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)

    def metrics(request: Request) -> Response:
        body, content_type = exposition(facts, request.headers.get("Accept", ""))
        return Response(body, headers={"Content-Type": content_type})

    pages: dict[str, Callable[[Request], Any]] = {"/livez": livez, "/readyz": readyz, "/metrics": metrics}
    names = frozenset({"localhost", socket.gethostname().lower(), *(name.lower() for name in allowed_hosts)})
    return _HostCheck(Starlette(routes=[Route(path, page) for path, page in pages.items()]), names)


class _HostCheck:
    """Refuses a request for a name that isn't ours: a page elsewhere could have that name resolve to this machine."""

    def __init__(self, app: ASGIApp, names: frozenset[str]) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._ours(Request(scope).headers.get("Host", "")):
            refusal = PlainTextResponse("this Host is not served here; see web.allowed_hosts\n", 400)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _ours(self, host: str) -> bool:
        try:
            parts = urlsplit(f"//{host}")
        except ValueError:
            return False
        if parts.netloc != host or "@" in host:
            return False
        name = (parts.hostname or "").lower()
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True
