"""`run`: the service beside a simulated tenant and a real InfluxDB, through outages, faults and signals."""

import contextlib
import ctypes
import itertools
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from servers import Influxd, free_ports
from system.blackbox import Process, Simulated, by, collector, document, poll, settings, until, v1, well


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[Simulated]:
    """One tenant of three groups."""
    with Simulated(tmp_path / "simulated", "--groups", "3") as simulated:
        yield simulated


def web(port: int) -> str:
    """Return settings for the pages."""
    return f'[web]\nlisten = "127.0.0.1:{port}"\n'


def slots(influxd: Influxd, database: str, subject: str = "organization") -> list[int]:
    """Return the times (ms) of a subject's polls in InfluxDB."""
    return [row["time"] for row in influxd.points("collector_poll", database, subject=subject)]


def holes(times: list[int], interval_seconds: int) -> list[int]:
    """Return the slots that are missing between the first and the last."""
    return sorted(set(range(times[0], times[-1], interval_seconds * 1000)) - set(times))


def test_the_first_poll_is_at_once_and_sigterm_ends_it_in_order(simulated: Simulated, tmp_path: Path) -> None:
    """`run` polls at its start, not an interval later, and ends with exit code 0 within 8 seconds of SIGTERM."""
    config = settings(tmp_path, simulated, poll(3600))
    with Process("run", "--config", config, "--name", "host-1") as service:
        until(lambda: len(service.said("poll.settled")) == 2, what="both polls")
        started = time.monotonic()
        assert service.end() == 0
        assert time.monotonic() - started < 8
        assert service.said("service.stopped")[0]["in_order"]
    status = document(collector("status", "--config", config, "--json"))
    assert [poll["ok"] for poll in status["tenants"]] == [True, True]


def test_a_subject_that_has_succeeded_in_a_slot_is_left_out_after_a_restart(
    simulated: Simulated, tmp_path: Path
) -> None:
    """A restart inside a slot polls only what has not succeeded in it yet."""
    config = settings(tmp_path, simulated, poll(21600))
    simulated.fault("unavailable", subject="device_groups")
    with Process("run", "--config", config) as service:
        until(lambda: service.said("poll.settled") and service.said("poll.failed"), what="one poll of each kind")
    simulated.heal()
    before = len(simulated.requests(subject="organization"))
    with Process("run", "--config", config) as service:
        until(lambda: service.said("poll.settled"), what="the other poll")
        assert [line["subject"] for line in service.said("poll.settled")] == ["device_groups"]
    assert len(simulated.requests(subject="organization")) == before, "unless the slot ended between the two"


def test_influxdb_stopped_for_several_polls_leaves_no_hole(
    simulated: Simulated, influxd: Influxd, tmp_path: Path
) -> None:
    """While InfluxDB is down polls go on; when it is back every slot is there, each once."""
    database = influxd.database()
    config = settings(tmp_path, simulated, poll(1), v1("main", influxd.url, database))
    with Process("run", "--config", config) as service:
        until(lambda: len(service.said("points.delivered")) >= 3, what="deliveries")
        influxd.stop()
        try:
            polled = len(service.said("poll.settled"))
            until(lambda: len(service.said("poll.settled")) >= polled + 10, what="polls without InfluxDB")
            assert service.said("sink.failed")
        finally:
            influxd.start()
        recovered = len(service.said("sink.recovered"))
        until(lambda: len(service.said("sink.recovered")) > recovered or service.said("sink.recovered"), 90)
        last = service.said("poll.settled")[-1]["slot"]
        until(lambda: service.said("poll.settled")[-1]["slot"] != last, what="one more slot")
    well(collector("once", "--config", config))
    for subject in ("organization", "device_groups"):
        times = slots(influxd, database, subject)
        assert len(times) > 6
        assert holes(times[:-1], 1) == []
    polls = [row["time"] for row in influxd.points("collector_poll", database, subject="organization") if row["ok"]]
    assert {row["time"] for row in influxd.points("exposure_score", database)} == set(polls)
    by(influxd.points("exposure_score_by_group", database), "time", "rbacGroupName", "rbacGroupId")


@pytest.mark.parametrize("fault", ["unavailable", "hang"])
def test_four_tenants_whose_api_is_down_keep_twenty_healthy_ones_from_nothing(fault: str, tmp_path: Path) -> None:
    """With four workers, four tenants that answer 503 or not at all, and twenty healthy ones: these are all polled.

    So is one that does the same once: it is not taken for one of the four.
    """
    with Simulated(tmp_path / "simulated", "--tenants", "24", "--groups", "2", "--latency", "0.02") as simulated:
        down, healthy = simulated.tenants[:4], simulated.tenants[4:]
        for tenant in down:
            simulated.fault(fault, tenant=tenant)
        config = settings(tmp_path, simulated, poll(12, "concurrency = 4\ntimeout_seconds = 2"))
        with Process("run", "--config", config) as service:
            until(lambda: len({line["slot"] for line in service.said("poll.settled")}) >= 3, 60, "three slots")
            simulated.fault(fault, tenant=healthy[0], times=1)
            until(lambda: len({line["slot"] for line in service.said("poll.settled")}) >= 6, 60, "six slots")
        settled = service.said("poll.settled")
        whole = sorted({line["slot"] for line in settled})[2:-1]
        assert len(whole) >= 2
        for slot, tenant in itertools.product(whole, healthy):
            lines = [line for line in settled if (line["slot"], line["tenant"]) == (slot, tenant)]
            assert [line["ok"] for line in lines] == [True, True], (lines, service.said("poll.failed"))
        assert sum(line["tries"] for line in settled if line["tenant"] == healthy[0]) > 2 * len(whole)
        assert not any(line["ok"] for line in settled if line["tenant"] in down)


def test_a_sign_in_that_hangs_holds_up_nobody(tmp_path: Path) -> None:
    """Tenants whose sign-in never answers keep no other tenant's polls waiting."""
    with Simulated(tmp_path / "simulated", "--tenants", "8", "--groups", "2") as simulated:
        for tenant in simulated.tenants[:4]:
            simulated.fault("sign_in_hang", tenant=tenant)
        config = settings(tmp_path, simulated, poll(3600, "concurrency = 4"))
        with Process("run", "--config", config) as service:
            until(lambda: len(service.said("poll.settled")) == 8, 10, "the polls of the four healthy tenants")
            assert {line["tenant"] for line in service.said("poll.settled")} == set(simulated.tenants[4:])
            assert service.end() == 0


def test_an_expired_token_is_renewed_and_the_poll_succeeds(simulated: Simulated, tmp_path: Path) -> None:
    """A 401 costs one new token and one more try, not the poll."""
    config = settings(tmp_path, simulated, poll(1))
    with Process("run", "--config", config) as service:
        until(lambda: len(service.said("poll.settled")) >= 2, what="polls with the first token")
        simulated.fault("expired_token")
        until(lambda: len(simulated.requests(subject="sign_in")) == 2, what="another sign-in")
        polled = len(service.said("poll.settled"))
        until(lambda: len(service.said("poll.settled")) >= polled + 4, what="polls with the second token")
        assert all(line["ok"] and line["tries"] == 1 for line in service.said("poll.settled"))
    assert 401 in {request["status"] for request in simulated.requests(subject="organization")}
    assert len(simulated.requests(subject="sign_in")) == 2


def test_throttling_is_waited_for(simulated: Simulated, tmp_path: Path) -> None:
    """A 429 is asked again no sooner than its Retry-After, and counted in the poll's point."""
    simulated.fault("throttle", subject="organization", times=1, retry_after=2)
    config = settings(tmp_path, simulated, poll(3600))
    with Process("run", "--config", config) as service:
        until(lambda: len(service.said("poll.settled")) == 2, what="both polls")
    first, second = [request["time"] for request in simulated.requests(subject="organization")]
    assert second - first >= 2000
    (line,) = [line for line in service.said("poll.settled") if line["subject"] == "organization"]
    assert (line["ok"], line["tries"]) == (True, 2)


def test_a_second_process_is_refused_with_the_pid_of_the_first(simulated: Simulated, tmp_path: Path) -> None:
    """One process polls and delivers a journal; reading is always allowed."""
    config = settings(tmp_path, simulated, poll(3600))
    with Process("run", "--config", config) as service:
        until(lambda: service.said("service.started"), what="the start")
        for command in ("once", "run"):
            done = collector(command, "--config", config)
            assert done.returncode == 1
            assert str(service.pid) in done.stderr
            assert "Traceback" not in done.stderr
        well(collector("status", "--config", config))


def test_two_collectors_side_by_side_leave_one_point_a_series_and_slot(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """Two processes with journals of their own into one database: either's answer stands, once."""
    configs = [
        settings(tmp_path / name, simulated, poll(2), v1("main", influxd.url, database)) for name in ("one", "two")
    ]
    with (
        Process("run", "--config", configs[0], "--name", "one") as one,
        Process("run", "--config", configs[1], "--name", "two") as two,
    ):
        until(lambda: all(len(each.said("points.delivered")) >= 4 for each in (one, two)), what="deliveries")
    by(influxd.points("exposure_score", database), "time")
    by(influxd.points("exposure_score_by_group", database), "time", "rbacGroupName")
    assert {row["collector"] for row in influxd.points("collector_poll", database)} == {"one", "two"}


def test_the_pages_say_what_is_and_depend_on_no_influxdb(simulated: Simulated, tmp_path: Path) -> None:
    """Live and ready although InfluxDB is down; the metrics have the scores, the polls and the sink's backlog."""
    (port,) = free_ports(1)
    config = settings(tmp_path, simulated, poll(3600), web(port), v1("main", "http://127.0.0.1:9", "exposure"))
    with (
        Process("run", "--config", config) as service,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        until(lambda: len(service.said("poll.settled")) == 2, what="both polls")
        until(lambda: service.said("sink.failed"), what="the sink's failure")
        backlog = 'collector_sink_backlog_points{sink="main"} 10.0'
        until(lambda: backlog in client.get("/metrics").text, what="the scores, their trends, and the polls")
        assert client.get("/livez").status_code == 200
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()) == (200, {"ready": True, "reasons": [], "warnings": []})
        metrics = client.get("/metrics").text
        score = simulated.world()["organization"]["score"]
        assert f'defender_exposure_score{{tenant="contoso"}} {float(score)!r}' in metrics
        assert metrics.count("defender_exposure_score_by_group{") == 3
        assert 'collector_polls_total{outcome="ok",subject="organization",tenant="contoso"} 1.0' in metrics
        assert 'collector_dead_letters{sink="main"} 0.0' in metrics
        assert "collector_journal_ok 1.0" in metrics
        last = 'collector_poll_last_success_timestamp_seconds{subject="organization",tenant="contoso"}'
        (line,) = [line for line in metrics.splitlines() if line.startswith(last)]
        assert float(line.split()[-1]) % 3600 == 0
        assert client.get("/metrics", headers={"Host": "evil.example"}).status_code == 400
        assert client.get("/metrics", headers={"Host": f"localhost:{port}"}).status_code == 200
        assert client.get("/nothing").status_code == 404


def test_not_ready_says_why(simulated: Simulated, tmp_path: Path) -> None:
    """Without one fresh tenant `/readyz` is 503 with the reason, and `/livez` is well."""
    (port,) = free_ports(1)
    simulated.fault("forbidden")
    config = settings(tmp_path, simulated, poll(3600), web(port))
    with Process("run", "--config", config) as service:
        until(lambda: service.said("poll.failed"), what="a failure")
        ready = httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False)
        assert ready.status_code == 503
        assert not ready.json()["ready"]
        assert "no tenant" in ready.json()["reasons"][0]
        assert httpx.get(f"http://127.0.0.1:{port}/livez", trust_env=False).status_code == 200
        assert "Score.Read.All" in service.said("poll.failed")[0]["what"] + service.said("poll.failed")[0]["mend"]


def test_a_port_that_is_taken_is_said(simulated: Simulated, tmp_path: Path) -> None:
    """`run` on a taken port ends with exit code 2 and names the setting."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = settings(tmp_path, simulated, web(taken.getsockname()[1]))
        done = collector("run", "--config", config)
    assert done.returncode == 2
    assert "web.listen" in done.stderr


def test_ctrl_c_ends_it_as_sigterm_does(simulated: Simulated, tmp_path: Path) -> None:
    """Ctrl-C is an orderly end with exit code 0."""
    with Process("run", "--config", settings(tmp_path, simulated)) as service:
        until(lambda: service.said("poll.settled"), what="a poll")
        assert service.end(signal.SIGINT) == 0


def test_a_signal_that_reaches_another_thread_ends_it_too(simulated: Simulated, tmp_path: Path) -> None:
    """The system picks a thread; Python tells the main one, which may have fallen asleep just then."""
    with Process("run", "--config", settings(tmp_path, simulated)) as service:
        until(lambda: service.said("poll.settled"), what="a poll")
        threads = {int(task.name) for task in Path(f"/proc/{service.pid}/task").iterdir()} - {service.pid}
        assert ctypes.CDLL(None).tgkill(service.pid, min(threads), signal.SIGTERM) == 0
        until(lambda: service.exit_code == 0, what="the end")
        assert service.said("service.stopped")


def test_sigterm_does_not_wait_for_an_api_that_hangs(simulated: Simulated, tmp_path: Path) -> None:
    """A worker in an exchange gets 8 seconds at the most; then the process ends, with 0 all the same."""
    simulated.fault("hang", subject="organization")
    with Process("run", "--config", settings(tmp_path, simulated)) as service:
        until(lambda: service.said("poll.settled"), what="the other poll")
        started = time.monotonic()
        assert service.end() == 0
        assert time.monotonic() - started < 10
        assert not service.said("service.stopped")[0]["in_order"]


def test_sigterm_does_not_wait_for_a_journal_that_is_locked(simulated: Simulated, tmp_path: Path) -> None:
    """While another process locks the journal polls wait in memory; what is lost at the end is said, with code 1."""
    config = settings(tmp_path, simulated, poll(1))
    with Process("run", "--config", config) as service:
        until(lambda: service.said("poll.settled"), what="a poll")
        with contextlib.closing(sqlite3.connect(tmp_path / "journal.db", isolation_level=None)) as locked:
            locked.execute("BEGIN EXCLUSIVE")
            until(lambda: len(simulated.requests(subject="organization")) >= 8, 30, "polls that go on")
            started = time.monotonic()
            assert service.end() == 1
            assert time.monotonic() - started < 10
    assert any("lost" in line for line in service.err)


def test_a_secret_that_is_missing_keeps_its_own_tenant_waiting(tmp_path: Path) -> None:
    """One tenant's secret file that isn't there is said; every other tenant is polled."""
    with Simulated(tmp_path / "simulated", "--tenants", "2", "--groups", "2") as simulated:
        config = settings(tmp_path, simulated)
        missing = "COLLECTOR__TENANTS__FABRIKAM__CREDENTIAL__CLIENT_SECRET_FILE"
        with Process("run", "--config", config, env={missing: str(tmp_path / "gone")}) as service:
            until(lambda: len(service.said("poll.settled")) == 2, what="the other tenant's polls")
            assert {line["tenant"] for line in service.said("poll.settled")} == {"contoso"}
            (line,) = service.said("secret.missing")
            assert missing in line["what"]
        done = collector("once", "--config", config, "--tenant", "contoso", env={missing: str(tmp_path / "gone")})
        well(done)
        done = collector("once", "--config", config, "--tenant", "fabrikam", env={missing: str(tmp_path / "gone")})
        assert done.returncode == 2


def test_a_sink_whose_target_changed_under_its_name_is_named_loudly(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """Another database under the same name starts empty: the log says so, with the mend."""
    well(collector("once", "--config", settings(tmp_path, simulated, v1("main", influxd.url, database))))
    config = settings(tmp_path, simulated, v1("main", influxd.url, influxd.database()))
    done = collector("once", "--config", config)
    assert "sink.moved" in done.stderr
    assert database in done.stderr
