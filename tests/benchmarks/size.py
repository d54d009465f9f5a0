"""How much of everything is measured: sizes that say something, those that the goals name, and those that only run."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """`times`: repetitions of what takes a second; what takes much less is repeated more often."""

    times: int
    polls: int
    """Polls of 200 groups that are appended."""
    together: int
    """Rounds of polls that come at the same time."""
    named: int
    """Series in the journal that learns its names."""
    days: int
    """Of hourly polls, whose bytes on disk are counted."""
    derived: int
    """Days of hourly polls that are derived from."""
    followed: int
    """Groups in each of these polls."""
    payload: int
    """Groups in one answer."""
    delivered: int
    """Points that are brought to InfluxDB."""
    waited: int
    """Days of hourly polls of 50 groups that wait for it, with what is derived of them."""
    journaled: int
    """Points in the journal that `status` reads."""
    trended: int
    """Days of hourly polls in the journal of which `trend` shows a card."""
    kept_times: int
    """How many times as long a history is kept by which a view is held against that of `trended` days."""
    kept: int
    """Points in the journal that `status` is held against that of `journaled`."""
    scraped: int
    """Tenants of 200 groups whose metrics are scraped."""
    resident: tuple[tuple[int, int, int, int], tuple[int, int, int, int]]
    """Of the memory of one tenant, and of many: tenants, groups a tenant, rounds, and seconds of a round."""
    tenants: int
    groups: int
    """Of a round: tenants, and groups a tenant."""
    latency: float
    """Seconds in which each request of the round is answered."""
    later: int
    """Seconds of a slot of `run`, of which all rounds but the first are measured."""
    customers: int
    """Tenants, each a file, whose settings are read."""
    capacity: tuple[tuple[int, int], ...]
    capacity_groups: int
    """Of two slots of `run`, one after the other: tenants, and seconds of a slot; and groups a tenant."""
    seeds: int
    """Labelled histories of each kind that are told of, or not."""
    told: int
    """Days of each of them."""


FULL = Size(
    times=5,
    polls=400,
    together=6,
    named=60_000,
    days=30,
    derived=2,
    followed=1_000,
    payload=100_000,
    delivered=200_000,
    waited=30,
    journaled=100_000,
    trended=365,
    kept_times=3,
    kept=1_000_000,
    scraped=1_000,
    resident=((1, 100, 40, 1), (20, 200, 3, 10)),
    tenants=50,
    groups=200,
    latency=0.2,
    later=15,
    customers=1_000,
    capacity=((100, 60),),
    capacity_groups=20,
    seeds=12,
    told=730,
)
GOALS = replace(
    FULL,
    times=3,
    delivered=1_000_000,
    kept_times=10,
    tenants=1_000,
    later=60,
    capacity=((100, 60), (1_000, 60), (3_000, 120), (10_000, 400)),
    resident=((1, 100, 1_000, 1), (1_000, 200, 20, 120)),
)
"""What the goals speak of: the rounds of memory alone take an hour."""
QUICK = Size(
    times=1,
    polls=5,
    together=1,
    named=200,
    days=2,
    derived=1,
    followed=10,
    payload=500,
    delivered=6_000,
    waited=2,
    journaled=500,
    trended=2,
    kept_times=2,
    kept=1_000,
    scraped=3,
    resident=((1, 2, 3, 1), (2, 2, 2, 1)),
    tenants=2,
    groups=2,
    latency=0.05,
    later=2,
    customers=3,
    capacity=((3, 20),),
    capacity_groups=2,
    seeds=2,
    told=60,
)
