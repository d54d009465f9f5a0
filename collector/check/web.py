"""Where the service's pages are to be: whether the address can be had, or the service has it already."""

import errno
import socket
from collections.abc import Sequence

from collector.check.finding import Finding
from collector.errors import CollectorError
from collector.http.clients import Clients
from collector.journal import holder
from collector.settings import Settings
from collector.settings.fields import is_loopback
from collector.settings.models import Web as WebTable

_SECONDS = 5.0
_OURS = (b"ok\n", b"the clock stands still\n")
"""What the service says at /livez."""


def examine(settings: Settings, clients: Clients) -> Sequence[Finding]:
    """Return what was found, nothing where no pages are wanted. The address is taken for a moment, and given back."""
    web = settings.web
    if not web.listen:
        return []
    try:
        _take(web.host, web.port)
    except OSError as error:
        return [_taken(settings, clients) if error.errno == errno.EADDRINUSE else _unusable(web.listen, error)]
    return [_beyond(web)]


def _beyond(web: WebTable) -> Finding:
    """Return what is to be said of an address that is free: who can ask there."""
    if is_loopback(web.host):
        return Finding("web", ok=True, message=f"{web.listen} is free")
    if web.token is None:
        return Finding(
            "web",
            ok=True,
            message=f"{web.listen} is free, and other machines can ask there without a password",
            mend="name a web.token_file, let a firewall or a network policy say who may ask, or set web.listen to"
            " 127.0.0.1",
        )
    missing = web.missing_secrets()
    if missing:
        return Finding("web", ok=False, message=missing[0], mend="until then /metrics answers nobody")
    return Finding("web", ok=True, message=f"{web.listen} is free; other machines need the token")


def _take(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as bound:
        # As the service does: connections that are still fading away don't matter.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))


def _taken(settings: Settings, clients: Clients) -> Finding:
    web, pid = settings.web, holder(settings.journal.path)
    if pid and _ours(f"{web.url}livez", clients):
        return Finding("web", ok=True, message=f"{web.listen}: the service answers there (process {pid})")
    return Finding(
        "web",
        ok=False,
        message=f"{web.listen} is taken by another process",
        mend=f"set web.listen to a free address, or end that process: `ss -ltnp 'sport = :{web.port}'` shows it",
    )


def _ours(url: str, clients: Clients) -> bool:
    try:
        return clients.trusting(None).send("GET", url, seconds=_SECONDS).body in _OURS
    except CollectorError:
        return False


def _unusable(listen: str, error: OSError) -> Finding:
    mends = {
        errno.EACCES: "name a port of 1024 or above, or let the service have the low one",
        errno.EADDRNOTAVAIL: "name an address of this machine: `ip address` shows them",
    }
    mend = mends.get(error.errno or 0, "name an address and a free port of this machine")
    return Finding("web", ok=False, message=f"{listen}: {error.strerror or error}", mend=f"web.listen: {mend}")
