"""Settings: one TOML file, the variables over it, and every mistake in them at once. Is no state: a value, read once.

`load` is the only way from outside; the models can also be built by hand, and then refuse the same mistakes.
"""

from collector.settings.credentials import (
    Certificate,
    ClientSecret,
    Credential,
    DeviceCode,
    ManagedIdentity,
    WorkloadIdentity,
)
from collector.settings.loader import DEFAULT_FILE, load
from collector.settings.models import (
    Influx,
    Journal,
    Log,
    Poll,
    Settings,
    Spikes,
    Subject,
    Web,
)
from collector.settings.secret import Secret, content
from collector.settings.shard import Shard
from collector.settings.tenants import Tenant, TenantDefaults

__all__ = [
    "DEFAULT_FILE",
    "Certificate",
    "ClientSecret",
    "Credential",
    "DeviceCode",
    "Influx",
    "Journal",
    "Log",
    "ManagedIdentity",
    "Poll",
    "Secret",
    "Settings",
    "Shard",
    "Spikes",
    "Subject",
    "Tenant",
    "TenantDefaults",
    "Web",
    "WorkloadIdentity",
    "content",
    "load",
]
