"""What is remembered of a tenant's device groups from answer to answer: the last id of each name, and their series.

Is not history: the journal is. What is forgotten here costs a look at the journal, or a few objects more.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from collector.errors import JournalError
from collector.log import logger
from collector.point import NO_ID, Series, group_id, group_ids, group_name, group_names, of_groups

_SHOWN = 5
"""Groups that one log line names."""

_MOST = 200_000
"""Names that are remembered, whatever answers break off; else twice as many as the last answer had groups."""

_log = logger()


class Groups:
    """The device groups of one tenant. `known_ids` returns the journal's last id of each name, both as tags."""

    def __init__(self, tenant: str, known_ids: Callable[[], Mapping[str, str]]) -> None:
        self._tenant = tenant
        self._known_ids = known_ids
        self._known: Mapping[str, str] | None = None
        self._in_vain = False
        self._last: dict[str, Series] = {}
        """The series of each name as the API has it ("" for none), with the last id that it came with."""
        self._repeated: frozenset[Series] = frozenset()

    def series(self, name: str | None, id_: str | None) -> Series:
        """Return the series of a group as the API names it. Without an id it is the last one seen for that name.

        The same object again for a group that was in the last answer.
        """
        last = self._last.get(name or "")
        name_tag = last.tags[1][1] if last else group_name(name)
        if id_ is not None:
            id_tag = group_id(id_)
        elif last and last.tags[2][1] != NO_ID:
            return last
        else:
            id_tag = self._from_journal(name_tag)
        if last and last.tags[2][1] == id_tag:
            return last
        if len(self._last) >= _MOST:
            self._forget(())
        new = self._last[name or ""] = Series(
            "exposure_score_by_group",
            (("tenant", self._tenant), ("rbacGroupName", name_tag), ("rbacGroupId", id_tag)),
        )
        return new

    def every(self, names: Sequence[str | None], ids: Sequence[str | None]) -> list[Series]:
        """Return the series of an answer's groups: those that `series` would, asked for one after the other."""
        new = len(names) + len(self._last) < _MOST and self._last.keys().isdisjoint(names)
        if new and all(ids) and all(names) and len(set(names)) == len(names):
            named, identified = list(filter(None, names)), list(filter(None, ids))
            first = of_groups(self._tenant, group_names(named), group_ids(identified))
            self._last.update(zip(named, first, strict=True))
            return first
        found = []
        for name, id_ in zip(names, ids, strict=True):
            last = self._last.get(name or "")
            # An id with such a mark, or one that is called as if there were none, is another one in a tag.
            if last is None or id_ is None or last.tags[2][1] != id_ or id_ == NO_ID or "~" in id_:
                last = self.series(name, id_)
            found.append(last)
        return found

    def keep(self, series: Collection[Series], repeated: Collection[Series]) -> None:
        """Take in a whole answer: its series, and those that it had more than once, which are said once each."""
        self._in_vain = False
        if len(self._last) > 2 * len(series):
            self._forget(series)
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

    def _forget(self, but: Collection[Series]) -> None:
        """Forget names whose series are not among these. Should one come back without an id, the journal tells it."""
        kept = {name: one for name, one in self._last.items() if one in but}
        self._last.clear()
        self._last.update(kept)
        self._known = None

    def _from_journal(self, name_tag: str) -> str:
        if self._known is None and not self._in_vain:
            try:
                self._known = self._known_ids()
            except JournalError:
                # The score is in hand and can't be asked for again. The journal says its trouble itself, and is asked
                # once an answer: it may take its time to fail.
                self._in_vain = True
        return self._known.get(name_tag, NO_ID) if self._known else NO_ID
