"""Where each score stands, so that a plain new sample of it costs no look at its weeks.

Is no window of samples: what is kept of a score is the time of its last sample, what is usual on that day, and the
episode that is open. It holds as long as nothing at or before that sample changes: whoever sees something change, or
can't know, forgets it, and it is made anew from the journal.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from collector.derive.followed import Followed
from collector.history.spikes import Episode, Usual
from collector.point import Series


@dataclass(frozen=True, slots=True)
class Kept:
    """An episode, and the series of spikes that has it."""

    spike: Series
    episode: Episode


@dataclass(slots=True)
class Stand:
    """Of a score after its last sample, at `last` (ms). `usual` holds on the day `day` (its number since 1970).

    `broken`: the last break up to it; `breaks`: the first break after it. `open`: the episode that goes on.
    """

    one: Followed
    last: int
    day: int
    usual: Usual | None
    broken: int | None
    breaks: int
    open: Kept | None


class Stands:
    """What is remembered, by each series that a score has."""

    def __init__(self) -> None:
        self._known: dict[Series, Stand] = {}

    def of(self, series: Series) -> Stand | None:
        """Return where the score of a series stands, None where that is not known."""
        return self._known.get(series)

    def without(self, every: Iterable[Series]) -> Collection[Series]:
        """Return those of the series whose score is not known to stand anywhere."""
        known = self._known
        return {series for series in every if series not in known}

    def keep(self, stand: Stand) -> None:
        """Remember where a score stands."""
        for series in stand.one.series:
            self._known[series] = stand

    def forget(self, every: Iterable[Series]) -> None:
        """Forget the scores of some series, with all their series."""
        for series in every:
            stand = self._known.get(series)
            if stand is not None:
                for part in stand.one.series:
                    self._known.pop(part, None)

    def forget_tenants(self, tenants: Collection[str]) -> None:
        """Forget all scores of some tenants."""
        self.forget([series for series in self._known if series.tag("tenant") in tenants])

    def clear(self) -> None:
        """Forget all."""
        self._known.clear()
