"""The last id of each device group that the journal has, for a name that comes without one."""

from collections.abc import Mapping

from collector.journal import Journal
from collector.point import NO_ID


def last_ids(journal: Journal, tenant: str, since: int) -> Mapping[str, str]:
    """Return the last id of each name that had one since `since` (ms), both as tags."""
    points = sorted(journal.latest("exposure_score_by_group", since, tenant), key=lambda point: point.time)
    ids = ((point.series.tag("rbacGroupName"), point.series.tag("rbacGroupId")) for point in points)
    return {name: id_ for name, id_ in ids if id_ != NO_ID}
