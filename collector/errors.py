"""The tree of errors. Each is named by what its catcher does about it, and is raised once, at a room's wall.

    CollectorError
    ├── ConfigError        a person must edit a setting (exit code 2)
    ├── Unavailable        not now: keep what there is, come back
    │   └── Unauthorized   the same, but loud: a person must grant, renew or correct something
    │       └── Missing    the same: what is to be written to is not there; a person must create it
    ├── BadResponse        unusable, whole or in part: what is good in it is kept
    ├── Rejected           not ever: halve the batch until the bad points stand alone, dead-letter those
    ├── Expired            older than the database keeps: counted, said once, passed over
    ├── TooLarge           halve the batch and send again
    └── JournalError       durability is gone: say so, hold points in memory, never pretend

A message says what was wrong and where; `mend` says what to do. Neither ever holds a secret.
"""

from collections.abc import Sequence
from typing import Self


class CollectorError(Exception):
    """What went wrong and where (`str`), and what a person can do about it (`mend`, may be empty)."""

    def __init__(self, message: str, *, mend: str = "") -> None:
        super().__init__(message)
        self.mend = mend

    @property
    def name(self) -> str:
        """The error's name, as it stands in the `error` field of `collector_poll`."""
        return type(self).__name__

    def alone(self) -> Self:
        """Return it without its trace and its causes: whoever keeps them keeps all that was at hand on its way.

        An answer of megabytes, say; and where a frame keeps the error, all of it until Python looks for such rings.
        """
        self.__traceback__ = self.__cause__ = self.__context__ = None
        return self


class ConfigError(CollectorError):
    """One or several settings are wrong; `problems` has a line for each, by key, with what would be right."""

    def __init__(self, problems: Sequence[str], *, mend: str = "") -> None:
        super().__init__("\n".join(problems), mend=mend)
        self.problems = tuple(problems)


class Unavailable(CollectorError):
    """Not now. `retry_after`: seconds that the other side asked to be left alone, if any; `throttled`: it was a 429."""

    def __init__(
        self, message: str, *, mend: str = "", retry_after: float | None = None, throttled: bool = False
    ) -> None:
        super().__init__(message, mend=mend)
        self.retry_after = retry_after
        self.throttled = throttled


class Unauthorized(Unavailable):
    """A person must grant, renew or correct something; until then everything is kept and tried again.

    `elsewhere`: something answered that isn't what was asked for: another host, or a proxy.
    """

    def __init__(
        self, message: str, *, mend: str = "", retry_after: float | None = None, elsewhere: bool = False
    ) -> None:
        super().__init__(message, mend=mend, retry_after=retry_after)
        self.elsewhere = elsewhere


class Missing(Unauthorized):
    """A person must create the database, bucket or the like, or correct its name; nobody's rights are in question."""


class BadResponse(CollectorError):
    """The answer, or a part of it, is not what the API promises; says which row and field."""


class Rejected(CollectorError):
    """The sink will never take this batch as it is; the message holds the server's words."""


class Expired(CollectorError):
    """Points are older than the sink keeps. `dropped`: how many the server says it dropped, None if it doesn't."""

    def __init__(self, message: str, *, mend: str = "", dropped: int | None = None) -> None:
        super().__init__(message, mend=mend)
        self.dropped = dropped


class TooLarge(CollectorError):
    """The batch is larger than the sink takes in one request."""


class JournalError(CollectorError):
    """The journal can't be used as asked: unwritable, full, damaged, of a newer version, or held by another."""
