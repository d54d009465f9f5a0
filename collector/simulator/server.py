"""An ASGI application on loopback, TLS or plain, in a thread. Is not for any other interface, nor for production."""

import asyncio
import contextlib
import errno
import socket
import ssl
import struct
import threading

import uvicorn
from starlette.types import ASGIApp, Scope

from collector.errors import CollectorError, ConfigError

_GRACE_SECONDS = 0.3
"""How long connections have to end once nothing waits any more; what is left then is cut."""
_STOP_SECONDS = 10.0
_KEEP_ALIVE_SECONDS = 75
"""Longer than a client keeps an idle connection: else one is closed at times just as it is used again."""
# Lingering for no time: closing sends a reset, where an orderly end would look like the end of the answer.
_RESET = struct.pack("ii", 1, 0)


class Server:
    """Holds `port` (0: a free one) on 127.0.0.1, and on ::1 where there is one, from the moment that it is built.

    `context`: None for plain HTTP. Raise ConfigError when the port is taken.
    """

    def __init__(self, port: int, context: ssl.SSLContext | None) -> None:
        self._sockets = _bind(port)
        self._context = context
        self._uvicorn: _Uvicorn | None = None
        self._thread: threading.Thread | None = None
        self.port: int = self._sockets[0].getsockname()[1]
        self.stopping = asyncio.Event()
        """Set, in the event loop, as soon as nothing should wait any more."""

    def start(self, app: ASGIApp) -> None:
        """Return once it answers. It starts once; raise CollectorError for a second time."""
        if self._uvicorn is not None:
            raise CollectorError("the simulator's server was started before", mend="build a new one")
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,  # the front's: its clock may lie
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=int(_STOP_SECONDS / 2),
        )
        config.load()
        # Handed over, not written to a file: the key never leaves the process.
        config.ssl = self._context
        up = threading.Event()
        self._uvicorn = _Uvicorn(config, up, self.stopping)
        self._thread = threading.Thread(target=self._uvicorn.serve_in_thread, args=(self._sockets,), name="simulator")
        self._thread.daemon = True
        self._thread.start()
        up.wait()
        if not self._uvicorn.started:
            self.stop()
            raise CollectorError("the simulator's server ended before it had started")

    def stop(self) -> None:
        """Return once the port is free and no request is under way, started or not, stopped or not."""
        if self._uvicorn is not None and self._thread is not None:
            self._uvicorn.should_exit = True
            self._thread.join(_STOP_SECONDS)
            if self._thread.is_alive():
                raise CollectorError(f"the simulator's server did not end within {_STOP_SECONDS:g} s")
        for bound in self._sockets:
            bound.close()

    def cut(self, scope: Scope) -> None:
        """Reset the connection of a request that is under way."""
        if self._uvicorn is not None:
            self._uvicorn.cut(tuple(scope["client"]))


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, up: threading.Event, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._up = up
        self._stopping = stopping

    def serve_in_thread(self, sockets: list[socket.socket]) -> None:
        try:
            self.run(sockets)
        finally:
            self._up.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._up.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping.set()
        # An orderly end of TLS waits for the client's farewell, which an idle client never sends.
        late = asyncio.get_running_loop().call_later(_GRACE_SECONDS, self.cut)
        await super().shutdown(sockets)
        late.cancel()

    def cut(self, client: tuple[object, ...] | None = None) -> None:
        """Reset the connection of that client, None: every one."""
        for connection in list(self.server_state.connections):
            transport = connection.transport
            if client is None or client == (transport.get_extra_info("peername") or ())[:2]:
                with contextlib.suppress(OSError):
                    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                transport.abort()


def _bind(port: int) -> list[socket.socket]:
    """Return sockets that hold one port on each loopback address that there is; they don't listen yet."""
    mend = "name another port, or 0 for a free one"
    try:
        four = _bound(socket.AF_INET, "127.0.0.1", port)
    except OSError as error:
        raise ConfigError([f"port: {port} can't be had on 127.0.0.1: {error.strerror}"], mend=mend) from error
    try:
        return [four, _bound(socket.AF_INET6, "::1", four.getsockname()[1])]
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            return [four]
        four.close()
        # A client that tries ::1 first for localhost would reach whoever has it.
        if port:
            raise ConfigError([f"port: {port} is taken on ::1"], mend=mend) from error
    return _bind(port)


def _bound(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    # asyncio sends small pieces at once only where the protocol is named; else each answer would take 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # A port whose last connections are still fading away is free.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound
