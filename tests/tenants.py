"""A tenant on loopback: sign-in and API in one origin, every answer the test's. Is no simulator: it judges nothing."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from leaks import know
from origins import Authority, Origin, Reply, Request

from collector.settings import ClientSecret, Secret, Tenant

TENANT_ID = "11111111-1111-1111-1111-111111111111"
CLIENT_ID = "22222222-2222-2222-2222-222222222222"
SECRET = know("the~Secret.of+contoso/8f3a1c52==")
PAYLOADS = Path(__file__).parent / "payloads"


def payload(name: str) -> bytes:
    """Return a recorded answer, byte for byte."""
    return (PAYLOADS / name).read_bytes()


def as_json(value: object, status: int = 200, **headers: str) -> Reply:
    """Return a reply in JSON. Underscores in header names stand for hyphens."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(json.dumps(value).encode(), status, {"Content-Type": "application/json", **named})


def jwt(**claims: Any) -> str:
    """Return a token that says so of itself; its signature is made up."""
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, claims)]
    return ".".join([base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts] + ["c2lnbmF0dXJl"])


def always(reply: Reply | None) -> Callable[..., Reply | None]:
    """Return what answers so, whatever is asked."""
    return lambda *_: reply


def settings(url: str | None = None, **more: Any) -> Tenant:
    """Return a tenant whose API and sign-in are at `url`; without one, where its cloud says."""
    credential = ClientSecret(kind="client_secret", client_secret=Secret("client_secret", inline=SECRET))
    usual = {"tenant_id": TENANT_ID, "client_id": CLIENT_ID, "credential": credential}
    return Tenant(**{**usual, "api_url": url, "login_url": url, **more})


class Entra:
    """Tokens as they were given out, and how: `say` may be replaced, and is asked for each token."""

    def __init__(self) -> None:
        self.life: object = 3600
        self.claims: dict[str, Any] = {"roles": ["Score.Read.All"]}
        self.given: list[str] = []
        self.asked: list[dict[str, list[str]]] = []
        self.say: Callable[[], Reply | None] = self.token
        self.discover: Callable[[], Reply | None] | None = None

    def token(self) -> Reply:
        """Return a new token."""
        self.given.append(jwt(number=len(self.given), **self.claims))
        return as_json({"token_type": "Bearer", "expires_in": self.life, "access_token": self.given[-1]})


class FakeTenant:
    """An origin over TLS. `api` answers what is asked with a token, whatever the token; `origin.requests` holds all."""

    def __init__(self, authority: Authority) -> None:
        self.entra = Entra()
        self.api: Callable[[Request], Reply | None] = lambda _: Reply(payload("exposureScore.json"))
        self.origin = Origin(lambda request, _: self._talk(request), authority.context())

    def answers(self, *replies: Reply | None) -> None:
        """Have the API answer these in order, and the last of them from then on. None: the connection ends."""
        left = list(replies)
        self.api = lambda _: left.pop(0) if len(left) > 1 else left[0]

    @property
    def url(self) -> str:
        """The origin."""
        return self.origin.url

    @property
    def asked(self) -> list[Request]:
        """What was asked of the API, in order."""
        return [request for request in self.origin.requests if not request.target.startswith(f"/{TENANT_ID}")]

    def settings(self, **more: Any) -> Tenant:
        """Return the settings of this tenant."""
        return settings(self.url, **more)

    def _talk(self, request: Request) -> Reply | None:
        login = f"{self.url}/{TENANT_ID}"
        if request.target == f"/{TENANT_ID}/v2.0/.well-known/openid-configuration":
            return (self.entra.discover or self._discovery)()
        if request.target == f"/{TENANT_ID}/oauth2/v2.0/token":
            self.entra.asked.append(parse_qs(request.body.decode()))
            return self.entra.say()
        assert not request.target.startswith(login)
        return self.api(request)

    def _discovery(self) -> Reply:
        login = f"{self.url}/{TENANT_ID}"
        return as_json(
            {
                "issuer": f"{login}/v2.0",
                "authorization_endpoint": f"{login}/oauth2/v2.0/authorize",
                "token_endpoint": f"{login}/oauth2/v2.0/token",
            }
        )
