"""Clients of the simulator, for its tests. Is not the collector: a caller knows httpx alone, and believes anything."""

import ssl
from typing import Any, Self

import httpx
import jwt
import msal

from collector.simulator import SCOPE, Simulator

ORGANIZATION = "/api/exposureScore"
GROUPS = "/api/exposureScore/ByMachineGroups"
SECURE = "/api/configurationScore"


def trusting(simulator: Simulator) -> ssl.SSLContext:
    """Return what a client needs to believe the simulator."""
    return ssl.create_default_context(cafile=simulator.ca_file)


class Client(httpx.Client):
    """Msal gives its assertions as bytes, which httpx's forms know nothing of."""

    def post(self, url: httpx.URL | str, **options: Any) -> httpx.Response:
        if options.get("data"):
            texts = {name: each.decode() if isinstance(each, bytes) else each for name, each in options["data"].items()}
            options["data"] = texts
        return super().post(url, **options)


def connected(simulator: Simulator, timeout: float = 10) -> httpx.Client:
    """Return a client of the simulator that has no token."""
    return Client(base_url=simulator.url, verify=trusting(simulator), trust_env=False, timeout=timeout)


def claims(token: str) -> dict[str, Any]:
    """Return what a token says, unverified, as a collector would read it."""
    return jwt.decode(token, options={"verify_signature": False})


def said(answer: httpx.Response) -> tuple[int, str, int]:
    """Return the status, the OAuth error and the AADSTS code of a refusal."""
    body = answer.json()
    (code,) = body["error_codes"]
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    return answer.status_code, body["error"], code


class Caller:
    """The application of a tenant (by its index), signed in. `http` sends its token with every request."""

    def __init__(self, simulator: Simulator, index: int = 0) -> None:
        self.tenant = simulator.tenants[index]
        self.secret = simulator.secret_file.read_text(encoding="utf-8")
        self.url = simulator.url
        self.http = connected(simulator)
        self.renew()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def token(self, changes: dict[str, str | None] | None = None, **options: Any) -> httpx.Response:
        """Ask for a token with a good form and `changes` to it; None takes a parameter out."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.tenant.client_id,
            "client_secret": self.secret,
            "scope": SCOPE,
            **(changes or {}),
        }
        given = {name: value for name, value in form.items() if value is not None}
        return self.http.post(f"/{self.tenant.tenant_id}/oauth2/v2.0/token", data=given, **options)

    def application(self, credential: Any, tenant_id: str = "") -> msal.ConfidentialClientApplication:
        """Return the real thing: msal, with that credential."""
        return msal.ConfidentialClientApplication(
            self.tenant.client_id,
            client_credential=credential,
            authority=f"{self.url}/{tenant_id or self.tenant.tenant_id}",
            instance_discovery=False,
            http_client=self.http,
        )

    def opens(self, token: str) -> int:
        """Return what the API answers to a token."""
        return self.get(headers={"Authorization": f"Bearer {token}"}).status_code

    def renew(self) -> str:
        """Use a new token from now on, and return it."""
        token = str(self.token().json()["access_token"])
        self.http.headers["Authorization"] = f"Bearer {token}"
        return token

    def discover(self, origin: str = "") -> httpx.Response:
        """Ask for the endpoints."""
        return self.http.get(f"{origin}/{self.tenant.tenant_id}/v2.0/.well-known/openid-configuration")

    def get(self, path: str = ORGANIZATION, **options: Any) -> httpx.Response:
        """Ask the API."""
        return self.http.get(path, **options)

    def statuses(self, count: int, path: str = ORGANIZATION) -> list[int]:
        """Ask several times."""
        return [self.get(path).status_code for _ in range(count)]
