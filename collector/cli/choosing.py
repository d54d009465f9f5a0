"""Tenants and device groups by what a person types: those that are meant, or the nearest that there are."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from collector.cli.names import nearest
from collector.cli.options import elsewhere
from collector.errors import ConfigError
from collector.point import NO_ID

if TYPE_CHECKING:
    from collector.journal import Journal
    from collector.settings import Settings

_GROUPS = "exposure_score_by_group"


def some_tenants(settings: "Settings", journal: "Journal", names: Sequence[str]) -> Sequence[str]:
    """Return the tenants that were asked for, each once, or all of the settings.

    One with a history may have left the settings. Raise ConfigError for one that is in neither.
    """
    if not names:
        return list(settings.tenants)
    known = list(dict.fromkeys([*settings.tenants, *journal.tenants()]))
    for name in names:
        if name not in known:
            there = f"no tenant of that name; there are {nearest(name, known)}"
            raise ConfigError([f"--tenant: {elsewhere(settings, name) or there}"])
    return list(dict.fromkeys(names))


def one_group(journal: "Journal", tenants: Sequence[str], word: str) -> str:
    """Return the name or id of the group that is meant; raise ConfigError where that is none, or not one alone."""
    groups = [
        series
        for series in journal.series(_GROUPS, tenants[0] if len(tenants) == 1 else None)
        if series.tag("tenant") in tenants
    ]
    names = sorted({series.tag("rbacGroupName") for series in groups})
    if word in names or word in {series.tag("rbacGroupId") for series in groups} - {NO_ID}:
        return word
    small = word.casefold()
    same = [name for name in names if name.casefold() == small]
    begun = same or [name for name in names if small and name.casefold().startswith(small)]
    if len(begun) == 1:
        return begun[0]
    if begun:
        raise ConfigError([f"--group: {len(begun)} device groups are called or begin so: {nearest(word, begun)}"])
    near = f"there are {nearest(word, names)}" if names else "there are no groups"
    raise ConfigError([f"--group: no device group of that name or id; {near}"])
