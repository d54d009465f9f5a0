"""The files that are made, by where they stand. Is not who writes them (`__main__.py`)."""

import json
from collections.abc import Mapping
from pathlib import Path

from deploy.blueprints import alerts, prometheus, score, service, tenants, yaml
from deploy.blueprints.looks import Json

DEPLOY = Path(__file__).parent.parent
DASHBOARDS = Path("grafana/dashboards")
ALERTS = Path("grafana/provisioning/alerting/exposure.json")
PROMETHEUS = Path("prometheus/exposure.rules.yaml")
INTERVAL_SECONDS = 3600
"""How often the collector polls, unless its settings say otherwise."""

_MADE = "# Made by `make dashboards` from deploy/blueprints/prometheus.py.\n"


def files(interval_seconds: int = INTERVAL_SECONDS) -> Mapping[Path, str]:
    """Return the text of each, by its path below `deploy/`."""
    boards = (score.board(), tenants.board(), service.board())
    return {
        **{DASHBOARDS / f"{board.uid}.json": _json(board.json(interval_seconds)) for board in boards},
        ALERTS: _json(alerts.provisioning(interval_seconds)),
        PROMETHEUS: _MADE + yaml.dumped(prometheus.rules(interval_seconds)),
    }


def _json(document: Json) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
