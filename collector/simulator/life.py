"""What becomes of a tenant's device groups: they appear, vanish, are renamed, are made anew, and lack an id at times.

Days are counted from the day on which the simulator starts: 0 is that day, -1 the day before. Is not their scores
(`world.py`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from collector.simulator.dice import between, roll, whole
from collector.simulator.events import Kind

LIVELY = 7
"""A tenant of fewer groups keeps them as they are: whoever asks for two wants two."""
FORGETFUL_SHARE = 0.2
"""The share of the answers in which the id of a forgetful group is missing."""

_FORGOTTEN_SINCE = -80
_LAST_DEVICES = 3
_SURE = range(-2, 2)
"""Whoever starts a simulator to poll it gets whole answers; what was before, and what is to come, lacks ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A device group under one name and one id, on the days from `since` to before `until`.

    Its score wanders about `level`; `swing`: the most points that one day's chance moves it. Groups that are one in
    truth, before and after a new name or id, share a `place`: their number among the tenant's groups.
    """

    place: int
    name: str | None
    id: int
    devices: int
    level: float
    swing: float
    since: float = -math.inf
    until: float = math.inf
    forgetful: bool = False

    @property
    def title(self) -> str:
        """The name, for people."""
        return self.name or "the devices in no group"

    def forgets(self, day: int, chance: float) -> bool:
        """Return whether an answer of that day lacks the id; `chance`: the answer's own, in [0, 1)."""
        return self.forgetful and chance < FORGETFUL_SHARE and day >= _FORGOTTEN_SINCE and day not in _SURE


@dataclass(frozen=True, slots=True)
class Turn:
    """What happens to a group on a day."""

    day: int
    kind: Kind
    text: str


def born(place: int, name: str | None, number: int, *key: str | int) -> Group:
    """Return a group as chance makes it: of 4 to 4,000 devices, small ones more often; `number`: its id."""
    own = (*key, number)
    devices = round(4 * 1000 ** roll(*own, "devices"))
    return Group(
        place=place,
        name=name,
        id=number,
        devices=devices,
        level=between(18.0, 55.0, *own, "level"),
        swing=_swing(devices),
    )


def lived(groups: Sequence[Group], gone: Group, *key: str | int) -> tuple[tuple[Group, ...], tuple[Turn, ...]]:
    """Return all groups that there were in the last weeks, in the order of the API's rows, and what became of them.

    `groups`: those of day 0, under their names, each at its place. `gone`: one more, behind them, which is no longer
    there by then. Less than `LIVELY` have no such past.
    """
    if len(groups) < LIVELY:
        return tuple(groups), ()
    small, smallish, *_, anew, renamed, _ = sorted(groups, key=lambda one: (one.devices, one.place))
    appears = whole(-64, -56, *key, "life", "appeared")
    begins = whole(-54, -48, *key, "life", "made anew")
    vanishes = whole(-28, -22, *key, "life", "vanished")
    # Only when the great spike is over: its rise and its fall are one series.
    changes = whole(-19, -15, *key, "life", "renamed")
    # The organization hardly moves when a group appears or vanishes: both are small.
    gone = replace(gone, devices=_LAST_DEVICES, swing=_swing(_LAST_DEVICES), until=vanishes)
    former = replace(renamed, name=f"Pilot {renamed.name}", until=changes)
    changed = {
        small.place: (replace(small, since=appears),),
        smallish.place: (replace(smallish, forgetful=True),),
        anew.place: (replace(anew, until=begins), replace(anew, id=gone.id + 1, since=begins)),
        renamed.place: (former, replace(renamed, since=changes)),
    }
    rows = [stretch for one in groups for stretch in changed.get(one.place, (one,))]
    rows.insert(len(rows) // 2, gone)
    return tuple(rows), (
        Turn(_FORGOTTEN_SINCE, "id missing", f"{smallish.title}, in one of five answers"),
        Turn(appears, "appeared", f"{small.title}, with its {small.devices} devices"),
        Turn(begins, "made anew", f"{anew.title}: the same name, another id"),
        Turn(vanishes, "vanished", f"{gone.title}, with its {gone.devices} devices"),
        Turn(changes, "renamed", f"{former.title} is now {renamed.title}"),
    )


def _swing(devices: int) -> float:
    # One machine more or less is nothing among thousands, and a jump among four.
    return 0.5 + 3.0 / math.sqrt(devices)
