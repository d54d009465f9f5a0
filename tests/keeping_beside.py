"""Another process whose threads keep polls together, until it is killed."""

import threading
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path

from journals import HOUR, MIDNIGHT, group

from collector.journal import Journal
from collector.pipeline import Hold

POLL = 5
"""Points of a poll."""


def keep_together(pipe: Connection, path: Path, threads: int) -> None:
    """Keep polls, each thread those of a tenant of its own, one hour after the other; say which are safe by then."""
    journal = Journal(path)
    hold = Hold(journal, appended=lambda: None)
    saying = threading.Lock()

    def keep(tenant: str) -> None:
        for hour in count():
            points = [group(f"g{g}", MIDNIGHT + hour * HOUR, float(hour), tenant) for g in range(POLL)]
            assert hold.keep(points)
            with saying:
                pipe.send((tenant, hour))

    for n in range(threads):
        threading.Thread(target=keep, args=(f"tenant-{n}",), daemon=True).start()
    threading.Event().wait(60)
