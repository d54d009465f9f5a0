"""msal's HTTP client over ours: what isn't a sound answer is raised here as our error, before msal sees it.

One deadline for all exchanges, one rule for trust; and of an answer msal gets no more than was looked at here.
"""

import json
import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

from collector.defender import document, entra
from collector.defender.claims import claims, part
from collector.defender.clouds import Endpoints
from collector.defender.entra import Told
from collector.defender.sign_in.logins import Logins
from collector.errors import BadResponse, Unauthorized, Unavailable
from collector.http import Answer, Http

PENDING = frozenset({"authorization_pending", "slow_down"})
"""What OAuth calls a person who hasn't answered yet."""

_DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
_PERSONS = frozenset({_DEVICE_CODE, "refresh_token"})
"""Grants of a person, whose answer holds more than a token."""
_SECRETS = ("client_secret", "client_assertion", "refresh_token", "device_code", "code")
"""What is sent, and shown to nobody."""
_USUAL_LIFE = 3599
"""Seconds that a token lives whose answer doesn't say: OAuth leaves that open, and Microsoft's live an hour."""
_USUAL_WAIT = 900
"""Seconds that a code is good for whose answer doesn't say, and at the most: Microsoft's are."""
_TOKEN = re.compile(r"[!-~]{1,16384}")
"""What an Authorization header carries; no server takes a longer one."""
_OF_A_PERSON = ("oid", "preferred_username", "upn")
"""What msal reads of an id_token beside `sub`, as text."""
_SHOWN = re.compile(r"[!-~]{1,200}")
"""What a person is shown of an answer: no control character, nothing that breaks a line."""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer as msal reads it: sound, and no more in it than was looked at here."""

    text: str = field(repr=False)
    status_code: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Exchanges:
    """Exchanges that are all over by `until` (monotonic)."""

    def __init__(self, http: Http, until: float) -> None:
        self._http = http
        self.until = until

    def send(
        self, method: str, url: str, headers: Mapping[str, str] | None, content: bytes | None = None
    ) -> tuple[Answer, str]:
        """Return the answer, whatever its status, and who gave it."""
        where = urlsplit(url).netloc
        left = self.until - time.monotonic()
        if left <= 0:
            raise Unavailable(f"{where}: the sign-in took too long")
        return self._http.send(method, url, seconds=left, headers=headers, content=content), where


class Wire:
    """Speaks with Microsoft Entra at a tenant's login, and sends what is secret nowhere else, whatever discovery says.

    `told`: what the credential adds to a refusal. `logins`: what of discovery needn't be asked.
    """

    def __init__(
        self, http: Http, endpoints: Endpoints, until: float, told: Told, logins: Logins | None = None
    ) -> None:
        self._exchanges = Exchanges(http, until)
        self._login = endpoints.login
        self._logins = logins or Logins()
        self._unasked: str | None = None
        """The URL of a discovery that was not asked."""
        self.misled = False
        """Whether discovery, asked after a refusal, named another place for what is secret, at the same login."""
        self._told = replace(told, mends={**endpoints.mends, **told.mends})

    def extend(self, until: float) -> None:
        """Let what is asked from now on be over by `until`."""
        self._exchanges.until = until

    def get(self, url: str, headers: Mapping[str, str] | None = None, **_: object) -> Said:
        """Return what the login says of itself: where it gives tokens, and where people sign in."""
        expected = self._logins.expected(url)
        if expected is None:
            return Said(json.dumps(self._discovered(url, headers)))
        self._unasked = url
        return Said(json.dumps(expected))

    def post(
        self, url: str, headers: Mapping[str, str] | None = None, data: Mapping[str, Any] | None = None, **_: object
    ) -> Said:
        """Return a token's text and its life in whole seconds; or a code for a person, or that nobody has used it."""
        self._stay(url)
        sent = {
            key: value.decode() if isinstance(value, bytes) else str(value)
            for key, value in (data or {}).items()
            if value is not None
        }
        hidden = [sent[key] for key in _SECRETS if key in sent]
        try:
            return self._posted(url, headers, sent, hidden)
        except Unauthorized:
            self._ask_all_the_same(url, hidden)
            raise

    def close(self) -> None:
        """Close nothing: the connections are everybody's."""

    def _ask_all_the_same(self, url: str, hidden: Collection[str]) -> None:
        """Raise what discovery would have said, where it wasn't asked: a tenant of another cloud, or no sign-in.

        The login has what is `hidden` by now, and may repeat it.
        """
        unasked, self._unasked = self._unasked, None
        if unasked is None:
            return
        try:
            found = str(self._discovered(unasked, None, hidden)["token_endpoint"])
            self._stay(found)
            self.misled = found != url
        except Unauthorized:
            raise
        except (Unavailable, BadResponse):
            pass  # then it adds nothing to the refusal

    def _stay(self, url: str) -> None:
        """Raise Unauthorized where a URL for what is secret has another origin than the login."""
        if not _same_origin(url, self._login):
            raise Unauthorized(
                f"{urlsplit(self._login).netloc}: the sign-in names another origin, {_host(url)}, for what is secret;"
                " nothing was sent there",
                mend="see tenant_id, cloud and login_url: a tenant of another cloud has another login",
            )

    def _discovered(
        self, url: str, headers: Mapping[str, str] | None, hidden: Collection[str] = ()
    ) -> Mapping[str, object]:
        answer, where = self._exchanges.send("GET", url, headers)
        said = self._object(answer, where, hidden)
        kept = {key: said.get(key) for key in ("issuer", "authorization_endpoint", "token_endpoint")}
        if not all(isinstance(value, str) for value in kept.values()):
            raise entra.foreign(answer, where)
        self._logins.said(url, kept)
        device = said.get("device_authorization_endpoint")
        return {**kept, "device_authorization_endpoint": device if isinstance(device, str) else None}

    def _posted(
        self, url: str, headers: Mapping[str, str] | None, sent: Mapping[str, str], hidden: Collection[str]
    ) -> Said:
        grant = sent.get("grant_type")
        form = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        answer, where = self._exchanges.send("POST", url, form, urlencode(sent).encode())
        waiting = entra.oauth_error(answer) if grant == _DEVICE_CODE else ""
        if waiting in PENDING:
            return Said(json.dumps({"error": waiting}), 400)
        said = self._object(answer, where, hidden)
        if grant is None:
            return Said(json.dumps(_device(said, where)))
        if "access_token" not in said and "error" in said:
            raise entra.refusal(answer, where, self._told, hidden, time.time())
        return Said(json.dumps({**bearer(said, where), **(_persons(said) if grant in _PERSONS else {})}))

    def _object(self, answer: Answer, where: str, hidden: Collection[str]) -> dict[str, Any]:
        if answer.status != 200:  # noqa: PLR2004 - what is asked for comes with this one alone
            raise entra.refusal(answer, where, self._told, hidden, time.time())
        try:
            return document.read(answer.body)
        except BadResponse as error:
            raise entra.foreign(answer, where) from error


Wires = Callable[[float, Told], Wire]
"""Makes what speaks with a tenant's login, until a moment (monotonic)."""


def _same_origin(url: str, login: str) -> bool:
    try:
        here, there = urlsplit(login), urlsplit(url)
        same = (here.scheme, here.hostname, here.port or 443) == (there.scheme, there.hostname, there.port or 443)
    except ValueError:
        return False
    # A user, or what others read as one, could have a host pass for another.
    return same and "@" not in there.netloc and "\\" not in url


def _host(url: str) -> str:
    """Return the host of a stranger's URL, for messages."""
    host = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    return host if _SHOWN.fullmatch(host) else "one that can't be read"


def bearer(said: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the token and its life as msal reads them; raise BadResponse where either is none."""
    token, life = said.get("access_token"), whole(said.get("expires_in", _USUAL_LIFE))
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise BadResponse(f"{where}: the sign-in's answer holds no access_token")
    if life is None:
        raise BadResponse(f"{where}: the token's expires_in is no number of seconds over 0")
    return {"token_type": "Bearer", "access_token": token, "expires_in": life}


def whole(seconds: object) -> int | None:
    """Return a number of whole seconds, over 0; the older endpoints send it as text."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float | str):
        return None
    try:
        number = int(seconds)
    except (ValueError, OverflowError):
        return None
    return number if 0 < number < 10**10 else None


def _persons(said: Mapping[str, Any]) -> dict[str, str]:
    """Return what keeps a person signed in and says who it is, as far as msal can read it."""
    sound: dict[str, Callable[[str], object]] = {
        "refresh_token": _TOKEN.fullmatch,
        "id_token": lambda text: _TOKEN.fullmatch(text) and _is_person(claims(text)),
        "client_info": lambda text: all(isinstance(part(text).get(key), str) for key in ("uid", "utid")),
    }
    return {key: said[key] for key, fits in sound.items() if isinstance(said.get(key), str) and fits(said[key])}


def _is_person(said: Mapping[str, Any]) -> bool:
    return isinstance(said.get("sub"), str) and all(isinstance(said.get(key, ""), str) for key in _OF_A_PERSON)


def _device(said: Mapping[str, Any], where: str) -> dict[str, Any]:
    kept = {key: said.get(key) for key in ("device_code", "user_code", "verification_uri")}
    for key, value in kept.items():
        fits = _TOKEN if key == "device_code" else _SHOWN
        if not isinstance(value, str) or not fits.fullmatch(value):
            raise BadResponse(f"{where}: the sign-in's answer holds no {key}")
    seconds = min(whole(said.get("expires_in")) or _USUAL_WAIT, _USUAL_WAIT)
    return {**kept, "expires_in": seconds, "interval": min(whole(said.get("interval")) or 5, 60)}
