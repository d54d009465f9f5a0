"""How far each consumer of the journal is behind, and how fast it catches up, by how its cursor moves. Only reads."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from collector.batch import DERIVE, DERIVED_FROM, Backlog, Cursor, Filter
from collector.journal import Journal
from collector.settings import Settings

_FAR = 20_000
"""Points behind from which it is said how fast a consumer catches up; with less it is there in a moment."""
_WATCH_SECONDS = 1.5
_LOOK_SECONDS = 0.05
_MOVES = 4
"""Of a cursor, between which its pace is known well enough."""


@dataclass(frozen=True, slots=True)
class Behind:
    """Where a consumer stands: its cursor, what it wants of all rows, what it has yet to take, what it fails of.

    `begun`: the journal has a cursor of it; else this is where it will begin.
    """

    cursor: Cursor
    wanted: Filter
    backlog: Backlog
    error: str
    begun: bool


def behind(settings: Settings, journal: Journal) -> Mapping[str, Behind]:
    """Return each consumer of the settings, and `derive`."""
    wanted = {DERIVE: DERIVED_FROM} | {
        name: Filter(measurements=sink.measurements, tenants=sink.tenants) for name, sink in settings.influxdb.items()
    }
    cursors = {cursor.consumer: cursor for cursor in journal.cursors()}
    found = {}
    for name, its in wanted.items():
        cursor = cursors.get(name, Cursor(name, 1, 0))
        found[name] = Behind(cursor, its, journal.gauge(cursor, its), journal.noted(name), name in cursors)
    return found


def paces(
    journal: Journal, far: Mapping[str, Behind], monotonic: Callable[[], float] = time.monotonic
) -> Mapping[str, float]:
    """Return how many points a second each consumer takes that is far behind, by how its cursor moves meanwhile."""
    began = now = monotonic()
    seen = {name: [(began, its.cursor)] for name, its in far.items() if its.backlog.points >= _FAR and not its.error}
    while now - began < _WATCH_SECONDS and any(len(stands) <= _MOVES for stands in seen.values()):
        time.sleep(_LOOK_SECONDS)
        cursors, now = journal.cursors(), monotonic()
        for cursor in cursors:
            stands = seen.get(cursor.consumer, [])
            if stands and cursor != stands[-1][1]:
                stands.append((now, cursor))
    found = {}
    for name, (begin, *moves) in seen.items():
        # Between two moves, where there are two: how long it had stood at the first look is not known.
        (since, first), (until, last) = (moves[0], moves[-1]) if moves[1:] else (begin, (now, [begin, *moves][-1][1]))
        alike = all(stand.moves == begin[1].moves for _, stand in moves)
        if alike and first.next < last.next:
            taken = journal.backlog(first, far[name].wanted, until=last.next).points
            found[name] = taken / (until - since)
    return {name: pace for name, pace in found.items() if pace}
