"""The doctor: asks everything that the collector needs, and says of each thing whether it is well, and its mend.

Changes nothing: an API is asked as a poll would, a sink whether it would take a point, the journal takes a write that
is taken back. Mends nothing either.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from functools import partial
from typing import Any

from collector.check import clock, journal, sinks, tenants, web
from collector.check.finding import Finding
from collector.http.clients import Clients
from collector.settings import Settings

__all__ = ["Finding", "check"]

_AT_ONCE = 16


def check(settings: Settings, names: Sequence[str], seen: Callable[[int, int], None]) -> Sequence[Finding]:
    """Return what was found of the tenants `names`, then of clock, journal, sinks and pages, which all share.

    `seen` is told how many things were looked at, and of how many.
    """
    clients = Clients()
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        # First what all share: a thousand tenants that time out hold it up no more.
        shared = [
            pool.submit(probe)
            for probe in (
                partial(journal.examine, settings),
                *(partial(sinks.examine, settings, sink, clients) for sink in settings.influxdb),
                partial(web.examine, settings, clients),
            )
        ]
        each = [pool.submit(tenants.examine, settings, name, clients) for name in names]
        everything: Sequence[Future[Any]] = [*shared, *each]
        for done, _ in enumerate(as_completed(everything), 1):
            seen(done, len(everything))
    except BaseException:
        # Whoever interrupts it waits for no exchange.
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
    examined = [tenant.result() for tenant in each]
    return [
        *(finding for tenant in examined for finding in tenant.findings),
        *clock.judge(tenant.clock_ahead for tenant in examined),
        *(finding for thing in shared for finding in thing.result()),
    ]
