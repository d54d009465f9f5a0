"""What is to be seen in a tenant's history, told beforehand, so that a demo can point at it and a test can look for it.

Is not the history: the scores are (`world.py`).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

Kind = Literal["spike", "model change", "appeared", "vanished", "renamed", "made anew", "id missing"]


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """What answers show from `at` (ms since the Unix epoch) on. `text`: whom it strikes, and how; under 70 characters.

    A spike goes over within weeks; ids are missing now and then; all else is for good.
    """

    at: int
    kind: Kind
    text: str

    @property
    def day(self) -> date:
        """The day of it, UTC."""
        return datetime.fromtimestamp(self.at / 1000, UTC).date()
