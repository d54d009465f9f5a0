"""The sign-in of Entra ID for one application: discovery, device codes, and tokens for who proves to be it.

Is not secure: whoever reaches the port and knows the files gets a token that this simulator alone believes.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import parse_qs

from collector.simulator.answer import Answer, as_json
from collector.simulator.sign_in.application import Application
from collector.simulator.sign_in.devices import Devices
from collector.simulator.sign_in.refusals import Refused
from collector.simulator.sign_in.tokens import PERMISSION, RESOURCE, ROLE, SCOPE, SUFFIX, Token, Tokens
from collector.simulator.tenants import Tenant

__all__ = ["PERMISSION", "RESOURCE", "ROLE", "SCOPE", "Cloud", "SignIn", "Token", "Tokens"]

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"

Cloud = Literal["global", "gcc", "gcc-high", "dod"]

CLOUDS: Mapping[Cloud, Mapping[str, str]] = MappingProxyType(
    {
        "global": {"tenant_region_scope": "EU", "cloud_instance_name": "microsoftonline.com"},
        "gcc": {
            "tenant_region_scope": "NA",
            "tenant_region_sub_scope": "GCC",
            "cloud_instance_name": "microsoftonline.com",
        },
        "gcc-high": {
            "tenant_region_scope": "USGov",
            "tenant_region_sub_scope": "DODCON",
            "cloud_instance_name": "microsoftonline.us",
        },
        "dod": {
            "tenant_region_scope": "USGov",
            "tenant_region_sub_scope": "DOD",
            "cloud_instance_name": "microsoftonline.us",
        },
    }
)
"""How the discovery says in which cloud a tenant is."""

_OPENID = frozenset({"openid", "profile", "email", "offline_access"})
_NO_STORE = MappingProxyType({"Cache-Control": "no-store", "Pragma": "no-cache"})


class SignIn:
    """Tokens for `tenants`, each for its one application; codes on devices are for a public one, without a secret."""

    def __init__(
        self, tenants: Sequence[Tenant], *, application: Application, tokens: Tokens, devices: Devices
    ) -> None:
        self._tenants = {tenant.tenant_id: tenant for tenant in tenants}
        self._application = application
        self._tokens = tokens
        self._devices = devices

    def tenant(self, tenant_id: str) -> Tenant | None:
        """Return the tenant with that id, None for a stranger."""
        return self._tenants.get(tenant_id.lower())

    def read(self, authorization: str) -> Token | None:
        """Return what the bearer token says; None when it isn't one of ours."""
        return self._tokens.read(authorization)

    def discovery(self, tenant_id: str, origin: str, cloud: Cloud = "global") -> Answer:
        """Answer `GET /<tenant_id>/v2.0/.well-known/openid-configuration`; `cloud`: where the tenant is said to be."""
        try:
            base = f"{origin}/{self._known(tenant_id).tenant_id}"
        except Refused as refused:
            return refused.answer()
        return as_json(
            {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
                "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                **CLOUDS[cloud],
            }
        )

    def device(self, tenant_id: str, body: bytes, origin: str) -> Answer:
        """Answer `POST /<tenant_id>/oauth2/v2.0/devicecode`; `body` is the form."""
        form = _form(body)
        try:
            tenant = self._known(tenant_id)
            self._client(form)
            _permission(form)
        except Refused as refused:
            return refused.answer()
        return as_json(self._devices.begin(tenant, f"{origin}/simulator/device"), headers=_NO_STORE)

    def token(self, tenant_id: str, body: bytes, origin: str, granted: Sequence[str] | None = None) -> Answer:
        """Answer `POST /<tenant_id>/oauth2/v2.0/token`; `body` is the form.

        `granted`: the permissions that the token carries, None for the one that reads scores.
        """
        form = _form(body)
        try:
            payload = self._granted(self._known(tenant_id), form, f"{origin}/{tenant_id}", granted)
        except Refused as refused:
            return refused.answer()
        return as_json(payload, headers=_NO_STORE)

    def _known(self, tenant_id: str) -> Tenant:
        tenant = self.tenant(tenant_id)
        if tenant is None:
            raise Refused(90002, f"Tenant '{tenant_id}'.")
        return tenant

    def _client(self, form: Mapping[str, str]) -> None:
        client_id = _needed(form, "client_id")
        if client_id.lower() != self._application.client_id:
            raise Refused(700016, f"Application '{client_id}'.")

    def _granted(
        self, tenant: Tenant, form: Mapping[str, str], base: str, granted: Sequence[str] | None
    ) -> dict[str, Any]:
        """Return the answer with a token; what is missing is refused first, the proof of who asks last, as by Entra."""
        match _needed(form, "grant_type"):
            case "client_credentials":
                self._client(form)
                _resource(form)
                # Of a token endpoint's names Entra takes these two.
                self._application.prove(form, (f"{base}/oauth2/v2.0/token", f"{base}/v2.0"))
                token = self._tokens.application(tenant, (ROLE,) if granted is None else granted)
                return self._bearer(token)
            case grant if grant in (DEVICE_CODE, "refresh_token"):
                self._client(form)
                if "client_secret" in form or "client_assertion" in form:
                    raise Refused(700025)
                refresh_token = self._redeemed(tenant, form, grant)
                scopes = (PERMISSION,) if granted is None else granted
                return {
                    **self._bearer(self._tokens.person(tenant, scopes)),
                    "scope": " ".join(f"{RESOURCE}/{scope}" for scope in scopes),
                    "refresh_token": refresh_token,
                    **self._tokens.identity(tenant, f"{base}/v2.0"),
                }
        raise Refused(70003)

    def _redeemed(self, tenant: Tenant, form: Mapping[str, str], grant: str) -> str:
        if grant == DEVICE_CODE:
            return self._devices.redeem(tenant, _needed(form, "device_code"))
        _permission(form)
        return self._devices.refresh(tenant, _needed(form, "refresh_token"))

    def _bearer(self, token: str) -> dict[str, Any]:
        seconds = self._tokens.seconds
        return {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}


def _form(body: bytes) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(body.decode("utf-8", "replace")).items()}


def _needed(form: Mapping[str, str], name: str) -> str:
    if name not in form:
        raise Refused(900144, f"Parameter: '{name}'.")
    return form[name]


def _resource(form: Mapping[str, str]) -> None:
    """Return if an application's scope is all that it has of the API; else raise Refused."""
    scope = _needed(form, "scope")
    if not scope.endswith(SUFFIX):
        raise Refused(1002012, f"Scope '{scope}'.")
    if scope != SCOPE:
        raise Refused(500011, f"Resource '{scope.removesuffix(SUFFIX)}'.")


def _permission(form: Mapping[str, str]) -> None:
    """Return if a person's scopes are of the API, and of what the application may ask for; else raise Refused."""
    asked = set(_needed(form, "scope").split()) - _OPENID
    for scope in sorted(asked):
        resource, _, permission = scope.rpartition("/")
        if resource != RESOURCE:
            raise Refused(500011, f"Resource '{resource}'.")
        if permission not in (SUFFIX[1:], PERMISSION):
            raise Refused(65001, f"Scope '{scope}'.")
    if not asked:
        raise Refused(900144, "Parameter: 'scope'.")
