"""Where a page is: what its address asks for, and the addresses of the others."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from collector.history import Group
from collector.history.view import SHOWN
from collector.point import NO_ID

RANGES: Mapping[str, str] = {
    "7": "7 days",
    "30": "30 days",
    "90": "90 days",
    "365": "365 days",
    "all": "All",
}
USUAL = "90"
"""The range of an address that names none."""
_LONGEST = 2_000
"""Characters of an address; a group that would need more has none."""


class Unknown(ValueError):
    """An address that asks for what isn't there: which part, and what there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an address asks for. `place`: of the first row that is shown."""

    tenant: str | None = None
    group: str | None = None
    range: str = USUAL
    place: int = 0

    @property
    def days(self) -> int | None:
        """Days that are shown; None for all."""
        return None if self.range == "all" else int(self.range)

    def address(self) -> str:
        """Return the address that asks for it."""
        named = {
            "tenant": self.tenant,
            "group": self.group,
            "days": self.range if self.range != USUAL else None,
            "page": self.place // SHOWN + 1 if self.place else None,
        }
        query = urlencode({key: value for key, value in named.items() if value is not None}, errors="replace")
        return f"/?{query}" if query else "/"

    def ranged(self, name: str) -> "Asked":
        """Return the same page with another range."""
        return replace(self, range=name)

    def from_place(self, place: int) -> "Asked":
        """Return the page that has this place."""
        return replace(self, place=place)

    def of(self, tenant: str, group: Group | None = None, *, alone: bool = True) -> str | None:
        """Return the address of a tenant or a group; `alone`: no other group has its name."""
        named = None
        if group is not None:
            names = (group.name, group.id) if alone else (group.id, group.name)
            found = [
                name for name in names if name != NO_ID and len(urlencode({"": name}, errors="replace")) <= _LONGEST
            ]
            if not found:
                return None
            named = found[0]
        return Asked(tenant=tenant, group=named, range=self.range).address()


def asked(query: Mapping[str, str]) -> Asked:
    """Return what a query asks for; raise Unknown for what it can't."""
    days, page = query.get("days", USUAL), query.get("page", "1")
    if days not in RANGES:
        raise Unknown(f"there is no range of that name: days is one of {', '.join(RANGES)}")
    if not (page.isascii() and page.isdecimal() and 0 < len(page) < 7 and int(page)):  # noqa: PLR2004 - a million
        raise Unknown("there is no such page: pages are numbered from 1")
    return Asked(tenant=query.get("tenant"), group=query.get("group"), range=days, place=(int(page) - 1) * SHOWN)
