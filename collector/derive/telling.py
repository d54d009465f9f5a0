"""A spike in words, and how many groups rose with it."""

from collector.derive.followed import GROUPS, Followed
from collector.derive.known import Known
from collector.derive.moments import Moments
from collector.derive.protocols import Rules
from collector.history.card import DAY
from collector.history.rises import EVERYBODY
from collector.history.spikes import Episode
from collector.point import Series


class Telling:
    """Says what a spike is. `past`: where the scores of groups are looked up."""

    def __init__(self, known: Known, past: Moments, rules: Rules) -> None:
        self._known = known
        self._past = past
        self._rules = rules

    def title(self, spike: Series, episode: Episode) -> str:
        """Return one line."""
        name = spike.tag("rbacGroupName")
        whose = "Exposure score" if name == EVERYBODY else f"Exposure score of {name}"
        return f"{whose} rose by {episode.rise:.1f} to {episode.peak:.1f}"

    def text(self, spike: Series, episode: Episode, said: str = "") -> str:
        """Return what else is known, and where to look. `said`: what stands there; the groups' scores may be gone."""
        tenant = spike.tag("tenant")
        rose = self.rose(tenant, episode.begin)
        usual = f"{tenant}: usual was {episode.baseline:.1f}."
        if not rose and said.startswith(usual):
            return said
        parts = [usual, f"{rose}." if rose else "", self._rules.links.get(tenant, "")]
        return " ".join(part for part in parts if part)

    def rose(self, tenant: str, moment: int) -> str:
        """Return how many of the tenant's groups rose, by their scores at a moment (ms); nothing where it has none.

        A group rose when it stands half of what makes a spike, or more, above the close of the day before.
        """
        groups = self._known.every(GROUPS, tenant)
        self._past.look((series, moment) for one in groups for series in one.series)
        self._past.look_for_closes((one, [moment // DAY - 1]) for one in groups)
        risen = [change for one in groups if (change := self._change(one, moment)) is not None]
        least = self._rules.organization.rise / 2
        return f"{sum(change >= least for change in risen)} of {len(risen)} groups rose" if risen else ""

    def _change(self, one: Followed, moment: int) -> float | None:
        now = self._past.before(one, moment)
        if now is None or now.time != moment:
            return None
        closes = self._past.closes(one, [moment // DAY - 1])
        return now.score - closes[-1].score if closes else 0.0
