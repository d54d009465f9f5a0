"""`once` against a simulated tenant and real databases: what is in them is what the measurements' file says."""

import json
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from servers import Influxd, Victoria
from system.blackbox import Process, Simulated, by, collector, document, poll, settings, until, v1, well

SCHEMA = tomllib.loads((Path(__file__).parents[2] / "config" / "measurements.toml").read_text())
ALL = 'subjects = ["organization", "device_groups", "device_secure_score"]'
UNKNOWN = {*("api_time", "change_1d", "change_7d", "change_30d")}
"""Fields that some points lack: nobody knows when the API answered what a person kept, nor a change without a past."""
TYPES = {"float": "float", "int": "integer", "string": "string"}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    """One tenant of seven groups and a nameless one, three a page."""
    with Simulated(tmp_path_factory.mktemp("simulated"), "--nameless", "null", "--page-size", "3") as simulated:
        yield simulated


def kept(path: Path) -> Path:
    """Write a file that somebody kept: a month at 20, then three days at 60, of the organization and a group."""
    today = int(time.time()) // 86_400
    lines = [
        f"{time.strftime('%Y-%m-%d', time.gmtime((today - ago) * 86_400))},{60 if ago < 4 else 20},{group}"
        for ago in range(40, 0, -1)
        for group in ("", "Kept")
    ]
    path.write_text("\n".join(["time,score,rbacGroupName", *lines]), encoding="utf-8")
    return path


def test_every_measurement_is_in_influxdb_as_the_schema_says(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """Names, tags, field types, values and times of what polls bring, and of what follows, are those of the schema."""
    config = settings(tmp_path, simulated, poll(3600, ALL), v1("main", influxd.url, database))
    well(collector("import", kept(tmp_path / "kept.csv"), "--config", config))
    well(collector("annotate", "a new model", "--kind", "break", "--at", "300d", "--config", config))
    before = time.time()
    well(collector("once", "--config", config, "--name", "host-1"))
    slots = {int(moment // 3600) * 3_600_000 for moment in (before, time.time())}

    measurements = {row["name"] for row in influxd.query("SHOW MEASUREMENTS", database)}
    assert measurements == set(SCHEMA)
    for measurement, schema in SCHEMA.items():
        tags = {row["tagKey"] for row in influxd.query(f'SHOW TAG KEYS FROM "{measurement}"', database)}
        assert tags == set(schema["tags"]), measurement
        fields = influxd.query(f'SHOW FIELD KEYS FROM "{measurement}"', database)
        found = {row["fieldKey"]: row["fieldType"] for row in fields}
        assert found == {name: TYPES[kind] for name, kind in schema["fields"].items()}, measurement
        given = [{k: v for k, v in row.items() if k not in UNKNOWN} for row in influxd.points(measurement, database)]
        assert all(value is not None for row in given for value in row.values()), measurement

    def polled(measurement: str) -> list[dict[str, Any]]:
        return [row for row in influxd.points(measurement, database) if row["time"] in slots]

    truth = simulated.world()
    (organization,) = polled("exposure_score")
    assert organization["score"] == pytest.approx(truth["organization"]["score"])
    assert before * 1e9 - 1e9 < organization["api_time"] < time.time() * 1e9 + 1e9
    groups = by(polled("exposure_score_by_group"), "rbacGroupName")
    expected = {(row["rbacGroupName"] or "(unassigned)",): row for row in truth["device_groups"]["value"]}
    assert set(groups) == set(expected)
    for name, row in expected.items():
        assert groups[name]["score"] == pytest.approx(row["score"])
        assert groups[name]["rbacGroupId"] == str(row["rbacGroupId"])
    (secure,) = influxd.points("device_secure_score", database)
    assert secure["score"] == truth["device_secure_score"]["score"]
    polls = by(influxd.points("collector_poll", database), "subject")
    assert set(polls) == {("organization",), ("device_groups",), ("device_secure_score",)}
    for row in polls.values():
        assert (row["tenant"], row["collector"], row["ok"], row["error"]) == ("contoso", "host-1", 1, "")
        assert row["tries"] == 1
        assert row["seconds"] > 0
    assert polls["device_groups",]["points"] == len(expected)


def test_once_twice_in_a_slot_leaves_one_point_a_series(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """`once` polls again and replaces: the slot has one point a series, with the later answer."""
    config = settings(tmp_path, simulated, poll(21600), v1("main", influxd.url, database))
    well(collector("once", "--config", config, "--name", "host-1"))
    (first,) = influxd.points("exposure_score", database)
    well(collector("once", "--config", config, "--name", "host-1"))
    (second,) = influxd.points("exposure_score", database)
    assert second["time"] == first["time"], "unless the slot ended between the two"
    assert second["api_time"] > first["api_time"]
    by(influxd.points("exposure_score_by_group", database), "rbacGroupName", "rbacGroupId")
    by(influxd.points("collector_poll", database), "subject")
    status = document(collector("status", "--config", config, "--json"))
    assert status["journal"]["points"] == 2 * (1 + 8) + 2, "each score has a trend point"


def test_once_replaces_what_the_service_has_polled_in_the_slot(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """`once` after `run` in one slot: the later answer stands, once, and a restarted `run` leaves it at that."""
    config = settings(tmp_path, simulated, poll(21600), v1("main", influxd.url, database))
    with Process("run", "--config", config, "--name", "host-1") as service:
        until(lambda: service.said("points.delivered") and len(service.said("poll.settled")) == 2, what="the slot")
    (first,) = influxd.points("exposure_score", database)
    well(collector("once", "--config", config, "--name", "host-1"))
    (second,) = influxd.points("exposure_score", database)
    assert second["time"] == first["time"], "unless the slot ended between the two"
    assert second["api_time"] > first["api_time"]
    before = len(simulated.requests())
    with Process("run", "--config", config, "--name", "host-1") as service:
        until(lambda: service.said("journal.proven"), what="what a start begins with")
    assert len(simulated.requests()) == before
    assert influxd.points("exposure_score", database) == [second]
    by(influxd.points("collector_poll", database), "subject")


def test_a_poll_that_fails_leaves_the_slot_the_success_that_it_has(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """The command says that it failed; of the slot its scores are there, and the journal and InfluxDB say so."""
    config = settings(tmp_path, simulated, poll(21600), v1("main", influxd.url, database))
    well(collector("once", "--config", config, "--name", "host-1"))
    before = influxd.points("collector_poll", database)
    simulated.fault("unavailable")
    failed = collector("once", "--config", config, "--name", "host-1", "--patience", "1")
    assert (failed.returncode, "organization: Unavailable" in failed.stderr) == (1, True)
    assert influxd.points("collector_poll", database) == before, "unless the slot ended between the two"
    assert all(each["ok"] for each in document(collector("status", "--config", config, "--json"))["tenants"])


def test_a_second_sink_that_is_added_later_is_filled_whole(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """A sink that is named later gets the whole history, and the first one nothing twice."""
    first = v1("main", influxd.url, database)
    for _ in range(2):
        well(collector("once", "--config", settings(tmp_path, simulated, poll(1), first), "--name", "host-1"))
        time.sleep(1)  # to the next slot
    later = influxd.database()
    config = settings(tmp_path, simulated, poll(1), first, v1("second", influxd.url, later))
    report = document(collector("once", "--config", config, "--name", "host-1", "--json"))
    delivered = {sink["name"]: sink["points"] for sink in report["sinks"]}
    assert delivered == {"main": 20, "second": 60}
    for measurement in ("exposure_score", "exposure_score_by_group", "collector_poll"):
        assert influxd.points(measurement, later) == influxd.points(measurement, database)


def test_a_nameless_group_never_touches_the_organization(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """Devices in no group are a series of their own, beside the organization's."""
    config = settings(tmp_path, simulated, poll(3600), v1("main", influxd.url, database))
    well(collector("once", "--config", config))
    (organization,) = influxd.points("exposure_score", database)
    (nameless,) = influxd.points("exposure_score_by_group", database, rbacGroupName="(unassigned)")
    truth = simulated.world()
    assert organization["score"] == pytest.approx(truth["organization"]["score"])
    unnamed = [row["score"] for row in truth["device_groups"]["value"] if row["rbacGroupName"] is None]
    assert [nameless["score"]] == pytest.approx(unnamed)


def test_the_v2_path_delivers_to_victoriametrics(simulated: Simulated, victoria: Victoria, tmp_path: Path) -> None:
    """What takes `/api/v2/write` gets every series, with its tags as labels."""
    sink = f'[influxdb.vm]\napi = "v2"\nurl = "{victoria.url}"\norg = "any"\nbucket = "any"\n'
    config = settings(tmp_path, simulated, poll(3600), sink)
    well(collector("once", "--config", config))
    truth = simulated.world()
    (organization,) = victoria.query('{__name__="exposure_score_score",tenant="contoso"}')
    assert organization["value"] == pytest.approx(truth["organization"]["score"])
    groups = victoria.query('{__name__="exposure_score_by_group_score",tenant="contoso"}')
    assert len(by(groups, "rbacGroupName", "rbacGroupId")) == len(truth["device_groups"]["value"])
    assert {row["time"] % 3_600_000 for row in groups} == {0}


def test_a_sink_takes_only_what_its_filters_name(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """`measurements` and `tenants` choose what goes to a sink."""
    more = 'measurements = ["exposure_score*"]\ntenants = ["contoso"]'
    config = settings(tmp_path, simulated, poll(3600), v1("main", influxd.url, database, more))
    report = document(collector("once", "--config", config, "--json"))
    assert report["sinks"][0]["backlog"] == 0
    measurements = {row["name"] for row in influxd.query("SHOW MEASUREMENTS", database)}
    assert measurements == {"exposure_score", "exposure_score_by_group"}


def test_without_a_sink_the_journal_serves_alone(simulated: Simulated, tmp_path: Path) -> None:
    """With no sink named, `once` succeeds and the journal keeps the points."""
    config = settings(tmp_path, simulated)
    assert "the journal keeps the history alone" in well(collector("once", "--config", config))
    status = document(collector("status", "--config", config, "--json"))
    assert status["journal"]["points"] == 20
    assert status["sinks"] == []
    assert all(poll["ok"] for poll in status["tenants"])


def test_an_api_that_is_unavailable_gets_patience(simulated: Simulated, tmp_path: Path) -> None:
    """A 503 is tried again within the patience; then all is well."""
    simulated.fault("unavailable", times=3)
    report = document(collector("once", "--config", settings(tmp_path, simulated), "--json"))
    assert report["ok"]
    assert sum(poll["tries"] for poll in report["polls"]) == 5


def test_an_api_that_stays_unavailable_ends_in_exit_code_1(simulated: Simulated, tmp_path: Path) -> None:
    """When the patience is used up the exit code is 1, stderr says what failed, and the poll is settled as failed."""
    simulated.fault("unavailable", subject="organization")
    config = settings(tmp_path, simulated)
    done = collector("once", "--config", config, "--patience", "1", "--json")
    assert done.returncode == 1
    assert "organization: Unavailable" in done.stderr
    assert "Traceback" not in done.stderr
    polls = {poll["subject"]: poll for poll in document(done)["polls"]}
    assert (polls["organization"]["ok"], polls["organization"]["error"]) == (False, "Unavailable")
    assert polls["device_groups"]["ok"]


def test_a_sink_that_is_down_ends_in_exit_code_1_and_the_journal_keeps_the_rest(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """What could not be delivered is in the journal, and the next `once` delivers it."""
    config = settings(tmp_path, simulated, poll(1), v1("main", "http://127.0.0.1:9", database))
    done = collector("once", "--config", config, "--patience", "1")
    assert done.returncode == 1
    assert "main: Unavailable" in done.stderr
    status = document(collector("status", "--config", config, "--json"))
    (sink,) = status["sinks"]
    assert sink["backlog"] == 20
    assert sink["error"].startswith("Unavailable")
    time.sleep(1)  # to the next slot
    config = settings(tmp_path, simulated, poll(1), v1("main", influxd.url, database))
    well(collector("once", "--config", config))
    assert len(influxd.points("exposure_score", database)) == 2


def test_a_missing_database_is_a_slip_not_a_reason_to_drop(
    simulated: Simulated, influxd: Influxd, tmp_path: Path
) -> None:
    """An unknown database ends in exit code 1 at once, names itself, and nothing is lost."""
    config = settings(tmp_path, simulated, v1("main", influxd.url, "nowhere"))
    started = time.monotonic()
    done = collector("once", "--config", config, "--patience", "30")
    assert done.returncode == 1
    assert "nowhere" in done.stderr
    assert time.monotonic() - started < 25
    (sink,) = document(collector("status", "--config", config, "--json"))["sinks"]
    assert (sink["backlog"], sink["dead_letters"]) == (20, 0)


def test_a_group_that_lost_its_id_stays_its_series(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """A row without an id gets the last one seen for that name, also after a restart."""
    config = settings(tmp_path, simulated, poll(1), v1("main", influxd.url, database))
    well(collector("once", "--config", config))
    time.sleep(1)  # to the next slot
    rows: list[dict[str, Any]] = simulated.world()["device_groups"]["value"]
    bare = [{"time": row["time"], "score": 12.5, "rbacGroupName": row["rbacGroupName"]} for row in rows]
    body = json.dumps({"value": bare})
    simulated.fault("body", subject="device_groups", body=body, content_type="application/json", status=200)
    well(collector("once", "--config", config))
    series = influxd.query('SHOW SERIES FROM "exposure_score_by_group"', database)
    assert len(series) == len(rows)
    assert len(influxd.points("exposure_score_by_group", database)) == 2 * len(rows)


def test_rows_that_are_bad_leave_the_good_ones(simulated: Simulated, tmp_path: Path) -> None:
    """A row without a finite score is left out, the others are kept, and the poll says BadResponse."""
    simulated.fault("bad_rows", subject="device_groups")
    done = collector("once", "--config", settings(tmp_path, simulated), "--json")
    assert done.returncode == 1
    polls = {poll["subject"]: poll for poll in document(done)["polls"]}
    assert polls["device_groups"]["error"] == "BadResponse"
    assert 0 < polls["device_groups"]["points"] < 8
    assert "score is" in done.stderr
