"""The instance-metadata service of a machine in Azure, as far as managed identities go. Is not on a network.

The machine belongs to one tenant, and has a system-assigned identity and a user-assigned one.
"""

from collections.abc import Callable, Mapping, Sequence

from starlette.requests import Request

from collector.simulator.answer import Answer, as_json, not_found
from collector.simulator.fault_answers import Instead
from collector.simulator.fault_sign_in import SignInRoles
from collector.simulator.place import Place, disallowed
from collector.simulator.sign_in.refusals import metadata_refusal
from collector.simulator.sign_in.tokens import RESOURCE, ROLE, Tokens
from collector.simulator.tenants import Tenant
from collector.simulator.visit import Visit

PATH = "/metadata/identity/oauth2/token"
SUBJECT = "metadata"


class Metadata:
    """Tokens for who asks from this machine; `clock` in Unix seconds."""

    def __init__(self, tenant: Tenant, tokens: Tokens, clock: Callable[[], float]) -> None:
        self._tenant = tenant
        self._tokens = tokens
        self._clock = clock

    def place(self, request: Request) -> Place:
        """Return what is asked for, and by whom."""
        return Place(self._tenant.name, SUBJECT if request.url.path == PATH else "unknown")

    def answer(self, request: Request, body: bytes, place: Place, visit: Visit) -> Answer:
        """Answer `GET /metadata/identity/oauth2/token`."""
        del body
        if place.subject != SUBJECT:
            return not_found()
        if request.method != "GET":
            return disallowed(request.method, "GET")
        instead = visit.take(Instead)
        if instead is not None:
            return instead.answer()
        granted = visit.take(SignInRoles)
        refused = self._refused(request.headers, request.query_params)
        return refused or self._token(granted.roles if granted else (ROLE,))

    def _refused(self, headers: Mapping[str, str], query: Mapping[str, str]) -> Answer | None:
        if headers.get("Metadata", "").lower() != "true":
            return metadata_refusal("invalid_request", "Required metadata header not specified")
        for name in ("api-version", "resource"):
            if not query.get(name):
                return metadata_refusal("invalid_request", f"Required query variable '{name}' is missing")
        if query["resource"].rstrip("/") != RESOURCE:
            name = query["resource"]
            return metadata_refusal(
                "invalid_resource", f"AADSTS500011: The resource principal named {name} was not found in the tenant."
            )
        if query.get("client_id", self._tenant.client_id).lower() != self._tenant.client_id:
            return metadata_refusal("invalid_request", "Identity not found")
        return None

    def _token(self, roles: Sequence[str]) -> Answer:
        now, seconds = int(self._clock()), self._tokens.seconds
        # Numbers are texts here, and a token's end is there twice.
        return as_json(
            {
                "access_token": self._tokens.application(self._tenant, roles),
                "client_id": self._tenant.client_id,
                "expires_in": str(seconds),
                "expires_on": str(now + seconds),
                "ext_expires_in": str(seconds),
                "not_before": str(now),
                "resource": RESOURCE,
                "token_type": "Bearer",
            }
        )
