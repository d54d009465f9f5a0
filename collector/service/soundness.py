"""Whether the journal holds what was written, for a service that runs for months. Mends nothing, and moves nothing.

Appends go well on a file of which pages are gone: without a look nobody would know before a reader fails.
"""

from typing import Protocol

import structlog

from collector.errors import JournalError
from collector.journal import Proof
from collector.journal.harm import united

_PROVING_SECONDS = 4.0
"""Well within what a job is given to end in when the service is to stop."""
_PROVING_ROWS = 1_000_000
_MEND = (
    "stop the service, keep the file, and bring back the last backup; until then what is damaged is left out of"
    " everything; and look at the disk: something on it changed"
)

_log = structlog.get_logger()


class Provable(Protocol):
    """A journal, as far as it can be proven."""

    def prove(self, seconds: float, most: int) -> Proof:
        """Return whether the newest rows are what was written; raise JournalError when the file can't be read."""


class Soundness:
    """What was found at the last look. One thread looks; any may read."""

    def __init__(self, journal: Provable) -> None:
        self._journal = journal
        self.fault = ""
        """What is damaged, empty for a journal that is sound as far as it was looked at."""

    def look(self) -> None:
        """Prove the newest rows, for seconds; log `journal.unsound` with the mend, else `journal.proven`."""
        try:
            proof = self._journal.prove(_PROVING_SECONDS, _PROVING_ROWS)
        except JournalError as error:
            self._unsound(str(error), error.mend)
            return
        if proof.damaged:
            self._unsound(f"damaged: {united(proof.damaged)}", _MEND)
            return
        self.fault = ""
        _log.info("journal.proven", rows=proof.rows, whole=proof.whole)

    def _unsound(self, fault: str, mend: str) -> None:
        self.fault = fault
        _log.error("journal.unsound", error=fault, mend=mend)
