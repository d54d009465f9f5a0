"""`replay`: what a database has lost is brought to it again, with and without a running service."""

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import Influxd
from system.blackbox import Process, Simulated, collector, document, poll, settings, until, v1, well


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    """One tenant of three groups."""
    with Simulated(tmp_path_factory.mktemp("simulated"), "--groups", "3") as simulated:
        yield simulated


def polled(simulated: Simulated, folder: Path, url: str, database: str, times: int = 2) -> Path:
    """Return settings whose journal has so many slots, all of them delivered."""
    config = settings(folder, simulated, poll(1), v1("main", url, database))
    for _ in range(times):
        well(collector("once", "--config", config))
        time.sleep(1)  # to the next slot
    return config


def empty(influxd: Influxd, database: str) -> None:
    """Let a database lose everything. There is one at each moment: a service may be writing to it."""
    influxd.query("DROP SERIES FROM /.*/", database)


def test_a_database_that_lost_everything_is_filled_again(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """Every point comes again, with its time and its value, and nothing is polled for it."""
    config = polled(simulated, tmp_path, influxd.url, database)
    measurements = ("exposure_score", "exposure_score_by_group", "collector_poll")
    before = {name: influxd.points(name, database) for name in measurements}
    asked = len(simulated.requests())
    empty(influxd, database)
    assert "20 of 20 points delivered" in well(collector("replay", "main", "--all", "--config", config))
    assert {name: influxd.points(name, database) for name in measurements} == before
    assert len(simulated.requests()) == asked
    assert document(collector("status", "--config", config, "--json"))["sinks"][0]["backlog"] == 0


def test_since_a_time_only_what_is_of_then_and_later_comes_again(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """Points from before that time are left alone; `--json` says from when on, and how many."""
    config = polled(simulated, tmp_path, influxd.url, database)
    times = [row["time"] for row in influxd.points("exposure_score", database)]
    empty(influxd, database)
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(times[1] / 1000))
    done = collector("replay", "main", "--since", later, "--config", config, "--json")
    assert well(done)
    found = document(done)
    expected = {"sink": "main", "from": later, "points": 10, "delivered": 10, "backlog": 0, "by": None, "ok": True}
    assert found == {**expected, "dead_letters": 0, "error": ""}
    assert [row["time"] for row in influxd.points("exposure_score", database)] == times[1:]
    tomorrow = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86_400))
    done = collector("replay", "main", "--since", tomorrow, "--config", config)
    assert (done.returncode, "lies ahead of this machine's clock" in done.stderr) == (2, True)
    assert "10 of 10" not in well(collector("replay", "main", "--since", "1h", "--config", config))


def test_beside_a_running_service_the_service_delivers(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """The command says which process delivers, ends when all of it is there, and the service goes on as before."""
    config = polled(simulated, tmp_path, influxd.url, database)
    first = [row["time"] for row in influxd.points("exposure_score", database)]
    with Process("run", "--config", config) as service:
        until(lambda: len(service.said("points.delivered")) >= 2, what="deliveries")
        empty(influxd, database)
        done = collector("replay", "main", "--since", "1d", "--config", config, "--json")
        well(done)
        assert document(done)["by"] == str(service.pid)
        assert document(done)["delivered"] == document(done)["points"] >= 12
        times = [row["time"] for row in influxd.points("exposure_score", database)]
        assert times[: len(first)] == first
        until(lambda: len(influxd.points("exposure_score", database)) > len(times), what="polls go on")
        assert service.end() == 0
        assert not service.said("sink.failed")


def test_a_sink_that_is_down_ends_in_exit_code_1_and_the_cursor_stays_moved(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """After the patience the command says what the sink said; the next `once` delivers what was moved back to."""
    config = polled(simulated, tmp_path, influxd.url, database, times=1)
    empty(influxd, database)
    down = settings(tmp_path, simulated, poll(1), v1("main", "http://127.0.0.1:9", database), name="down.toml")
    done = collector("replay", "main", "--all", "--patience", "1", "--config", down)
    assert done.returncode == 1
    assert "main: Unavailable" in done.stderr
    assert "its cursor stays moved, 10 points of it wait; " in done.stderr
    assert f"once --config {down}` goes on from there" in done.stderr
    assert done.stdout == "", "one number is enough"
    assert "Traceback" not in done.stderr
    (sink,) = document(collector("status", "--config", config, "--json"))["sinks"]
    assert sink["backlog"] == 10
    well(collector("once", "--config", config))
    assert len(influxd.points("exposure_score", database)) == 2


def test_a_service_that_delivers_elsewhere_is_named_and_nothing_is_moved(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """Where the settings were changed and the service was not restarted, the points would come to the wrong place."""
    config = polled(simulated, tmp_path, influxd.url, database, times=1)
    other = influxd.database()
    changed = settings(tmp_path, simulated, poll(1), v1("main", influxd.url, other), name="changed.toml")
    with Process("run", "--config", config) as service:
        until(lambda: service.said("points.delivered"), what="a delivery")
        done = collector("replay", "main", "--all", "--config", changed)
        assert done.returncode == 1
        assert database in done.stderr
        assert f"process {service.pid}" in done.stderr
        assert "restart it" in done.stderr
    assert influxd.points("exposure_score", other) == []


def test_a_sink_that_moved_is_filled_by_the_command_that_the_log_proposes(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """The warning of a changed target has the very command, and after it the new place has everything."""
    polled(simulated, tmp_path, influxd.url, database)
    other = influxd.database()
    config = settings(tmp_path, simulated, poll(1), v1("main", influxd.url, other))
    done = collector("once", "--config", config)
    assert "`exposure-collector replay main --all`" in done.stderr
    assert len(influxd.points("exposure_score", other)) == 1
    well(collector("replay", "main", "--all", "--config", config))
    assert len(influxd.points("exposure_score", other)) == 3
    assert "sink.moved" not in collector("once", "--config", config).stderr


def test_ctrl_c_ends_it_at_once_and_it_can_be_taken_up_again(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """Also while the sink holds an exchange: how things stand is said, and a second `replay` ends what was begun."""
    config = polled(simulated, tmp_path, influxd.url, database, times=1)
    empty(influxd, database)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        held = "timeout_seconds = 120"
        stuck = settings(tmp_path, simulated, poll(1), v1("main", url, database, held), name="stuck.toml")
        with Process("replay", "main", "--all", "--config", stuck) as command:
            silent.settimeout(20)
            exchange, _ = silent.accept()
            with exchange:
                started = time.monotonic()
                assert command.end(signal.SIGINT, timeout=60) == 1
                # Eight seconds where nothing else runs; whoever waits for the exchange waits for two minutes.
                assert time.monotonic() - started < 40
        said = "".join(command.err)
        assert "interrupted: the cursor of main stays" in said
        assert "replay main" in said
        assert "Traceback" not in said
    well(collector("replay", "main", "--all", "--config", config))
    assert len(influxd.points("exposure_score", database)) == 1


def test_slips_are_named(simulated: Simulated, tmp_path: Path) -> None:
    """A sink that isn't there, a time that isn't one, and no time at all are wrong command lines: exit code 2."""
    config = settings(
        tmp_path, simulated, v1("main", "http://127.0.0.1:9", "d"), v1("second", "http://127.0.0.1:9", "e")
    )
    for arguments, said in (
        (("mian", "--all"), "mian: no sink of that name; the settings have main, second"),
        (("main", "--since", "yesterday"), "--since"),
        (("main",), "--since TIME, --all, or --continue"),
        (("main", "--all", "--since", "7d"), "give one of the three: --since TIME, --all, or --continue"),
        (("main", "--continue", "--since", "7d"), "give one of the three: --since TIME, --all, or --continue"),
    ):
        done = collector("replay", *arguments, "--config", config)
        assert (done.returncode, said in done.stderr, done.stdout) == (2, True, ""), done.stderr
    done = collector("replay", "main", "--all", "--config", config)
    assert done.returncode == 1
    assert "there is no journal yet" in done.stderr
    assert not (tmp_path / "journal.db").exists()
