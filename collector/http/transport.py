"""httpx over httpcore with a deadline that is total, and the proxy that the environment names.

httpx's own timeouts start anew with each byte that drips in; here every wait of a connection, of its TLS handshake and
of its headers ends at one moment. Is not a retry, a cache or a judge: bytes go out, bytes come in, or it raises.
"""

import contextlib
import os
import ssl
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import httpcore

from collector.http.deadline import Deadline
from collector.http.lean import httpx
from collector.http.pool import KEEP_SECONDS, Pool
from collector.http.streams import Backend
from collector.http.trust import Trust

_VARIABLES = (
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    "REQUEST_METHOD",
)
"""What names a proxy, or says that none is named: under CGI, HTTP_PROXY is a header of whoever asks."""
_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For httpcore, which would read a store of its own else. It trusts nobody, and nothing is ever wrapped by it."""


def proxy_for(url: str) -> str | None:
    """Return the proxy that HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY name for `url`, else None."""
    parts = urlsplit(url)
    if sys.platform in ("darwin", "win32"):
        return _proxy(parts.scheme, parts.hostname or "", parts.netloc)  # there the system's own settings count, too
    return _by_environment(parts.scheme, parts.hostname or "", parts.netloc, tuple(map(os.environ.get, _VARIABLES)))


@lru_cache(maxsize=256)
def _by_environment(scheme: str, host: str, netloc: str, _values: tuple[str | None, ...]) -> str | None:
    """Return the same as long as the variables have these values: to look for them costs a tenth of an exchange."""
    return _proxy(scheme, host, netloc)


def _proxy(scheme: str, host: str, netloc: str) -> str | None:
    proxies = urllib.request.getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy or any(map(urllib.request.proxy_bypass, (host, netloc))):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


class ProxyUnusable(httpx.ProxyError):
    """The environment names a proxy that is none."""


class Transport(httpx.BaseTransport):
    """httpx over httpcore with a network backend that knows the deadline, and a pool a proxy."""

    def __init__(self, deadline: Deadline, trust: Trust, connections: int) -> None:
        self._deadline = deadline
        self._backend = Backend(deadline, trust)
        self._connections = connections
        self._pools: dict[str | None, Pool] = {}
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer as soon as its headers are in; its body comes as it is read.

        The request's extension `proxy` names the proxy that is asked, None for none.
        """
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        asked = httpcore.Request(request.method, url, headers=request.headers.raw, content=request.stream)
        pool = self._pool(request.extensions["proxy"])
        with _as_httpx():
            # A pool whose connections are all in use is one more wait that ends.
            connection = pool.take(url.origin, lambda: self._deadline.left(httpcore.PoolTimeout))
            try:
                answer = connection.handle_request(asked)
            except BaseException:
                pool.drop(connection)
                raise
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Body(answer, lambda: pool.give_back(url.origin, connection))
        )

    def close(self) -> None:
        """Close every connection that is idle."""
        for pool in self._pools.values():
            pool.close()

    def _pool(self, proxy: str | None) -> Pool:
        with self._lock:
            if proxy not in self._pools:
                self._pools[proxy] = Pool(self._connections_by(proxy).create_connection, self._connections)
            return self._pools[proxy]

    def _connections_by(self, proxy: str | None) -> httpcore.ConnectionPool:
        """Return what makes connections, and keeps none of them: that is our own pool's."""
        if proxy is None:
            return httpcore.ConnectionPool(
                ssl_context=_NOBODY, keepalive_expiry=KEEP_SECONDS, network_backend=self._backend
            )
        try:
            parsed = httpx.Proxy(proxy)
            named = urlsplit(proxy).hostname
        except (httpx.InvalidURL, ValueError):
            # httpx's words would hold the URL, and that may hold a password.
            raise ProxyUnusable("the proxy's URL can't be read") from None
        if parsed.url.scheme not in ("http", "https") or not named:
            raise ProxyUnusable(f"a proxy of the kind {parsed.url.scheme!r}; http and https are supported")
        return httpcore.HTTPProxy(
            proxy_url=httpcore.URL(str(parsed.url)),
            proxy_auth=parsed.raw_auth,
            proxy_ssl_context=_NOBODY if parsed.url.scheme == "https" else None,
            ssl_context=_NOBODY,
            keepalive_expiry=KEEP_SECONDS,
            network_backend=self._backend,
        )


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response, over: Callable[[], None]) -> None:
        self._answer = answer
        self._over = over

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx():
            yield from self._answer.iter_stream()

    def close(self) -> None:
        with _as_httpx():
            try:
                if _goes_on(self._answer):
                    # The pool drops a connection whose socket is closed.
                    self._answer.extensions["network_stream"].close()
                self._answer.close()
            finally:
                self._over()


def _goes_on(answer: httpcore.Response) -> bool:
    """Whether bytes came after the answer's end: read on, they would be the answer to the next request, whoever's.

    Nothing public of httpcore shows them. Where its inside is another one day, no connection is used twice.
    """
    inside: Any = answer.stream
    try:
        return bool(inside._connection._h11_state.trailing_data[0])  # noqa: SLF001 - as said
    except AttributeError:
        return True


_HTTPX: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (httpcore.TimeoutException, httpx.ReadTimeout),
    (httpcore.ProxyError, httpx.ProxyError),
    (httpcore.LocalProtocolError, httpx.LocalProtocolError),
    (httpcore.ProtocolError, httpx.RemoteProtocolError),
    (httpcore.ConnectError, httpx.ConnectError),
    (httpcore.NetworkError, httpx.ReadError),
    (httpcore.UnsupportedProtocol, httpx.UnsupportedProtocol),
)


@contextlib.contextmanager
def _as_httpx() -> Iterator[None]:
    try:
        yield
    except tuple(core for core, _ in _HTTPX) as error:
        kind = next(ours for core, ours in _HTTPX if isinstance(error, core))
        raise kind(str(error)) from error
