"""Mistakes that no table of the settings has alone: what one says of another, or that two say the same.

Looks at what was written, whatever else is wrong with it: the tables as they were read, or as they were built by hand.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from collector.settings.keys import TENANTS
from collector.settings.mistakes import mistake
from collector.settings.secret import Located
from collector.settings.sources import label_of


def between(settings: object, *, strangers: bool = True) -> Iterator[InitErrorDetails]:
    """Yield an error for each such mistake in what is to become settings.

    `strangers`: whether a name that no tenant has is one.
    """
    tenants, sinks = _tables(settings, "tenants"), _tables(settings, "influxdb")
    if tenants and strangers:
        yield from _strangers(tenants, sinks)
    yield from _shared(tenants)


def again(error: ValidationError) -> list[InitErrorDetails]:
    """Return the errors that pydantic found, so that they can be raised together with others."""
    return [
        InitErrorDetails(
            type=PydanticCustomError(line["type"], "{said}", {**line.get("ctx", {}), "said": line["msg"]}),
            loc=line["loc"],
            input=line["input"],
        )
        for line in error.errors()
    ]


def _strangers(tenants: Mapping[str, object], sinks: Mapping[str, object]) -> Iterator[InitErrorDetails]:
    """Yield an error for each name in a sink's `tenants` that no tenant has."""
    for name, sink in sinks.items():
        only = _under(sink, "tenants")
        for index, tenant in enumerate(only if isinstance(only, list | tuple) else ()):
            if isinstance(tenant, str) and tenant and tenant not in tenants:
                yield InitErrorDetails(
                    type=mistake("no tenant has this name; a tenant is a table [tenants.NAME]"),
                    loc=("influxdb", name, "tenants", index),
                    input=tenant,
                )


def _shared(tenants: Mapping[str, object]) -> Iterator[InitErrorDetails]:
    """Yield an error for each `cache_file` that a tenant before has too: `login` to one would take the other's away."""
    owners: dict[str, str] = {}
    for name, tenant in tenants.items():
        credential = _under(tenant, "credential")
        file = _under(credential, "cache_file")
        if _under(credential, "kind") != "device_code" or not isinstance(file, Located | Path | str):
            continue
        owner = owners.setdefault(os.path.normpath(file.path if isinstance(file, Located) else file), name)
        if owner != name:
            theirs = label_of((TENANTS, owner, "credential", "cache_file"), {})
            yield InitErrorDetails(
                type=mistake(f"is the file of {theirs} too; each tenant's sign-in needs a file of its own"),
                loc=("tenants", name, "credential", "device_code", "cache_file"),
                input=file,
            )


def _tables(settings: object, key: str) -> Mapping[str, object]:
    found = _under(settings, key)
    return found if isinstance(found, dict) else {}


def _under(table: object, key: str) -> object:
    """Return what a table, read or built, has under `key`; None where it has nothing, or is no table."""
    return table.get(key) if isinstance(table, dict) else getattr(table, key, None)
