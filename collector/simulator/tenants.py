"""Who lives in the simulator. Is not a secret store: the application's secret is handed to the sign-in alone."""

from dataclasses import dataclass

from collector.simulator.dice import guid
from collector.simulator.names import tenant_names


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """An organization by its name in the settings, and the application that may read its score."""

    name: str
    tenant_id: str
    client_id: str


def residents(count: int, seed: int) -> tuple[Tenant, ...]:
    """Return `count` tenants; their ids are the same for the same seed.

    All have one application, as the customers of a provider do: one client id and one secret, a token from each tenant.
    """
    client_id = guid(seed, "application")
    return tuple(
        Tenant(name=name, tenant_id=guid(seed, "tenant", name), client_id=client_id) for name in tenant_names(count)
    )
