"""What is remembered of a tenant's device groups from answer to answer: the last id of each name.

Is not history: the journal is. What is forgotten here costs a look at the journal.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from collector.defender.last_ids import LastIds
from collector.errors import JournalError
from collector.log import logger
from collector.point import NO_ID, UNASSIGNED, Series, group_id, group_ids, group_name, group_names, of_groups

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
        self._last = LastIds()
        """The id that each name as the API has it ("" for none) last came with, as a tag."""
        self._repeated: frozenset[Series] = frozenset()

    def series(self, name: str | None, id_: str | None) -> Series:
        """Return the series of a group as the API names it. Without an id it is the last one seen for that name."""
        (series,) = self.every([name], [id_])
        return series

    def every(self, names: Sequence[str | None], ids: Sequence[str | None]) -> list[Series]:
        """Return the series of an answer's groups: those that `series` would, asked for one after the other."""
        named = [name or "" for name in names]
        identified = list(filter(None, ids))
        id_tags = group_ids(identified) if len(identified) == len(ids) else self._found(named, ids)
        self._learn(named, id_tags)
        return of_groups(self._tenant, [tag or UNASSIGNED for tag in group_names(named)], id_tags)

    def keep(self, series: Collection[Series], repeated: Collection[Series]) -> None:
        """Take in a whole answer: its series, and those that it had more than once, which are said once each."""
        self._in_vain = False
        if len(self._last) > 2 * len(series):
            self._forget(series)
        self._last.pack()
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

    def _found(self, names: Sequence[str], ids: Sequence[str | None]) -> Sequence[str]:
        """Return the ids of names as tags; where one has none, the last one seen for it, in these or before."""
        tags: dict[str, str] = {}
        found = []
        for name, id_ in zip(names, ids, strict=True):
            if id_:
                tag = group_id(id_)
            else:
                tag = tags.get(name) or self._last.of(name) or NO_ID
                if tag == NO_ID:
                    tag = self._from_journal(group_name(name))
            tags[name] = tag
            found.append(tag)
        return found

    def _learn(self, names: Sequence[str], id_tags: Sequence[str]) -> None:
        self._last.learn(names, id_tags)
        if len(self._last) > _MOST:
            self._forget(())
            self._last.learn(names, id_tags)

    def _forget(self, but: Collection[Series]) -> None:
        """Forget names whose series are not among these. Should one come back without an id, the journal tells it."""
        self._last.keep({(series.tag("rbacGroupName"), series.tag("rbacGroupId")) for series in but})
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
