"""Which hosts, login and scope belong to a tenant's cloud. Is a table, from Microsoft's pages, and asks nobody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from collector.defender.meanings import CONSENT
from collector.settings import Tenant

_PUBLIC_LOGIN = "https://login.microsoftonline.com"
_US_LOGIN = "https://login.microsoftonline.us"
_PORTALS = {"gcc-high": "https://security.microsoft.us", "dod": "https://security.apps.mil"}
_PUBLIC_PORTAL = "https://security.microsoft.com"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """`api` and `login`: URLs without a final slash. `hosts`: every API host of the same cloud, by name.

    `other_logins`: those of other clouds, where the settings name none of their own. `asked`: by which settings the
    API is asked there. `mend`: what to do when something else answers. `mends`: by the sign-in's
    code, the settings to look at.
    """

    api: str
    login: str
    scope: str
    hosts: frozenset[str]
    other_logins: Sequence[str] = ()
    asked: str = ""
    mend: str = ""
    mends: Mapping[int, str] = field(default_factory=dict)


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


CLOUDS = {
    "global": _GLOBAL,
    "gcc": _own("api-gcc.securitycenter.microsoft.us", _PUBLIC_LOGIN),
    "gcc-high": _own("api-gov.securitycenter.microsoft.us", _US_LOGIN),
    "dod": _own("api-gov.securitycenter.microsoft.us", _US_LOGIN),
}


def endpoints(tenant: Tenant, table: str = "tenants.NAME") -> Endpoints:
    """Return where this tenant is asked: what its settings name, and for the rest what its cloud and region say.

    `hosts` is always the cloud's: an `api_url` of the settings stands in for those hosts. `table`: what the settings
    call the tenant's table, for messages.
    """
    cloud = CLOUDS[tenant.cloud]
    api = f"https://{tenant.region}.api.security.microsoft.com" if tenant.region else cloud.api
    login = (tenant.login_url or cloud.login).rstrip("/")
    region = f", region {tenant.region}" if tenant.region else ""
    return Endpoints(
        api=(tenant.api_url or api).rstrip("/"),
        login=login,
        scope=tenant.scope or cloud.scope,
        hosts=cloud.hosts,
        other_logins=() if tenant.login_url else tuple(sorted({other.login for other in CLOUDS.values()} - {login})),
        asked=f"cloud {tenant.cloud}{region}{', but the host is that of api_url' if tenant.api_url else ''}",
        mend=_mend(tenant, table),
        mends=_mends(tenant, table, tenant.scope or cloud.scope),
    )


def portal(tenant: Tenant) -> str:
    """Return the page of the portal on which a person sees a tenant's weaknesses."""
    own = f"?tid={tenant.tenant_id}" if tenant.tenant_id else ""
    return f"{_PORTALS.get(tenant.cloud, _PUBLIC_PORTAL)}/tvm_dashboard{own}"


def clouds_of(host: str) -> Sequence[str]:
    """Return the clouds whose API has this host, none for a host that isn't in the table."""
    return [name for name, cloud in CLOUDS.items() if host in cloud.hosts]


def _mends(tenant: Tenant, table: str, scope: str) -> Mapping[int, str]:
    """Return where to look when the sign-in doesn't find something, with what stands there: none of it is secret."""
    tenant_id, cloud = f"{table}.tenant_id ({tenant.tenant_id or 'not set'})", f"{table}.cloud ({tenant.cloud})"
    client_id = f"{table}.client_id ({tenant.client_id or 'not set'})"
    return {
        90002: f"see {tenant_id}, and {cloud}: a tenant of another cloud is not known here",
        700016: f"see {client_id} and {tenant_id}; in a customer's tenant, {CONSENT}",
        500011: f"the tenant needs Defender for Endpoint; see {cloud} and the scope ({scope}), which may be another"
        f" cloud's, and {tenant_id}",
    }


def _mend(tenant: Tenant, table: str) -> str:
    proxy = "or a proxy answers in the host's place"
    if tenant.api_url is None:
        region = f", and {table}.region" if tenant.region else ""
        others = ", ".join(f"{name} {urlsplit(cloud.api).hostname}" for name, cloud in CLOUDS.items())
        return f"see {table}.cloud{region} (each has its host: {others}); {proxy}"
    host = urlsplit(tenant.api_url).hostname or ""
    usual = urlsplit(CLOUDS[tenant.cloud].api).hostname
    theirs = clouds_of(host)
    if theirs and tenant.cloud not in theirs:
        return f'{host} is the host of cloud {theirs[0]}: set {table}.cloud = "{theirs[0]}", and leave api_url out'
    return f"leave {table}.api_url out: it overrides the host of cloud {tenant.cloud}, {usual}; {proxy}"
