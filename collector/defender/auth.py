"""A tenant's token: got by msal, kept until it is old, forgotten when the API refuses it. The only user of msal.

msal's own caches are never trusted: it replays failed answers, and would hand back a refused token. So each sign-in has
an application of its own, with the credential read anew, and its HTTP is ours: one deadline, one rule for trust.
"""

import base64
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

import msal
import structlog
from msal.exceptions import MsalError

from collector.defender import document, entra
from collector.defender.clouds import Endpoints
from collector.errors import BadResponse, Unauthorized, Unavailable
from collector.http import Answer, Http
from collector.settings import Tenant

RENEW_SECONDS = 300.0
"""A token is renewed when it ends within this; one that lives less than twice as long, after half its life."""
RETRY_SECONDS = 60.0
"""After a renewal that failed, the old token serves at least this much longer before the next try, while it lives."""

_USUAL_LIFE = 3599
"""Seconds that a token lives whose answer doesn't say: OAuth leaves that open, and Microsoft's live an hour."""
_TOKEN = re.compile(r"[!-~]+")
"""What an Authorization header carries."""

_log = structlog.get_logger()


def claims(token: str) -> dict[str, Any]:
    """Return what a token says of itself, without verifying it; nothing for a token that can't be read."""
    parts = token.split(".")
    try:
        return document.read(base64.urlsafe_b64decode(parts[1] + "==")) if len(parts) == 3 else {}  # noqa: PLR2004 - a JWT
    except (BadResponse, ValueError):
        return {}


@dataclass(frozen=True, slots=True)
class _Token:
    """A token and its times, by the monotonic clock: renewed from `renew` on, dead from `ends` on."""

    text: str = field(repr=False)
    renew: float
    ends: float


class Auth:
    """The token of one tenant, for any thread. `monotonic` is the clock that its life is measured by, in seconds."""

    def __init__(
        self,
        name: str,
        tenant: Tenant,
        endpoints: Endpoints,
        http: Http,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._tenant = tenant
        self._endpoints = endpoints
        self._http = http
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._token: _Token | None = None

    def token(self) -> str | None:
        """Return the token, None when there is none or it is time for a new one. Asks nobody."""
        held = self._token
        return held.text if held and self._monotonic() < held.renew else None

    def refused(self, token: str) -> None:
        """Forget this token. One that has taken its place meanwhile is kept."""
        with self._lock:
            if self._token and self._token.text == token:
                self._token = None

    def sign_in(self, seconds: float) -> None:
        """Get a new token within `seconds`, all exchanges together. Raise Unavailable, Unauthorized or BadResponse.

        Where it is a renewal that fails, and the old token still lives, the old one serves on, and nothing is raised.
        """
        try:
            token = self._new(seconds)
        except (Unavailable, BadResponse) as error:
            if not self._serves_on(error):
                raise
        else:
            with self._lock:
                self._token = token

    def _serves_on(self, error: Unavailable | BadResponse) -> bool:
        asked = error.retry_after if isinstance(error, Unavailable) else None
        with self._lock:
            held, now = self._token, self._monotonic()
            if held is None or now >= held.ends:
                return False
            self._token = replace(held, renew=min(held.ends, now + max(RETRY_SECONDS, asked or 0.0)))
        _log.warning(
            "token.kept",
            tenant=self._name,
            seconds_left=round(held.ends - now),
            error=error.name,
            message=str(error),
            mend=error.mend,
        )
        return True

    def _new(self, seconds: float) -> _Token:
        asked = self._monotonic()
        secret = self._tenant.credential.client_secret.read()
        wire = _Wire(self._http, time.monotonic() + seconds, secret)
        try:
            application = msal.ConfidentialClientApplication(
                self._tenant.client_id,
                client_credential=secret,
                authority=f"{self._endpoints.login}/{self._tenant.tenant_id}",
                instance_discovery=False,
                azure_region=False,
                http_client=wire,
            )
            result = application.acquire_token_for_client([self._endpoints.scope])
            text, life = result["access_token"], float(result["expires_in"])
        except (ValueError, KeyError, MsalError) as error:
            # Only what came through `_Wire` whole is still in doubt here: an endpoint that msal takes for none.
            raise Unauthorized(
                f"{urlsplit(self._endpoints.login).netloc}: what answers there names no sign-in that can be used",
                mend="see cloud, login_url and tenant_id",
            ) from error
        return _Token(text, renew=asked + life - min(RENEW_SECONDS, life / 2), ends=asked + life)


@dataclass(frozen=True, slots=True)
class _Said:
    """An answer as msal reads it: sound, and no more in it than was looked at here."""

    text: str = field(repr=False)
    status_code: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class _Wire:
    """msal's HTTP client over ours: what isn't a sound answer is raised here as our error, before msal sees it."""

    def __init__(self, http: Http, until: float, secret: str) -> None:
        self._http = http
        self._until = until
        self._secret = secret

    def get(self, url: str, headers: Mapping[str, str] | None = None, **_: object) -> _Said:
        """Return what the login says of itself: where it gives tokens, and where people sign in."""
        answer, where = self._ask("GET", url, headers, None)
        said = self._object(answer, where)
        kept = {key: said.get(key) for key in ("issuer", "authorization_endpoint", "token_endpoint")}
        if not all(isinstance(value, str) for value in kept.values()):
            raise entra.foreign(answer, where)
        return _Said(json.dumps(kept))

    def post(
        self, url: str, headers: Mapping[str, str] | None = None, data: Mapping[str, str] | None = None, **_: object
    ) -> _Said:
        """Return a token's text and its life in whole seconds."""
        form = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        answer, where = self._ask("POST", url, form, urlencode(data or {}).encode())
        said = self._object(answer, where)
        if "access_token" not in said and "error" in said:
            raise entra.refusal(answer, where, self._secret)
        token, life = said.get("access_token"), _whole(said.get("expires_in", _USUAL_LIFE))
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise BadResponse(f"{where}: the sign-in's answer holds no access_token")
        if life is None:
            raise BadResponse(f"{where}: the token's expires_in is no number of seconds")
        return _Said(json.dumps({"token_type": "Bearer", "access_token": token, "expires_in": life}))

    def close(self) -> None:
        """Close nothing: the connections are everybody's."""

    def _ask(
        self, method: str, url: str, headers: Mapping[str, str] | None, content: bytes | None
    ) -> tuple[Answer, str]:
        where = urlsplit(url).netloc
        left = self._until - time.monotonic()
        if left <= 0:
            raise Unavailable(f"{where}: the sign-in took too long")
        answer = self._http.send(method, url, seconds=left, headers=headers, content=content)
        if answer.status != 200:  # noqa: PLR2004 - a token comes with this one alone
            raise entra.refusal(answer, where, self._secret)
        return answer, where

    @staticmethod
    def _object(answer: Answer, where: str) -> dict[str, Any]:
        try:
            return document.read(answer.body)
        except BadResponse as error:
            raise entra.foreign(answer, where) from error


def _whole(seconds: object) -> int | None:
    """Return a life in whole seconds, over 0; the older endpoints send it as text."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float | str):
        return None
    try:
        whole = int(seconds)
    except (ValueError, OverflowError):
        return None
    return whole if 0 < whole < 10**9 else None
