"""The committed dashboards and alert rules, read as Grafana reads them, and their queries as it expands them."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GRAFANA = Path(__file__).parents[1] / "deploy" / "grafana"
BOARDS: Mapping[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((GRAFANA / "dashboards").glob("*.json"))
}
RULES: Mapping[str, dict[str, Any]] = {
    rule["uid"]: rule
    for path in sorted((GRAFANA / "provisioning" / "alerting").glob("*.json"))
    for group in json.loads(path.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
}
MEASUREMENTS: Mapping[str, Any] = tomllib.loads(
    (Path(__file__).parents[1] / "config" / "measurements.toml").read_text(encoding="utf-8")
)
_SPECIAL = re.compile(r"[\\^$*+?.()|\[\]{}/]")
_INTERVALS = {"1h": 3_600_000, "1d": 86_400_000}

Chosen = Mapping[str, str | Sequence[str]]
"""The value of each variable: one, or several; ALL for all, where the variable says how that is written."""
ALL = "$__all"


@dataclass(frozen=True, slots=True)
class Asked:
    """One InfluxQL query of a dashboard: where it stands, `uid/title/ref`, and whether rows are wanted, not series."""

    where: str
    text: str
    table: bool


def panels(board: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the panels of a dashboard, those of closed rows too, without the rows."""
    for panel in board["panels"]:
        if panel["type"] == "row":
            yield from panel["panels"]
        else:
            yield panel


def asked(uid: str) -> Iterator[Asked]:
    """Yield the queries of a dashboard's panels, annotations and variables."""
    board = BOARDS[uid]
    for panel in panels(board):
        for target in panel["targets"]:
            if target["datasource"]["type"] == "influxdb":
                where = f"{uid}/{panel['title']}/{target['refId']}"
                yield Asked(where, target["query"], target["resultFormat"] == "table")
    for annotation in board["annotations"]["list"]:
        yield Asked(f"{uid}/annotation/{annotation['name']}", annotation["target"]["query"], table=True)
    for variable in variables(board):
        yield Asked(f"{uid}/variable/{variable['name']}", variable["query"]["query"], table=True)


def variables(board: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    """Return the variables of a dashboard whose values come of a query."""
    return [variable for variable in board["templating"]["list"] if variable["type"] == "query"]


def expanded(text: str, since: int, until: int, interval: str = "1h", chosen: Chosen | None = None) -> str:
    """Return a query as the database gets it. `since`, `until`: the range in ms, both within it."""
    for name, value in (chosen or {}).items():
        text = text.replace(f"${{{name}:regex}}", _written(name, value))
    text = text.replace("$timeFilter", f"time >= {since}ms and time <= {until}ms")
    text = text.replace("$__interval_ms", str(_INTERVALS[interval]))
    text = text.replace("$__interval", interval).replace("$interval", interval)
    assert "$timeFilter" not in text
    assert "${" not in text, text
    return text


def _written(name: str, value: str | Sequence[str]) -> str:
    if value == ALL:
        (written,) = {
            variable["allValue"]
            for board in BOARDS.values()
            for variable in variables(board)
            if variable["name"] == name and variable["includeAll"]
        }
        return str(written)
    if isinstance(value, str):
        return escaped(value)
    return escaped(value[0]) if len(value) == 1 else f"({'|'.join(map(escaped, value))})"


def escaped(value: str) -> str:
    """Return a value with the characters of regular expressions, and slashes, escaped."""
    return _SPECIAL.sub(r"\\\g<0>", value)


def measurements(text: str) -> Sequence[str]:
    """Return the measurements that a query asks."""
    return re.findall(r'FROM "(\w+)"', text)
