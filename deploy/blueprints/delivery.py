"""The panels of *Collector* that ask Prometheus: backlog, dead letters, the journal, credentials that end."""

from collections.abc import Iterator

from deploy.blueprints import looks
from deploy.blueprints.panels import Panel, chart, figure, table
from deploy.blueprints.promql import Expression


def delivery() -> Iterator[Panel]:
    """Yield them."""
    shown = (
        (
            20,
            "Backlog",
            "collector_sink_backlog_points",
            "{{sink}}",
            "short",
            "Points that a sink has yet to take.",
        ),
        (21, "Age of the backlog", "collector_sink_oldest_point_seconds", "{{sink}}", "s", "Of its first point."),
        (
            22,
            "Dead letters",
            "collector_dead_letters",
            "{{sink}}",
            "short",
            "Points that a sink has refused for good: see `exposure-collector rejected list`.",
        ),
        (23, "Size of the journal", "collector_journal_bytes", "{{instance}}", "bytes", "Of its file."),
    )
    for number, title, expression, name, unit, about in shown:
        yield Panel(
            id=number,
            kind="timeseries",
            title=title,
            about=about,
            queries=[Expression(expression, name)],
            width=12,
            height=8,
            options=chart("lastNotNull", "max"),
            defaults={"unit": unit, "min": 0, "color": {"mode": "palette-classic"}},
            custom=looks.lines(filled=10),
            spans=10,
            step=60,
        )
    yield Panel(
        id=24,
        kind="stat",
        title="Journal",
        about="Whether it can be written, and the last look found nothing damaged.",
        queries=[Expression("min(collector_journal_ok)", "journal")],
        width=6,
        height=6,
        options=figure(graph=False, background=True, text="value"),
        defaults={
            "mappings": [
                {
                    "type": "value",
                    "options": {
                        "0": {"text": "not sound", "color": looks.RED},
                        "1": {"text": "sound", "color": looks.GREEN},
                    },
                }
            ],
            "noValue": "-",
        },
        step=60,
    )
    ends = "(collector_credential_expiry_timestamp_seconds - time()) / 86400"
    yield Panel(
        id=25,
        kind="table",
        title="Days until a credential ends",
        about="Of certificates, and of client secrets whose end the settings name.",
        queries=[Expression(f"sort({ends})", instant=True)],
        width=18,
        height=6,
        options=table(by="Days", descending=False),
        defaults={"noValue": "-"},
        custom={"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False},
        overrides=[
            looks.override("Time", {"custom.hidden": True}),
            looks.override(
                "Value",
                {
                    "displayName": "Days",
                    "decimals": 0,
                    "thresholds": looks.steps(looks.RED, (7, looks.AMBER), (30, looks.GREEN)),
                    "custom.cellOptions": {"type": "color-text"},
                },
            ),
        ],
        step=60,
    )
