"""The journal of who polls and delivers: with the role, and mended first where it is damaged."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collector.journal.faults import Unsound
from collector.journal.lock import RoleLock
from collector.journal.log import Journal
from collector.journal.salvage import Salvaged, recognised, salvage
from collector.log import logger

_log = logger()


@contextmanager
def in_charge(path: Path) -> Iterator[Journal]:
    """Yield the journal, with the role of polling and delivering held to the end.

    What was a journal and is damaged is set aside, and what is sound is carried over. Raise JournalError for what can't
    be used, Held where another process has the role.
    """
    with _sound(path) as journal, RoleLock(path):
        yield journal


def say_salvaged(salvaged: Salvaged) -> None:
    """Log what was carried over, what was not, and where the damaged file is."""
    carried = salvaged.carried
    _log.error(
        "journal.salvaged",
        aside=str(salvaged.aside),
        rows=carried.rows,
        lost=carried.lost,
        cursors=carried.cursors,
        dead_letters=carried.letters,
        mend="keep that file; a backup made before the damage may have what is lost; and look at the disk",
    )


def _sound(path: Path) -> Journal:
    try:
        return Journal(path)
    except Unsound:
        if not recognised(path):
            raise
    with RoleLock(path):
        say_salvaged(salvage(path))
    return Journal(path)
