"""The unit: sound and hardened by systemd's own judgement, and started, watched and ended by a real systemd.

That systemd is the first process of a machine that is a layer above this one; see machines.py.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from machines import Machine
from servers import need
from system.blackbox import Simulated, poll, until
from system.test_readme import blocks

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "systemd"
UNIT = (FOLDER / "exposure-collector.service").read_text(encoding="utf-8")
ETC = "/etc/exposure-collector"
DROP_INS = "/etc/systemd/system/exposure-collector.service.d"
NAME = "exposure-collector"
ANALYZE = "/usr/bin/systemd-analyze"


@pytest.fixture
def analyzed(tmp_path: Path) -> Path:
    """The unit with a program that is there."""
    need(ANALYZE)
    path = tmp_path / f"{NAME}.service"
    (command,) = [line for line in UNIT.splitlines() if line.startswith("ExecStart=")]
    program = command.split()[0].removeprefix("ExecStart=")
    path.write_text(UNIT.replace(program, "/bin/true"), encoding="utf-8")
    return path


@pytest.fixture
def machine(tmp_path: Path, simulated: Simulated) -> Iterator[Machine]:
    """A machine on which the service is installed for a simulated tenant, by the lines of the README."""
    with Machine(tmp_path / "machine", boots=True) as machine:
        machine.well("ln", "-s", str(ROOT), "/opt/exposure-collector")
        # It is installed already: by who runs this suite.
        machine.well("touch", f"{ROOT}/.venv/.installed")
        machine.write("/home/admin/collector.toml", _settings(simulated))
        machine.well("cp", str(simulated.folder / "simulator.secret"), "/home/admin/contoso.secret")
        machine.write("/home/admin/influxdb.token", "the token of an InfluxDB")
        machine.well("install", "-D", "-m", "644", str(simulated.folder / "ca.pem"), f"{ETC}/ca.pem")
        machine.write(f"{DROP_INS}/test.conf", _here())
        *lines, last = next(block for block in blocks("console") if "systemctl" in block).splitlines()
        assert last == f"sudo systemctl enable --now {NAME}"
        machine.well("sh", "-e", "-c", "\n".join(line.removeprefix("sudo ") for line in lines), cwd="/home/admin")
        yield machine


def _settings(simulated: Simulated) -> str:
    """Return settings that name their files as they lie beside them, with the journal that the README names."""
    ours = simulated.settings.replace(f"{simulated.folder}/", "").replace("simulator.secret", "contoso.secret")
    (journal,) = [block for block in blocks("toml") if block.startswith("[journal]")]
    return "\n".join([ours, poll(1), '[web]\nlisten = ""', journal])


def _here() -> str:
    """Return what the unit needs on a machine that is none: the clone and its Python may lie in a home, or in /tmp."""
    there = " ".join(sorted({str(ROOT), sys.base_prefix, str(Path(sys.base_prefix).resolve())}))
    return (
        f"[Service]\nBindReadOnlyPaths={there}\nProtectHome=tmpfs\nWatchdogSec=3\nRestartSec=0\n"
        "StandardOutput=append:/run/said\nStandardError=append:/run/said\n"
    )


def shown(machine: Machine, key: str) -> str:
    """Return what systemd says of a property of the service."""
    return machine.well("systemctl", "show", "--value", "-p", key, NAME).strip()


def said(machine: Machine, event: str) -> int:
    """Return how often the service has logged an event."""
    return machine.run("cat", "/run/said").stdout.count(f'"event": "{event}"')


def test_the_unit_has_nothing_that_systemd_objects_to(analyzed: Path) -> None:
    """`systemd-analyze verify` has no word to say of the unit."""
    done = subprocess.run([ANALYZE, "verify", analyzed], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_service_is_exposed_by_less_than_2_of_10(analyzed: Path) -> None:
    """`systemd-analyze security` finds little that a service could still be taken for."""
    asked = [ANALYZE, "security", "--offline=yes", "--threshold=20", "--no-pager", str(analyzed)]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_systemd_starts_it_when_it_is_ready_and_ends_it_in_order(machine: Machine) -> None:
    """`systemctl start` returns once it works, as a user of its own; root sees its journal; it ends with 0."""
    started = machine.run("systemctl", "enable", "--now", NAME)
    assert started.returncode == 0, machine.run("cat", "/run/said").stdout
    assert (shown(machine, "ActiveState"), shown(machine, "StatusText")) == ("active", "tenants: 1, sinks: 0")
    until(lambda: said(machine, "poll.settled") >= 2, what="both polls")
    user = machine.well("stat", "-c", "%U %u", "/var/lib/exposure-collector/journal.db").split()
    assert user[1] == machine.well("stat", "-c", "%u", f"/proc/{shown(machine, 'MainPID')}").strip() != "0"
    command = ("/opt/exposure-collector/.venv/bin/exposure-collector", "status")
    assert "contoso" in machine.well(*command)
    machine.well("systemctl", "stop", NAME)
    assert (shown(machine, "Result"), shown(machine, "ExecMainStatus")) == ("success", "0")
    assert said(machine, "service.stopped") == 1


def test_a_service_that_hangs_is_started_anew(machine: Machine) -> None:
    """Where no ping comes, systemd ends the process and starts another, which goes on with the journal."""
    machine.well("systemctl", "enable", "--now", NAME)
    first = shown(machine, "MainPID")
    until(lambda: said(machine, "poll.settled") >= 2, what="both polls")
    machine.well("sleep", "4")
    assert shown(machine, "MainPID") == first, "it pings"
    machine.well("kill", "-STOP", first)
    until(lambda: shown(machine, "NRestarts") == "1" and shown(machine, "ActiveState") == "active", 30, "the next one")
    before = said(machine, "poll.settled")
    until(lambda: said(machine, "poll.settled") > before, what="a poll of the next one")


def test_wrong_settings_are_not_tried_again(machine: Machine) -> None:
    """Exit code 2 waits for a person; the first line that it said tells which setting it is."""
    machine.write(f"{ETC}/collector.toml", "[poll]\nintervall_seconds = 5\n", 0o644)
    assert machine.run("systemctl", "start", NAME).returncode != 0
    until(lambda: shown(machine, "ActiveState") == "failed", what="the end")
    assert (shown(machine, "ExecMainStatus"), shown(machine, "NRestarts")) == ("2", "0")
    assert "intervall_seconds" in machine.well("cat", "/run/said")


def test_a_reload_takes_up_tenants_while_the_service_runs_on_unless_settings_are_wrong(machine: Machine) -> None:
    """Wrong ones are said, and nothing changes; right ones count in the same process, which says when it is ready."""
    machine.well("systemctl", "enable", "--now", NAME)
    first = shown(machine, "MainPID")
    right = machine.well("cat", f"{ETC}/collector.toml")
    machine.write(f"{ETC}/collector.toml", f"{right}\n[journals]\n", 0o644)
    assert machine.run("systemctl", "reload", NAME).returncode != 0
    assert (shown(machine, "MainPID"), shown(machine, "ActiveState")) == (first, "active")
    assert "journals" in machine.well("cat", "/run/said")
    assert said(machine, "settings.reloaded") == 0
    machine.write(f"{ETC}/collector.toml", _with_another(right), 0o644)
    machine.well("systemctl", "reload", NAME)
    until(lambda: shown(machine, "StatusText") == "tenants: 2, sinks: 0", 30, "both tenants")
    until(lambda: shown(machine, "ActiveState") == "active", what="it is ready again")
    assert (shown(machine, "MainPID"), said(machine, "service.started")) == (first, 1)
    until(lambda: '"tenant": "another"' in machine.well("cat", "/run/said"), what="a poll of the new one")


def _with_another(settings: str) -> str:
    """Return the settings with another tenant, which is the same one by another name."""
    before, header, after = settings.partition("[tenants.contoso]")
    table, *rest = after.split("\n[", 1)
    return "".join([before, header, table, "\n[tenants.another]", table, *(f"\n[{each}" for each in rest)])
