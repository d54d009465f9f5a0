"""The ways to a token, a file a kind of credential, each by the real msal over our HTTP. Keeps no token: `auth` does.

msal's own caches are never trusted: it replays failed answers, and would hand back a refused token. So each sign-in has
an application of its own, with the credential read anew, and its HTTP is ours: one deadline, one rule for trust.
"""

import time
from collections.abc import Callable
from functools import partial

from collector.defender.clouds import Endpoints
from collector.defender.sign_in.device import ByDeviceCode
from collector.defender.sign_in.federation import ByFederation
from collector.defender.sign_in.grant import Grant, SignIn
from collector.defender.sign_in.login import Code, Login, Person
from collector.defender.sign_in.logins import Logins
from collector.defender.sign_in.managed import ByManagedIdentity
from collector.defender.sign_in.secret import BySecret
from collector.defender.sign_in.wire import Wire
from collector.http import Http
from collector.settings import Certificate, ClientSecret, DeviceCode, Tenant, WorkloadIdentity

__all__ = ["Code", "Grant", "Login", "Logins", "Person", "SignIn", "sign_in_of"]


def sign_in_of(
    name: str,
    tenant: Tenant,
    endpoints: Endpoints,
    http: Http,
    clock: Callable[[], int] = time.time_ns,
    logins: Logins | None = None,
) -> SignIn:
    """Return how this tenant signs in. `clock`: ns since the epoch. `logins`: what other tenants have seen of them."""
    wires = partial(Wire, http, endpoints, logins=logins)
    match tenant.credential:
        case ClientSecret() as credential:
            return BySecret(tenant, credential, endpoints, wires)
        case Certificate() as credential:
            # It needs cryptography whole, which takes its time to import.
            from collector.defender.sign_in.certificate import ByCertificate  # noqa: PLC0415 - as said

            return ByCertificate(tenant, credential, endpoints, wires, clock)
        case WorkloadIdentity() as credential:
            return ByFederation(tenant, credential, endpoints, wires, clock)
        case DeviceCode() as credential:
            return ByDeviceCode(name, tenant, credential, endpoints, http)
        case _:
            return ByManagedIdentity(tenant, endpoints, http)
