"""HTTP exchanges that end: a total deadline, a cap on size, no cookies, no redirects, one rule for trust and proxies.

One `Http` serves every tenant and sink that trusts the same certificates, from any thread. A retry is never made here:
whoever asked decides when to come back. The one wait that isn't bounded here is the resolver's: it has its own end.
"""

import datetime as dt
import email.utils
import math
import ssl
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import truststore

from collector.errors import BadResponse, CollectorError, ConfigError, Unauthorized, Unavailable
from collector.http.streams import Deadline, Untrusted
from collector.http.transport import ProxyUnusable, Transport, proxy_for

MAX_BODY = 16 * 1024 * 1024
"""Bytes of an answer's body, after decompression."""
MAX_RETRY_AFTER = 6 * 3600.0
"""Seconds: no server can silence a subject or a sink for longer than the longest interval."""

_HEADERS = {"Accept-Encoding": "gzip", "User-Agent": "exposure-collector"}
_WORDS = 200
"""Characters of another's words that a message holds at the most."""

_REACH = "see whether host and port are right, and whether they can be reached from here"
_PLAIN = "what answers there speaks no TLS: see whether the URL is http, not https"
_ISSUER = "name the issuing authority's PEM file as ca_file, or add it to the system's store"
_DATES = "renew the server's certificate, if this machine's clock is right"
_NAME = "name the host by a name that its certificate holds"
_TRUST_MENDS = {9: _DATES, 10: _DATES, 62: _NAME, 64: _NAME}
"""By OpenSSL's number: not yet valid, expired, another host's, another address's."""
_PROXY_MENDS = {
    "403": "have the proxy allow this host",
    "407": "put user and password into the proxy's URL",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, whatever its status."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def text(self) -> str:
        """The body as text, for messages; bytes that aren't UTF-8 are replaced."""
        return self.body.decode("utf-8", "replace")

    def retry_after(self) -> float | None:
        """Return the seconds that the server asked to be left alone, from a count or a date, else None."""
        value = self.headers.get("Retry-After", "").strip()
        try:
            seconds = float(value)
        except ValueError:
            try:
                date = email.utils.parsedate_to_datetime(value)
                # A date in UTC may come without a zone ("-0000"); it is no local time.
                seconds = date.replace(tzinfo=date.tzinfo or dt.UTC).timestamp() - time.time()
            except (ValueError, OverflowError):
                return None
        return min(max(seconds, 0.0), MAX_RETRY_AFTER) if not math.isnan(seconds) else None


class Http:
    """Exchanges with any origin. `ca_file` is trusted beside the system's store."""

    def __init__(self, ca_file: Path | None = None, connections: int = 100) -> None:
        self._deadline = Deadline()
        # httpx's client would add a cookie jar, and refuse an answer whose Location it can't read.
        self._transport = Transport(self._deadline, trust(ca_file), connections)

    def send(
        self,
        method: str,
        url: str,
        *,
        seconds: float,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        """Return the whole answer within `seconds`, or raise.

        Unavailable: no connection, a broken one, or out of time. Unauthorized: a certificate that isn't trusted, a
        proxy that wants a sign-in or forbids the way, a URL or a header that can't be sent. BadResponse: a body over
        `MAX_BODY`, or in an encoding that wasn't asked for or can't be undone.
        """
        try:
            where = _where(url)
            request = httpx.Request(method, url, headers=_encoded({**_HEADERS, **(headers or {})}), content=content)
        except (httpx.InvalidURL, ValueError):
            # Neither httpx's words nor ours hold the URL: a password may stand in it.
            raise Unauthorized("a URL that can't be asked", mend="see the URLs in the settings") from None
        try:
            with self._deadline.within(seconds):
                response = self._transport.handle_request(request)
                try:
                    return Answer(response.status_code, response.headers, _body(response, where))
                finally:
                    response.close()
        except httpx.LocalProtocolError:
            # Its message would hold the header, and that may hold a token. So would the chain.
            raise Unauthorized(
                f"{where}: a header holds a character that HTTP can't carry",
                mend="see the token, the user and the password: a line break may have come with them",
            ) from None
        except httpx.TransportError as error:
            raise _translated(error, where, seconds) from error

    def close(self) -> None:
        """Close every connection that is idle."""
        self._transport.close()


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """Return a context that trusts the system's store and `ca_file`; raise ConfigError when that isn't a PEM file."""
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except OSError as error:
            raise ConfigError(
                [f"ca_file: {ca_file}: not a readable PEM file of certificates ({error})"],
                mend="name a file with the certificate of the authority that issued the server's",
            ) from error
    return context


def _translated(error: httpx.TransportError, where: str, seconds: float) -> CollectorError:
    words = str(error)[:_WORDS]
    match error:
        case Untrusted():
            return Unauthorized(
                f"{where}: the certificate of {error.host} is not trusted: {words}",
                mend=_TRUST_MENDS.get(error.code, _ISSUER),
            )
        case httpx.TimeoutException():
            return Unavailable(f"{where}: no whole answer within {seconds:.3g} s", mend=_REACH)
        case ProxyUnusable():
            return Unauthorized(f"{where}: {words}", mend="write HTTPS_PROXY and HTTP_PROXY as http://host:port")
        case httpx.ProxyError():
            mend = _PROXY_MENDS.get(words[:3], "")
            return (Unauthorized if mend else Unavailable)(f"{where}: the proxy refused: {words}", mend=mend)
        case httpx.ConnectError():
            mend = _PLAIN if "wrong version number" in words.lower() else _REACH
            return Unavailable(f"{where}: no connection: {words}", mend=mend)
        case _:
            return Unavailable(f"{where}: the connection broke: {words or type(error).__name__}", mend=_REACH)


def _body(response: httpx.Response, where: str) -> bytes:
    encoding = response.headers.get("Content-Encoding", "").strip().lower() or "identity"
    if encoding not in ("identity", "gzip"):
        raise BadResponse(f"{where}: the body is encoded as {encoding[:40]!r}, which was not asked for")
    gunzip = zlib.decompressobj(16 + zlib.MAX_WBITS) if encoding == "gzip" else None
    body = bytearray()
    for raw in response.iter_raw():
        if gunzip and gunzip.eof:
            raise BadResponse(f"{where}: the compressed body goes on after its end")
        try:
            # Bounded at each step: a kilobyte of gzip can unfold to a megabyte, and the next one too.
            body += gunzip.decompress(raw, MAX_BODY + 1 - len(body)) if gunzip else raw
        except zlib.error as error:
            raise BadResponse(f"{where}: the body is not the gzip that it says it is") from error
        if len(body) > MAX_BODY:
            raise BadResponse(f"{where}: the body is over {MAX_BODY >> 20} MiB")
    if gunzip and not gunzip.eof and body:
        raise BadResponse(f"{where}: the compressed body ends too soon")
    return bytes(body)


def _encoded(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    """Return the headers as they are sent: what isn't ASCII as UTF-8, for the server to judge."""
    return {name.encode(): value.encode("utf-8", "surrogatepass") for name, value in headers.items()}


def _where(url: str) -> str:
    """Return host and port, and by which proxy: what an error may say of a URL, never its user, path or query."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    proxy = proxy_for(url)
    by = f" by the proxy {_proxy(proxy)}" if proxy else ""
    return f"{parts.hostname}:{port}{by}"


def _proxy(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port or 80
    except ValueError:
        return "of the environment"
    return f"{parts.hostname}:{port}"
