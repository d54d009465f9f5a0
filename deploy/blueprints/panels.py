"""The panels of a dashboard, and their places. Is not what they show: each dashboard has a module of its own."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from deploy.blueprints.influxql import Query
from deploy.blueprints.looks import Json, legend
from deploy.blueprints.promql import Expression

SOURCE = "${datasource}"
"""The data source that the dashboard's reader has chosen."""
METRICS = "${prometheus}"
LATE = 3
"""Intervals without a point after which a score is late, and no line goes on."""
_COLUMNS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel. `id` never changes: alerts and people link to it. `width` in 24ths of the page, `height` in rows.

    `step`: the finest one that it draws, in seconds; 0: the interval of the polls. `spans`: over how many steps without
    a value a line goes on. `looks_back`: a time of its own instead of the dashboard's.
    """

    id: int
    kind: str
    title: str
    about: str
    queries: Sequence[Query | Expression]
    width: int
    height: int
    options: Json
    defaults: Json
    custom: Json = field(default_factory=dict)
    overrides: Sequence[Json] = ()
    transformations: Sequence[Json] = ()
    step: int = 0
    spans: int = 0
    looks_back: str = ""

    def json(self, x: int, y: int, interval_seconds: int) -> Json:
        """Return it as Grafana keeps it, at a place, for polls of an interval."""
        step = self.step or interval_seconds
        custom = {**self.custom, **({"spanNulls": self.spans * step * 1000} if self.spans else {})}
        ofs = ["prometheus" if isinstance(query, Expression) else "influxdb" for query in self.queries]
        uid = METRICS if "prometheus" in ofs else SOURCE
        return {
            "id": self.id,
            "type": self.kind,
            "title": self.title,
            "description": self.about,
            "datasource": {"type": ofs[0], "uid": uid},
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "interval": f"{step}s",
            "targets": [query.target(chr(ord("A") + place), uid) for place, query in enumerate(self.queries)],
            "options": self.options,
            "fieldConfig": {"defaults": self.defaults | {"custom": custom}, "overrides": list(self.overrides)},
            **({"transformations": list(self.transformations)} if self.transformations else {}),
            **({"timeFrom": self.looks_back} if self.looks_back else {}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A heading with what is below it. A `closed` one asks for nothing until somebody opens it."""

    id: int
    title: str
    panels: Sequence[Panel]
    closed: bool = False


def placed(rows: Iterable[Row], interval_seconds: int) -> Iterator[Json]:
    """Yield rows and panels from left to right and from top to bottom, for polls of an interval."""
    y = 0
    for row in rows:
        heading: Json = {
            "id": row.id,
            "type": "row",
            "title": row.title,
            "collapsed": row.closed,
            "gridPos": {"x": 0, "y": y, "w": _COLUMNS, "h": 1},
        }
        y += 1
        x = below = 0
        inside: list[Json] = []
        for panel in row.panels:
            if x + panel.width > _COLUMNS:
                x, y, below = 0, y + below, 0
            inside.append(panel.json(x, y, interval_seconds))
            x += panel.width
            below = max(below, panel.height)
        y += below
        yield {**heading, "panels": inside if row.closed else []}
        if not row.closed:
            yield from inside


def figure(*, graph: bool = True, background: bool = False, text: str = "auto") -> Json:
    """Return the options of a panel that shows its last value large."""
    return {
        "colorMode": "background" if background else "value",
        "graphMode": "area" if graph else "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "percentChangeColorMode": "standard",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "showPercentChange": False,
        "textMode": text,
        "wideLayout": True,
    }


def table(*, by: str = "", descending: bool = True) -> Json:
    """Return the options of a table, in the order of a column."""
    sort: list[Json] = [{"displayName": by, "desc": descending}] if by else []
    return {"frameIndex": 0, "showHeader": True, "cellHeight": "sm", "sortBy": sort}


def timeline() -> Json:
    """Return the options of a timeline of states."""
    return {
        "mergeValues": True,
        "showValue": "never",
        "alignValue": "left",
        "rowHeight": 0.85,
        "legend": {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }


def first(column: str, rows: int, *, descending: bool = True) -> Sequence[Json]:
    """Return what leaves a table's first rows in the order of a column."""
    return (
        {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": column, "desc": descending}]}},
        {"id": "limit", "options": {"limitField": rows}},
    )


def chart(*calcs: str, table: bool = False) -> Json:
    """Return the options of a chart."""
    return legend(*calcs, table=table)
