"""Which hosts, login and scope belong to a tenant's cloud. Is a table, from Microsoft's pages, and asks nobody."""

from dataclasses import dataclass

from collector.settings import Tenant

_PUBLIC_LOGIN = "https://login.microsoftonline.com"
_US_LOGIN = "https://login.microsoftonline.us"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """`api` and `login`: URLs without a final slash. `hosts`: every API host of the same cloud, by name."""

    api: str
    login: str
    scope: str
    hosts: frozenset[str]


_GLOBAL = Endpoints(
    "https://api.security.microsoft.com",
    _PUBLIC_LOGIN,
    # The older host's name, also for tokens that go to the newer one and to the regions.
    "https://api.securitycenter.microsoft.com/.default",
    frozenset(
        {
            "api.security.microsoft.com",
            "api.securitycenter.microsoft.com",
            *(f"{region}.api.security.microsoft.com" for region in ("us", "eu", "uk", "au", "swa", "ina", "aea")),
        }
    ),
)


def _own(host: str, login: str) -> Endpoints:
    return Endpoints(f"https://{host}", login, f"https://{host}/.default", frozenset({host}))


_CLOUDS = {
    "global": _GLOBAL,
    "gcc": _own("api-gcc.securitycenter.microsoft.us", _PUBLIC_LOGIN),
    "gcc-high": _own("api-gov.securitycenter.microsoft.us", _US_LOGIN),
    "dod": _own("api-gov.securitycenter.microsoft.us", _US_LOGIN),
}


def endpoints(tenant: Tenant) -> Endpoints:
    """Return where this tenant is asked: what its settings name, and for the rest what its cloud and region say.

    `hosts` is always the cloud's: an `api_url` of the settings stands in for those hosts.
    """
    cloud = _CLOUDS[tenant.cloud]
    api = f"https://{tenant.region}.api.security.microsoft.com" if tenant.region else cloud.api
    return Endpoints(
        api=(tenant.api_url or api).rstrip("/"),
        login=(tenant.login_url or cloud.login).rstrip("/"),
        scope=tenant.scope or cloud.scope,
        hosts=cloud.hosts,
    )
