"""What tenants share: `[tenant_defaults]` fills in what a tenant doesn't say itself, each key as a whole.

Works on tables as they were read, before any check, so that each value is judged as the tenant's own would be.
"""

from collections.abc import Container, Iterator
from copy import deepcopy
from typing import Any

from collector.settings.keys import DEFAULTS, TENANTS, Place
from collector.settings.tenants import TenantDefaults

_OF_CLOUD = ("region", "api_url", "login_url", "scope")
"""What is true of one cloud alone: a tenant that names a cloud itself has none of it from the defaults."""


def share(tables: dict[str, Any]) -> set[tuple[str, str]]:
    """Give each tenant what it doesn't say itself; return which tenant has which key so."""
    defaults = tables.get(DEFAULTS)
    shared = set()
    for name, tenant in _tenants(tables):
        out = {*tenant, *(_OF_CLOUD if "cloud" in tenant else ())}
        for key, value in defaults.items() if isinstance(defaults, dict) else ():
            if key in TenantDefaults.model_fields and key not in out:
                # A copy: a variable may set a part of it for one tenant alone.
                tenant[key] = deepcopy(value)
                shared.add((name, key))
    return shared


def unshare(tables: dict[str, Any], shared: set[tuple[str, str]], variables: Container[Place]) -> None:
    """Take back what belongs to the defaults' cloud where a variable has named another one for a tenant."""
    for name, tenant in _tenants(tables):
        for key in _OF_CLOUD if (TENANTS, name, "cloud") in variables else ():
            if (name, key) in shared and (TENANTS, name, key) not in variables:
                shared.discard((name, key))
                del tenant[key]


def _tenants(tables: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    tenants = tables.get(TENANTS)
    for name, tenant in tenants.items() if isinstance(tenants, dict) else ():
        if isinstance(tenant, dict):
            yield name, tenant
