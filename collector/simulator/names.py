"""What made-up organizations and their device groups are called. Is not an oracle: real tenants have worse names."""

from collections.abc import Sequence

from collector.simulator.dice import roll

_COMPANIES = ("contoso", "fabrikam", "northwind")

_ACCENTED = ("Büro München", "Développement", "Qualitätssicherung", "Zakłady Łódź", "São Paulo")
_LISTED = ("Servers, Tier 0", "Produktion, Halle 3", "Kiosks, Lobby", "Sales, EMEA")
_SPACED = ("Executive Devices", "Meeting Rooms", "Domain Controllers", "Build Agents")
_OTHERS = (
    "Workstations",
    "SQL-Servers",
    "Finance & Controlling",
    "R&D Lab (isolated)",
    "tier=1",
    "VDI_Pool-07",
    "東京オフィス",
    "Contractors / BYOD",
    "Field Service 24/7",
    'Warehouse "Nord"',
)
_FLEETS = ("Laptops", "Desktops", "Servers", "Tablets", "Shop Floor", "Jump Hosts", "Kiosks", "Lab")
_PLACES = ("Oslo", "Zürich", "Wien", "Lyon", "Leeds", "Gdańsk", "Porto", "Malmö", "Brno", "Cork", "Århus", "Bilbao")


def tenant_names(count: int) -> tuple[str, ...]:
    """Return `count` names, all different, each good as a bare TOML key."""
    numbered = (f"tenant-{number:04}" for number in range(len(_COMPANIES) + 1, count + 1))
    return (*_COMPANIES[:count], *numbered)


def group_names(count: int, *key: str | int) -> tuple[str, ...]:
    """Return `count` names, all different; from three on one has an umlaut or accent, one a comma, one a space."""
    firsts = [_shuffled(family, *key)[0] for family in (_ACCENTED, _LISTED, _SPACED)]
    others = [name for name in (*_ACCENTED, *_LISTED, *_SPACED, *_OTHERS) if name not in firsts]
    names = [*firsts, *_shuffled(others, *key)]
    if count > len(names):
        names += _shuffled([f"{fleet} {place}" for place in _PLACES for fleet in _FLEETS], *key)
    names += [f"Site {number:04}" for number in range(len(names) + 1, count + 1)]
    return tuple(names[:count])


def _shuffled(names: Sequence[str], *key: str | int) -> list[str]:
    return sorted(names, key=lambda name: roll(*key, name))
