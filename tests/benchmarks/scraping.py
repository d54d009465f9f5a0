"""What a scrape of `/metrics` costs where a provider has 200,000 groups, of which 10,000 are shown."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.figures import interleaved
from benchmarks.polls import Polls, slots
from benchmarks.size import Size
from benchmarks.table import Row

from collector.journal import Journal
from collector.service.engine import Engine
from collector.service.expiry import Expiry
from collector.service.facts import Watching
from collector.service.soundness import Soundness
from collector.settings import load
from collector.web.metrics import exposition

_GROUPS = 200
_SHOWN = 50
"""Tenants that have as many groups as are shown."""


def measure(size: Size, folder: Path) -> Iterator[Row]:
    """Yield the row of a scrape of many tenants, held against one of as many as are shown."""
    few = min(_SHOWN, size.scraped)
    with _kept(folder / "few", few) as less, _kept(folder / "many", size.scraped) as more:
        theirs, ours = interleaved(size.times, _scrape(less, folder / "few"), _scrape(more, folder / "many"))
    yield Row(
        what=f"a scrape, {size.scraped:,} tenants x {_GROUPS} groups: CPU",
        measured=ours.said("s"),
        against=f"{theirs.said('s')}, {few} tenants",
        figure=f"{ours.over(theirs).said('x')}",
        goal="3 x at most",
    )


def _kept(folder: Path, tenants: int) -> Journal:
    """Return a journal that has the last poll of so many tenants; their settings stand beside it."""
    folder.mkdir(parents=True)
    names = [f"customer-{n:04}" for n in range(tenants)]
    (folder / "collector.toml").write_text(
        "".join(
            f'[tenants.{name}]\ntenant_id = "{name}.example"\nclient_id = "22222222-2222-2222-2222-222222222222"\n'
            'credential = { kind = "client_secret", client_secret = "made-up" }\n'
            for name in names
        ),
        encoding="utf-8",
    )
    journal = Journal(folder / "journal.db")
    (slot,) = slots(1)
    for name in names:
        polls = Polls(_GROUPS, name)
        journal.append([*polls.organization(slot), *polls.groups(slot)])
    return journal


def _scrape(journal: Journal, folder: Path) -> Callable[[], float]:
    """Return what returns the seconds of CPU of a scrape."""
    settings = load(folder / "collector.toml", {})
    tenants = list(settings.tenants)
    engine = Engine(settings, journal, name="host-1", tenants=tenants, delivered=lambda _: None)
    watching = Watching(engine, Expiry(engine.sources), Soundness(journal))

    def spent() -> float:
        began = time.thread_time()
        exposition(watching, "")
        return time.thread_time() - began

    return spent
