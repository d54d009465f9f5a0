"""When each tenant's credential ends, and a warning a day before it does. Asks nobody: it reads what the settings name.

A certificate that was replaced is seen at the next look.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from collector.log import logger

WARN_DAYS = 30
"""A credential that ends within these is warned of, once a day."""

_MEND = "make a new one, register it with the application, and put it where the settings name the old one"

_log = logger()


class Expiring(Protocol):
    """A tenant, as far as its credential ends."""

    @property
    def tenant(self) -> str:
        """The tenant's name in the settings."""

    def expires(self) -> datetime | None:
        """Return when the credential ends; None where it doesn't, or it can't be told."""


class Expiry:
    """What was seen at the last look. `clock`: seconds since the epoch. One thread looks; any may read."""

    def __init__(self, sources: Sequence[Expiring], clock: Callable[[], float] = time.time) -> None:
        self._sources = sources
        self._clock = clock
        self._said: dict[str, date] = {}
        self.moments: Mapping[str, float] = {}
        """By tenant, seconds since the epoch; a tenant whose credential has no end that is known isn't in it."""

    def look(self) -> None:
        """See when each credential ends; log `credential.expires` for one that does soon, once a day (UTC)."""
        found = {source.tenant: ends for source in self._sources if (ends := source.expires()) is not None}
        self.moments = {tenant: ends.timestamp() for tenant, ends in found.items()}
        now = datetime.fromtimestamp(self._clock(), UTC)
        for tenant, ends in found.items():
            if ends - now < timedelta(days=WARN_DAYS) and self._said.get(tenant) != now.date():
                self._said[tenant] = now.date()
                _say(tenant, ends, now)


def _say(tenant: str, ends: datetime, now: datetime) -> None:
    log = _log.error if ends <= now else _log.warning
    days_left = (ends - now).days
    log("credential.expires", tenant=tenant, day=ends.date().isoformat(), days_left=days_left, mend=_MEND)
