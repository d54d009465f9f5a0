"""`backup` and `forget` beside a running service: nothing of it is disturbed, and both are whole."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from servers import Influxd, free_ports
from system.blackbox import Process, Simulated, collector, document, poll, settings, until, v1, well


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    """Two tenants of four groups each."""
    with Simulated(tmp_path_factory.mktemp("simulated"), "--tenants", "2", "--groups", "4") as simulated:
        yield simulated


def status(config: Path) -> dict[str, int]:
    """Return what the journal holds."""
    found: dict[str, int] = document(collector("status", "--config", config, "--json"))["journal"]
    return found


def slots(influxd: Influxd, database: str, tenant: str) -> list[int]:
    """Return the times (ms) of a tenant's scores in InfluxDB."""
    return [row["time"] for row in influxd.points("exposure_score", database, tenant=tenant)]


def test_a_backup_of_a_journal_in_use_is_whole_and_a_collector_runs_on_it(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """It has every point from before the command, `status` and `once` work on it, and the service missed no slot."""
    config = settings(tmp_path, simulated, poll(1), v1("main", influxd.url, database))
    with Process("run", "--config", config) as service:
        until(lambda: len(service.said("points.delivered")) >= 4, what="deliveries")
        for n in range(3):
            before = status(config)["points"]
            made = document(collector("backup", tmp_path / f"{n}.db", "--config", config, "--json"))
            assert made["ok"]
            assert made["points"] >= before > 0
        assert service.end() == 0
        assert not [line for line in service.err if '"error"' in line]
    times = slots(influxd, database, simulated.tenants[0])
    assert times == list(range(times[0], times[-1] + 1, 1000)), "no slot was missed"
    elsewhere = {"COLLECTOR__JOURNAL__PATH": str(tmp_path / "2.db")}
    done = collector("status", "--config", config, "--json", env=elsewhere)
    assert json.loads(well(done))["journal"]["points"] == made["points"]
    other = influxd.database()
    second = settings(tmp_path, simulated, poll(1), v1("second", influxd.url, other), name="second.toml")
    well(collector("once", "--config", second, env=elsewhere))
    assert len(slots(influxd, other, simulated.tenants[0])) > 1


def test_a_backup_is_never_written_over(simulated: Simulated, tmp_path: Path) -> None:
    """A file that is there is refused as a wrong command line, and stays as it was; so is a folder that isn't there."""
    config = settings(tmp_path, simulated)
    well(collector("once", "--config", config))
    assert "points in" in well(collector("backup", tmp_path / "b.db", "--config", config))
    content = (tmp_path / "b.db").read_bytes()
    for name, said in (("b.db", "is there already"), ("none/b.db", "its folder does not exist")):
        done = collector("backup", tmp_path / name, "--config", config)
        assert (done.returncode, said in done.stderr, "Traceback" in done.stderr) == (2, True, False)
    assert (tmp_path / "b.db").read_bytes() == content


def test_a_tenant_is_forgotten_beside_a_running_service(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """A tenant that left the settings goes, names and all; the service polls, delivers and is scraped as before."""
    kept, gone = simulated.tenants
    config = settings(tmp_path, simulated, poll(1), v1("main", influxd.url, database))
    for _ in range(2):
        well(collector("once", "--config", config))
    (port,) = free_ports(1)
    text = config.read_text()
    start = text.index(f"[tenants.{gone}]")
    end = min(at for at in (text.find("\n[", start), len(text)) if at > 0)
    pages = f'[web]\nlisten = "127.0.0.1:{port}"\n'
    config.write_text(text[:start] + text[end:].replace('[web]\nlisten = ""\n', pages))
    with Process("run", "--config", config) as service:
        until(lambda: len(service.said("points.delivered")) >= 3, what="deliveries")
        done = collector("forget", "--tenant", gone, "--config", config)
        assert done.returncode == 2
        assert "would be forgotten" in done.stdout
        assert "--yes" in done.stderr
        assert gone.encode() in (tmp_path / "journal.db").read_bytes()

        said = well(collector("forget", "--tenant", gone, "--yes", "--config", config))
        assert f"{gone}: " in said
        assert " forgotten" in said
        assert gone.encode() not in (tmp_path / "journal.db").read_bytes()
        seen = len(service.said("points.delivered"))
        until(lambda: len(service.said("points.delivered")) >= seen + 3, what="deliveries after it")
        metrics = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
        assert f'defender_exposure_score{{tenant="{kept}"}}' in metrics
        assert gone not in metrics
        assert service.end() == 0
        assert not [line for line in service.err if '"error"' in line]
    times = slots(influxd, database, kept)
    assert times[2:] == list(range(times[2], times[-1] + 1, 1000)), "no slot was missed"
    done = collector("forget", "--tenant", gone, "--yes", "--config", config)
    assert (done.returncode, f"it has {kept}" in done.stderr) == (2, True)
    assert slots(influxd, database, gone) != [], "what was delivered stays there"
    influxd.query(f"DROP SERIES WHERE \"tenant\" = '{gone}'", database)
    assert slots(influxd, database, gone) == [], "unless its owner says so to the database"
    assert slots(influxd, database, kept) != []


def test_a_tenant_that_is_still_polled_is_warned_of_and_comes_back_whole(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """Forgotten beside the service that polls it, it is there again from then on, each point under its own name."""
    gone = simulated.tenants[1]
    config = settings(tmp_path, simulated, poll(1), v1("main", influxd.url, database))
    with Process("run", "--config", config) as service:
        until(lambda: len(service.said("points.delivered")) >= 3, what="deliveries")
        done = collector("forget", "--tenant", gone, "--yes", "--config", config, "--json")
        well(done)
        assert document(done)["polled"]
        assert "is in the settings: it is polled again" in done.stderr
        seen = len(service.said("points.delivered"))
        until(lambda: len(service.said("points.delivered")) >= seen + 3, what="deliveries after it")
        assert service.end() == 0
        assert not [line for line in service.err if '"error"' in line]
    truth = {tenant: simulated.world(tenant)["organization"]["score"] for tenant in simulated.tenants}
    other = influxd.database()
    second = settings(tmp_path, simulated, poll(1), v1("second", influxd.url, other), name="second.toml")
    well(collector("once", "--config", second))
    for tenant, score in truth.items():
        rows = influxd.points("exposure_score", other, tenant=tenant)
        assert rows
        assert {round(row["score"], 3) for row in rows} == {round(score, 3)}


def test_what_was_not_delivered_is_said(simulated: Simulated, tmp_path: Path) -> None:
    """Points of the tenant that a sink has yet to take go too, and how many is said before and after."""
    gone = simulated.tenants[1]
    config = settings(tmp_path, simulated, v1("main", "http://127.0.0.1:9", "nowhere"))
    assert collector("once", "--patience", "0", "--config", config).returncode == 1
    done = collector("forget", "--tenant", gone, "--config", config, "--json")
    assert done.returncode == 2
    points = 2 * (1 + 4) + 2
    expected = {"tenant": gone, "points": points, "dead_letters": 0, "series": points, "polled": True}
    assert document(done) == {**expected, "undelivered": {"main": points}, "done": False}
    said = well(collector("forget", "--tenant", gone, "--yes", "--config", config))
    assert f"{points} points were not delivered to main yet" in said
    assert status(config)["points"] == points
    done = collector("forget", "--tenant", "nobody", "--yes", "--config", config)
    assert (done.returncode, "the journal has nothing of it" in done.stderr) == (2, True)
