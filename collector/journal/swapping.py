"""How a damaged file makes way: it gets another name, and a new file the journal's.

The damaged file and what SQLite keeps beside it belong together, and no one step renames both. So it has both names
first, and whoever finds a journal like that knows that this was cut short, and opens nothing: see `halfway`.
"""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path

from collector.journal.links import followed
from collector.journal.syncing import sync

BESIDE = ("-journal", "-wal", "-shm")
"""What SQLite keeps beside a file under that file's name."""
ASIDE = ".damaged-"
"""What follows the journal's name where a damaged file was set aside, before the time of that."""


def aside(path: Path) -> Sequence[Path]:
    """Return the damaged files that were set aside beside a journal, oldest first."""
    journal = followed(path)
    start = f"{journal.name}{ASIDE}"
    return sorted(
        file for file in journal.parent.iterdir() if file.name.startswith(start) and not file.name.endswith(BESIDE)
    )


def part_of(path: Path) -> Path:
    """Return the name of the new file until it has the journal's."""
    file = followed(path)
    return file.with_name(f"{file.name}.salvage")


def halfway(path: Path) -> Path | None:
    """Return the other name that a damaged file has got where the new one hasn't got the journal's, else None."""
    if not path.exists():
        return next(reversed(aside(path)), None) if part_of(path).exists() else None
    # Not every reader may list the folder.
    if path.stat().st_nlink == 1:
        return None
    return next((name for name in aside(path) if name.samefile(path)), None)


def free_name(path: Path, clock: Callable[[], float]) -> Path:
    """Return a name for the damaged file, by the second."""
    stamp = datetime.fromtimestamp(clock(), UTC).strftime("%Y%m%dT%H%M%SZ")
    names = (path.with_name(f"{path.name}{ASIDE}{stamp}{more}") for more in chain([""], (f"-{n}" for n in count(2))))
    return next(name for name in names if not name.exists())


def swap(path: Path, name: Path) -> None:
    """Give the damaged file its other name, and the new one the journal's.

    That one is durable with the first transaction in it: SQLite syncs the folder before it writes to the file.
    """
    try:
        os.link(path, name)
    except OSError:
        path.rename(name)  # a file system without hard links: for a moment nothing has the journal's name
    else:
        sync(path.parent)
    # Before the new file has the name: SQLite would undo in it what was half done in the old one.
    _move_beside(path, name)
    part_of(path).replace(path)


def take_back(path: Path) -> None:
    """Let a file that was set aside halfway have the journal's name alone, and beside it what belongs to it."""
    while (name := halfway(path)) is not None:
        _move_beside(name, path)
        if path.exists():
            name.unlink()
        else:
            name.rename(path)


def _move_beside(old: Path, new: Path) -> None:
    """Let what SQLite keeps beside a file stand beside its other name, durably."""
    for end in BESIDE:
        beside = old.with_name(f"{old.name}{end}")
        if beside.exists() and beside.stat().st_size:
            beside.rename(new.with_name(f"{new.name}{end}"))
            sync(old.parent)
