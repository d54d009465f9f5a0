"""The manifests: expanded by kubectl itself, valid by the published schemas, restricted, and true to the program."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from servers import need
from system.blackbox import collector
from system.test_readme import blocks

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
KUBECTL = Path(sys.executable).with_name("kubectl")
WAYS = ("base", "overlays/workload-identity", "overlays/servicemonitor", "overlays/cronjob", "overlays/shards")
VERSIONS = ("1.29", kubernetes_validate.latest_version())
"""The oldest and the newest cluster that is thought of."""
OPERATOR = ROOT / "tests" / "kubernetes" / "node_modules" / "@kubernetes-models" / "prometheus-operator"
_JUDGE = """
import { ServiceMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor";
new ServiceMonitor(JSON.parse(process.argv[1])).validate();
"""


def kubectl(*words: str, cwd: Path = FOLDER) -> str:
    """Return what kubectl prints, which asks no cluster for it."""
    env = {"PATH": os.environ["PATH"], "HOME": str(cwd), "KUBECONFIG": "/dev/null"}
    done = subprocess.run([KUBECTL, *words], cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


@cache
def objects(way: str) -> list[dict[str, Any]]:
    """Return the objects that a folder comes to."""
    return list(yaml.safe_load_all(kubectl("kustomize", way)))


def of(way: str, kind: str) -> dict[str, Any]:
    """Return the one object of a kind; fail where there is none, or another."""
    (found,) = [each for each in objects(way) if each["kind"] == kind]
    return found


def pod(way: str) -> dict[str, Any]:
    """Return the one pod's spec, whoever starts it."""
    starter = of(way, "CronJob")["spec"]["jobTemplate"] if way == "overlays/cronjob" else of(way, "StatefulSet")
    spec: dict[str, Any] = starter["spec"]["template"]["spec"]
    return spec


def the_settings(way: str) -> str:
    """Return the text of the settings."""
    text: str = of(way, "ConfigMap")["data"]["collector.toml"]
    return text


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("way", WAYS)
def test_every_object_is_valid_by_the_published_schemas(way: str, version: str) -> None:
    """No field is of another type, missing, or unknown to Kubernetes."""
    found = objects(way)
    assert len(found) >= 6
    for each in found:
        if each["kind"] != "ServiceMonitor":
            kubernetes_validate.validate(each, version, strict=True)


def test_the_service_monitor_is_valid_by_the_operator_s_schema() -> None:
    """It asks for /metrics at the port that the Service names, with the token of the pages."""
    need(str(OPERATOR))
    monitor = of("overlays/servicemonitor", "ServiceMonitor")
    command = ["node", "--input-type=module", "--eval", _JUDGE]
    for given, wanted in ((monitor, 0), (monitor | {"spec": {"endpoints": [{"port": 1}]}}, 1)):
        judged = [*command, json.dumps(given)]
        here = OPERATOR.parents[2]
        done = subprocess.run(judged, cwd=here, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == wanted, done.stderr
    (endpoint,) = monitor["spec"]["endpoints"]
    service = of("overlays/servicemonitor", "Service")
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    key = endpoint["authorization"]["credentials"]["key"]
    assert tomllib.loads(the_settings("base"))["web"]["token_file"].endswith(f"/{key}")


@pytest.mark.parametrize("way", WAYS)
def test_the_pod_is_what_a_restricted_namespace_lets_in(way: str) -> None:
    """By each rule of the standard `restricted`, which the namespace enforces; and its disk is read-only."""
    namespace = of(way, "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    others = [each for each in objects(way) if each["kind"] != "Namespace"]
    assert {each["metadata"]["namespace"] for each in others} == {namespace["metadata"]["name"]}
    spec = pod(way)
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    security = spec["securityContext"]
    assert security["runAsNonRoot"]
    assert security["runAsUser"] != 0
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    kinds = {kind for volume in spec["volumes"] for kind in volume if kind != "name"}
    assert kinds <= {"configMap", "secret", "projected", "persistentVolumeClaim"}


@pytest.mark.parametrize("way", WAYS)
def test_the_pod_is_the_image_s(way: str) -> None:
    """Its user is the image's, its volume where the image keeps the journal, and its command one that there is."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (user, group) = re.findall(r"^USER (\d+):(\d+)", dockerfile, re.MULTILINE)[0]
    (volume,) = re.findall(r"^VOLUME (\S+)", dockerfile, re.MULTILINE)
    spec = pod(way)
    assert [spec["securityContext"][key] for key in ("runAsUser", "runAsGroup", "fsGroup")] == [
        *(int(user), int(group), int(group)),
    ]
    (container,) = spec["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts["journal"] == volume
    assert tomllib.loads(the_settings(way))["journal"]["path"] == f"{volume}/journal.db"
    assert collector(*container["args"], "--help").returncode == 0
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert container["image"] == f"exposure-collector:{version}"


@pytest.mark.parametrize("way", WAYS)
def test_the_settings_load_and_name_files_that_are_mounted(way: str, tmp_path: Path) -> None:
    """Nothing is missing from them but the journal; each file of theirs lies in a volume of the pod."""
    config = tmp_path / "collector.toml"
    config.write_text(the_settings(way).replace("/var/lib/exposure-collector", str(tmp_path)), encoding="utf-8")
    assert "no journal yet" in collector("status", "--config", config).stderr
    spec = pod(way)
    (container,) = spec["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    secret = yaml.safe_load(_secret(tmp_path))
    there = {f"{mounts['secrets']}/{key}" for key in secret["data"]}
    for volume in spec["volumes"]:
        for source in volume.get("projected", {}).get("sources", ()):
            there.add(f"{mounts[volume['name']]}/{source['serviceAccountToken']['path']}")
    named = set(re.findall(r'_file = "([^"]+)"', the_settings(way)))
    assert named <= there
    assert of(way, "ConfigMap")["metadata"]["name"] in {
        volume["configMap"]["name"] for volume in spec["volumes"] if "configMap" in volume
    }


def test_the_secret_of_the_readme_is_valid(tmp_path: Path) -> None:
    """The line that makes it makes what the pod mounts, in its namespace."""
    secret = yaml.safe_load(_secret(tmp_path))
    kubernetes_validate.validate(secret, VERSIONS[-1], strict=True)
    assert (secret["metadata"]["name"], secret["metadata"]["namespace"]) == ("exposure-collector", "exposure")
    assert {volume["secret"]["secretName"] for volume in pod("base")["volumes"] if "secret" in volume} == {
        secret["metadata"]["name"]
    }


def _secret(folder: Path) -> str:
    """Return the Secret that the README's line would make."""
    block = next(block for block in blocks("console") if "kubectl" in block)
    (line,) = [line for line in block.splitlines() if line.startswith("kubectl create secret")]
    # A reader has the tenant's and the database's from before; what else is named, the lines above it make.
    for name in ("contoso.secret", "influxdb.token"):
        (folder / name).write_text(f"made up: {name}", encoding="utf-8")
    before = [each for each in block.partition(line)[0].splitlines() if "openssl" in each]
    subprocess.run(["sh", "-ec", "\n".join(before)], cwd=folder, check=True, timeout=60)
    return kubectl(*line.split()[1:], "--dry-run=client", "--output=yaml", cwd=folder)


def test_the_probes_ask_what_the_service_answers_without_a_token() -> None:
    """`/livez` decides whether it is started anew, `/readyz` whether it is ready, at the port of the pages."""
    (container,) = pod("base")["containers"]
    paths = [container[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")]
    assert paths == ["/livez", "/livez", "/readyz"]
    (port,) = container["ports"]
    assert {container[probe]["httpGet"]["port"] for probe in ("livenessProbe", "readinessProbe")} == {port["name"]}
    assert tomllib.loads(the_settings("base"))["web"]["listen"] == f"0.0.0.0:{port['containerPort']}"


def test_one_pod_at_a_time_writes_the_journal() -> None:
    """The service has one replica and a volume that outlives it; calls of `once` never overlap and share one."""
    service = of("base", "StatefulSet")["spec"]
    assert (service["replicas"], service["podManagementPolicy"]) == (1, "Parallel")
    (claim,) = service["volumeClaimTemplates"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    kinds = {each["kind"] for each in objects("overlays/cronjob")}
    assert not {"StatefulSet", "Service"} & kinds
    assert of("overlays/cronjob", "CronJob")["spec"]["concurrencyPolicy"] == "Forbid"
    (volume,) = [each for each in pod("overlays/cronjob")["volumes"] if each["name"] == "journal"]
    claimed = of("overlays/cronjob", "PersistentVolumeClaim")["metadata"]["name"]
    assert volume["persistentVolumeClaim"]["claimName"] == claimed


def test_each_pod_of_several_polls_its_own_part_of_the_tenants(tmp_path: Path) -> None:
    """There are as many pods as shards, each with its own volume, and the program takes its index from its name."""
    service = of("overlays/shards", "StatefulSet")["spec"]
    (container,) = pod("overlays/shards")["containers"]
    env = {each["name"]: each for each in container["env"]}
    assert env["POD_NAME"]["valueFrom"]["fieldRef"] == {"fieldPath": "metadata.name"}
    shard = env["COLLECTOR__SHARD"]["value"]
    assert shard == f"auto/{service['replicas']}"
    assert [claim["metadata"]["name"] for claim in service["volumeClaimTemplates"]] == ["journal"]
    table = the_settings("overlays/shards").partition("[influxdb.main]")[0]
    (tmp_path / "tenants.d").mkdir()
    body = table[table.index("tenant_id") :]
    for number in range(20):
        (tmp_path / "tenants.d" / f"customer-{number}.toml").write_text(body, encoding="utf-8")
    (tmp_path / "collector.toml").write_text('tenants_dir = "tenants.d"\n', encoding="utf-8")
    found: list[str] = []
    for number in range(service["replicas"]):
        name = f"{of('overlays/shards', 'StatefulSet')['metadata']['name']}-{number}"
        variables = {"COLLECTOR__SHARD": shard, "POD_NAME": name}
        asked = ("once", "--config", tmp_path / "collector.toml", "--tenant", "nobody")
        said = collector(*asked, env=variables).stderr
        found += re.findall(r"customer-[0-9]+", said)
    assert sorted(found) == sorted(f"customer-{number}" for number in range(20))
    one_too_many = {"COLLECTOR__SHARD": shard, "POD_NAME": f"exposure-collector-{service['replicas']}"}
    done = collector("status", "--config", tmp_path / "collector.toml", env=one_too_many)
    assert (done.returncode, "the index must be 0 to 2 for 3 shards" in done.stderr) == (2, True)


def test_nobody_comes_in_but_the_prometheus_that_is_asked_for() -> None:
    """Traffic to these pods, and no others, is refused, and theirs goes to names, HTTPS and an InfluxDB alone."""
    policy = of("base", "NetworkPolicy")["spec"]
    for way in WAYS:
        starter = of(way, "CronJob")["spec"]["jobTemplate"] if way == "overlays/cronjob" else of(way, "StatefulSet")
        chosen = of(way, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"]
        assert chosen.items() <= starter["spec"]["template"]["metadata"]["labels"].items()
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert not policy.get("ingress")
    assert sorted({port["port"] for rule in policy["egress"] for port in rule["ports"]}) == [53, 443, 8086]
    (rule,) = of("overlays/servicemonitor", "NetworkPolicy")["spec"]["ingress"]
    assert [port["port"] for port in rule["ports"]] == [9470]
    assert rule["from"]


def test_a_token_of_the_cluster_is_for_microsoft_alone() -> None:
    """Workload identity has a projected token for the audience that Entra wants, and needs no secret of the tenant."""
    (identity,) = [each for each in pod("overlays/workload-identity")["volumes"] if "projected" in each]
    (source,) = identity["projected"]["sources"]
    assert source["serviceAccountToken"]["audience"] == "api://AzureADTokenExchange"
    assert "client_secret" not in the_settings("overlays/workload-identity")


def test_overlays_are_made_of_the_base_and_of_parts_that_can_be_put_together() -> None:
    """Each component is an overlay's, and no file of the folder is anybody's but one that is named."""
    for file in FOLDER.rglob("kustomization.yaml"):
        named = json.dumps(yaml.safe_load(file.read_text(encoding="utf-8")))
        for beside in file.parent.iterdir():
            assert beside == file or f'"{beside.name}"' in named, beside
    used = {path.name for path in (FOLDER / "components").iterdir()}
    assert used == {Path(way).name for way in WAYS[1:]} == {path.name for path in (FOLDER / "overlays").iterdir()}


def test_an_overlay_of_one_s_own_takes_several_components_together(tmp_path: Path) -> None:
    """Workload identity and the operator's monitor, from another registry by a digest."""
    shutil.copytree(FOLDER, tmp_path / "kubernetes")
    own = {
        "resources": ["../base"],
        "components": ["../components/workload-identity", "../components/servicemonitor"],
        "images": [
            {"name": "exposure-collector", "newName": "registry.test/collector", "digest": f"sha256:{'0' * 64}"}
        ],
    }
    (tmp_path / "kubernetes" / "own").mkdir()
    (tmp_path / "kubernetes" / "own" / "kustomization.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
    found = {
        each["kind"]: each for each in yaml.safe_load_all(kubectl("kustomize", "own", cwd=tmp_path / "kubernetes"))
    }
    assert "ServiceMonitor" in found
    spec = found["StatefulSet"]["spec"]["template"]["spec"]
    assert "identity" in {volume["name"] for volume in spec["volumes"]}
    assert spec["containers"][0]["image"] == f"registry.test/collector@sha256:{'0' * 64}"
