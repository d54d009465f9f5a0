"""Queries in InfluxQL, the one language that InfluxDB 1.x, 2.x and 3.x all answer. Is not what is drawn of them.

Variables are written `${name:regex}`, and only inside of `=~ /^…$/`. Grafana then escapes whatever a value holds; by
itself, its InfluxDB data source escapes no value that begins with a digit (`24/7 desk`), and the query is none.
"""

from dataclasses import dataclass

WITHIN = "$timeFilter"
"""What Grafana replaces by the time range of the dashboard, or of the alert rule."""
TENANT = '"tenant" =~ /^${tenant:regex}$/'
GROUP = '"rbacGroupName" =~ /^${group:regex}$/'
COLLECTOR = '"collector" =~ /^${collector:regex}$/'
EVERYBODY = "(organization)"
"""The `rbacGroupName` of the organization's own spikes."""

CHANGES = '"change_1d" AS "1 day", "change_7d" AS "7 days", "change_30d" AS "30 days"'
STEP = "time($__interval)"
"""A step of the chart; no panel has a finer one than the scores have."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query. `alias`: how its series are called; `table`: whether rows are wanted, not series."""

    text: str
    alias: str = "$col"
    table: bool = False

    def target(self, ref: str, uid: str) -> dict[str, object]:
        """Return it as a panel has it."""
        return {
            "refId": ref,
            "datasource": {"type": "influxdb", "uid": uid},
            "query": self.text,
            "rawQuery": True,
            "resultFormat": "table" if self.table else "time_series",
            **({} if self.table else {"alias": self.alias}),
        }


def newest(fields: str, measurement: str, where: str, by: str = "") -> str:
    """Return the query for the newest point of each series, as it is: no field of it comes from an older point."""
    grouped = f" GROUP BY {by}" if by else ""
    return f'SELECT {fields} FROM "{measurement}" WHERE {where} AND {WITHIN}{grouped} ORDER BY time DESC LIMIT 1'


def stepped(fields: str, measurement: str, where: str, by: str = "", fill: str = "null") -> str:
    """Return the query for a value a step; a step without points is `fill`."""
    grouped = f", {by}" if by else ""
    return f'SELECT {fields} FROM "{measurement}" WHERE {where} AND {WITHIN} GROUP BY {STEP}{grouped} fill({fill})'


def listed(fields: str, measurement: str, where: str, most: int = 500) -> str:
    """Return the query for points, the newest first."""
    return f'SELECT {fields} FROM "{measurement}" WHERE {where} AND {WITHIN} ORDER BY time DESC LIMIT {most}'


def tag_values(measurement: str, key: str, where: str = "") -> str:
    """Return the query for the values of a tag."""
    return f'SHOW TAG VALUES FROM "{measurement}" WITH KEY = "{key}"' + (f" WHERE {where}" if where else "")
