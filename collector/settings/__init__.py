"""Settings: one TOML file, the variables over it, and every mistake in them at once. Is no state: a value, read once.

`load` is the only way from outside; the models can also be built by hand, and then refuse the same mistakes.
"""

from collector.settings.loader import DEFAULT_FILE, load
from collector.settings.models import (
    ClientSecret,
    Credential,
    Influx,
    Journal,
    Log,
    Poll,
    Settings,
    Spikes,
    Subject,
    Tenant,
    Web,
)
from collector.settings.secret import Secret

__all__ = [
    "DEFAULT_FILE",
    "ClientSecret",
    "Credential",
    "Influx",
    "Journal",
    "Log",
    "Poll",
    "Secret",
    "Settings",
    "Spikes",
    "Subject",
    "Tenant",
    "Web",
    "load",
]
