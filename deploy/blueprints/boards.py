"""What all dashboards have in common: variables, links to each other, what is marked on their charts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deploy.blueprints.influxql import WITHIN, tag_values
from deploy.blueprints.looks import Json
from deploy.blueprints.panels import SOURCE, Row, placed

_SCHEMA_VERSION = 39
"""Grafana 11's; a newer one brings it up when it reads it."""
_TAG = "exposure-collector"
UID = "exposure"
"""Of the data source that is provisioned, whichever InfluxDB it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A dashboard. `uid` is a part of its address and never changes."""

    uid: str
    title: str
    about: str
    variables: Sequence[Json]
    rows: Iterable[Row]
    since: str
    marks: Sequence[Json] = ()

    def json(self, interval_seconds: int) -> Json:
        """Return it as Grafana keeps it, for polls of an interval."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.about,
            "tags": [_TAG],
            "schemaVersion": _SCHEMA_VERSION,
            "editable": True,
            "graphTooltip": 1,
            "refresh": "5m",
            "time": {"from": self.since, "to": "now"},
            "timezone": "browser",
            "links": [_others()],
            "annotations": {"list": list(self.marks)},
            "templating": {"list": list(self.variables)},
            "panels": list(placed(self.rows, interval_seconds)),
        }


def _others() -> Json:
    return {
        "type": "dashboards",
        "title": "Exposure",
        "tags": [_TAG],
        "icon": "external link",
        "tooltip": "",
        "asDropdown": False,
        # All tenants of one dashboard are none that another could show.
        "includeVars": False,
        "keepTime": True,
        "targetBlank": False,
    }


def source(name: str = "datasource", kind: str = "influxdb", label: str = "Data source", uid: str = UID) -> Json:
    """Return the variable that names a data source: the one that is provisioned, until another one is chosen."""
    chosen: Json = {"text": "Exposure", "value": uid}
    return {
        "name": name,
        "label": label,
        "type": "datasource",
        "query": kind,
        "refresh": 1,
        "hide": 0,
        "current": chosen,
    }


def choice(name: str, label: str, measurement: str, key: str, *, where: str = "", several: bool = True) -> Json:
    """Return a variable with the values of a tag: one of them, or several, which may be all."""
    text = tag_values(measurement, key, where)
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": {"type": "influxdb", "uid": SOURCE},
        "query": {"query": text, "refId": "InfluxVariableQueryEditor-VariableQuery"},
        "refresh": 1,
        "sort": 5,
        "multi": several,
        "includeAll": several,
        **({"allValue": ".*", "current": {"text": ["All"], "value": ["$__all"]}} if several else {}),
    }


def mark(name: str, color: str, fields: str, measurement: str, where: str, *, shown: bool = True) -> Json:
    """Return what marks points on all charts: `title`, `text`, a tag, and where it lasts its `end_time`."""
    return {
        "name": name,
        "datasource": {"type": "influxdb", "uid": SOURCE},
        "enable": shown,
        "hide": False,
        "iconColor": color,
        "target": {
            "refId": "Anno",
            "query": f'SELECT {fields} FROM "{measurement}" WHERE {where} AND {WITHIN} ORDER BY time DESC LIMIT 500',
            "rawQuery": True,
            "fromAnnotations": True,
            # What a mark asks comes back as series, which are called by measurement and field.
            "titleColumn": f"{measurement}.title",
            "textColumn": f"{measurement}.text",
            "tagsColumn": f"{measurement}.rbacGroupName",
            "timeEndColumn": f"{measurement}.end_time" if "end_time" in fields else "",
            "limit": 500,
            "matchAny": False,
            "tags": [],
            "type": "dashboard",
        },
    }
