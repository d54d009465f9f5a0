"""`rejected`: what a database refused is listed with its words, sent again once it is mended, or given up."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import Influxd
from system.blackbox import Process, Simulated, by, collector, document, poll, settings, until, v1, well

GROUPS = 150


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    """One tenant of more groups than are sent again at once."""
    with Simulated(tmp_path_factory.mktemp("simulated"), "--groups", str(GROUPS)) as simulated:
        yield simulated


def refuse(influxd: Influxd, database: str, measurement: str) -> None:
    """Let a database refuse every score of a measurement: the field has another type there, in the present shard."""
    influxd.write(f'{measurement},tenant=planted score="a text" {int(time.time() * 1000)}', database)


def once_refused(config: Path) -> None:
    """Poll once; hold that what is refused meanwhile is a failure that names what to type."""
    done = collector("once", "--config", config)
    assert done.returncode == 1
    assert re.search(
        rf"^error: \w+: refused [\d,]+ points? for good; see `.* rejected list --config {config}`$",
        done.stderr,
        re.MULTILINE,
    )


def mend(influxd: Influxd, database: str) -> None:
    """Let a database be empty and know of no type."""
    influxd.query(f'DROP DATABASE "{database}"')
    influxd.query(f'CREATE DATABASE "{database}"')


def test_a_refused_point_is_listed_and_sent_again_once_the_database_is_mended(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """The list has the point and the server's words; while nothing is mended it is refused again, and then taken."""
    config = settings(tmp_path, simulated, poll(21600), v1("main", influxd.url, database))
    refuse(influxd, database, "exposure_score")
    once_refused(config)
    assert influxd.points("exposure_score", database, tenant="contoso") == []

    (letter,) = document(collector("rejected", "list", "--config", config, "--json"))["rejected"]
    assert (letter["sink"], letter["measurement"]) == ("main", "exposure_score")
    assert letter["tags"] == {"tenant": "contoso"}
    assert "field type conflict" in letter["words"]
    shown = well(collector("rejected", "list", "--config", config))
    assert all(word in shown for word in ("main", "exposure_score", "tenant=contoso", "conflict"))

    status = well(collector("status", "--config", config))
    assert "1 refused; see `rejected list`\n" in status
    assert f"rejected list --config {config}`" in status

    done = collector("rejected", "resend", "--config", config)
    assert done.returncode == 1
    assert "1 point sent again, 0 superseded by a newer value, 1 rejected again" in done.stdout
    assert "field type conflict" in done.stdout
    (again,) = document(collector("rejected", "list", "--config", config, "--json"))["rejected"]
    assert (again["time"], again["fields"]) == (letter["time"], letter["fields"])

    mend(influxd, database)
    assert "1 point sent again" in well(collector("rejected", "resend", "--config", config))
    (row,) = influxd.points("exposure_score", database)
    assert (row["score"], row["api_time"]) == (letter["fields"]["score"], letter["fields"]["api_time"])
    assert "no dead letters" in well(collector("rejected", "list", "--config", config))


def test_a_point_that_has_a_newer_value_is_not_sent_again(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """The older answer of a slot doesn't replace the later one."""
    config = settings(tmp_path, simulated, poll(21600), v1("main", influxd.url, database))
    refuse(influxd, database, "exposure_score")
    once_refused(config)
    mend(influxd, database)
    assert "dead letters" in well(collector("once", "--config", config)), "an older letter is no failure of this poll"
    (newer,) = influxd.points("exposure_score", database)
    done = collector("rejected", "resend", "--config", config, "--json")
    assert well(done)
    assert document(done) == {"sent": 0, "superseded": 1, "rejected": [], "left": 0, "ok": True}
    assert influxd.points("exposure_score", database) == [newer]


def test_many_that_are_still_refused_stop_no_sink(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """Some are sent again, all of them are refused anew, the others stay letters; new points are delivered."""
    config = settings(tmp_path, simulated, poll(21600), v1("main", influxd.url, database))
    refuse(influxd, database, "exposure_score_by_group")
    once_refused(config)
    for _ in range(2):
        done = collector("rejected", "resend", "--config", config, "--json")
        assert done.returncode == 1
        found = document(done)
        assert (found["sent"], len(found["rejected"]), found["left"]) == (99, 99, GROUPS - 99)
    once_refused(config)
    mend(influxd, database)
    well(collector("once", "--config", config))
    rows = influxd.points("exposure_score_by_group", database)
    assert len(by(rows, "rbacGroupName", "rbacGroupId")) == GROUPS


def test_beside_a_running_service_the_service_delivers_them(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """More than are sent at once arrive whole, each with its value, while the service holds the role."""
    config = settings(tmp_path, simulated, poll(21600), v1("main", influxd.url, database))
    refuse(influxd, database, "exposure_score_by_group")
    with Process("run", "--config", config) as service:
        until(lambda: len(service.said("poll.settled")) == 2, what="the polls")
        until(lambda: len(service.said("point.rejected")) == GROUPS, what="all refused")
        until(lambda: _waiting(config) == (0, GROUPS), what="all taken")
        letters = document(collector("rejected", "list", "--config", config, "--json"))["rejected"]
        mend(influxd, database)
        assert f"{GROUPS} points sent again" in well(collector("rejected", "resend", "--config", config))
        rows = by(influxd.points("exposure_score_by_group", database), "rbacGroupName")
        expected = {(letter["tags"]["rbacGroupName"],): letter["fields"]["score"] for letter in letters}
        assert {name: row["score"] for name, row in rows.items()} == expected
        assert service.exit_code is None
    assert "no dead letters" in well(collector("rejected", "list", "--config", config))


def test_discarding_leaves_the_points_in_the_journal(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """They are given up for that sink alone: another one gets them, and so does a replay."""
    config = settings(tmp_path, simulated, poll(21600), v1("main", influxd.url, database))
    refuse(influxd, database, "exposure_score")
    once_refused(config)
    before = document(collector("status", "--config", config, "--json"))["journal"]["points"]
    assert "1 dead letter discarded" in well(collector("rejected", "discard", "--sink", "main", "--config", config))
    assert "no dead letters" in well(collector("rejected", "list", "--config", config))
    assert document(collector("status", "--config", config, "--json"))["journal"]["points"] == before
    mend(influxd, database)
    well(collector("replay", "main", "--all", "--config", config))
    assert len(influxd.points("exposure_score", database)) == 1


def test_letters_of_a_sink_that_left_the_settings(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """They are still listed and can be discarded; to send them again there is nobody."""
    config = settings(tmp_path, simulated, poll(21600), v1("old", influxd.url, database))
    refuse(influxd, database, "exposure_score")
    once_refused(config)
    config = settings(tmp_path, simulated, poll(21600), v1("new", influxd.url, influxd.database()))
    (letter,) = document(collector("rejected", "list", "--sink", "old", "--config", config, "--json"))["rejected"]
    assert letter["sink"] == "old"
    done = collector("rejected", "resend", "--config", config)
    assert "old: not in the settings" in done.stderr
    assert "0 points sent again" in well(done)
    for slip in ("old", "odl"):
        done = collector("rejected", "resend", "--sink", slip, "--config", config)
        assert (done.returncode, "the settings have new" in done.stderr) == (2, True)
    assert "1 dead letter discarded" in well(collector("rejected", "discard", "--sink", "old", "--config", config))


def test_a_sink_that_is_down_keeps_the_letters(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """Nothing is appended behind what a sink has yet to take: the letters stay, and the sink's words are said."""
    config = settings(tmp_path, simulated, poll(21600), v1("main", influxd.url, database))
    refuse(influxd, database, "exposure_score")
    once_refused(config)
    down = settings(tmp_path, simulated, poll(1), v1("main", "http://127.0.0.1:9", database), name="down.toml")
    assert collector("once", "--patience", "0", "--config", down).returncode == 1
    done = collector("rejected", "resend", "--patience", "1", "--config", down)
    assert done.returncode == 1
    assert "main: Unavailable" in done.stderr
    assert "1 dead letter not sent yet" in done.stdout


def _waiting(config: Path) -> tuple[int, int]:
    (sink,) = document(collector("status", "--config", config, "--json"))["sinks"]
    return sink["backlog"], sink["dead_letters"]
