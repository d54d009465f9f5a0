"""The sign-in of Entra ID, as far as an application with a secret needs it: discovery, and tokens that are checked.

Is not secure: whoever reaches the port and knows the secret file gets a token that this simulator alone believes.
"""

import hmac
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import jwt

from collector.simulator.answer import Answer, as_json
from collector.simulator.entra import refusal
from collector.simulator.tenants import Tenant

RESOURCE = "https://api.securitycenter.microsoft.com"
SCOPE = f"{RESOURCE}/.default"
ROLE = "Score.Read.All"

_SUFFIX = "/.default"
_ALGORITHM = "HS256"


@dataclass(frozen=True, slots=True)
class Token:
    """What a bearer token says. `issued`: nanoseconds of the monotonic clock."""

    tenant: str
    roles: tuple[str, ...]
    issued: int
    expired: bool


class SignIn:
    """Tokens for `tenants`, each for its one application; they live for `token_seconds` by `clock` (Unix seconds)."""

    def __init__(
        self, tenants: Sequence[Tenant], *, secret: str, token_seconds: int, clock: Callable[[], float]
    ) -> None:
        self._tenants = {tenant.tenant_id: tenant for tenant in tenants}
        self._secret = secret
        self._token_seconds = token_seconds
        self._clock = clock
        self._key = secrets.token_bytes(32)

    def tenant(self, tenant_id: str) -> Tenant | None:
        """Return the tenant with that id, None for a stranger."""
        return self._tenants.get(tenant_id.lower())

    def discovery(self, tenant_id: str, origin: str) -> Answer:
        """Answer `GET /<tenant_id>/v2.0/.well-known/openid-configuration`."""
        tenant = self.tenant(tenant_id)
        if tenant is None:
            return refusal(90002, f"Tenant '{tenant_id}'.")
        base = f"{origin}/{tenant.tenant_id}"
        return as_json(
            {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
                "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "tenant_region_scope": "EU",
                "cloud_instance_name": "microsoftonline.com",
            }
        )

    def token(self, tenant_id: str, body: bytes, roles: Sequence[str] = (ROLE,)) -> Answer:
        """Answer `POST /<tenant_id>/oauth2/v2.0/token`; `body` is the form."""
        form = {key: values[0] for key, values in parse_qs(body.decode("utf-8", "replace")).items()}
        tenant = self.tenant(tenant_id)
        if tenant is None:
            return refusal(90002, f"Tenant '{tenant_id}'.")
        refused = self._refused(tenant, form)
        if refused is not None:
            return refused
        return as_json(
            {
                "token_type": "Bearer",
                "expires_in": self._token_seconds,
                "ext_expires_in": self._token_seconds,
                "access_token": self._sign(tenant, form["scope"].removesuffix(_SUFFIX), roles),
            },
            headers={"Cache-Control": "no-store", "Pragma": "no-cache"},
        )

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
            tenant=self._tenants[claims["tid"]].name,
            roles=tuple(claims.get("roles", ())),
            issued=int(claims["uti"], 16),
            expired=claims["exp"] <= self._clock(),
        )

    def _refused(self, tenant: Tenant, form: dict[str, str]) -> Answer | None:
        """Return why Entra would refuse this form; what is missing comes first, the secret last, as it does there."""
        for name in ("grant_type", "client_id", "scope"):
            if name not in form:
                return refusal(900144, f"Parameter: '{name}'.")
        scope = form["scope"]
        secret = form.get("client_secret")
        wrong = [
            (form["grant_type"] != "client_credentials", 70003, ""),
            (form["client_id"].lower() != tenant.client_id, 700016, f"Application '{form['client_id']}'."),
            (not scope.endswith(_SUFFIX), 1002012, f"Scope '{scope}'."),
            (scope != SCOPE, 500011, f"Resource '{scope.removesuffix(_SUFFIX)}'."),
            (secret is None and "client_assertion" in form, 700027, ""),
            (secret is None, 7000216, ""),
            (not hmac.compare_digest((secret or "").encode(), self._secret.encode()), 7000215, ""),
        ]
        return next((refusal(code, detail) for so, code, detail in wrong if so), None)

    def _sign(self, tenant: Tenant, audience: str, roles: Sequence[str]) -> str:
        now = int(self._clock())
        claims: dict[str, Any] = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{tenant.tenant_id}/",
            "iat": now,
            "nbf": now,
            "exp": now + self._token_seconds,
            "appid": tenant.client_id,
            "appidacr": "1",
            "idtyp": "app",
            "tid": tenant.tenant_id,
            # Entra's is opaque too. Here it orders tokens more finely than the whole seconds of `iat`.
            "uti": f"{time.monotonic_ns():016x}",
            "ver": "1.0",
        }
        if roles:
            claims["roles"] = list(roles)
        return jwt.encode(claims, self._key, _ALGORITHM)
