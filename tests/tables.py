"""Settings for tests to start from, as tables, and the way from tables to a file, to settings and to problems."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from collector.errors import ConfigError
from collector.settings import ClientSecret, Secret, Settings, load

GUID = "11111111-1111-1111-1111-111111111111"
CREDENTIAL = {"kind": "client_secret", "client_secret_file": "contoso.secret"}
CONTOSO: dict[str, Any] = {"tenant_id": GUID, "client_id": GUID, "credential": CREDENTIAL}
V2: dict[str, Any] = {"url": "http://h", "bucket": "b"}
V1: dict[str, Any] = {"api": "v1", "url": "http://h", "database": "d"}


def toml(value: object) -> str:
    """Return `value` on one line, as TOML has it."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{toml(str(key))} = {toml(each)}' for key, each in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, str):
        return '"' + "".join(each if each.isalnum() else f"\\U{ord(each):08x}" for each in value) + '"'
    return str(value).lower()


def planted(tables: object, place: tuple[str, ...], value: object) -> Any:
    """Return the tables with `value` at `place`, whatever stood in the way."""
    if not place:
        return value
    whole = tables if isinstance(tables, dict) else {}
    return whole | {place[0]: planted(whole.get(place[0], {}), place[1:], value)}


def loaded(folder: Path, tables: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of a file with these tables, under these variables."""
    text = "".join(f"{toml(key)} = {toml(value)}\n" for key, value in tables.items())
    (folder / "c.toml").write_text(text, encoding="utf-8")
    return load(folder / "c.toml", environ or {})


def outcome(
    folder: Path, tables: Mapping[str, Any], environ: Mapping[str, str] | None = None
) -> Settings | ConfigError:
    """Return the settings, or the error that was raised in their place."""
    try:
        return loaded(folder, tables, environ)
    except ConfigError as error:
        return error


def problems(folder: Path, tables: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return the lines about what is wrong, without the numbers of lines; none where nothing is."""
    made = outcome(folder, tables, environ)
    return tuple(map(unnumbered, made.problems)) if isinstance(made, ConfigError) else ()


def unnumbered(problem: str) -> str:
    """Return a problem without the line of the file that it is about."""
    return re.sub(r" \(line [0-9]+\)(?=: )", "", problem, count=1)


def client_secret(settings: Settings, tenant: str = "contoso") -> Secret:
    """Return the secret with which a tenant signs in."""
    credential = settings.tenants[tenant].credential
    assert isinstance(credential, ClientSecret)
    return credential.client_secret
