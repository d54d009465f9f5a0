"""The tokens that open the simulator's API: made, and read again. Is not who may have one (`application.py`).

They are signed with a key that never leaves the process: they are good at this simulator alone, until it ends.
"""

import base64
import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jwt

from collector.simulator.dice import guid
from collector.simulator.tenants import Tenant

RESOURCE = "https://api.securitycenter.microsoft.com"
SUFFIX = "/.default"
SCOPE = f"{RESOURCE}{SUFFIX}"
ROLE = "Score.Read.All"
"""What an application needs to read scores."""
PERMISSION = "Score.Read"
"""What a person's application needs to read scores in the person's name."""

_ALGORITHM = "HS256"
_FIRST_NAME = "Ada"


@dataclass(frozen=True, slots=True)
class Token:
    """What a bearer token says. `issued`: nanoseconds of the monotonic clock."""

    tenant: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    issued: int
    expired: bool

    @property
    def reads_scores(self) -> bool:
        """Whether it carries the permission, an application's or a person's."""
        return ROLE in self.roles or PERMISSION in self.scopes


class Tokens:
    """Makes tokens that live for `seconds` by `clock` (Unix seconds), and reads those that it has made."""

    def __init__(self, tenants: Sequence[Tenant], *, seconds: int, clock: Callable[[], float]) -> None:
        self.seconds = seconds
        self._names = {tenant.tenant_id: tenant.name for tenant in tenants}
        self._clock = clock
        self._key = secrets.token_bytes(32)

    def application(self, tenant: Tenant, roles: Sequence[str]) -> str:
        """Return a token of the tenant's application; one without roles has no such claim."""
        claims = {**self._claims(tenant), "idtyp": "app", "appidacr": "1"}
        return self._signed({**claims, "roles": list(roles)} if roles else claims)

    def person(self, tenant: Tenant, scopes: Sequence[str]) -> str:
        """Return a token in a person's name; one without scopes has no such claim."""
        claims = {**self._claims(tenant), "idtyp": "user", "appidacr": "0", **_person(tenant)}
        return self._signed({**claims, "scp": " ".join(scopes)} if scopes else claims)

    def identity(self, tenant: Tenant, issuer: str) -> dict[str, str]:
        """Return the `id_token` that says who has signed in, and the `client_info` by which msal keeps accounts."""
        person = _person(tenant)
        now = int(self._clock())
        claims = {
            **person,
            "aud": tenant.client_id,
            "iss": issuer,
            "iat": now,
            "nbf": now,
            "exp": now + self.seconds,
            "tid": tenant.tenant_id,
            "preferred_username": person["upn"],
            "ver": "2.0",
        }
        client_info = json.dumps({"uid": person["oid"], "utid": tenant.tenant_id}).encode()
        return {
            "id_token": self._signed(claims),
            "client_info": base64.urlsafe_b64encode(client_info).decode().rstrip("="),
        }

    def read(self, authorization: str) -> Token | None:
        """Return what the bearer token says, expired or not; None when it isn't one of ours."""
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            claims = jwt.decode(
                text.strip(),
                self._key,
                [_ALGORITHM],
                audience=RESOURCE,
                # Whether it is still good is for the simulator's own clock to say.
                options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
        except jwt.InvalidTokenError:
            return None
        return Token(
            tenant=self._names[claims["tid"]],
            roles=tuple(claims.get("roles", ())),
            scopes=tuple(claims.get("scp", "").split()),
            issued=int(claims["uti"], 16),
            expired=claims["exp"] <= self._clock(),
        )

    def _claims(self, tenant: Tenant) -> dict[str, Any]:
        now = int(self._clock())
        return {
            "aud": RESOURCE,
            "iss": f"https://sts.windows.net/{tenant.tenant_id}/",
            "iat": now,
            "nbf": now,
            "exp": now + self.seconds,
            "appid": tenant.client_id,
            "tid": tenant.tenant_id,
            # Entra's is opaque too. Here it orders tokens more finely than the whole seconds of `iat`.
            "uti": f"{time.monotonic_ns():016x}",
            "ver": "1.0",
        }

    def _signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self._key, _ALGORITHM)


def _person(tenant: Tenant) -> dict[str, str]:
    """Return the one person of a tenant who signs in."""
    return {
        "name": f"{_FIRST_NAME} of {tenant.name}",
        "oid": guid("person", tenant.tenant_id),
        "sub": guid("subject", tenant.tenant_id),
        "upn": f"{_FIRST_NAME.lower()}@{tenant.name}.example",
    }
