"""Which slot a moment belongs to, and whose polls of a slot have succeeded. Is not the clock: it begins none."""

from collector.errors import JournalError
from collector.journal import Journal


def slot_of(seconds: float, interval: int) -> int:
    """Return the slot (ms) of a moment: floored to a whole multiple of the interval since the epoch."""
    return int(seconds // interval) * interval * 1000


def succeeded(journal: Journal, slot: int) -> frozenset[tuple[str, str]]:
    """Return of whom (tenant, subject) a poll of the slot has succeeded, as far as the journal tells."""
    try:
        polls = journal.at("collector_poll", slot)
    except JournalError:
        return frozenset()  # polled once too often is better than not at all
    return frozenset((point.series.tag("tenant"), point.series.tag("subject")) for point in polls if point.fields["ok"])
