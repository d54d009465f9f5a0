"""Histories in a journal for the tests of what a page draws, derived as the service does, and facts over them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from fakes import group, score
from test_web import Known

from collector.derive import Derive, Rules
from collector.history import view
from collector.history.spikes import Rule
from collector.history.view import Ranking, View
from collector.journal import Journal
from collector.point import Point

HOUR = 3_600_000
DAY = 24 * HOUR
NOW = 1_700_000_000_000 // HOUR * HOUR
"""2023-11-14 22:00."""
LATE = 3 * HOUR
RULES = Rules(
    organization=Rule(rise=5.0, window_days=14), groups=Rule(rise=10.0, window_days=14), interval=3600, links={}
)


def hourly(days: int, groups: Sequence[str] = (), tenant: str = "contoso") -> Iterable[Point]:
    """Yield hourly polls of so many days up to `NOW`: a score that steps once a day, up by 12 ten days ago."""
    for slot in range(NOW - days * DAY + HOUR, NOW + 1, HOUR):
        day = slot // DAY
        risen = 12.0 if slot >= NOW - 10 * DAY else 0.0
        yield score(tenant, slot, 40.0 + day % 5 * 0.25 + risen)
        for place, name in enumerate(groups):
            yield group(tenant, name, slot, 10.0 + 7 * place + day % 3 * 0.5 + risen, str(100 + place))


def derived(journal: Journal) -> Journal:
    """Return the journal, once all is derived that follows from what it holds."""
    derive = Derive(journal, RULES, clock=lambda: NOW / 1000)
    while derive.turn():
        pass
    return journal


def kept(path: Path, points: Iterable[Point]) -> Journal:
    """Return a journal of `NOW` that holds the points."""
    journal = Journal(path, clock=lambda: NOW / 1000)
    journal.append(list(points))
    return journal


class Kept(Known):
    """Facts over a journal, at `NOW` or another time (ms)."""

    def __init__(self, journal: Journal, tenants: Sequence[str] = ("contoso",), now: int = NOW) -> None:
        super().__init__()
        self._journal = journal
        self._tenants = tenants
        self._now = now

    def tenants(self) -> Sequence[str]:
        return self._tenants

    def ranking(self, days: int, place: int) -> Ranking:
        return view.ranking(self._journal, self._tenants, now=self._now, late_ms=LATE, days=days, place=place)

    def view(self, tenant: str, days: int | None, group: str | None, place: int) -> View | None:
        if tenant not in (*self._tenants, *self._journal.tenants()):
            return None
        return view.view(self._journal, tenant, now=self._now, late_ms=LATE, days=days, group=group, place=place)
