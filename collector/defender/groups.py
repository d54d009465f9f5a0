"""What is remembered of a tenant's device groups from answer to answer: the last id of each name, and their series.

Is not history: the journal is. What is forgotten here costs a look at the journal, or a few objects more.
"""

from collections.abc import Callable, Collection, Mapping

from collector.errors import JournalError
from collector.log import logger
from collector.point import NO_ID, Series, group_id, group_name

_SHOWN = 5
"""Groups that one log line names."""

_MOST = 200_000
"""Names that are remembered, whatever answers break off."""

_log = logger()


class Groups:
    """The device groups of one tenant. `known_ids` returns the journal's last id of each name, both as tags."""

    def __init__(self, tenant: str, known_ids: Callable[[], Mapping[str, str]]) -> None:
        self._tenant = tenant
        self._known_ids = known_ids
        self._known: Mapping[str, str] | None = None
        self._in_vain = False
        self._seen: dict[str, str] = {}
        self._alike: dict[tuple[str | None, str | None], Series] = {}
        """The series of a name and an id as the API has them."""
        self._repeated: frozenset[Series] = frozenset()

    def series(self, name: str | None, id_: str | None) -> Series:
        """Return the series of a group as the API names it. Without an id it is the last one seen for that name.

        The same object again for a group that was in the last answer.
        """
        known = self._alike.get((name, id_))
        name_tag = known.tags[1][1] if known else group_name(name)
        if id_ is None:
            id_tag = self._seen.get(name_tag) or self._from_journal(name_tag)
        else:
            id_tag = self._seen[name_tag] = known.tags[2][1] if known else group_id(id_)
        if known and known.tags[2][1] == id_tag:
            return known
        if len(self._alike) >= _MOST:
            self._alike.clear()
        new = self._alike[name, id_] = Series(
            "exposure_score_by_group",
            (("tenant", self._tenant), ("rbacGroupName", name_tag), ("rbacGroupId", id_tag)),
        )
        return new

    def keep(self, series: Collection[Series], repeated: Collection[Series]) -> None:
        """Take in a whole answer: its series, and those that it had more than once, which are said once each."""
        self._in_vain = False
        if len(self._alike) > 2 * len(series):
            self._alike = {said: one for said, one in self._alike.items() if one in series}
        new = [one for one in repeated if one not in self._repeated]
        # What is said is remembered for as long as it goes on, so that memory holds no more than an answer.
        self._repeated = frozenset(repeated) | self._repeated.intersection(series)
        if new:
            _log.warning(
                "group.repeated",
                tenant=self._tenant,
                count=len(new),
                groups=[one.tag("rbacGroupName") for one in new[:_SHOWN]],
                mend="nothing to do: the last of its scores stands",
            )

    def _from_journal(self, name_tag: str) -> str:
        if self._known is None and not self._in_vain:
            try:
                self._known = self._known_ids()
            except JournalError:
                # The score is in hand and can't be asked for again. The journal says its trouble itself, and is asked
                # once an answer: it may take its time to fail.
                self._in_vain = True
        return self._known.get(name_tag, NO_ID) if self._known else NO_ID
