"""A backup: a copy of a journal that was proven row by row, and is there whole or not at all."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from collector.batch import Cursor
from collector.errors import ConfigError, JournalError
from collector.journal.links import followed
from collector.journal.lock import role_of
from collector.journal.log import Journal
from collector.journal.swapping import ASIDE, BESIDE, part_of
from collector.journal.syncing import sync

_BATCH = 5_000
_START = Cursor("", 1, 0)

_LEFT = (
    "`run` and `once` set the damaged file aside and carry over what is sound: then back that up; an earlier backup may"
    " have more; and look at the disk: something on it changed"
)

Seen = Callable[[str, int, int], None]
"""Called with what is being done ("copying", "checking"), how much of it is done, and of how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a backup holds. `damaged`: rows that are not what was written, in the journal itself as in its copy."""

    points: int
    bytes: int
    damaged: int


def backup(journal: Journal, to: Path, seen: Seen = lambda _what, _done, _of: None) -> Backup:
    """Return once `to` is on disk, with every point that was appended before the call, and proven.

    Raise ConfigError where there is such a file already or it can't be made there, JournalError for all else; then
    there is no file.
    """
    _want_free(journal.path, to)
    try:
        return _made(journal, to, seen)
    except JournalError as error:
        # A copy that can't be read may be its own disk's fault.
        if not (_of_pages(error) and _unreadable(journal)):
            raise
        raise JournalError(
            f"{journal.path}: pages of it are damaged, so nothing was copied: {to} was not made", mend=_LEFT
        ) from error


def _made(journal: Journal, to: Path, seen: Seen) -> Backup:
    tail = journal.tail()
    before = journal.backlog(_START, until=tail).points
    with _beside(to) as part:
        journal.copy(part, lambda done, of: seen("copying", done, of))
        with Journal(part, readonly=True) as copy:
            points, damaged = _proven(copy, seen)
            # Those of before the call: since then some may have been superseded, and none can have come.
            kept = copy.backlog(_START, until=tail).points
        after = journal.backlog(_START, until=tail).points
        if not before >= kept >= after or (damaged and damaged > _proven(journal, seen)[1]):
            raise JournalError(f"{to}: what was written is not what was read", mend="write it to another disk")
        size = part.stat().st_size
        _publish(part, to)
    return Backup(points=points, bytes=size, damaged=damaged)


def _want_free(journal: Path, to: Path) -> None:
    if to.exists() or to.is_symlink():
        raise ConfigError([f"{to}: is there already; nothing was written"], mend="name a file that isn't there yet")
    if not to.parent.is_dir():
        raise ConfigError([f"{to}: its folder does not exist"], mend=f"mkdir -p {to.parent}")
    source, target = followed(journal), followed(to)
    # What SQLite would take for its own, the role's, and what a mend would take away as left by another.
    taken = {*(source.with_name(source.name + end) for end in BESIDE), role_of(source), part_of(source)}
    # What is called as a file that was set aside would be counted as one, and said to be damaged.
    damaged = target.parent == source.parent and target.name.startswith(f"{source.name}{ASIDE}")
    if damaged or target in taken:
        raise ConfigError([f"{to}: that name belongs to the journal"], mend="name another file")


@contextmanager
def _beside(to: Path) -> Iterator[Path]:
    """Yield a new file in the folder of `to`, for its owner alone; it is gone afterwards, unless it was published."""
    part = to.with_name(f".{to.name}.{os.getpid()}.part")
    try:
        # Inside: Ctrl-C may come as soon as the file is there.
        try:
            os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError as error:
            raise _failed(part, error, mend=f"let this user write to {to.parent}") from error
        yield part
    finally:
        with suppress(OSError):
            part.unlink()


def _proven(journal: Journal, seen: Seen) -> tuple[int, int]:
    """Return how many rows there are, and how many of them are not what was written."""
    total = journal.backlog(_START).points
    whole, cursor = 0, _START
    while (batch := journal.read(cursor, _BATCH)).after > cursor.next:
        whole += len(batch.rows)
        cursor = Cursor("", batch.after, 0)
        seen("checking", whole, total)
    return total, total - whole


def _of_pages(error: JournalError) -> bool:
    """Whether SQLite can't find its way in the file any more; a row alone that is damaged is only left out."""
    return getattr(error.__cause__, "sqlite_errorname", "").startswith("SQLITE_CORRUPT")


def _unreadable(journal: Journal) -> bool:
    try:
        _proven(journal, lambda _what, _done, _of: None)
    except JournalError as error:
        return _of_pages(error)
    return False


def _publish(part: Path, to: Path) -> None:
    """Give the file its name once its bytes are on disk; what got that name meanwhile is never replaced."""
    try:
        sync(part)
        try:
            os.link(part, to)
        except FileExistsError:
            raise
        except OSError:
            # A file system without hard links.
            if to.exists():
                raise FileExistsError(None, "is there already", str(to)) from None
            part.rename(to)
        sync(to.parent)
    except OSError as error:
        raise _failed(to, error) from error


def _failed(path: Path, error: OSError, mend: str = "look at the disk that it is to be on") -> JournalError:
    return JournalError(f"{path}: {error.strerror or error}", mend=mend)
