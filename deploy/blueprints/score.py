"""The dashboard *Exposure score*: where one tenant and its device groups stand, how they moved, and why.

Is not the panels of the groups (`groups.py`).
"""

from collections.abc import Iterator

from deploy.blueprints import looks
from deploy.blueprints.boards import Board, choice, mark, source
from deploy.blueprints.groups import of_groups
from deploy.blueprints.influxql import CHANGES, EVERYBODY, GROUP, TENANT, Query, listed, newest, stepped
from deploy.blueprints.panels import LATE, Panel, Row, chart, figure, table

UID = "exposure-score"
SCORE, TREND, SPIKES = 1, 4, 12
"""Ids of the panels that alerts lead to."""

_DAY = 86_400


def board() -> Board:
    """Return it."""
    return Board(
        uid=UID,
        title="Exposure score",
        about="Where an organization and its device groups stand, how they moved, and what explains it.",
        variables=[
            source(),
            choice("tenant", "Tenant", "exposure_score", "tenant", several=False),
            choice("group", "Device group", "exposure_score_by_group", "rbacGroupName", where=TENANT),
        ],
        rows=[
            Row(id=100, title="The organization", panels=[*_now(), _trend()]),
            Row(id=101, title="Device groups", panels=list(of_groups())),
            Row(id=102, title="What happened", panels=list(_happened())),
            Row(id=103, title="Years", panels=[_years()]),
        ],
        since="now-90d",
        marks=list(_marks()),
    )


def _now() -> Iterator[Panel]:
    yield Panel(
        id=SCORE,
        kind="stat",
        title="Score now",
        about="0 to 100, lower is better. Low is under 30, medium under 70, high the rest.",
        queries=[Query(stepped('last("score") AS "Score"', "exposure_trend", TENANT, fill="none"))],
        width=6,
        height=5,
        options=figure(background=True, text="value"),
        defaults=looks.score(),
    )
    yield Panel(
        id=2,
        kind="stat",
        title="Change",
        about="Against what stood 1, 7 and 30 days before the newest score; nothing where that is not known.",
        queries=[Query(newest(CHANGES, "exposure_trend", TENANT))],
        width=12,
        height=5,
        options=figure(graph=False, text="value_and_name"),
        defaults=looks.change(),
    )
    yield Panel(
        id=3,
        kind="stat",
        title="Above what was usual",
        about=(
            "The newest score less the median of the last days' last scores. A spike begins at the points that the "
            "collector's settings name, 5 unless they do."
        ),
        queries=[Query(newest('"rise" AS "Rise"', "exposure_trend", f'{TENANT} AND "verdict" = 1'))],
        width=6,
        height=5,
        options=figure(graph=False, text="value"),
        defaults=looks.change(),
    )


def _trend() -> Panel:
    usual = f'{TENANT} AND "verdict" = 1'
    return Panel(
        id=TREND,
        kind="timeseries",
        title="Trend",
        about=(
            "The highest score of each step, the levels behind it, and what was usual. Spikes are marked as long as "
            "they lasted; notes and breaks are those of `exposure-collector annotate`."
        ),
        queries=[
            Query(stepped('max("score") AS "Score"', "exposure_trend", TENANT)),
            Query(stepped('last("baseline") AS "Usual"', "exposure_trend", usual)),
        ],
        width=24,
        height=11,
        options=chart("min", "max", "lastNotNull"),
        defaults=looks.score(color={"mode": "fixed", "fixedColor": looks.BLUE}),
        custom=looks.lines(bands=True),
        spans=LATE,
        overrides=[
            looks.override(
                "Usual",
                {
                    "color": {"mode": "fixed", "fixedColor": looks.GREY},
                    "custom.lineStyle": {"fill": "dash", "dash": [2, 6]},
                    "custom.thresholdsStyle": {"mode": "off"},
                },
            )
        ],
    )


def _happened() -> Iterator[Panel]:
    spikes = '"rbacGroupName", "state" AS "State", "baseline" AS "Usual", "peak" AS "Peak", "rise" AS "Rise", "text"'
    yield Panel(
        id=SPIKES,
        kind="table",
        title="Spikes",
        about="Rises that a person should have been told of, at the time at which they began.",
        queries=[Query(listed(spikes, "exposure_spike", f'{TENANT} AND "state" < 2'), table=True)],
        width=14,
        height=9,
        options=table(by="Time"),
        defaults={"noValue": "-", "decimals": 1},
        custom={"align": "auto", "cellOptions": {"type": "auto"}, "inspect": True},
        overrides=[
            looks.override("Time", {"displayName": "Began", "custom.width": 170}),
            looks.override("rbacGroupName", {"displayName": "Who"}),
            looks.override("State", {"mappings": looks.STATES, "custom.width": 80}),
            *(looks.override(name, {"custom.width": 80}) for name in ("Usual", "Rise")),
            looks.override("Peak", looks.painted("color-text", looks.score())),
            looks.override("text", {"displayName": "What is known"}),
        ],
    )
    notes = '"kind" AS "Kind", "rbacGroupName", "title" AS "Title", "text" AS "Text"'
    yield Panel(
        id=13,
        kind="table",
        title="Notes and breaks",
        about="What people know of the scores. From a break on they are not comparable with those before.",
        queries=[Query(listed(notes, "exposure_annotation", f'{TENANT} AND "withdrawn" = 0'), table=True)],
        width=10,
        height=9,
        options=table(by="Time"),
        defaults={"noValue": "-"},
        custom={"align": "auto", "cellOptions": {"type": "auto"}, "inspect": True},
        overrides=[
            looks.override("Time", {"custom.width": 170}),
            looks.override("rbacGroupName", {"displayName": "Whose"}),
        ],
    )


def _years() -> Panel:
    days = stepped(
        'min("min") AS "Lowest", mean("mean") AS "Mean", max("max") AS "Highest"', "exposure_score_daily", TENANT
    )
    thin = {"custom.lineWidth": 0, "color": {"mode": "fixed", "fixedColor": looks.BLUE}}
    return Panel(
        id=14,
        kind="timeseries",
        title="The last five years, by day",
        about="Between the lowest and the highest score of each day, and the mean. From daily points, which never go.",
        queries=[Query(days)],
        width=24,
        height=9,
        options=chart("min", "mean", "max"),
        defaults=looks.score(color={"mode": "fixed", "fixedColor": looks.BLUE}),
        custom=looks.lines(stepped=False),
        overrides=[
            looks.override("Lowest", thin),
            looks.override("Highest", {**thin, "custom.fillBelowTo": "Lowest", "custom.fillOpacity": 25}),
        ],
        step=_DAY,
        spans=LATE,
        looks_back="5y",
    )


def _marks() -> Iterator[looks.Json]:
    spike = '"title", "text", "end_time", "rbacGroupName"'
    note = '"title", "text", "rbacGroupName"'
    own = f"\"rbacGroupName\" = '{EVERYBODY}'"
    standing = f'{TENANT} AND "state" < 2'
    yield mark("Spikes", looks.RED, spike, "exposure_spike", f"{standing} AND {own}")
    others = f"{standing} AND {GROUP} AND \"rbacGroupName\" != '{EVERYBODY}'"
    yield mark("Spikes of groups", looks.AMBER, spike, "exposure_spike", others, shown=False)
    for name, kind, color in (("Notes", "note", looks.VIOLET), ("Breaks", "break", looks.VIOLET)):
        where = f'{TENANT} AND "kind" = \'{kind}\' AND "withdrawn" = 0'
        yield mark(name, color, note, "exposure_annotation", where)
