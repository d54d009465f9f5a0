"""Sign-ins to a tenant whose every answer is the test's: by the real msal, over real TLS. Judges nothing."""

from typing import Any, Self

from origins import Authority, Reply
from tenants import FakeTenant, as_json

from collector.defender.auth import Auth
from collector.defender.clouds import endpoints
from collector.http import Http

CORRELATION = "5b1c8e34-77aa-4b0e-9d59-3a5f5f0b6c01"


class Clock:
    """A monotonic clock in the test's hands, in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class SignIns:
    """Makes sign-ins to `fake` with a `clock` of the test's, and closes their connections at the end."""

    def __init__(self, authority: Authority) -> None:
        self.fake = FakeTenant(authority)
        self.clock = Clock()
        self._http = Http(authority.pem)

    def __call__(self, **settings: Any) -> Auth:
        """Return the tenant's token, of which there is none yet; `settings` of the tenant stand over the usual ones."""
        tenant = self.fake.settings(**settings)
        return Auth("contoso", tenant, endpoints(tenant), self._http, self.clock)

    def __enter__(self) -> Self:
        self.fake.origin.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()
        self.fake.origin.__exit__()


def refuse(code: int | None, status: int = 401, description: str | None = None, **more: Any) -> Reply:
    """Return a refusal as the token endpoint has it."""
    text = description if description is not None else f"AADSTS{code}: words.\r\nTrace ID: 1\r\nCorrelation ID: 2"
    body = {"error": "invalid_client", "error_description": text, "correlation_id": CORRELATION, **more}
    return as_json({**body, **({"error_codes": [code]} if code else {})}, status)
