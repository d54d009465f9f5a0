"""Changed settings for a service that runs: what of them is taken up, what waits for a restart, and what is refused.

Tenants, `[spikes]` and `[log]` are taken up, and the shard, which only says whose the tenants are. All else (where the
journal is, who listens where, which sinks there are, when is polled) stays as it was at the start, and is named.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collector.errors import ConfigError
from collector.log import logger
from collector.settings import Settings
from collector.settings.section import Section

_TAKEN = ("tenants_dir", "shard", "tenant_defaults", "tenants", "spikes", "log")
_LISTED = 20
"""Tenants that a line names at the most."""
_SHOWN = 3
"""Mistakes that a page names at the most; the log has all."""

_log = logger()


@dataclass(frozen=True, slots=True)
class Change:
    """From some settings to others: the tenants by name, and the keys that a restart alone takes up."""

    settings: Settings
    added: Sequence[str]
    removed: Sequence[str]
    changed: Sequence[str]
    kept: Sequence[str]


def change(old: Settings, new: Settings) -> Change:
    """Return what of `new` a service that runs by `old` takes up, as settings that are both."""
    before, after = old.tenants, new.tenants
    return Change(
        settings=new.keeping(old, _TAKEN),
        added=[name for name in after if name not in before],
        removed=[name for name in before if name not in after],
        changed=[name for name in after if name in before and before[name] != after[name]],
        kept=list(_differing(_kept(old), _kept(new), ())),
    )


class Reload:
    """How the last reload went. One thread reloads; any may read."""

    def __init__(self) -> None:
        self._refused: Sequence[str] = ()
        self._kept: Sequence[str] = ()
        self.at = time.time()
        """When the settings that hold were taken up, in seconds since the epoch."""

    @property
    def ok(self) -> bool:
        """Whether the settings that hold are those of the last reload."""
        return not self._refused

    @property
    def warnings(self) -> Sequence[str]:
        """What is not as the settings on disk say, in a line each."""
        refused, kept = self._refused, self._kept
        more = len(refused) - _SHOWN
        shown = [*refused[:_SHOWN], *([f"and {more} more"] if more > 0 else [])]
        return [
            *([f"the last reload was refused, and the settings before it hold: {'; '.join(shown)}"] if refused else []),
            *([f"a restart alone takes up {', '.join(kept)}"] if kept else []),
        ]

    def refused(self, error: ConfigError) -> None:
        """Take note, and log, that the settings are wrong: the old ones go on."""
        self._refused = error.problems
        which = f" ({error.mend})" if error.mend else ""
        _log.error("settings.refused", problems=list(error.problems), mend=f"mend them, and reload again{which}")

    def taken(self, made: Change) -> None:
        """Take note, and log, what was taken up."""
        self._refused, self._kept = (), made.kept
        self.at = time.time()
        _log.info(
            "settings.reloaded",
            tenants=len(made.settings.tenants),
            added=_listed(made.added),
            removed=_listed(made.removed),
            changed=_listed(made.changed),
        )
        if made.kept:
            _log.warning("settings.kept", keys=list(made.kept), mend="a restart takes them up")


def _listed(names: Sequence[str]) -> list[str]:
    more = len(names) - _LISTED
    return [*names[:_LISTED], *([f"and {more} more"] if more > 0 else [])]


def _kept(settings: Settings) -> Mapping[str, Any]:
    return {key: value for key, value in settings if key not in _TAKEN}


def _differing(old: Mapping[str, Any], new: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[str]:
    """Yield the key of each value that differs, or of the table that one of the two doesn't have."""
    for key in dict.fromkeys([*old, *new]):
        one, other = old.get(key), new.get(key)
        if one == other:
            continue
        tables = _table(one), _table(other)
        if tables[0] is None or tables[1] is None:
            yield ".".join((*above, key))
        else:
            yield from _differing(tables[0], tables[1], (*above, key))


def _table(value: object) -> Mapping[str, Any] | None:
    """Return a table of the settings with its values by key; None for what is a value itself."""
    if isinstance(value, dict):
        return value
    return dict(value) if isinstance(value, Section) else None
