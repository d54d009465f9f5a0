"""The panels of *Exposure score* that show the device groups: where they stand, who moved most, trends and levels."""

from collections.abc import Iterator

from deploy.blueprints import looks
from deploy.blueprints.influxql import CHANGES, GROUP, TENANT, Query, newest, stepped
from deploy.blueprints.panels import LATE, Panel, chart, first, table, timeline

LEVELS = 9
"""Id of the panel that an alert leads to."""

_TAGS = '"rbacGroupName", "rbacGroupId"'
_OF_GROUPS = f"{TENANT} AND {GROUP}"


def of_groups() -> Iterator[Panel]:
    """Yield them."""
    newest_of_each = newest(
        f'"score" AS "Score", "level" AS "Level", {CHANGES}', "exposure_trend_by_group", _OF_GROUPS, _TAGS
    )
    yield Panel(
        id=7,
        kind="table",
        title="Where the groups stand",
        about="The newest score of each group within the time shown, the worst first. A group that is gone stays old.",
        queries=[Query(newest_of_each, table=True)],
        width=14,
        height=11,
        options=table(by="Score"),
        defaults={"noValue": "-"},
        custom={"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False, "filterable": True},
        overrides=_columns("rbacGroupName", "Device group"),
    )
    moves = newest('"change_7d" AS "7 days"', "exposure_trend_by_group", _OF_GROUPS, _TAGS)
    for number, title, rose in ((5, "Rose most in 7 days", True), (6, "Fell most in 7 days", False)):
        yield Panel(
            id=number,
            kind="table",
            title=title,
            about="The five groups that moved most, by their newest scores.",
            queries=[Query(moves, table=True)],
            width=5,
            height=11,
            options=table(by="7 days", descending=rose),
            defaults={"noValue": "-"},
            custom={"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False},
            overrides=[
                *_hidden("Time", "rbacGroupId"),
                looks.override("rbacGroupName", {"displayName": "Device group"}),
                looks.override("7 days", looks.painted("color-text", looks.change())),
            ],
            transformations=first("7 days", 5, descending=rose),
        )
    yield Panel(
        id=8,
        kind="timeseries",
        title="Trends of the groups",
        about="The highest score of each step. A click on a name leaves it alone; the variable above chooses for all.",
        queries=[
            Query(
                stepped('max("score")', "exposure_score_by_group", _OF_GROUPS, '"rbacGroupName"'),
                alias="$tag_rbacGroupName",
            )
        ],
        width=24,
        height=11,
        options=chart("lastNotNull", "max", table=True),
        defaults=looks.score(color={"mode": "palette-classic-by-name"}),
        custom=looks.lines(bands=True),
        spans=LATE,
    )
    yield Panel(
        id=LEVELS,
        kind="state-timeline",
        title="Levels of the groups",
        about="The highest level of each step.",
        queries=[
            Query(
                stepped('max("level")', "exposure_trend_by_group", _OF_GROUPS, '"rbacGroupName"'),
                alias="$tag_rbacGroupName",
            )
        ],
        width=24,
        height=9,
        options=timeline(),
        defaults={"mappings": looks.LEVELS, "color": {"mode": "fixed", "fixedColor": looks.GREY}},
        custom={"fillOpacity": 80, "lineWidth": 0},
    )


def _columns(tag: str, name: str) -> list[looks.Json]:
    """Return how the columns of a table look that has where each stands."""
    return [
        *_hidden("rbacGroupId"),
        looks.override("Time", {"displayName": "Scored", "unit": "dateTimeFromNow", "custom.width": 140}),
        looks.override(tag, {"displayName": name}),
        looks.override("Score", looks.painted("color-background", looks.score())),
        looks.override("Level", {"mappings": looks.LEVELS, "custom.width": 90}),
        *(looks.override(span, looks.painted("color-text", looks.change())) for span in ("1 day", "7 days", "30 days")),
    ]


def _hidden(*names: str) -> list[looks.Json]:
    return [looks.override(name, {"custom.hidden": True}) for name in names]
