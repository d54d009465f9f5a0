"""The dashboards are as their code says, hang together, and are of the types that Grafana publishes."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import typed
from deployed import BOARDS, GRAFANA, RULES, panels
from servers import need

from deploy.blueprints import looks, prometheus
from deploy.blueprints.files import DEPLOY, files

ROOT = Path(__file__).parents[1]
EVERY = [
    pytest.param(board, panel, id=f"{uid}/{panel['title']}") for uid, board in BOARDS.items() for panel in panels(board)
]
SOURCES = {
    "provisioning/datasources/influxdb.yaml": "Token $GF_EXPOSURE_INFLUXDB_TOKEN",
    "datasources/influxdb-1.yaml": None,
    "datasources/influxdb-3.yaml": "Bearer $GF_EXPOSURE_INFLUXDB_TOKEN",
}
"""The files of which one is used, and by what each signs in; None: by user and password."""


def yaml(path: Path) -> Any:
    """Return what a file in YAML holds."""
    need(str(typed.MODULES / "yaml" / "package.json"))
    node = shutil.which("node")
    assert node
    program = "process.stdout.write(JSON.stringify(require('yaml').parse(require('fs').readFileSync(0, 'utf8'))))"
    text = path.read_text(encoding="utf-8")
    done = subprocess.run(
        [node, "-e", program],
        cwd=typed.MODULES.parent,
        input=text,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return json.loads(done.stdout)


def test_each_file_is_what_its_code_makes() -> None:
    """`make dashboards` would change nothing, and there is no dashboard that it does not make."""
    made = files()
    for path, text in made.items():
        assert (DEPLOY / path).read_text(encoding="utf-8") == text, f"{path}: run `make dashboards`"
    there = {path.relative_to(DEPLOY) for path in (GRAFANA / "dashboards").iterdir()}
    assert there == {path for path in made if path.parent.name == "dashboards"}


def test_another_interval_is_in_all_that_depends_on_it() -> None:
    """For polls each six hours no chart has a finer step, and nobody is late after three."""
    hourly, rarely = files(), files(21_600)
    for path, text in rarely.items():
        assert text != hourly[path], path
        if path.parent.name == "dashboards":
            assert "3600s" not in text
    (late,) = (text for path, text in rarely.items() if path.parent.name == "alerting")
    assert "time(21600s)" in late


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What the TypeScript compiler says of each dashboard, and of one that is wrong in two places."""
    need(str(typed.TYPESCRIPT))
    wrong = json.loads(json.dumps(BOARDS["exposure-score"]))
    first = next(panels(wrong))
    first["options"]["colorMode"] = "loud"
    first["fieldConfig"]["defaults"]["colour"] = "red"
    return typed.faults({**BOARDS, "wrong": wrong}, tmp_path_factory.mktemp("types"))


@pytest.mark.parametrize("uid", BOARDS)
def test_a_dashboard_is_of_the_types_that_grafana_publishes(uid: str, faults: Mapping[str, str]) -> None:
    """The compiler takes every part of it for what it is said to be, and knows every name in it."""
    assert faults[uid] == ""


def test_what_is_of_no_type_is_found(faults: Mapping[str, str]) -> None:
    """The compiler sees a wrong word and an unknown name, deep in a panel."""
    assert "loud" in faults["wrong"]
    assert "colour" in faults["wrong"]


@pytest.mark.parametrize("uid", BOARDS)
def test_a_dashboard_hangs_together(uid: str) -> None:
    """Its file is named by its uid; ids are unique, panels are within the page, and none lies on another."""
    board = BOARDS[uid]
    assert board["uid"] == uid
    ids = {id(panel): panel["id"] for panel in (*board["panels"], *panels(board))}
    assert len(set(ids.values())) == len(ids)
    for row in ([*board["panels"]], *([*panel["panels"]] for panel in board["panels"] if panel["type"] == "row")):
        taken: set[tuple[int, int]] = set()
        for place in (panel["gridPos"] for panel in row):
            assert place["x"] + place["w"] <= 24
            cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
            assert not taken & cells
            taken |= cells


@pytest.mark.parametrize(("board", "panel"), EVERY)
def test_a_panel_explains_itself(board: Mapping[str, Any], panel: Mapping[str, Any]) -> None:
    """It has a title, a description, a source that its reader can choose, and no variable that is not there."""
    assert panel["title"]
    assert panel["description"].endswith((".", "collector annotate`."))
    names = {variable["name"] for variable in board["templating"]["list"]}
    for target in panel["targets"]:
        assert target["datasource"]["uid"] in ("${datasource}", "${prometheus}")
    used = re.findall(r"\$\{(\w+)(?::\w+)?\}", json.dumps([panel["targets"], panel["datasource"]]))
    assert set(used) <= names
    assert "$tag_" not in json.dumps([target.get("query", "") for target in panel["targets"]])


@pytest.mark.parametrize(("board", "panel"), EVERY)
def test_what_a_panel_changes_for_a_column_has_that_column(board: Mapping[str, Any], panel: Mapping[str, Any]) -> None:
    """Each override, and each order of a table, names a column of its queries, as it is called there or renamed."""
    del board
    text = json.dumps([target.get("query", "") for target in panel["targets"]]).replace("\\", "")
    prometheus = {"Time", "Value"} if panel["datasource"]["type"] == "prometheus" else {"Time"}
    named = {override["matcher"]["options"]: override for override in panel["fieldConfig"]["overrides"]}
    shown = {one["value"] for each in named.values() for one in each["properties"] if one["id"] == "displayName"}
    for name in named:
        assert name in prometheus or f'"{name}"' in text, name
    for order in panel["options"].get("sortBy", ()):
        name = order["displayName"]
        assert name in shown | prometheus or f'"{name}"' in text, name


@pytest.mark.parametrize("uid", BOARDS)
def test_a_mark_names_its_columns_as_grafana_calls_them(uid: str) -> None:
    """Without a format each field is a series of its own, `measurement.field`; a spike is marked to its end."""
    for mark in (annotation["target"] for annotation in BOARDS[uid]["annotations"]["list"]):
        assert "resultFormat" not in mark
        (measurement,) = re.findall(r'FROM "(\w+)"', mark["query"])
        fields, _, _ = mark["query"].partition(" FROM ")
        series = {f"{measurement}.{field}" for field in re.findall(r'"(\w+)"', fields)}
        named = {mark[key] for key in ("titleColumn", "textColumn", "tagsColumn", "timeEndColumn")} - {""}
        assert named == series
        assert ("exposure_spike.end_time" in named) == (measurement == "exposure_spike")


@pytest.mark.parametrize("uid", BOARDS)
def test_a_link_leads_to_a_dashboard_and_takes_the_name_along(uid: str) -> None:
    """Addresses inside of panels are those of dashboards that are there, and set a variable that they have."""
    text = json.dumps(BOARDS[uid])
    for target, variable in re.findall(r'"/d/([\w-]+)\?var-(\w+)=\$\{__value.raw:percentencode\}', text):
        assert variable in {one["name"] for one in BOARDS[target]["templating"]["list"]}
    assert text.count("/d/") == text.count(":percentencode}")


@pytest.mark.parametrize("uid", RULES)
def test_an_alert_leads_to_the_panel_that_shows_it(uid: str) -> None:
    """The panel is there, the rule's ways to name it are one, and the rule asks the source that is provisioned."""
    rule = RULES[uid]
    notes = rule["annotations"]
    assert (notes["__dashboardUid__"], notes["__panelId__"]) == (rule["dashboardUid"], str(rule["panelId"]))
    assert rule["panelId"] in {panel["id"] for panel in panels(BOARDS[rule["dashboardUid"]])}
    assert rule["data"][0]["datasourceUid"] == "exposure"
    tenant = "{{ with $labels.tenant }}var-tenant={{ . | urlquery }}&{{ end }}"
    assert notes["link"] == f"{{{{ externalURL }}}}d/{rule['dashboardUid']}?{tenant}viewPanel={rule['panelId']}"
    assert "tenant" in {variable["name"] for variable in BOARDS[rule["dashboardUid"]]["templating"]["list"]}
    assert {"severity", "service"} == set(rule["labels"])


@pytest.mark.parametrize("uid", RULES)
def test_nothing_of_a_rule_is_taken_for_a_variable_of_the_environment(uid: str) -> None:
    """Grafana replaces a $ in all of the file but queries and annotations, and `${` in annotations as well."""
    rule = RULES[uid]
    assert "${" not in json.dumps(rule["annotations"])
    kept = {key: value for key, value in rule.items() if key not in ("data", "annotations")}
    assert "$" not in json.dumps([kept, [{**step, "model": {}} for step in rule["data"]]])


def test_alert_rules_leave_it_to_their_owner_whom_to_tell() -> None:
    """There is no contact point and no notification policy, which would replace what is there."""
    for path in (GRAFANA / "provisioning" / "alerting").iterdir():
        assert json.loads(path.read_text(encoding="utf-8")).keys() == {"apiVersion", "groups"}
    assert all("notification_settings" not in rule for rule in RULES.values())


def test_the_colours_and_the_bands_are_those_of_the_score_card() -> None:
    """Whoever knows the one knows the other."""
    card = (ROOT / "collector" / "web" / "card.css").read_text(encoding="utf-8")
    for colour in (looks.GREEN, looks.AMBER, looks.RED, looks.BLUE, looks.GREY, looks.VIOLET):
        assert colour in card
    bands = BOARDS["exposure-score"]["panels"][1]["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [step["value"] for step in bands] == [None, 30, 70]


@pytest.mark.parametrize("path", SOURCES)
def test_whichever_influxdb_it_is_the_source_is_one(path: str) -> None:
    """Each file has the uid that rules ask, InfluxQL, and secrets of the environment alone."""
    (source,) = yaml(GRAFANA / path)["datasources"]
    assert (source["uid"], source["type"], source["jsonData"]["version"]) == ("exposure", "influxdb", "InfluxQL")
    assert source["jsonData"]["dbName"] == "$GF_EXPOSURE_INFLUXDB_DATABASE"
    secret = SOURCES[path]
    if secret is None:
        assert (source["user"], source["secureJsonData"]) == (
            "$GF_EXPOSURE_INFLUXDB_USER",
            {"password": "$GF_EXPOSURE_INFLUXDB_PASSWORD"},
        )
    else:
        assert source["jsonData"]["httpHeaderName1"] == "Authorization"
        assert source["secureJsonData"] == {"httpHeaderValue1": secret}
    # What stands in braces is expanded a second time, so that a $ in a secret would be lost.
    text = (GRAFANA / path).read_text(encoding="utf-8")
    assert "${" not in text
    for variable in set(re.findall(r"\$(\w+)", text)):
        assert re.search(rf"^#   {variable} ", text, re.MULTILINE), variable


def test_the_steps_of_the_readme_put_all_into_its_place(tmp_path: Path) -> None:
    """Followed word for word below another root, they leave what Grafana reads, and the dashboards where it looks."""
    part = (ROOT / "README.md").read_text(encoding="utf-8").split("## Grafana and alerts\n")[1].split("\n## ")[0]
    steps = [
        line
        for block in re.findall(r"^```console\n(.*?)^```", part, re.DOTALL | re.MULTILINE)
        for line in block.splitlines()
    ]
    assert len(steps) == 3
    etc = tmp_path / "etc" / "grafana"
    etc.mkdir(parents=True)
    for step in steps:
        sudo, *words = shlex.split(step)
        assert sudo == "sudo"
        places = [
            word.replace("/opt/exposure-collector", str(ROOT)).replace("/etc/grafana", str(etc)) for word in words
        ]
        subprocess.run(places, check=True, timeout=30)
    # One source, the one for 1.x; Grafana would refuse a second one of its uid.
    (source,) = (etc / "provisioning" / "datasources").iterdir()
    assert source.read_bytes() == (GRAFANA / "datasources" / "influxdb-1.yaml").read_bytes()
    (provider,) = yaml(etc / "provisioning" / "dashboards" / "exposure.yaml")["providers"]
    assert provider["options"] == {"path": "/etc/grafana/dashboards"}
    assert {path.stem for path in (etc / "dashboards").iterdir()} == set(BOARDS)
    assert [path.name for path in (etc / "provisioning" / "alerting").iterdir()] == ["exposure.json"]


def test_the_readme_has_each_alert() -> None:
    """Its table names each rule of Grafana by its title, and no other."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text.split("| alert, in Grafana | fires |\n|---|---|\n")[1].split("\n\n")[0]
    named = [line.split("|")[1].strip() for line in table.splitlines()]
    assert named == [rule["title"].removeprefix("Exposure score: ") for rule in RULES.values()]


def test_prometheus_may_stand_beside_it() -> None:
    """The source of the last row has a uid of its own, and its address is of the environment."""
    path = GRAFANA / "datasources" / "prometheus.yaml"
    (source,) = yaml(path)["datasources"]
    assert (source["uid"], source["type"]) == ("exposure-prometheus", "prometheus")
    assert source["url"] == "$GF_EXPOSURE_PROMETHEUS_URL"


def test_every_file_to_deploy_is_looked_at() -> None:
    """None lies below the two folders that no test here knows."""
    known = {path.as_posix() for path in files()} | {f"grafana/{path}" for path in SOURCES}
    known |= {"grafana/datasources/prometheus.yaml", "grafana/provisioning/dashboards/exposure.yaml"}
    known |= {"prometheus/prometheus.yaml"}
    there = [path for folder in ("grafana", "prometheus") for path in (DEPLOY / folder).rglob("*") if path.is_file()]
    assert {path.relative_to(DEPLOY).as_posix() for path in there} == known


def test_what_is_written_as_yaml_is_read_as_it_was() -> None:
    """The rules for Prometheus come out of their file as they went into it."""
    assert yaml(DEPLOY / "prometheus" / "exposure.rules.yaml") == prometheus.rules(3600)
