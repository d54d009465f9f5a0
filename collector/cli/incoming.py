"""A file that is to come into the journal: whose it is, and its points, as often as it is read. Takes none in."""

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from collector.cli.names import nearest
from collector.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from collector.history.plain import Identity, Naming, Torn
    from collector.history.sheet import Sheet, Wrong
    from collector.journal import Journal
    from collector.point import Point, Series
    from collector.settings import Settings

GROUPS = "exposure_score_by_group"


class Job:
    """One file for one journal, None where there is none yet: every look at it finds the same."""

    def __init__(
        self,
        sheet: "Sheet",
        settings: "Settings",
        journal: "Journal | None",
        tenant: str | None,
        *,
        any_score: bool,
    ) -> None:
        self.sheet = sheet
        self.tenant = tenant
        self._settings = settings
        self._journal = journal
        self._any_score = any_score
        self._now = int(time.time() * 1000)
        self._series: Callable[[str], Series] | None = None
        self.torn: Mapping[Identity, Torn] = {}
        """The times at which lines of a plain file contradict each other, as far as it was read."""
        self.passed: set[str] = set()
        """The tenants in the file that were not asked for."""

    def want_tenant(self) -> None:
        """Let a plain file's tenant be known: the one that was named, or the only one; else raise ConfigError."""
        names = list(self._settings.tenants)
        if self.tenant is None:
            if len(names) != 1:
                have = nearest("", names) or "none of this shard"
                raise ConfigError([f"--tenant: of which tenant is this file? The settings have {have}"])
            (self.tenant,) = names
        elif self.tenant not in names and self.tenant not in self.tenants():
            known = nearest(self.tenant, list(dict.fromkeys([*names, *self.tenants()])))
            raise ConfigError(
                [f"--tenant: {self.tenant}: neither the settings nor the journal have it; they have {known}"]
            )

    def points(self) -> "Iterator[Point | Wrong]":
        """Yield what the file says, from its start."""
        from collector.history.plain import Plain
        from collector.history.table import Table

        comma, records = self.sheet.comma, self.sheet.records()
        if self.sheet.plain:
            self._series = self._series or self._naming().series
            plain = Plain(self._series, now=self._now, comma=comma, any_score=self._any_score, torn=self.torn)
            yield from plain.points(records)
            self.torn = plain.torn
            return
        table = Table(now=self._now, tenant=self.tenant, comma=comma, any_score=self._any_score)
        yield from table.points(records)
        self.passed = table.passed

    def _naming(self) -> "Naming":
        from collector.history.plain import Naming
        from collector.service import last_ids

        tenant = self.tenant or ""
        if self._journal is None:
            return Naming(tenant, {}, ())
        known = self.groups(tenant)
        return Naming(tenant, last_ids(self._journal, tenant, 0), known)

    def groups(self, tenant: str) -> set[str]:
        """Return the names of the device groups of which the journal has something."""
        every = self._journal.series(GROUPS, tenant) if self._journal else ()
        return {series.tag("rbacGroupName") for series in every}

    def tenants(self) -> Sequence[str]:
        """Return the tenants of which the journal has something."""
        return self._journal.tenants() if self._journal else ()
