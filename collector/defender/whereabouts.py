"""Which cloud a tenant is in, by what Microsoft's sign-in tells everybody. Is for who looks for a fault: no poll asks.

The fields are Microsoft's additions to the OpenID discovery document, and may be missing.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from collector.defender import document
from collector.defender.clouds import CLOUDS, Endpoints
from collector.errors import BadResponse, Unavailable
from collector.http import Http

_BY_SUB_SCOPE = {"GCC": "gcc", "DODCON": "gcc-high", "DOD": "dod"}
_BY_INSTANCE = {"microsoftonline.us": "gcc-high", "microsoftonline.com": "global"}
_GOVERNMENT = frozenset({"USG", "USGOV"})
_FIELDS = ("cloud_instance_name", "tenant_region_scope", "tenant_region_sub_scope")
_SHOWN = 40
"""Characters of a field in a message."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What `login` (a host) says of a tenant. `cloud`: as the settings call it, None for one that they don't know."""

    login: str
    cloud: str | None
    said: str

    def fits(self, cloud: str) -> bool:
        """Whether a tenant that is there is asked rightly as one of `cloud`; `gcc-high` and `dod` are asked alike."""
        return self.cloud is not None and CLOUDS[self.cloud] == CLOUDS[cloud]


def find(tenant_id: str, endpoints: Endpoints, http: Http, seconds: float) -> Whereabouts | None:
    """Return where the tenant is, None when no sign-in tells; `seconds` for each that is asked.

    Beside the one of the settings the other clouds' are asked, unless the settings name a sign-in of their own.
    """
    for login in (endpoints.login, *endpoints.other_logins):
        url = f"{login}/{quote(tenant_id, safe='')}/v2.0/.well-known/openid-configuration"
        try:
            answer = http.send("GET", url, seconds=seconds)
            said = document.read(answer.body) if answer.status == 200 else {}  # noqa: PLR2004 - HTTP's own number
        except (Unavailable, BadResponse):
            continue
        if found := _read(said, urlsplit(login).netloc):
            return found
    return None


def _read(said: dict[str, Any], login: str) -> Whereabouts | None:
    fields = {key: said[key] for key in _FIELDS if isinstance(said.get(key), str) and said[key].isprintable()}
    if not fields:
        return None
    instance, scope, sub_scope = (fields.get(key, "") for key in _FIELDS)
    cloud = _BY_SUB_SCOPE.get(sub_scope.upper())
    if cloud is None and not sub_scope:
        cloud = "gcc-high" if scope.upper() in _GOVERNMENT else _BY_INSTANCE.get(instance or "microsoftonline.com")
    return Whereabouts(login, cloud, ", ".join(f"{key} {value[:_SHOWN]}" for key, value in fields.items()))
