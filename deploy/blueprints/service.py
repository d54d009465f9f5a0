"""The dashboard *Collector*: whether polls succeed, why not, and how long they take.

Is not the row of what Prometheus knows (`delivery.py`).
"""

from collections.abc import Iterator

from collector.errors import BadResponse, Unauthorized, Unavailable
from deploy.blueprints import looks
from deploy.blueprints.boards import Board, choice, source
from deploy.blueprints.delivery import delivery
from deploy.blueprints.influxql import COLLECTOR, TENANT, WITHIN, Query, listed, stepped
from deploy.blueprints.panels import LATE, Panel, Row, chart, figure, table, timeline

UID = "exposure-collector"
FAILURES = 6
"""Id of the panel that an alert leads to."""

_POLLS = f"{TENANT} AND {COLLECTOR}"
_NAMED = (Unauthorized.__name__, BadResponse.__name__, Unavailable.__name__)
_OTHER = " AND ".join(f"\"error\" != '{name}'" for name in ("", *_NAMED))
_SUBJECT = '"tenant", "subject"'


def board() -> Board:
    """Return it."""
    return Board(
        uid=UID,
        title="Collector",
        about="Whether the scores come in: polls, failures, tries, throttling; and whether they get to the databases.",
        variables=[
            source(),
            source("prometheus", "prometheus", "Prometheus (for the last row)", "exposure-prometheus"),
            choice("tenant", "Tenant", "collector_poll", "tenant"),
            choice("collector", "Collector", "collector_poll", "collector"),
        ],
        rows=[
            Row(id=100, title="Polls", panels=[*_figures(), _states(), *_failures()]),
            Row(id=101, title="What they take", panels=list(_taken())),
            Row(id=102, title="Delivery, from Prometheus", panels=list(delivery()), closed=True),
        ],
        since="now-7d",
    )


def _figures() -> Iterator[Panel]:
    good = looks.steps(looks.RED, (0.9, looks.AMBER), (0.99, looks.GREEN))
    kept: looks.Json = {"unit": "percentunit", "decimals": 1, "color": {"mode": "thresholds"}, "thresholds": good}
    seconds: looks.Json = {**looks.count(), "unit": "s", "decimals": 2, "noValue": "-"}
    shown = (
        (1, "Polls that succeeded", 'mean("ok") AS "ok"', {**kept, "noValue": "-"}),
        (2, "Polls that failed", 'count("ok") - sum("ok") AS "failed"', looks.count(looks.NONE_IS_GOOD)),
        (3, "Points", 'sum("points") AS "points"', looks.count(unit="short")),
        (4, "Throttled answers", 'sum("throttled") AS "throttled"', looks.count(looks.NONE_IS_GOOD)),
        (5, "Longest poll", 'max("seconds") AS "seconds"', seconds),
    )
    for number, title, fields, look in shown:
        yield Panel(
            id=number,
            kind="stat",
            title=title,
            about="Of all polls within the time shown.",
            queries=[Query(f'SELECT {fields} FROM "collector_poll" WHERE {_POLLS} AND {WITHIN}')],
            width=4 if number > 1 else 8,
            height=4,
            options=figure(graph=False, text="value"),
            defaults=look,
        )


def _states() -> Panel:
    return Panel(
        id=7,
        kind="state-timeline",
        title="Outcome of each poll",
        about="Red where a poll of a step failed. A step without a poll has no colour.",
        queries=[
            Query(stepped('min("ok")', "collector_poll", _POLLS, _SUBJECT), alias="$tag_tenant, $tag_subject"),
        ],
        width=24,
        height=9,
        options=timeline(),
        defaults={"mappings": looks.OUTCOMES, "color": {"mode": "fixed", "fixedColor": looks.GREY}},
        custom={"fillOpacity": 80, "lineWidth": 0},
    )


def _failures() -> Iterator[Panel]:
    yield Panel(
        id=FAILURES,
        kind="timeseries",
        title="Failures by error",
        about=(
            "Unauthorized: a person must grant, renew or create something. Unavailable: not now, tried again. "
            "BadResponse: not what the API promises. Any other is a fault of the collector; its log says more."
        ),
        queries=[
            Query(stepped('count("ok")', "collector_poll", f"{_POLLS} AND {which}", fill="none"), alias=name)
            for name, which in (*((name, f"\"error\" = '{name}'") for name in _NAMED), ("any other", _OTHER))
        ],
        width=12,
        height=8,
        options=chart("sum"),
        defaults={**looks.count(), "color": {"mode": "palette-classic-by-name"}, "min": 0},
        custom=looks.lines(bars=True),
    )
    failed = stepped('count("ok") - sum("ok")', "collector_poll", _POLLS, '"subject"', fill="none")
    yield Panel(
        id=8,
        kind="timeseries",
        title="Failures by subject",
        about="Polls of each step that did not succeed.",
        queries=[Query(failed, alias="$tag_subject")],
        width=12,
        height=8,
        options=chart("sum"),
        defaults={**looks.count(), "color": {"mode": "palette-classic-by-name"}, "min": 0},
        custom=looks.lines(bars=True),
    )
    columns = '"tenant", "subject", "collector", "error" AS "Error", "tries" AS "Tries", "seconds" AS "Seconds"'
    yield Panel(
        id=9,
        kind="table",
        title="Newest failures",
        about="The last hundred. What is to be done stands in the log and in `exposure-collector check`.",
        queries=[Query(listed(columns, "collector_poll", f'{_POLLS} AND "ok" = 0', 100), table=True)],
        width=24,
        height=8,
        options=table(by="Time"),
        defaults={"noValue": "-"},
        custom={"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False, "filterable": True},
        overrides=[
            looks.override("Time", {"displayName": "Slot"}),
            looks.override("Seconds", {"unit": "s", "decimals": 2}),
        ],
    )


def _taken() -> Iterator[Panel]:
    shown = (
        (10, "Seconds", 'max("seconds")', "s", "All exchanges of the longest poll of each step."),
        (11, "Tries", 'max("tries")', "none", "Of the poll of each step that took most. 1: it went well at once."),
        (
            12,
            "Answers that were throttled",
            'sum("throttled")',
            "none",
            "Answers of each step that asked to come back later.",
        ),
    )
    for number, title, fields, unit, about in shown:
        yield Panel(
            id=number,
            kind="timeseries",
            title=title,
            about=about,
            queries=[
                Query(stepped(fields, "collector_poll", _POLLS, _SUBJECT), alias="$tag_tenant, $tag_subject"),
            ],
            width=8,
            height=8,
            options=chart("max"),
            defaults={
                "unit": unit,
                "decimals": 1 if unit == "s" else 0,
                "min": 0,
                "color": {"mode": "palette-classic"},
            },
            custom=looks.lines(),
            spans=LATE,
        )
