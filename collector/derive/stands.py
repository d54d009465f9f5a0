"""Every score that is followed, and where it stands, so that a plain new sample of it costs no look at its weeks.

Is no window of samples: what is kept of a score is the time of its last sample, what is usual on that day, and the
episode that is open. It holds as long as nothing at or before that sample changes: whoever sees something change, or
can't know, forgets it, and it is made anew from the journal.

There are hundreds of thousands. So a series is one object here, one dict a tenant says both who is followed by it and
where that stands, and who has one series is not put in words beside it: 110 bytes a score less than two dicts have.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
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

    `whose`: as `Followed.short` has it. `broken`: the last break up to it; `breaks`: the first break after it. `open`:
    the episode that goes on.
    """

    whose: Series | Followed
    last: int
    day: int
    usual: Usual | None
    broken: int | None
    breaks: int
    open: Kept | None

    @property
    def one(self) -> Followed:
        """Whose stand it is."""
        return Followed(self.series)

    @property
    def series(self) -> Sequence[Series]:
        """All series of the score."""
        return self.whose if isinstance(self.whose, Followed) else (self.whose,)


class Stands:
    """What is remembered, by each series that a score has."""

    def __init__(self) -> None:
        self._tenants: dict[tuple[str, str], dict[Series, Followed | Stand]] = {}
        """By measurement and tenant; of whom it is not known where it stands, who it is."""

    def of(self, series: Series) -> Stand | None:
        """Return where the score of a series stands, None where that is not known."""
        known = self._its(series).get(series)
        return known if isinstance(known, Stand) else None

    def without(self, every: Iterable[Series]) -> Collection[Series]:
        """Return those of the series whose score is not known to stand anywhere, each once, in their order.

        By it one of two samples of one moment is told of: a set's order is another in each process.
        """
        return dict.fromkeys(series for series in every if self.of(series) is None).keys()

    def keep(self, stand: Stand) -> None:
        """Remember where a score that is followed stands."""
        for series in stand.series:
            self._its(series)[series] = stand

    def forget(self, every: Iterable[Series]) -> None:
        """Forget where the scores of some series stand."""
        for series in every:
            stand = self.of(series)
            if stand is not None:
                one = stand.one
                for part in one:
                    self._its(part)[part] = one

    def forget_tenants(self, tenants: Collection[str]) -> None:
        """Forget where all scores of some tenants stand."""
        for (_, tenant), its in self._tenants.items():
            if tenant in tenants:
                self.forget(its)

    def clear(self) -> None:
        """Forget where each of them stands."""
        for its in self._tenants.values():
            self.forget(its)

    def follow(self, measurement: str, tenant: str, every: Mapping[Series, Followed]) -> None:
        """Let these be who is followed of a tenant. Who was so before stands where it stood."""
        before = self.followed(measurement, tenant)
        its = self._tenants.get((measurement, tenant), {})
        self._tenants[measurement, tenant] = {
            series: its[series] if before.get(series) == one else one for series, one in every.items()
        }

    def followed(self, measurement: str, tenant: str) -> Mapping[Series, Followed]:
        """Return who is followed of a tenant, by each series."""
        its = self._tenants.get((measurement, tenant), {})
        return {series: known.one if isinstance(known, Stand) else known for series, known in its.items()}

    def who(self, series: Series) -> Followed | None:
        """Return who is followed by a series, None where nobody is."""
        known = self._its(series).get(series)
        return known.one if isinstance(known, Stand) else known

    def series(self, measurement: str, tenant: str) -> Collection[Series]:
        """Return the series by which a tenant's scores are followed."""
        return self._tenants.get((measurement, tenant), {}).keys()

    def leave(self) -> None:
        """Follow nobody."""
        self._tenants.clear()

    def _its(self, series: Series) -> dict[Series, Followed | Stand]:
        return self._tenants.get((series.measurement, series.tag("tenant"))) or {}
