"""An application's own sign-in: msal's client-credentials grant, with whatever the application proves itself by."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

import msal
from msal.exceptions import MsalError

from collector.defender.clouds import Endpoints
from collector.defender.sign_in.grant import Grant
from collector.defender.sign_in.wire import Wire
from collector.errors import Unauthorized
from collector.optional import without
from collector.settings import Tenant

Proof = str | Mapping[str, object] | Mapping[str, Callable[[], str]]
"""A secret, a certificate with its key, or what returns an assertion: as msal takes them."""


class _Nothing(msal.TokenCache):  # type: ignore[misc]  # msal carries no types
    """Keeps no token: `auth` does, and to keep one costs msal as much as to ask for it."""

    def add(self, event: object, now: float | None = None) -> None:
        """Keep nothing."""


def granted(tenant: Tenant, endpoints: Endpoints, wire: Wire, proof: Proof) -> Grant:
    """Return a token for the application itself."""
    # It would look for its extensions at each sign-in, to compare versions.
    with translated(endpoints), without("msal_extensions"):
        try:
            return _granted(tenant, endpoints, wire, proof)
        except Unauthorized:
            if not wire.misled:
                raise
            return _granted(tenant, endpoints, wire, proof)


def _granted(tenant: Tenant, endpoints: Endpoints, wire: Wire, proof: Proof) -> Grant:
    # Built anew each time: msal replays failed answers, and would hand back a token that was refused.
    application = msal.ConfidentialClientApplication(
        tenant.client_id,
        client_credential=proof,
        authority=authority(tenant, endpoints),
        instance_discovery=False,
        azure_region=False,
        token_cache=_Nothing(),
        http_client=wire,
    )
    result = application.acquire_token_for_client([endpoints.scope])
    return Grant(result["access_token"], float(result["expires_in"]))


def authority(tenant: Tenant, endpoints: Endpoints) -> str:
    """Return the URL under which the tenant signs in."""
    return f"{endpoints.login}/{tenant.tenant_id}"


@contextmanager
def translated(endpoints: Endpoints) -> Iterator[None]:
    """Let msal's own errors come out as Unauthorized, naming the login.

    Only what came through `Wire` whole is still in doubt then: an endpoint that msal takes for none.
    """
    try:
        yield
    except (ValueError, KeyError, MsalError) as error:
        raise Unauthorized(
            f"{urlsplit(endpoints.login).netloc}: what answers there names no sign-in that can be used",
            mend="see cloud, login_url and tenant_id",
        ) from error
