"""A whole copy of a journal in use, as one file on which a collector can run.

Copied by SQLite's own backup, through the connection that is open: a descriptor of the file that is closed in this
process would let go the locks that SQLite holds. Some pages at a time, so that writers get through; each write of
another process starts it anew, so after a few of them the rest is copied in one go. Is not the copy of a file: that
could hold the half of a transaction.
"""

import math
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

PAGES = 2_000
"""Pages of one step: 8 MB are copied in less time than a writer waits."""
RESTARTS = 5
"""How often the copy is begun anew before it is made in one step, for which writers wait."""
_BUSY_STEPS = 3
"""Steps that find the file held by a writer, each for as long as SQLite waits for a lock, before that is an error."""


class _Restarted(Exception):
    """Others have written too often for a copy in steps."""


class _Progress:
    """Told by SQLite after each step. `restarts`: how many are borne with."""

    def __init__(self, seen: Callable[[int, int], None], restarts: float = math.inf) -> None:
        self._seen = seen
        self._restarts = restarts
        self._left: int | None = None
        self._busy = 0

    def __call__(self, status: int, left: int, total: int) -> None:
        if status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            self._wait()
            return
        self._busy = 0
        # Each step leaves less than the one before it, but where the copy was begun anew.
        if self._left is not None and left >= self._left:
            self._restarts -= 1
            if self._restarts < 0:
                raise _Restarted
        self._left = left
        self._seen(total - left, total)

    def _wait(self) -> None:
        self._busy += 1
        if self._busy == _BUSY_STEPS:
            error = sqlite3.OperationalError("another process keeps it locked")
            error.sqlite_errorname = "SQLITE_BUSY"
            raise error


def copy(source: sqlite3.Connection, to: Path, seen: Callable[[int, int], None]) -> None:
    """Let the file `to` (there, and empty) be a copy of `source`; `seen` is called with pages copied, and of how many.

    What SQLite raises comes through as it is. The copy is not synced to disk yet.
    """
    with closing(sqlite3.connect(to, isolation_level=None)) as target:
        # Nothing else looks at it before it is whole, and a file that isn't is removed.
        target.execute("PRAGMA journal_mode = OFF")
        target.execute("PRAGMA synchronous = OFF")
        try:
            source.backup(target, pages=PAGES, progress=_Progress(seen, RESTARTS))
        except _Restarted:
            source.backup(target, pages=-1, progress=_Progress(seen))
