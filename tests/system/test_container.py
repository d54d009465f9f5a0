"""The image: its steps run from its own pins, and what they make runs as nobody on a disk that can't be written to."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from composed import model
from images import Image
from servers import VICTORIA, need
from system.blackbox import until
from system.test_kubernetes import pod as manifest
from system.test_kubernetes import the_settings

ROOT = Path(__file__).parents[2]
ETC = "/etc/exposure-collector"
STATE = "/var/lib/exposure-collector"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The image, built once."""
    image = Image(ROOT / "Dockerfile")
    image.build(tmp_path_factory.mktemp("build"))
    return image


def test_the_dockerfile_has_nothing_that_its_judge_objects_to() -> None:
    """Hadolint has no word to say."""
    judge = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([judge, ROOT / "Dockerfile"], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_container_polls_is_healthy_and_ends_in_order(image: Image, tmp_path: Path) -> None:
    """It runs from its volume alone, with a simulated tenant in it; its health is the program's own word."""
    with image.container(tmp_path / "container", {}) as container:
        assert container.health().returncode != 0, "there is no service yet"
        with container.running("simulate", "--folder", f"{STATE}/tenant"):
            config = {"COLLECTOR_CONFIG": f"{STATE}/tenant/collector.toml"}
            until(lambda: container.run("test", "-s", config["COLLECTOR_CONFIG"]).returncode == 0, what="the tenant")
            with container.running(env=config):
                until(lambda: container.health(config).stdout == "live\n", what="its health")
                ready = ("exposure-collector", "health", "--ready")
                until(lambda: container.run(*ready, env=config).stdout == "ready\n", what="its first poll")
            assert container.health(config).returncode == 1
        owner = container.run("stat", "-c", "%u %a", f"{STATE}/journal.db").stdout
        assert owner == "10001 600\n"


def test_nothing_in_a_container_can_be_written_to_but_its_volume(image: Image, tmp_path: Path) -> None:
    """Not by its user, whose the volume alone is; and there is no pip in it, nor what the image was made with."""
    with image.container(tmp_path / "container", {}) as container:
        found = container.run("find", "/opt/exposure-collector", STATE, "-writable", "!", "-type", "l")
        assert found.stdout.split() == [STATE]
        for path in ("/tmp/new.file", "/etc/new.file", "/opt/exposure-collector/new.file"):  # noqa: S108 - where nothing may be
            assert "Read-only" in container.run("touch", path).stderr
        assert container.run("python3", "-m", "pip", "--version").returncode != 0
        assert container.run("ls", "/src", "/build").returncode != 0


def test_a_container_needs_no_file_of_settings(image: Image, tmp_path: Path) -> None:
    """Variables are enough, and what is missing in them is said."""
    given = {"AZURE_TENANT_ID": "11111111-1111-1111-1111-111111111111", "AZURE_CLIENT_SECRET_FILE": "/run/secrets/x"}
    with image.container(tmp_path / "container", {}) as container:
        done = container.run("exposure-collector", "run", env=given)
        assert done.returncode == 2
        assert "AZURE_CLIENT_ID" in done.stderr


def test_the_image_says_which_version_it_is(image: Image) -> None:
    """The version that its label has, unless told otherwise, is the program's, and so is the one that compose names."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    label = image.last.labels["org.opencontainers.image.version"]
    compose = (ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8")
    assert (label, re.findall(r"image: exposure-collector:(\S+)", compose)) == (version, [version])


def test_the_demo_of_compose_brings_90_days_into_its_database(image: Image, tmp_path: Path) -> None:
    """Its two services run as compose.yaml has them, beside a database that is called `influxdb` there."""
    need(VICTORIA)
    services = model("demo")["services"]
    tenant, demo = services["demo-tenant"], services["demo"]
    hosts = {"/etc/hosts": "127.0.0.1 localhost influxdb\n"}
    secrets = {f"/run/secrets/{secret['source']}": f"made up: {secret['source']}" for secret in demo["secrets"]}
    database = ("-httpListenAddr=127.0.0.1:8086", "-storageDataPath=/mnt", "-retentionPeriod=100y")
    asked = (
        "import json; from urllib.request import urlopen;"
        "rows = urlopen('http://127.0.0.1:8086/api/v1/export?match[]=exposure_score_score').read().splitlines();"
        "print(sum(len(json.loads(row)['values']) for row in rows))"
    )
    with (
        image.container(tmp_path / "container", hosts | secrets, "/mnt") as container,
        container.machine.started(VICTORIA, *database, "-memory.allowedBytes=64MB"),
        container.running(*tenant["command"], entrypoint=tenant["entrypoint"]),
    ):
        _, *tenant_is_well = tenant["healthcheck"]["test"]
        until(lambda: container.run(*tenant_is_well).returncode == 0, 90, "the tenant")
        with container.running(*demo["command"], env=demo["environment"]):
            _, *is_well = demo["healthcheck"]["test"]
            until(lambda: container.run(*is_well, env=demo["environment"]).stdout == "live\n", 60, "its health")
            until(lambda: int(container.run("python3", "-c", asked).stdout or 0) > 89 * 24, 60, "90 days of history")


def test_the_pod_of_kubernetes_answers_its_probes_and_nobody_else_without_a_token(image: Image, tmp_path: Path) -> None:
    """With the settings of the manifests, but for the tenant: InfluxDB isn't there, and it is ready all the same."""
    (pod,) = manifest("base")["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in pod["volumeMounts"]}
    secrets = {f"{mounts['secrets']}/{name}": f"made up: {name}" for name in ("influxdb.token", "web.token")}
    config = f"{mounts['settings']}/collector.toml"
    asked = "import sys; from http.client import HTTPConnection as H; h = H('127.0.0.1', 9470, timeout=20);"
    asked += "h.request('GET', sys.argv[1]); print(h.getresponse().status)"

    def status(path: str) -> str:
        return container.run("python3", "-c", asked, path).stdout.strip()

    with (
        image.container(tmp_path / "container", secrets | {config: ""}, mounts["settings"]) as container,
        container.running("simulate", "--folder", f"{STATE}/tenant"),
    ):
        until(lambda: container.run("test", "-s", f"{STATE}/tenant/collector.toml").returncode == 0, what="the tenant")
        tenant = container.run("cat", f"{STATE}/tenant/collector.toml").stdout
        ours = re.sub(r"\[tenants\.contoso\].*?(?=^\[)", "", the_settings("base"), flags=re.DOTALL | re.MULTILINE)
        container.machine.write(config, f"{tenant}\n{ours}")
        with container.running(*pod["args"]):
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                path = pod[probe]["httpGet"]["path"]
                until(lambda path=path: status(path) == "200", 60, probe)  # type: ignore[misc]
            assert [status(path) for path in ("/", "/metrics")] == ["401", "401"]
