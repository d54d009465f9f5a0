"""One tenant and one sink from the variables that Azure's and InfluxDB's own tools read, for a start without a file.

The kind of credential is chosen as those tools choose theirs: what is set first in the order secret, certificate,
workload identity, managed identity; AZURE_TOKEN_CREDENTIALS narrows the choice. What only a machine's platform sets
makes no tenant by itself: a person has to have named something, too.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from collector.settings.keys import Place
from collector.settings.mistakes import nearest

_IDS = {"tenant_id": "AZURE_TENANT_ID", "client_id": "AZURE_CLIENT_ID"}

_SECRET = {"client_secret": "AZURE_CLIENT_SECRET"}

_CERTIFICATE = {"certificate_file": "AZURE_CLIENT_CERTIFICATE_PATH"}

_PASSWORD = {"password": "AZURE_CLIENT_CERTIFICATE_PASSWORD"}

_TOKEN = {"token_file": "AZURE_FEDERATED_TOKEN_FILE"}

_PLATFORM = ("IDENTITY_ENDPOINT", "MSI_ENDPOINT", "IMDS_ENDPOINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST")
"""Set on machines that have a managed identity, but not on a plain virtual machine."""

_CHOICE = "AZURE_TOKEN_CREDENTIALS"

_KINDS = {
    "prod": ("client_secret", "certificate", "workload_identity", "managed_identity"),
    "EnvironmentCredential": ("client_secret", "certificate"),
    "WorkloadIdentityCredential": ("workload_identity",),
    "ManagedIdentityCredential": ("managed_identity",),
}
"""By what AZURE_TOKEN_CREDENTIALS says, in any case, the kinds that are looked for; the first where none is found."""

INSTEAD = {
    "AZURE_CLIENT_SECRET": (
        "; or sign in with a certificate (AZURE_CLIENT_CERTIFICATE_PATH), a federated token "
        "(AZURE_FEDERATED_TOKEN_FILE) or a managed identity (AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential)"
    )
}
"""By the variable that is missing, what would do instead."""

_SINK = {"url": "INFLUXDB_V2_URL", "org": "INFLUXDB_V2_ORG", "bucket": "INFLUXDB_V2_BUCKET"}

_SINK_TOKEN = {"token": "INFLUXDB_V2_TOKEN"}


def ecosystem(environ: Mapping[str, str]) -> tuple[dict[str, Any], dict[Place, str], list[str]]:
    """Return settings as TOML would give them, which variable each value comes from or is to come from, and problems.

    A variable that is empty is not set. A tenant or a sink that is set in part is there in part: the models say what
    is missing. No variable at all: no settings.
    """
    given = {name: value for name, value in environ.items() if value}
    tables: dict[str, Any] = {}
    variables: dict[Place, str] = {}
    sink = _table(given, _SINK | _forms(_SINK_TOKEN))
    if sink:
        tables["influxdb"] = {"main": sink}
        variables |= _places(("influxdb", "main"), _SINK | _forms(_SINK_TOKEN))
    if not _meant(given, with_sink=bool(sink)):
        return tables, variables, []
    name = given.get("COLLECTOR_TENANT", "default")
    credential = {"kind": _kind(given), **_table(given, _of(_kind(given)))}
    tables["tenants"] = {name: _table(given, _IDS) | _authority(given) | {"credential": credential}}
    if "COLLECTOR_TENANT" in given:
        variables["tenants", name] = "COLLECTOR_TENANT"
    elsewhere = {"cloud": "AZURE_AUTHORITY_HOST", "login_url": "AZURE_AUTHORITY_HOST"}
    variables |= _places(("tenants", name), _IDS | elsewhere)
    variables |= _places(("tenants", name, "credential"), _of(*_KINDS["prod"]))
    return tables, variables, list(_wrong_choice(given))


def _meant(given: Mapping[str, str], *, with_sink: bool) -> bool:
    """Whether there is to be a tenant: one that is named in part at least, or a managed identity that is asked for.

    A platform's own variables ask for none, but beside a sink there is nothing else that they could be for.
    """
    if any(name in given for name in ("COLLECTOR_TENANT", *_IDS.values(), *_of(*_KINDS["prod"]).values())):
        return True
    platform = any(name in given for name in _PLATFORM) and (with_sink or _choice(given) == "prod")
    return (platform and not _others(given)) or _choice(given) not in ("", "prod")


def _others(given: Mapping[str, str]) -> bool:
    """Whether there are variables of tenants with names of their own, which need no other beside them."""
    above, default = "COLLECTOR__TENANTS", "COLLECTOR__TENANTS__DEFAULT__"
    names = [name.upper() for name in given]
    return any(name.startswith(above) and not name.startswith(default) for name in names)


def _choice(given: Mapping[str, str]) -> str:
    """Return what AZURE_TOKEN_CREDENTIALS chooses, spelt as its manual does; empty where it is not for a service."""
    said = given.get(_CHOICE, "").strip().lower()
    return next((name for name in _KINDS if name.lower() == said), "")


def _wrong_choice(given: Mapping[str, str]) -> Iterator[str]:
    if given.get(_CHOICE, "").strip() and not _choice(given):
        near = nearest(given[_CHOICE].strip(), _KINDS)
        *others, last = _KINDS
        yield (
            f"{_CHOICE}: must be {', '.join(others)} or {last}; "
            + (f"did you mean {near}?" if near else "what a developer's tools sign in with is not for a service")
        )


def _kind(given: Mapping[str, str]) -> str:
    """Return the kind of credential that is meant: the first that is set, else the first that may be."""
    kinds = _KINDS[_choice(given) or "prod"]
    there = {kind for kind in kinds if any(name in given for name in _of(kind).values())}
    if any(name in given for name in _PLATFORM):
        there.add("managed_identity")
    return next((kind for kind in kinds if kind in there), kinds[0])


def _of(*kinds: str) -> dict[str, str]:
    """Return the keys that these kinds of credential have, each with its variable."""
    keys = {
        "client_secret": _forms(_SECRET),
        "certificate": _CERTIFICATE | _forms(_PASSWORD),
        "workload_identity": _TOKEN,
        "managed_identity": {},
    }
    return {key: variable for kind in kinds for key, variable in keys[kind].items()}


def _authority(given: Mapping[str, str]) -> dict[str, str]:
    """Return what AZURE_AUTHORITY_HOST says, which is taken with and without scheme and final slash."""
    host = given.get("AZURE_AUTHORITY_HOST", "").strip().rstrip("/").lower().removeprefix("https://")
    if host in ("", "login.microsoftonline.com"):
        return {}
    if host == "login.microsoftonline.us":
        return {"cloud": "gcc-high"}
    return {"login_url": host if "://" in host else f"https://{host}"}


def _forms(secret: Mapping[str, str]) -> dict[str, str]:
    """Return the keys of a secret by value and of its file, each with its variable."""
    files = {f"{key}_file": f"{variable}_FILE" for key, variable in secret.items()}
    return {**secret, **files}


def _table(given: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Any]:
    return {key: given[variable] for key, variable in names.items() if variable in given}


def _places(above: Place, names: Mapping[str, str]) -> dict[Place, str]:
    return {(*above, key): variable for key, variable in names.items()}
