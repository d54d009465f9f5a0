"""The server on its thread. How it serves is `serving.py`: imported there, while whoever started it goes on."""

import socket
import threading
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from collector.errors import ConfigError
from collector.web.facts import Facts

if TYPE_CHECKING:
    import uvicorn

    from collector.web.guard import Token


class Web:
    """A server on a thread of its own. The socket is bound at once, where a port that is taken can still be said."""

    def __init__(
        self,
        host: str,
        port: int,
        allowed_hosts: Sequence[str],
        facts: Facts,
        token: "Token | None" = None,
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
        serve = partial(self._serve, facts, allowed_hosts, token, card_served=card_served)
        self._thread = threading.Thread(target=serve, name="web", daemon=True)
        self._lock = threading.Lock()
        self._server: uvicorn.Server | None = None
        self._over = False

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more; return when the thread has ended."""
        with self._lock:
            self._over = True
            if self._server is not None:
                self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join(timeout=5)
        self._socket.close()

    def _serve(self, facts: Facts, allowed_hosts: Sequence[str], token: "Token | None", *, card_served: bool) -> None:
        # Here and not at the top: nobody waits for it, and the first poll of a service is under way meanwhile.
        from collector.web.serving import server  # noqa: PLC0415 - as said

        built = server(facts, allowed_hosts, token, card_served=card_served)
        with self._lock:
            if self._over:
                return
            self._server = built
        built.run([self._socket])


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
