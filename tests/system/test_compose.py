"""compose.yaml: valid by Compose's own word, its settings load, its secrets are files, and the README leads to it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from composed import COMPOSE, DEPLOY, model
from system.blackbox import collector, environment
from system.test_readme import blocks

PROFILES = ("live", "demo")
ID = "11111111-1111-1111-1111-111111111111"
OURS = {"live": {"collector"}, "demo": {"demo", "demo-tenant"}}


@pytest.mark.parametrize("profile", PROFILES)
def test_compose_takes_the_file_in_either_profile(profile: str) -> None:
    """Compose has no word against it, and starts the database, Grafana and what the profile is for."""
    assert set(model(profile)["services"]) == {"influxdb", "grafana", *OURS[profile]}


@pytest.mark.parametrize("profile", PROFILES)
def test_nothing_of_ours_is_more_than_it_needs_to_be(profile: str) -> None:
    """No capability, no disk but the volume, no new right, and time to end in order; its user is the image's."""
    for name in OURS[profile]:
        service = model(profile)["services"][name]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["stop_grace_period"] == "20s"
        assert not {"privileged", "user", "cap_add", "pid"} & set(service)


@pytest.mark.parametrize("profile", PROFILES)
def test_pages_are_this_machine_s_alone_and_secrets_are_files(profile: str) -> None:
    """Ports are on loopback unless told otherwise; no secret is the value of a variable."""
    found = model(profile)
    for service in found["services"].values():
        assert {port["host_ip"] for port in service.get("ports", [])} <= {"127.0.0.1"}
        for name, value in service.get("environment", {}).items():
            if re.search(r"TOKEN|PASSWORD|SECRET", name):
                assert name.endswith("_FILE"), name
                assert value.removeprefix("/run/secrets/") in {secret["source"] for secret in service["secrets"]}


@pytest.mark.parametrize("profile", PROFILES)
def test_what_is_waited_for_says_when_it_is_well(profile: str) -> None:
    """Whoever waits waits for a health check that is there; the service that polls waits for no database."""
    services = model(profile)["services"]
    for service in services.values():
        for name, how in service.get("depends_on", {}).items():
            assert how["condition"] == "service_healthy"
            assert services[name]["healthcheck"]["test"]
    assert "influxdb" in services["grafana"]["depends_on"]
    assert "influxdb" not in services[min(OURS[profile])].get("depends_on", {})


@pytest.mark.parametrize("profile", PROFILES)
def test_a_collector_is_called_the_same_when_its_container_is_made_anew(profile: str) -> None:
    """Its host's name, by which its polls are told apart, is none that an engine makes up; who shares it, too."""
    services = model(profile)["services"]
    name = "collector" if profile == "live" else services["demo"]["network_mode"].removeprefix("service:")
    assert services[name]["hostname"] == "collector"


def test_the_settings_of_the_live_profile_load(tmp_path: Path) -> None:
    """With two ids in .env the variables are settings: a tenant, a sink and pages."""
    env = model("live")["services"]["collector"]["environment"]
    ids = dict.fromkeys(("AZURE_TENANT_ID", "AZURE_CLIENT_ID"), ID)
    assert "AZURE_TENANT_ID" in collector("status", env=env, cwd=tmp_path).stderr
    done = collector("status", env=env | ids, cwd=tmp_path)
    assert "no journal yet" in done.stderr


def test_the_lines_of_the_readme_lead_to_compose(tmp_path: Path) -> None:
    """On a clean folder they make every secret that Compose mounts, for the containers' users and nobody else here."""
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    (tmp_path / "contoso.secret").write_text("the secret of the application")
    called = tmp_path / "called"
    stand_in = tmp_path / "bin" / "docker"
    stand_in.parent.mkdir()
    stand_in.write_text(f'#!/bin/sh\necho "$@" >> {called}\nshift\nexec {COMPOSE} config --quiet\n')
    stand_in.chmod(0o755)
    lines = next(block for block in blocks("console") if "docker compose up" in block)
    person = tmp_path / "bin" / "vi"
    person.write_text(f'#!/bin/sh\nexec sed -i "s/^AZURE_[A-Z]*_ID=$/&{ID}/" "$1"\n')
    person.chmod(0o755)
    path = {"PATH": f"{stand_in.parent}:{environment()['PATH']}"}
    done = subprocess.run(
        ["sh", "-ec", lines], cwd=tmp_path, env=path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert called.read_text().splitlines() == ["compose up --detach"]
    folder = tmp_path / "deploy"
    assert (folder / "secrets").stat().st_mode & 0o777 == 0o700
    found = model("live", folder, ".env")
    env = found["services"]["collector"]["environment"]
    assert (env["AZURE_TENANT_ID"], env["AZURE_CLIENT_ID"]) == (ID, ID)
    for secret in found["secrets"].values():
        assert Path(secret["file"]).stat().st_mode & 0o777 == 0o644
        assert len(Path(secret["file"]).read_text(encoding="utf-8").strip()) >= 20
    mounted = [volume for service in found["services"].values() for volume in service.get("volumes", [])]
    binds = [Path(volume["source"]) for volume in mounted if volume["type"] == "bind"]
    assert {bind.name for bind in binds} == {"provisioning", "dashboards"}
    assert all(bind.is_dir() for bind in binds)
