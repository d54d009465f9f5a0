"""HTTP exchanges that end: a total deadline, a cap on size, no cookies, no redirects, one rule for trust and proxies.

One `Http` serves every tenant and sink that trusts the same certificates, from any thread. A retry is never made here:
whoever asked decides when to come back. What a server says beyond an answer's end is never another answer.
"""

import datetime as dt
import email.utils
import math
import re
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Self

from collector.errors import BadResponse, Unauthorized
from collector.http.deadline import Deadline
from collector.http.faults import Way, translated
from collector.http.lean import httpx
from collector.http.transport import Transport, proxy_for
from collector.http.trust import Trust

MAX_BODY = 16 * 1024 * 1024
"""Bytes of an answer's body, after decompression."""
MAX_RETRY_AFTER = 6 * 3600.0
"""Seconds: no server can silence a subject or a sink for longer than the longest interval."""

_AGE = re.compile(r"[0-9]{1,9}")
_HEADERS = {"Accept-Encoding": "gzip", "User-Agent": "exposure-collector"}


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
            date = _date(value)
            if date is None:
                return None
            seconds = date - time.time()
        return min(max(seconds, 0.0), MAX_RETRY_AFTER) if not math.isnan(seconds) else None

    def date(self) -> float | None:
        """Return the server's time when it answered, in whole seconds since the epoch; None where it doesn't say."""
        made = _date(self.headers.get("Date", ""))
        # A cache on the way says how long it has kept the answer.
        age = self.headers.get("Age", "0").strip()
        return made + int(age) if made is not None and _AGE.fullmatch(age) else None


Seen = Callable[[Answer, float], None]
"""Is shown an answer, and the seconds that the exchange took."""


class Http:
    """Exchanges with any origin. `ca_file` is trusted beside the system's store."""

    def __init__(self, ca_file: Path | None = None, connections: int = 100) -> None:
        self._deadline = Deadline()
        # httpx's client would add a cookie jar, and refuse an answer whose Location it can't read.
        self._transport = Transport(self._deadline, Trust(ca_file), connections)
        self._ca_key = "ca_file"
        self._seen: Seen | None = None
        self._direct = False

    def serving(self, table: str, seen: Seen | None = None) -> Self:
        """Return a client over the same connections for whom `table` of the settings (`tenants.contoso`) speaks of.

        Its errors name that table's `ca_file`, and `seen` is shown each whole answer.
        """
        client = copy(self)
        client._ca_key = f"{table}.ca_file"  # noqa: SLF001 - its own class's
        client._seen = seen  # noqa: SLF001 - the same
        return client

    def direct(self) -> Self:
        """Return a client over the same connections that asks no proxy, whatever the environment names."""
        client = copy(self)
        client._direct = True  # noqa: SLF001 - its own class's
        return client

    def send(
        self,
        method: str,
        url: str,
        *,
        seconds: float,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        meanwhile: Callable[[], object] | None = None,
    ) -> Answer:
        """Return the whole answer within `seconds`, or raise.

        `meanwhile` is called once the content is on its way, before the answer is waited for: what it takes is not
        counted. It may be left out, where the answer came too soon.

        Unavailable: no connection, a broken one, or out of time. Unauthorized: a certificate that isn't trusted, a
        proxy that wants a sign-in or forbids the way, a URL or a header that can't be sent. BadResponse: a body over
        `MAX_BODY`, or in an encoding that wasn't asked for or can't be undone.
        """
        try:
            way = Way(url, None if self._direct else proxy_for(url))
            where = str(way)
            request = httpx.Request(
                method,
                _read(url),
                headers=_encoded({**_HEADERS, **(headers or {}), **_framed(content, meanwhile)}),
                content=_Handed(content, meanwhile, self._deadline) if content and meanwhile else content,
                extensions={"proxy": way.proxy},
            )
        except (httpx.InvalidURL, ValueError):
            # Neither httpx's words nor ours hold the URL: a password may stand in it.
            raise Unauthorized("a URL that can't be asked", mend="see the URLs in the settings") from None
        began = time.monotonic()
        try:
            with self._deadline.within(seconds):
                response = self._transport.handle_request(request)
                try:
                    if response.status_code == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED and way.relayed:
                        raise httpx.ProxyError(f"{response.status_code} {HTTPStatus(response.status_code).phrase}")
                    answer = Answer(response.status_code, response.headers, _body(response, where))
                finally:
                    response.close()
        except httpx.LocalProtocolError:
            # Its message would hold the header, and that may hold a token. So would the chain.
            raise Unauthorized(
                f"{where}: a header holds a character that HTTP can't carry",
                mend="see the token, the user and the password: a line break may have come with them",
            ) from None
        except httpx.TransportError as error:
            raise translated(error, way, seconds, self._ca_key) from error
        if self._seen:
            self._seen(answer, time.monotonic() - began)
        return answer

    def close(self) -> None:
        """Close every connection that is idle."""
        self._transport.close()


class _Handed:
    """A body, and what is done once it is handed over."""

    def __init__(self, content: bytes, meanwhile: Callable[[], object], deadline: Deadline) -> None:
        self._content = content
        self._meanwhile = meanwhile
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        yield self._content
        with self._deadline.standing():
            self._meanwhile()


def _framed(content: bytes | None, meanwhile: object) -> Mapping[str, str]:
    """Return the header that says where a body ends which httpx only sees as it goes out."""
    return {"Content-Length": str(len(content))} if content and meanwhile else {}


@lru_cache(maxsize=64)
def _read(url: str) -> httpx.URL:
    """Return a URL as httpx has it: a few are asked again and again, and to read one costs a tenth of that."""
    return httpx.URL(url)


@lru_cache(maxsize=64)  # of a second's answers all have the same
def _date(text: str) -> float | None:
    try:
        date = email.utils.parsedate_to_datetime(text)
        # A date in UTC may come without a zone ("-0000"); it is no local time.
        return date.replace(tzinfo=date.tzinfo or dt.UTC).timestamp()
    except (ValueError, OverflowError):
        return None


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
