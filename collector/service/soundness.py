"""Whether the journal holds what was written, for a service that runs for months; and its mending where it doesn't.

Appends go well on a file of which pages are gone: without a look nobody would know before a reader fails.
"""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from collector.errors import JournalError
from collector.journal import Proof, Salvaged, Unsound, say_salvaged
from collector.journal.harm import united
from collector.log import logger

_PROVING_SECONDS = 4.0
"""Well within what a job is given to end in when the service is to stop."""
_PROVING_ROWS = 1_000_000
_AGAIN_SECONDS = 600.0
"""How long a mend that failed is not tried again: each one reads the whole file."""

_log = logger()


class Mendable(Protocol):
    """A journal, as far as it can be proven and mended."""

    def prove(self, seconds: float, most: int) -> Proof:
        """Return whether the newest rows are what was written; raise JournalError when the file can't be read."""

    def mend(self) -> Salvaged:
        """Set the file aside, and go on with all that is sound; raise JournalError, and change nothing."""

    def unite(self) -> int:
        """Let each series have one number; return how many had more; raise JournalError when the file can't be used."""


class Soundness:
    """What was found at the last look. One thread looks and mends; any may read."""

    def __init__(self, journal: Mendable, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._journal = journal
        self._monotonic = monotonic
        self._not_before = 0.0
        self._known: Sequence[Unsound] = ()
        self.fault = ""
        """What is damaged, empty for a journal that is sound as far as it was looked at."""

    def wants(self, met: Sequence[Unsound]) -> bool:
        """Whether what users of the journal met of damage calls for a mend that has not been made."""
        new = [error for error in met if not any(error is known for known in self._known)]
        return bool(new) and self._monotonic() >= self._not_before

    def look(self) -> None:
        """Prove the newest rows, for seconds, and mend the journal where they are damaged. Log what came of it."""
        try:
            proof = self._journal.prove(_PROVING_SECONDS, _PROVING_ROWS)
            if not proof.damaged and (series := self._journal.unite()):
                _log.warning("journal.united", series=series, why="their names could not be read for a while")
        except Unsound as error:
            self.mend(error)
        except JournalError as error:
            self._unsound(error)
        else:
            if proof.damaged:
                self.mend(Unsound(f"damaged: {united(proof.damaged)}"))
            else:
                self.fault = ""
                _log.info("journal.proven", rows=proof.rows, whole=proof.whole)

    def mend(self, *met: Unsound) -> None:
        """Set the damaged file aside and go on with what is sound, or say why that can't be."""
        self._known = met
        self._unsound(met[0])
        try:
            salvaged = self._journal.mend()
        except JournalError as error:
            self._not_before = self._monotonic() + _AGAIN_SECONDS
            self._unsound(error)
            return
        self.fault = ""
        say_salvaged(salvaged)

    def _unsound(self, error: JournalError) -> None:
        self.fault = str(error)
        _log.error("journal.unsound", error=self.fault, mend=error.mend)
