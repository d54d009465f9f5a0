"""What every kind of credential offers: a token for the asking, and the day on which the credential ends."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Grant:
    """A token, and the seconds that it lives from the moment that it was asked for."""

    text: str = field(repr=False)
    seconds: float


class SignIn(Protocol):
    """One tenant's way to a token. Any thread may ask; nothing of an earlier answer is used again."""

    def token(self, until: float) -> Grant:
        """Return a new token by `until` (monotonic), all exchanges together.

        What the settings name by its file is read anew. Raise Unavailable, Unauthorized or BadResponse.
        """

    def expires(self) -> datetime | None:
        """Return when the credential ends, as far as this machine knows; None where it doesn't, or can't read it."""
