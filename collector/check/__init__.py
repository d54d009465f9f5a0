"""The doctor: asks everything that the collector needs, and says of each thing whether it is well, and its mend.

Changes nothing: an API is asked as a poll would, a sink whether it would take a point, the journal takes a write that
is taken back. Mends nothing either.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from collector.check import clock, journal, sinks, tenants, web
from collector.check.awaited import Awaited, Wait
from collector.check.finding import Finding
from collector.http.clients import Clients
from collector.settings import Settings

__all__ = ["Finding", "Wait", "check"]

_AT_ONCE = 16
_TOLD_SECONDS = 1.0
"""So often at the least it is said what is awaited."""


def check(settings: Settings, names: Sequence[str], seen: Callable[[int, int, Wait | None], None]) -> Sequence[Finding]:
    """Return what was found of the tenants `names`, then of clock, journal, sinks and pages, which all share.

    `seen` is told, every second and at each news, how many things were looked at, of how many, and what is awaited.
    """
    clients = Clients()
    awaited = Awaited()
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        # First what all share: a thousand tenants that time out hold it up no more.
        shared = [
            pool.submit(_asked, awaited, what, probe)
            for what, probe in (
                ("journal", partial(journal.examine, settings)),
                *((f"sink {sink}", partial(sinks.examine, settings, sink, clients)) for sink in settings.influxdb),
                ("web", partial(web.examine, settings, clients)),
            )
        ]
        each = [pool.submit(tenants.examine, settings, name, clients, awaited) for name in names]
        _follow([*shared, *each], awaited, seen)
    except BaseException:
        # Whoever interrupts it waits for no exchange.
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
    examined = [tenant.result() for tenant in each]
    return [
        *(finding for tenant in examined for finding in tenant.findings),
        *tenants.twins(settings, names),
        *clock.judge(tenant.clock_ahead for tenant in examined),
        *(finding for thing in shared for finding in thing.result()),
    ]


def _asked(awaited: Awaited, what: str, probe: Callable[[], Sequence[Finding]]) -> Sequence[Finding]:
    with awaited.asking(what):
        return probe()


def _follow(things: Sequence[Future[Any]], awaited: Awaited, seen: Callable[[int, int, Wait | None], None]) -> None:
    """Return when all is done, and tell until then how far it is."""
    news: SimpleQueue[Future[Any]] = SimpleQueue()
    for thing in things:
        thing.add_done_callback(news.put)
    done = 0
    while done < len(things):
        with suppress(Empty):
            news.get(timeout=_TOLD_SECONDS)
            done += 1
        seen(done, len(things), awaited.longest())
