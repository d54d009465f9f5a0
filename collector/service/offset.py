"""The clock of this machine against its tenants' servers, by what they answer anyway. Sets none, and asks nobody."""

from collections.abc import Sequence
from typing import Protocol

from collector.defender import TOLERATED_SECONDS, agreed
from collector.log import logger

_MEND = "let the clock be set over the network (NTP); `timedatectl` shows whether it is"

_log = logger()


class Dated(Protocol):
    """A tenant whose servers have told the time, or not yet."""

    @property
    def clock_ahead(self) -> float | None:
        """Seconds by which this machine's clock is ahead, negative when behind; None until a server said."""


class Offset:
    """Warns once when the clocks differ by minutes, and says once when they agree again."""

    def __init__(self, sources: Sequence[Dated]) -> None:
        self._sources = sources
        self._differs = False

    @property
    def ahead(self) -> float:
        """Seconds by which this machine's clock is ahead of the servers', negative when behind; 0 until one said."""
        return agreed(source.clock_ahead for source in self._sources) or 0.0

    def look(self) -> None:
        """Compare, and log `clock.differs` or `clock.agrees` if that is news."""
        ahead = agreed(source.clock_ahead for source in self._sources)
        if ahead is None or (abs(ahead) >= TOLERATED_SECONDS) == self._differs:
            return
        self._differs = not self._differs
        if self._differs:
            _log.warning("clock.differs", seconds_ahead=round(ahead), mend=_MEND)
        else:
            _log.info("clock.agrees", seconds_ahead=round(ahead))
