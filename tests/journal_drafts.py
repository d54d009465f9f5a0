"""What is appended to a journal that is held against its model: few series and few times, so that points meet."""

from collections.abc import Mapping

from hypothesis import strategies as st
from journals import DAY, HOUR, MIDNIGHT

from collector.batch import Filter
from collector.point import MAX_TIME, Point, Series, Value

TENANTS = ("contoso", "fabrikam", 'a b,c="d"\\x é', "日本\u202e'--")
GROUPS = ("a", "(unassigned)", "x=1, y", "'; DROP TABLE point;--")
GROUPED = ("exposure_score_by_group", "exposure_trend_by_group", "exposure_spike", "exposure_annotation")
PLAIN = (
    *("exposure_score", "device_secure_score", "collector_poll", "exposure_trend"),
    *("exposure_score_daily", "exposure_score_by_group_daily"),
)
MOMENTS = (0, MIDNIGHT - 1, *(MIDNIGHT + hours * HOUR for hours in (0, 1, 23, 24, 25, 72)), MAX_TIME - 1)
NOW = MIDNIGHT + 2 * DAY
SINKS: Mapping[str, Filter] = {
    "main": Filter(),
    "second": Filter(),
    "daily": Filter(measurements=("*_daily", "exposure_s[!c]*")),
    "contoso": Filter(tenants=("contoso", TENANTS[2])),
}
Draft = tuple[str, str, str, int]
_DRAFTS = st.tuples(
    st.sampled_from(TENANTS[:2] * 2 + TENANTS[2:]),
    st.sampled_from(PLAIN[:2] * 2 + GROUPED[:1] * 3 + PLAIN + GROUPED),
    st.sampled_from(GROUPS),
    st.sampled_from(MOMENTS[2:4] * 4 + MOMENTS),
)
DRAFTS = st.lists(_DRAFTS, min_size=1, max_size=6)


def point(draft: Draft, version: int) -> Point:
    """Return a point whose score says how new it is; it has one of several sets of fields."""
    tenant, measurement, group, time = draft
    tags = (("rbacGroupName", group), ("rbacGroupId", "none")) if measurement in GROUPED else ()
    fields: dict[str, Value] = {"score": float(version)}
    if version % 3 == 0:
        fields["change_1d"] = -version / 7
    if measurement in GROUPED[2:]:
        fields |= {"title": f"{group}\n{'é' * (version % 50)}", "state": -version}
    return Point(Series(measurement, (("tenant", tenant), *tags)), time, fields)
