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
from collector.settings import Tenant

Proof = str | Mapping[str, object] | Mapping[str, Callable[[], str]]
"""A secret, a certificate with its key, or what returns an assertion: as msal takes them."""


def granted(tenant: Tenant, endpoints: Endpoints, wire: Wire, proof: Proof) -> Grant:
    """Return a token for the application itself."""
    with translated(endpoints):
        # Built anew each time: msal replays failed answers, and would hand back a token that was refused.
        application = msal.ConfidentialClientApplication(
            tenant.client_id,
            client_credential=proof,
            authority=authority(tenant, endpoints),
            instance_discovery=False,
            azure_region=False,
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
