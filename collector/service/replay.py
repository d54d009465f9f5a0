"""`replay`: a sink's cursor is moved back, and all from there on is delivered again."""

from collections.abc import Callable
from dataclasses import dataclass

from collector.journal import Journal
from collector.service.patience import Delivered
from collector.service.redeliver import Redelivery, Stand
from collector.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """`since`: the time (ms) of the first point that was to be delivered, None where there was none; `points`: all.

    `by`: the pid of the process that delivered, None when it was this one.
    """

    since: int | None
    points: int
    by: str | None
    sink: Delivered


def replay(
    settings: Settings,
    journal: Journal,
    sink: str,
    since: int | None,
    *,
    onward: bool = False,
    patience: float,
    seen: Callable[[Stand], None] = lambda _: None,
) -> Replayed:
    """Move the cursor of `sink` back to the first point of the time `since` (ms; None: the first of all), and deliver.

    A cursor that stands before that stays: nothing is skipped. It stays moved whatever becomes of the delivery. With
    `onward` it stays where it is, and what it has yet to take is delivered.
    """
    with Redelivery(settings, journal, [sink], patience=patience, seen=seen, filled=not onward) as redelivery:
        redelivery.at_one()
        cursor = journal.cursor(sink)
        if not onward:
            cursor = journal.move(sink, 0 if since is None else journal.place(since, cursor.next))
        goal = journal.tail()
        waiting = journal.backlog(cursor, redelivery.wanted(sink), until=goal)
        (delivered,) = redelivery.run(goal)
    return Replayed(since=waiting.oldest, points=waiting.points, by=redelivery.by, sink=delivered)
