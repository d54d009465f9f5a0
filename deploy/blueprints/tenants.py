"""The dashboard *All tenants*, for who looks after many: who stands worst, who moved, who is late."""

from collections.abc import Iterator

from deploy.blueprints import looks
from deploy.blueprints.boards import Board, choice, source
from deploy.blueprints.influxql import CHANGES, EVERYBODY, TENANT, WITHIN, Query, newest, stepped
from deploy.blueprints.panels import LATE, Panel, Row, chart, figure, first, table
from deploy.blueprints.score import UID as ONE

UID = "exposure-tenants"
OLDEST = 8
"""Id of the panel that an alert leads to."""

_CELLS: looks.Json = {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False, "filterable": True}
_LINK = {
    "title": "Its exposure score",
    "url": f"/d/{ONE}?var-tenant=${{__value.raw:percentencode}}&${{__url_time_range}}",
    "targetBlank": False,
}


def board() -> Board:
    """Return it."""
    return Board(
        uid=UID,
        title="All tenants",
        about="Every tenant by its score, what moved, and whose scores are late.",
        variables=[source(), choice("tenant", "Tenant", "exposure_score", "tenant")],
        rows=[
            Row(id=100, title="Now", panels=[*_counts(), _ranking()]),
            Row(id=101, title="What moved", panels=[*_movers(), _trends()]),
            Row(id=102, title="Who is late", panels=list(_late())),
        ],
        since="now-30d",
    )


def _counts() -> Iterator[Panel]:
    last = f'SELECT last("level") AS "level" FROM "exposure_trend" WHERE {TENANT} AND {WITHIN} GROUP BY "tenant"'
    high = f'SELECT count("level") AS "Tenants" FROM ({last}) WHERE "level" = 3'
    yield Panel(
        id=1,
        kind="stat",
        title="Tenants",
        about="Tenants with a score within the time shown.",
        queries=[Query(f'SELECT count("level") AS "Tenants" FROM ({last})')],
        width=4,
        height=4,
        options=figure(graph=False, text="value"),
        defaults=looks.count(),
    )
    yield Panel(
        id=2,
        kind="stat",
        title="On a high level",
        about="Tenants whose newest score is 70 or more.",
        queries=[Query(high)],
        width=4,
        height=4,
        options=figure(graph=False, text="value"),
        defaults=looks.count(looks.NONE_IS_GOOD),
    )
    of_organizations = f'{TENANT} AND "state" = 1 AND "rbacGroupName" = \'{EVERYBODY}\''
    of_groups = f'{TENANT} AND "state" = 1 AND "rbacGroupName" != \'{EVERYBODY}\''
    for number, title, where in (
        (3, "Open spikes of tenants", of_organizations),
        (4, "Open spikes of groups", of_groups),
    ):
        yield Panel(
            id=number,
            kind="stat",
            title=title,
            about="Spikes that began within the time shown and go on.",
            queries=[Query(f'SELECT count("peak") AS "Spikes" FROM "exposure_spike" WHERE {where} AND {WITHIN}')],
            width=4,
            height=4,
            options=figure(graph=False, text="value"),
            defaults=looks.count(looks.NONE_IS_GOOD),
        )
    yield Panel(
        id=5,
        kind="stat",
        title="Mean score",
        about="The mean of all tenants' newest scores, step by step.",
        queries=[Query(stepped('mean("score") AS "Score"', "exposure_trend", TENANT, fill="none"))],
        width=8,
        height=4,
        options=figure(text="value"),
        defaults=looks.score(),
    )


def _ranking() -> Panel:
    return Panel(
        id=6,
        kind="table",
        title="Ranking",
        about="The newest score of each tenant, the worst first. A click on a name opens its dashboard.",
        queries=[
            Query(
                newest(f'"score" AS "Score", "level" AS "Level", {CHANGES}', "exposure_trend", TENANT, '"tenant"'),
                table=True,
            )
        ],
        width=24,
        height=12,
        options=table(by="Score"),
        defaults={"noValue": "-"},
        custom=_CELLS,
        overrides=[
            _named(),
            looks.override("Time", {"displayName": "Scored", "unit": "dateTimeFromNow", "custom.width": 160}),
            looks.override("Score", looks.painted("color-background", looks.score())),
            looks.override("Level", {"mappings": looks.LEVELS, "custom.width": 90}),
            *(
                looks.override(span, looks.painted("color-text", looks.change()))
                for span in ("1 day", "7 days", "30 days")
            ),
        ],
    )


def _movers() -> Iterator[Panel]:
    moves = newest('"change_7d" AS "7 days", "score" AS "Score"', "exposure_trend", TENANT, '"tenant"')
    for number, title, rose in ((9, "Rose most in 7 days", True), (10, "Fell most in 7 days", False)):
        yield Panel(
            id=number,
            kind="table",
            title=title,
            about="The ten tenants that moved most, by their newest scores.",
            queries=[Query(moves, table=True)],
            width=12,
            height=8,
            options=table(by="7 days", descending=rose),
            defaults={"noValue": "-"},
            custom=_CELLS,
            overrides=[
                looks.override("Time", {"custom.hidden": True}),
                _named(),
                looks.override("Score", looks.painted("color-text", looks.score())),
                looks.override("7 days", looks.painted("color-text", looks.change())),
            ],
            transformations=first("7 days", 10, descending=rose),
        )


def _trends() -> Panel:
    return Panel(
        id=11,
        kind="timeseries",
        title="Trends",
        about="The highest score of each step. A click on a name leaves it alone.",
        queries=[Query(stepped('max("score")', "exposure_score", TENANT, '"tenant"'), alias="$tag_tenant")],
        width=24,
        height=11,
        options=chart("lastNotNull", "max", table=True),
        defaults=looks.score(color={"mode": "palette-classic-by-name"}),
        custom=looks.lines(bands=True),
        spans=LATE,
    )


def _late() -> Iterator[Panel]:
    yield Panel(
        id=OLDEST,
        kind="table",
        title="Oldest scores",
        about="When each tenant was last scored, the longest ago first.",
        queries=[Query(newest('"score" AS "Score"', "exposure_score", TENANT, '"tenant"'), table=True)],
        width=10,
        height=9,
        options=table(by="Scored", descending=False),
        defaults={"noValue": "-"},
        custom=_CELLS,
        overrides=[
            looks.override("Time", {"displayName": "Scored", "unit": "dateTimeFromNow"}),
            _named(),
            looks.override("Score", looks.painted("color-text", looks.score())),
        ],
        transformations=first("Time", 20, descending=False),
    )
    last = (
        'SELECT last("ok") AS "ok", "error" AS "Error", "tries" AS "Tries" FROM "collector_poll" '
        f'WHERE {TENANT} AND {WITHIN} GROUP BY "tenant", "subject"'
    )
    yield Panel(
        id=12,
        kind="table",
        title="Last polls that failed",
        about="Tenants and subjects whose last poll did not succeed, with the error's name.",
        # Columns, not tags that are grouped by: Grafana shows those in an order that changes.
        queries=[Query(f'SELECT "tenant", "subject", "Error", "Tries" FROM ({last}) WHERE "ok" = 0', table=True)],
        width=14,
        height=9,
        options=table(by="Time", descending=False),
        defaults={"noValue": "-"},
        custom=_CELLS,
        overrides=[looks.override("Time", {"displayName": "Slot", "unit": "dateTimeFromNow"}), _named()],
    )


def _named() -> looks.Json:
    return looks.override("tenant", {"displayName": "Tenant", "links": [_LINK]})
