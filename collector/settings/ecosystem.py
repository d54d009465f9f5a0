"""One tenant and one sink from the variables that Azure's and InfluxDB's own tools read, for a start without a file."""

from collections.abc import Mapping
from typing import Any

from collector.settings.keys import Place

_UNSUPPORTED = {"AZURE_CLIENT_CERTIFICATE_PATH": "certificate", "AZURE_FEDERATED_TOKEN_FILE": "workload_identity"}
"""Variables that ask for another kind of credential, and that kind."""


def ecosystem(environ: Mapping[str, str]) -> tuple[dict[str, Any], dict[Place, str]]:
    """Return settings as TOML would give them, and which variable each value has come from, or is to come from.

    A variable that is empty is not set. A tenant or a sink that is set in part is there in part: the models say what
    is missing. No variable at all: no settings.
    """
    given = {name: value for name, value in environ.items() if value}
    tables: dict[str, Any] = {}
    variables: dict[Place, str] = {}
    _tenant(given, tables, variables)
    _sink(given, tables, variables)
    return tables, variables


def _tenant(given: Mapping[str, str], tables: dict[str, Any], variables: dict[Place, str]) -> None:
    tenant = _table(given, {"tenant_id": "AZURE_TENANT_ID", "client_id": "AZURE_CLIENT_ID"})
    secret = _secret(given, "client_secret", "AZURE_CLIENT_SECRET")
    other = next((name for name in _UNSUPPORTED if name in given), "")
    if not (tenant or secret or other or "COLLECTOR_TENANT" in given):
        return
    name = given.get("COLLECTOR_TENANT", "default")
    place: Place = ("tenants", name)
    if secret or not other:
        tenant["credential"] = {"kind": "client_secret", **secret}
    else:
        tenant["credential"] = {"kind": _UNSUPPORTED[other]}
        variables[(*place, "credential", "kind")] = other
    tables["tenants"] = {name: tenant}
    if "COLLECTOR_TENANT" in given:
        variables[place] = "COLLECTOR_TENANT"
    variables[(*place, "tenant_id")] = "AZURE_TENANT_ID"
    variables[(*place, "client_id")] = "AZURE_CLIENT_ID"
    variables[(*place, "credential", "client_secret")] = "AZURE_CLIENT_SECRET"
    variables[(*place, "credential", "client_secret_file")] = "AZURE_CLIENT_SECRET_FILE"


def _sink(given: Mapping[str, str], tables: dict[str, Any], variables: dict[Place, str]) -> None:
    names = {"url": "INFLUXDB_V2_URL", "org": "INFLUXDB_V2_ORG", "bucket": "INFLUXDB_V2_BUCKET"}
    sink = _table(given, names) | _secret(given, "token", "INFLUXDB_V2_TOKEN")
    if not sink:
        return
    tables["influxdb"] = {"main": sink}
    for key, variable in {**names, "token": "INFLUXDB_V2_TOKEN", "token_file": "INFLUXDB_V2_TOKEN_FILE"}.items():
        variables["influxdb", "main", key] = variable


def _table(given: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Any]:
    return {key: given[variable] for key, variable in names.items() if variable in given}


def _secret(given: Mapping[str, str], key: str, variable: str) -> dict[str, Any]:
    return _table(given, {key: variable, f"{key}_file": f"{variable}_FILE"})
