"""What went wrong on the way, as the error that its catcher acts on: which host and port, by which proxy, and the mend.

Pure: reaches nobody. No message holds a URL's user, path or query, nor a proxy's password.
"""

import errno
import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from collector.errors import CollectorError, Unauthorized, Unavailable
from collector.http.lean import httpx
from collector.http.streams import NoAddress, NoConnection, NoTls, Untrusted
from collector.http.transport import ProxyUnusable

_WORDS = 200
"""Characters of another's words that a message holds at the most."""

_REACH = "see whether host and port are right, and whether they can be reached from here"
_VARIABLES = "HTTPS_PROXY and HTTP_PROXY"
_CUT = "see whether the server, or a proxy or firewall on the way, cuts connections; and whether http or https is meant"
_PLAIN = "what answers there speaks no TLS: see whether the URL is http, not https, and the port"
_PLAIN_REASONS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"})
"""What OpenSSL makes, by its versions, of an answer that is no TLS."""
_DATES = "renew the server's certificate, if this machine's clock is right (see `timedatectl`)"
_NAME = "ask the host by a name that its certificate holds, or have it hold this name"
_TRUST_MENDS = {9: _DATES, 10: _DATES, 62: _NAME, 64: _NAME}
"""By OpenSSL's number: not yet valid, expired, another host's, another address's."""
_FORBIDS = "have the proxy allow this host"
_PROXY_FAILS = "ask whoever runs the proxy: it does not get through to the host"
_UNROUTED = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL})


@dataclass(frozen=True, slots=True)
class Way:
    """How an origin is asked. `proxy`: the URL of the proxy that is asked in its place, None for none."""

    url: str
    proxy: str | None

    @property
    def relayed(self) -> bool:
        """Whether the proxy reads what is asked and answered: TLS goes through it by a tunnel."""
        return self.proxy is not None and urlsplit(self.url).scheme == "http"

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        by = f" by the proxy {_proxy(self.proxy)}" if self.proxy else ""
        return f"{host}:{port}{by}"


def translated(error: httpx.TransportError, way: Way, seconds: float, ca_key: str) -> CollectorError:
    """Return the error that one of httpx's, or of ours beneath it, stands for. `ca_key`: whose authorities count."""
    words = str(error)[:_WORDS]
    found: CollectorError
    match error:
        case Untrusted():
            issuer = f"name the issuing authority's PEM file as {ca_key}, or add it to the system's store"
            said = f"{way}: the certificate of {error.host} is not trusted: {words}"
            found = Unauthorized(said, mend=_TRUST_MENDS.get(error.code, issuer))
        case NoAddress():
            found = _no_address(error, way)
        case NoConnection():
            found = _no_connection(error, way, seconds)
        case NoTls():
            mend = _PLAIN if error.reason in _PLAIN_REASONS else _CUT
            found = Unavailable(f"{way}: no TLS with {error.host}: {words}", mend=mend)
        case httpx.TimeoutException():
            found = Unavailable(f"{way}: no whole answer within {seconds:.3g} s", mend=_REACH)
        case ProxyUnusable():
            found = Unauthorized(f"{way}: {words}", mend=f"write {_VARIABLES} as http://HOST:PORT")
        case httpx.ProxyError():
            found = _refused(f"{way}: the proxy refused: {words}", words[:3], way)
        case _:
            found = Unavailable(f"{way}: the connection broke: {words or type(error).__name__}", mend=_CUT)
    return found


def _refused(said: str, status: str, way: Way) -> Unavailable:
    match status:
        case "403":
            return Unauthorized(said, mend=_FORBIDS)
        case "407":
            return Unauthorized(said, mend=_sign_in(way))
        case _:
            return Unavailable(said, mend=_PROXY_FAILS)


def _sign_in(way: Way) -> str:
    """Return what to do about a proxy that wants to know who asks."""
    parts = urlsplit(way.url)
    variable = f"{parts.scheme.upper()}_PROXY"
    # Read as far as it goes: what can't be split was refused before anybody was asked.
    if "@" in (way.proxy or ""):
        return f"correct user and password in the proxy's URL ({variable}): the proxy does not take them"
    signed = f"put user and password into the proxy's URL ({variable}): http://USER:PASSWORD@HOST:PORT"
    host = parts.hostname or ""
    return f"ask {host} without a proxy: add it to NO_PROXY (NO_PROXY={host}); else {signed}" if _near(host) else signed


def _near(host: str) -> bool:
    """Whether a host is of this machine or its network, which a proxy seldom is meant for."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host


def _no_address(error: NoAddress, way: Way) -> Unavailable:
    if way.proxy:
        mend = f"see whether {_VARIABLES} name the right host"
    else:
        mend = f"see whether the name is right, and what this machine's DNS says: getent hosts {error.host}"
    return Unavailable(f"{way}: the name {error.host} is not found: {error}", mend=mend)


def _no_connection(error: NoConnection, way: Way, seconds: float) -> Unavailable:
    whose = " by the proxy" if way.proxy else ""
    direct = f"; or name the host in NO_PROXY, if {_VARIABLES} are not meant for it" if way.proxy else ""
    match error.code:
        case errno.ECONNREFUSED:
            said = f"the connection was refused{whose}"
            mend = f"see whether the port is right, and whether {'the proxy' if way.proxy else 'the server'} runs there"
        case errno.ETIMEDOUT:
            said = f"the connection was not taken{whose} within {seconds:.3g} s"
            mend = "see whether a firewall drops it; where a proxy is the only way out, name it as HTTPS_PROXY"
        case code if code in _UNROUTED:
            said, mend = f"there is no way there: {error}", "see this machine's network, and the host's address"
        case _:
            said, mend = f"no connection: {error}", _REACH
    return Unavailable(f"{way}: {said}", mend=f"{mend}{direct}")


def _proxy(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port or 80
    except ValueError:
        return "of the environment"
    return f"{parts.hostname}:{port}"
