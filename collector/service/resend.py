"""`rejected resend`: dead letters are appended anew, some at a time, and delivered in the journal's order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from collector.journal import Journal, Letter
from collector.pipeline.deliver import SUSPECT
from collector.service.patience import Delivered
from collector.service.redeliver import Redelivery, Stand
from collector.settings import Settings

AT_ONCE = SUSPECT - 1
"""Points that are sent again before it is seen what became of them. One more, all of them still bad, and the sink would
take it for a wrong setting and stop, with the good points behind them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resending:
    """`sent` and `superseded` points; `again`: letters of points that were refused anew; `left`: letters that stay."""

    sent: int
    superseded: int
    again: Sequence[Letter]
    left: int
    sinks: Sequence[Delivered]


def resend(
    settings: Settings,
    journal: Journal,
    sinks: Sequence[str],
    *,
    patience: float,
    seen: Callable[[Stand], None] = lambda _: None,
) -> Resending:
    """Send the points of the dead letters of `sinks` again, all that there are now.

    It stops where a sink fails, and where every one of `AT_ONCE` points was refused anew: the letters that are left
    stay as they are.
    """
    of = journal.letters.rows(sinks)
    last = journal.letters.last()
    sent = superseded = after = 0
    again: list[Letter] = []
    delivered: Sequence[Delivered] = ()

    def course(stand: Stand) -> None:
        seen(Stand(done=sent + superseded, of=of, by=stand.by))

    with Redelivery(settings, journal, sinks, patience=patience, seen=course) as redelivery:
        redelivery.at_one()
        while not any(sink.error for sink in delivered):
            newest = journal.letters.last()
            part = journal.letters.resend(sinks, after, last, AT_ONCE)
            if part is None:
                break
            sent += part.sent
            superseded += part.superseded
            after = part.after
            delivered = redelivery.run(part.tail)
            # Not what a service has polled meanwhile, and was refused along with them.
            refused = [
                letter for letter in journal.letters.every(sinks, newest) if part.first <= letter.row.id < part.tail
            ]
            again += refused
            if part.sent == AT_ONCE == len({letter.row.id for letter in refused}):
                break
    left = sum(letter.id <= last for letter in journal.letters.every(sinks))
    return Resending(sent=sent, superseded=superseded, again=again, left=left, sinks=delivered)
