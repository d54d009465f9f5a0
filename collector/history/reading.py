"""What a score card asks of the journal; it costs by what is shown, not by what is kept.

That is the newest point of each series, the one before each moment over which a change is told, and the whole past of
what is drawn alone. Is not the card (`card.py`): what the answers mean stands there.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from collector.history.card import (
    DAY,
    SPANS,
    Card,
    Followed,
    Group,
    Sample,
    Standing,
    called,
    follow,
    moments,
    rank_groups,
    sample,
    seen,
    stand,
    worst_first,
)
from collector.history.notes import Note, notes
from collector.history.past import Past
from collector.history.pieces import pieces
from collector.point import Point, Series

_ORGANIZATION = "exposure_score"
_GROUPS = "exposure_score_by_group"


def rank(past: Past, tenants: Collection[str], *, now: int, late_ms: int) -> Sequence[Card]:
    """Return a card of each tenant, worst first, without groups. `late_ms`: the age from which a score is late."""
    newest = _newest(past, tenants)
    written = _written(past, tenants, _oldest(newest, now), now)
    standings = _organizations(past, newest, written)
    found = {tenant: standings.get(tenant) for tenant in tenants}
    return worst_first(
        Card(tenant=tenant, standing=standing, late=_late(standing, (), now - late_ms))
        for tenant, standing in found.items()
    )


def read(
    past: Past,
    tenants: Collection[str],
    *,
    now: int,
    late_ms: int,
    days: int,
    group: str | None = None,
    drawn: bool = False,
) -> Sequence[Card]:
    """Return the card of each tenant, worst first, with its groups, or with those alone that `group` names.

    With what was noted of the last `days`; where a group is named, that is what speaks of it or of all. `drawn`: with
    the samples of those days, of the organization, or of the groups that were named; of many days with two for each.
    """
    since = now - days * DAY
    newest = _newest(past, tenants)
    followed = _followed(past, tenants, since if group is None else 0)
    standing = [*newest, *(one.newest for every in followed.values() for one in every)]
    written = _written(past, tenants, min(since, _oldest(standing, now)), now)
    standings = _organizations(past, newest, written)
    cards = []
    for tenant in tenants:
        every = followed.get(tenant, [])
        fresh, others = seen(every)
        shown = fresh if group is None else called(every, group)
        groups = [
            replace(
                one,
                seen=its in fresh,
                samples=list(_drawn(past, its.series, since, now)) if drawn and group is not None else (),
            )
            for one, its in zip(_groups(past, shown, written[tenant]), shown, strict=True)
        ]
        of_tenant = [_organization(tenant)] if drawn and group is None else []
        cards.append(
            Card(
                tenant=tenant,
                standing=standings.get(tenant),
                samples=list(_drawn(past, of_tenant, since, now)),
                groups=rank_groups(groups),
                unseen=len(others) if group is None else 0,
                unseen_since=max((its.newest.time for its in others), default=None) if group is None else None,
                late=_late(standings.get(tenant), fresh, now - late_ms),
                notes=[
                    note for note in written[tenant] if note.at >= since and (group is None or _concerns(note, shown))
                ],
            )
        )
    return worst_first(cards)


def names(past: Past, tenants: Collection[str], group: str) -> Mapping[str, Collection[str]]:
    """Return what the groups that `group` names are called by now, for each tenant that has any."""
    found = {tenant: called(every, group) for tenant, every in _followed(past, tenants, 0).items()}
    return {tenant: {one.name for one in groups} for tenant, groups in found.items() if groups}


def _concerns(note: Note, groups: Sequence[Followed]) -> bool:
    """Whether a note speaks of all groups, or of one of these by a name that it has or had."""
    return note.group is None or any(note.group == each.tag("rbacGroupName") for its in groups for each in its.series)


def _late(standing: Standing | None, groups: Sequence[Followed], before: int) -> Sequence[str]:
    newest = {
        "organization": standing.at if standing else None,
        "device_groups": max((group.newest.time for group in groups), default=None),
    }
    return [subject for subject, at in newest.items() if at is not None and at < before]


def _newest(past: Past, tenants: Collection[str]) -> Sequence[Point]:
    return [point for point in past.latest(_ORGANIZATION, 0, _only(tenants)) if point.series.tag("tenant") in tenants]


def _oldest(newest: Iterable[Point], now: int) -> int:
    """Return the time of the oldest point that a change from these on may look at."""
    return max(0, min((point.time for point in newest), default=now) - (max(SPANS) + 1) * DAY)


def _written(past: Past, tenants: Collection[str], since: int, now: int) -> defaultdict[str, list[Note]]:
    written: defaultdict[str, list[Note]] = defaultdict(list)
    for note in notes(past, tenants, since, now + 1):
        written[note.tenant].append(note)
    return written


def _organizations(
    past: Past, newest: Sequence[Point], written: Mapping[str, Sequence[Note]]
) -> Mapping[str, Standing]:
    tenants = [point.series.tag("tenant") for point in newest]
    breaks = [_breaks(note for note in written.get(tenant, ()) if note.group is None) for tenant in tenants]
    standings = _standings(past, [(point, [point.series]) for point in newest], breaks)
    return dict(zip(tenants, standings, strict=True))


def _breaks(written: Iterable[Note]) -> Sequence[int]:
    return [note.at for note in written if note.kind == "break"]


def _followed(past: Past, tenants: Collection[str], since: int) -> Mapping[str, Sequence[Followed]]:
    """Return each tenant's groups that have a point since `since`; of one that has none since then, all it ever had."""
    newest = _by_tenant(past.latest(_GROUPS, since, _only(tenants)))
    every = defaultdict(list)
    for series in past.series(_GROUPS, _only(tenants)):
        every[series.tag("tenant")].append(series)
    silent = [tenant for tenant in tenants if every.get(tenant) and tenant not in newest]
    if silent and since > 0:
        newest |= _by_tenant(past.latest(_GROUPS, 0, _only(silent)))
    return {tenant: follow(newest.get(tenant, ()), every.get(tenant, ())) for tenant in tenants}


def _groups(past: Past, followed: Sequence[Followed], written: Sequence[Note]) -> Sequence[Group]:
    breaks = [_breaks(note for note in written if _concerns(note, [group])) for group in followed]
    standings = _standings(past, [(group.newest, group.series) for group in followed], breaks)
    return [
        Group(name=group.name, id=group.id, standing=standing, series=group.series)
        for group, standing in zip(followed, standings, strict=True)
    ]


def _standings(
    past: Past, asked: Sequence[tuple[Point, Sequence[Series]]], breaks: Sequence[Sequence[int]]
) -> Sequence[Standing]:
    """Return where each newest point stands, by all series that are its past, and by the breaks in it."""
    wanted = [
        (series, moment) for newest, its in asked for moment in moments(newest.time) for series in its if moment >= 0
    ]
    answers = iter(past.before(wanted))
    standings = []
    for (newest, its), cuts in zip(asked, breaks, strict=True):
        before: list[Sample | None] = []
        for moment in moments(newest.time):
            found = [sample(point) for _ in its if moment >= 0 and (point := next(answers)) is not None]
            before.append(max(found, key=lambda one: one.time, default=None))
        standings.append(stand(sample(newest), before, cuts))
    return standings


def _drawn(past: Past, every: Sequence[Series], since: int, now: int) -> Iterator[Sample]:
    """Yield what a chart is drawn of: the samples, or of a day that stands for its own its highest and its last."""
    for piece in pieces(past, every, since, now):
        yield Sample(piece.begin, piece.high)
        if piece.begin < piece.end:
            yield Sample(min(piece.end - 1, now), piece.last)


def _organization(tenant: str) -> Series:
    return Series(_ORGANIZATION, (("tenant", tenant),))


def _by_tenant(points: Iterable[Point]) -> dict[str, list[Point]]:
    found: defaultdict[str, list[Point]] = defaultdict(list)
    for point in points:
        found[point.series.tag("tenant")].append(point)
    return dict(found)


def _only(tenants: Collection[str]) -> str | None:
    """Return the one tenant that is asked for, None for several: then one look at all names is less than many."""
    return next(iter(tenants)) if len(tenants) == 1 else None
