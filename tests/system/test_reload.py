"""SIGHUP to `run`: changed settings are taken up without a missed poll, and faulty ones refused whole."""

import os
import pty
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from servers import free_ports
from system.blackbox import COMMAND, Process, Simulated, collector, document, environment, poll, until, well
from system.customers import Customers

ONE, TWO, THREE = "contoso", "fabrikam", "northwind"


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    """Three tenants of two groups."""
    folder = tmp_path_factory.mktemp("simulated")
    with Simulated(folder, "--tenants", "3", "--groups", "2") as simulated:
        yield simulated


def hang_up(service: Process) -> None:
    """Ask a service to reload."""
    service.send(signal.SIGHUP)


def reloaded(service: Process, count: int = 1) -> dict[str, Any]:
    """Return the line of the so-manieth reload."""
    until(lambda: len(service.said("settings.reloaded")) >= count, what=f"reload {count}")
    return service.said("settings.reloaded")[count - 1]


def slots(service: Process, tenant: str) -> list[str]:
    """Return the slots in which a tenant's organization was polled with success, in order."""
    lines = [line for line in service.said("poll.settled") if line["subject"] == "organization" and line["ok"]]
    return [line["slot"] for line in lines if line["tenant"] == tenant]


def polled(service: Process, tenant: str, more: int) -> None:
    """Wait until a tenant was polled in so many slots more."""
    before = len(slots(service, tenant))
    until(lambda: len(slots(service, tenant)) >= before + more, 30, f"{more} more polls of {tenant}")


def seconds(slot: str) -> int:
    """Return a slot of a log line in seconds."""
    return int(time.mktime(time.strptime(slot[:19], "%Y-%m-%dT%H:%M:%S")))


def test_tenants_come_and_go_and_no_slot_of_the_others_is_missed(simulated: Simulated, tmp_path: Path) -> None:
    """Each second is a slot: whoever stays has every one of them, over five reloads that come at any moment of it."""
    customers = Customers(tmp_path / "c", simulated, poll(1), names=[ONE, TWO])
    with Process("run", "--config", customers.config) as service:
        polled(service, ONE, 2)
        for number in range(5):
            if number % 2:
                customers.remove(THREE)
            else:
                customers.add(THREE)
            hang_up(service)
            line = reloaded(service, number + 1)
            assert (line["removed" if number % 2 else "added"], line["changed"]) == ([THREE], [])
            if number % 2 == 0:
                polled(service, THREE, 2)
            time.sleep(0.3 * number)
        customers.remove(TWO)
        hang_up(service)
        reloaded(service, 6)
        last = len(slots(service, TWO))
        polled(service, ONE, 3)
        assert len(slots(service, TWO)) <= last + 1, "what was under way has ended, and no more was begun"
        assert service.end() == 0
    for tenant in (ONE, TWO):
        found = [seconds(slot) for slot in slots(service, tenant)]
        assert found == list(range(found[0], found[0] + len(found))), tenant
    assert not service.said("poll.failed")
    assert not service.said("job.failed")
    # What was polled of whoever left stays.
    export = well(collector("export", "--config", customers.config, "--output", "-", "--tenant", TWO))
    rows = [line for line in export.splitlines() if line.startswith("exposure_score,") and ",score," in line]
    assert len(rows) == len(slots(service, TWO))
    assert {
        poll["tenant"] for poll in document(collector("status", "--config", customers.config, "--json"))["tenants"]
    } == {
        ONE,
        THREE,
    }


def test_faulty_settings_are_refused_whole_and_named_and_the_old_ones_go_on(
    simulated: Simulated, tmp_path: Path
) -> None:
    """One file of three is wrong: nothing of the others is taken up either, until all are right."""
    (port,) = free_ports(1)
    web = f'[web]\nlisten = "127.0.0.1:{port}"\n'
    customers = Customers(tmp_path / "c", simulated, poll(1), web, names=[ONE])
    with (
        Process("run", "--config", customers.config) as service,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        polled(service, ONE, 1)
        assert "collector_reload_ok 1.0" in client.get("/metrics").text
        customers.add(TWO)
        customers.add(THREE, cloud="gc")
        customers.add(ONE, client_id="none")
        hang_up(service)
        until(lambda: service.said("settings.refused"), what="the refusal")
        said = service.said("settings.refused")[0]["problems"]
        assert [line.partition(":")[0] for line in said] == [
            "tenants.contoso.client_id (tenants.d/contoso.toml, line 2)",
            "tenants.northwind.cloud (tenants.d/northwind.toml, line 8)",
        ]
        polled(service, ONE, 2)
        assert not slots(service, TWO)
        ready = client.get("/readyz")
        assert ready.status_code == 200
        assert "the last reload was refused" in ready.json()["warnings"][0]
        assert "tenants.d/northwind.toml" in ready.json()["warnings"][0]
        assert "collector_reload_ok 0.0" in client.get("/metrics").text
        customers.add(ONE)
        customers.add(THREE)
        hang_up(service)
        assert reloaded(service)["added"] == [TWO, THREE]
        polled(service, THREE, 1)
        assert client.get("/readyz").json()["warnings"] == []
        metrics = client.get("/metrics").text
        assert "collector_reload_ok 1.0" in metrics
        assert 'collector_tenants{polled="here",shard="0/1"} 3.0' in metrics
        customers.remove(THREE)
        hang_up(service)
        reloaded(service, 2)
        # Nobody is alerted of a tenant that is gone.
        assert 'collector_poll_last_success_timestamp_seconds{subject="organization",tenant="northwind"}' not in (
            client.get("/metrics").text
        )
        found = [seconds(slot) for slot in slots(service, ONE)]
        assert found == list(range(found[0], found[0] + len(found)))


def test_a_tenant_that_is_mended_is_polled_at_once_and_in_the_same_slot(simulated: Simulated, tmp_path: Path) -> None:
    """What failed of a wrong setting doesn't wait an interval for the right one; who is well is not asked again."""
    customers = Customers(tmp_path / "c", simulated, poll(21600), names=[ONE, TWO])
    customers.add(TWO, client_id="22222222-2222-2222-2222-222222222229")
    with Process("run", "--config", customers.config) as service:
        until(lambda: slots(service, ONE) and service.said("poll.failed"), what="one that is well, one that fails")
        before = len(simulated.requests(tenant=ONE))
        customers.add(TWO)
        hang_up(service)
        assert reloaded(service)["changed"] == [TWO]
        until(lambda: slots(service, TWO), what="its poll")
        assert slots(service, TWO) == slots(service, ONE)
        assert len(simulated.requests(tenant=ONE)) == before
    status = document(collector("status", "--config", customers.config, "--json"))
    assert [poll["ok"] for poll in status["tenants"]] == [True] * 4


def test_what_a_restart_alone_takes_up_is_kept_and_named(simulated: Simulated, tmp_path: Path) -> None:
    """The tenants are taken up all the same; the log's level and the spikes are, too."""
    customers = Customers(tmp_path / "c", simulated, poll(1), names=[ONE])
    sink = '[influxdb.main]\nurl = "http://127.0.0.1:9"\nbucket = "x"\n'
    with Process("run", "--config", customers.config) as service:
        polled(service, ONE, 1)
        customers.add(TWO)
        more = '[spikes]\nrise_points = 7.5\n[log]\nlevel = "debug"\n[journal]\npath = "other.db"\n'
        customers.settings(poll(5, 'subjects = ["organization"]'), sink, more)
        hang_up(service)
        assert reloaded(service)["added"] == [TWO]
        (kept,) = service.said("settings.kept")
        assert kept["keys"] == ["poll.interval_seconds", "poll.subjects", "journal.path", "influxdb.main"]
        polled(service, TWO, 3)
        assert until(lambda: service.said("slot.started"), what="a line for who looks for a fault")
        found = [seconds(slot) for slot in slots(service, ONE)]
        assert found == list(range(found[0], found[0] + len(found))), "still each second"
        assert not (customers.folder / "other.db").exists()
        assert not service.said("job.failed")


def test_signals_that_come_thick_and_fast_are_one_reload_or_two(simulated: Simulated, tmp_path: Path) -> None:
    """Also at the very start and beside the end; what was there at the last of them is taken up."""
    customers = Customers(tmp_path / "c", simulated, poll(1), names=[ONE])
    with Process("run", "--config", customers.config) as service:
        # Its handler is there before its settings are read; until then the system itself would end it.
        until(lambda: _heeds(service.pid, signal.SIGHUP) or service.said("service.started"), what="the handler")
        for _ in range(20):
            hang_up(service)
        customers.add(TWO)
        hang_up(service)
        polled(service, TWO, 2)
        until(lambda: service.said("service.started"), what="the start")
        assert len(service.said("settings.reloaded")) <= 3
        for _ in range(3):
            hang_up(service)
        service.send(signal.SIGTERM)
        hang_up(service)
        until(lambda: service.exit_code is not None, what="the end")
        assert service.exit_code == 0
        assert service.said("service.stopped")[0]["in_order"]
    assert not service.said("job.failed")


def _heeds(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    (caught,) = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt")]
    return bool(int(caught, 16) >> (number - 1) & 1)


def test_once_goes_on_when_a_reload_is_asked_of_it(simulated: Simulated, tmp_path: Path) -> None:
    """What is meant for a service beside it breaks nothing off."""
    simulated.fault("throttle", subject="organization", times=1, retry_after=2)
    customers = Customers(tmp_path / "c", simulated, poll(3600), names=[ONE])
    with Process("once", "--config", customers.config) as once:
        until(lambda: once.said("poll.retry") or once.said("poll.failed") or once.said("poll.settled"), what="a poll")
        hang_up(once)
        until(lambda: once.exit_code is not None, what="the end")
        assert once.exit_code == 0, once.err


def test_a_terminal_that_is_closed_ends_the_service_in_order(simulated: Simulated, tmp_path: Path) -> None:
    """SIGHUP is then what it was made for: who has nowhere to speak to doesn't poll on unseen."""
    customers = Customers(tmp_path / "c", simulated, poll(1), '[log]\nformat = "json"\n', names=[ONE])
    terminal, other_end = pty.openpty()
    command = ["setsid", "--ctty", *COMMAND, "run", "--config", str(customers.config)]
    with subprocess.Popen(
        command, env=environment(measured=False), stdin=other_end, stdout=other_end, stderr=other_end
    ) as service:
        os.close(other_end)
        said = b""
        for signaled, word in ((False, b"poll.settled"), (True, b"settings.reloaded")):
            if signaled:
                service.send_signal(signal.SIGHUP)
            while word not in said:
                said += os.read(terminal, 65536)
        os.close(terminal)
        try:
            assert service.wait(15) == 0
        finally:
            service.kill()


def test_a_service_that_was_started_by_nohup_outlives_its_terminal(simulated: Simulated, tmp_path: Path) -> None:
    """Closing the terminal is a reload to it, as any other SIGHUP."""
    customers = Customers(tmp_path / "c", simulated, poll(1), '[log]\nformat = "json"\n', names=[ONE])
    terminal, other_end = pty.openpty()
    log = tmp_path / "nohup.out"
    command = ["setsid", "--ctty", "nohup", *COMMAND, "run", "--config", str(customers.config)]
    env = {**environment(measured=False), "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(
        command, env=env, cwd=tmp_path, stdin=other_end, stdout=other_end, stderr=other_end
    ) as service:
        os.close(other_end)
        try:
            until(lambda: log.exists() and "poll.settled" in log.read_text(encoding="utf-8"), what="a poll")
            os.close(terminal)
            until(lambda: "settings.reloaded" in log.read_text(encoding="utf-8"), what="the reload")
            before = log.read_text(encoding="utf-8").count("poll.settled")
            until(lambda: log.read_text(encoding="utf-8").count("poll.settled") > before + 2, what="more polls")
            service.terminate()
            assert service.wait(15) == 0
        finally:
            service.kill()
