"""Who may ask, and what every answer says to a browser. Knows no page but the two that need no token.

A page elsewhere could have its own name resolve to this machine: so the Host has to be an address, this machine's name
or one that the settings allow. Beyond loopback, where the settings name a token, all but `/livez` and `/readyz` is for
who brings it: as a bearer token, or as the password of any user, which is what a browser can send.
"""

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Callable, Collection
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collector.errors import Unauthorized
from collector.log import logger

POLICY = ("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
"""Of every answer that has no policy of its own."""
EVERYWHERE = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
"""Of every answer: nothing is guessed at, shown in another's frame, kept, or told to anybody."""
HEADERS = (POLICY, *EVERYWHERE)
"""Of every answer but the pages of the card, whose policy lets through what stands in them."""
OPEN = frozenset({"/livez", "/readyz"})
"""What a machine asks that restarts or routes; it says nothing of scores."""

Token = Callable[[], str]
"""Returns the token as its file has it now; raises Unauthorized when that can't be read."""

_log = logger()


class Guard:
    """Lets through to `app` what is for one of `names`, and, with a token, who brings it."""

    def __init__(self, app: ASGIApp, names: Collection[str], token: Token | None) -> None:
        self._app = app
        self._names = names
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it through."""
        refusal = await self._refusal(Request(scope)) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, _strictly(send))

    async def _refusal(self, request: Request) -> Response | None:
        if not self._ours(request.headers.get("Host", "")):
            return PlainTextResponse("this Host is not served here; see web.allowed_hosts\n", 400)
        if self._token is None or request.url.path in OPEN:
            return None
        try:
            token = await run_in_threadpool(self._token)
        except Unauthorized as error:
            _log.error("web.token_missing", error=str(error), mend=error.mend)
            return PlainTextResponse("the file of web.token_file can't be read; the log says more\n", 503)
        if hmac.compare_digest(_brought(request.headers.get("Authorization", "")), token.encode()):
            return None
        asked = {"WWW-Authenticate": 'Basic realm="exposure-collector", charset="UTF-8", Bearer'}
        return PlainTextResponse("bring the token of web.token_file, as a bearer token or a password\n", 401, asked)

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


def _strictly(send: Send) -> Send:
    """Return a `send` that gives an answer a policy where it has none."""
    name, value = (word.encode() for word in POLICY)

    async def strictly(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            if not any(key.lower() == name.lower() for key, _ in headers):
                message = {**message, "headers": [*headers, (name.lower(), value)]}
        await send(message)

    return strictly


def _brought(authorization: str) -> bytes:
    """Return the token that a request brings, empty where it brings none."""
    kind, _, rest = authorization.strip().partition(" ")
    # A header's bytes come as Latin-1, whatever they are.
    brought = rest.strip().encode("latin-1")
    if kind.lower() == "bearer":
        return brought
    if kind.lower() == "basic":
        with suppress(binascii.Error):
            return base64.b64decode(brought, validate=True).partition(b":")[2]
    return b""
