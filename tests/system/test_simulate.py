"""`simulate`: what it prints is enough to poll with, for every way to sign in."""

import re
import shlex
import signal
from pathlib import Path

import pytest
from system.blackbox import Process, Simulated, collector, settings, until, well

KINDS = ("client_secret", "certificate", "certificate_pfx", "workload_identity", "managed_identity", "device_code")
TENANT = "contoso"


def exported(simulated: Simulated) -> dict[str, str]:
    """Return the variables that it asks for."""
    return dict(re.findall(r"^  export (\w+)=(\S+)$", "".join(simulated.err), re.MULTILINE))


@pytest.mark.parametrize("kind", KINDS)
def test_each_way_to_sign_in_works_with_the_settings_that_are_printed(kind: str, tmp_path: Path) -> None:
    """`once` polls with the settings, files and variables that `simulate` gives, for a person after `login`."""
    options = ("--groups", "2", "--credential", kind, "--approve-after", "0", "--device-interval", "1")
    with Simulated(tmp_path / "simulated", *options) as simulated:
        config = settings(tmp_path / "collector", simulated)
        env = exported(simulated)
        assert bool(env) == (kind == "managed_identity")
        if kind == "device_code":
            assert " login --tenant contoso" in "".join(simulated.err)
            well(collector("login", "--tenant", TENANT, "--config", config))
        well(collector("once", "--config", config, env=env))
        subjects = {row["subject"] for row in simulated.requests() if row["status"] == 200}
        assert {"organization", "device_groups"} <= subjects
        assert ("metadata" in subjects) == (kind == "managed_identity")
        assert ("device_code" in subjects) == (kind == "device_code")


def test_what_was_added_to_its_settings_is_there_the_next_time(tmp_path: Path) -> None:
    """A folder can be used again: the settings have what a person added, point at the new address, and poll."""
    folder = tmp_path / "to try"
    with Simulated(folder, "--groups", "2"):
        pass
    config = folder / "collector.toml"
    with config.open("a") as file:
        file.write('\n[journal]\npath = "tried.db"\n')
    with Process("simulate", "--groups", "2", "--folder", folder) as again:
        until(lambda: any("serving on" in line for line in again.err) and len(again.err) > 1, what="simulate")
        assert f"{config}, beside what was added there" in "".join(again.err)
        (proposed,) = [shlex.split(line) for line in again.err if " once --config" in line]
        assert proposed[-3:] == ["once", "--config", str(config)]
        well(collector(*proposed[-3:]))
    assert (folder / "tried.db").exists()


def test_what_is_secret_is_its_owners_alone(tmp_path: Path) -> None:
    """Secret, key, password and token lie in files that nobody else reads, and are printed nowhere."""
    for kind in ("certificate_pfx", "workload_identity"):
        with Simulated(tmp_path / kind, "--credential", kind) as simulated:
            secrets = [path for path in simulated.folder.iterdir() if path.name not in ("ca.pem", "collector.toml")]
            assert secrets
            assert {path.stat().st_mode & 0o077 for path in secrets} == {0}
            said = "".join((*simulated.out, *simulated.err))
            assert not [path for path in secrets if path.suffix != ".pfx" and path.read_text() in said]


def test_a_fault_is_set_from_the_command_line(tmp_path: Path) -> None:
    """`--fault NAME,parameter=value` strikes from the start, several of them together."""
    faults = ("--fault", "sign_in_error,code=7000222,times=1", "--fault", "clock,seconds=600")
    with Simulated(tmp_path / "simulated", *faults) as simulated:
        done = collector("check", "--config", settings(tmp_path / "collector", simulated))
        assert done.returncode == 1
        assert "AADSTS7000222" in done.stdout
        struck = [row["faults"] for row in simulated.requests(subject="sign_in")]
        assert ["sign_in_error", "clock"] in struck


def test_a_wrong_server_certificate_is_shown(tmp_path: Path) -> None:
    """`--certificate expired --shown-by sign_in`: the sign-in is refused, the API, on its other name, is not."""
    options = ("--certificate", "expired", "--shown-by", "sign_in")
    with Simulated(tmp_path / "simulated", *options) as simulated:
        assert simulated.requests() == []
        done = collector("check", "--config", settings(tmp_path / "collector", simulated))
        assert done.returncode == 1
        assert "127.0.0.1" in done.stdout


def test_the_faults_are_listed(tmp_path: Path) -> None:
    """`--list-faults` prints every fault and serves nothing; `--help` says that there is such a list."""
    listed = well(collector("simulate", "--list-faults", cwd=tmp_path))
    assert {"throttle", "sign_in_error", "other_cloud"} <= set(re.findall(r"^--fault '?(\w+)", listed, re.MULTILINE))
    assert "--list-faults" in well(collector("simulate", "--help", cwd=tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--fault", "throtle"), "there is no fault 'throtle'"),
        (("--credential", "managed_identity", "--tenants", "2"), "tenants of a managed identity: 2 is more than 1"),
        (("--credential", "password"), "client_secret"),
    ],
)
def test_a_slip_is_a_wrong_command_line(tmp_path: Path, options: tuple[str, ...], says: str) -> None:
    """What can't be is exit code 2, and says what could."""
    done = collector("simulate", "--folder", tmp_path, *options)
    assert done.returncode == 2
    assert says in done.stderr


def test_it_ends_orderly(tmp_path: Path) -> None:
    """Ctrl-C and SIGTERM end it with 0, both of its servers included."""
    for number in (signal.SIGINT, signal.SIGTERM):
        simulated = Simulated(tmp_path / number.name, "--credential", "managed_identity")
        assert simulated.end(number) == 0
