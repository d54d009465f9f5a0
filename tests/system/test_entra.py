"""The script that registers the collector in Entra, against a stand-in for the Azure CLI that records its calls."""

import json
import os
import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from servers import need
from system.blackbox import collector
from system.test_readme import blocks

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "deploy" / "entra" / "register.sh"
SHELLCHECK = "/usr/bin/shellcheck"
PORTAL = (ROOT / "deploy" / "entra" / "portal.md").read_text(encoding="utf-8")
TENANT = "11111111-1111-1111-1111-111111111111"
CUSTOMERS = ("22222222-2222-2222-2222-222222222222", "33333333-3333-3333-3333-333333333333")
API = {
    "id": "44444444-4444-4444-4444-444444444444",
    "appId": "55555555-5555-5555-5555-555555555555",
    "displayName": "WindowsDefenderATP",
    "appRoles": [
        {"value": "Score.Read.All", "id": "66666666-6666-6666-6666-666666666666", "allowedMemberTypes": ["User"]},
        {
            "value": "Score.Read.All",
            "id": "77777777-7777-7777-7777-777777777777",
            "allowedMemberTypes": ["Application"],
        },
        {
            "value": "Alert.Read.All",
            "id": "88888888-8888-8888-8888-888888888888",
            "allowedMemberTypes": ["Application"],
        },
    ],
}
ROLE = "77777777-7777-7777-7777-777777777777"
MACHINE = {
    "id": "99999999-9999-9999-9999-999999999999",
    "displayName": "vm-o'neil",
    "servicePrincipalType": "ManagedIdentity",
}
CHANGES = {"create", "add", "update", "reset", "post"}
CLUSTER = ("--federated", "https://cluster.test/", "system:serviceaccount:exposure:exposure-collector")


class Directory:
    """A tenant's directory before and after calls of the script, which runs in a folder of its own."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.folder = folder
        self._file = folder / "directory.json"
        empty = {"tenant": TENANT, "apps": [], "principals": [API, MACHINE], "grants": [], "calls": []}
        self._file.write_text(json.dumps(empty | more), encoding="utf-8")
        program = folder / "bin" / "az"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT}/tests/stand_in_az.py "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        (folder / "customers").write_text("\n".join(CUSTOMERS), encoding="utf-8")

    def call(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Call the script."""
        env = {"PATH": f"{self.folder}/bin:{os.environ['PATH']}", "STAND_IN_AZ": str(self._file)}
        return subprocess.run(
            [SCRIPT, *words], cwd=self.folder, env=env, capture_output=True, text=True, timeout=60, check=False
        )

    def line(self, line: str) -> str:
        """Run a line of a shell as it stands, and return all that it says; fail unless it ends well."""
        env = {"PATH": f"{self.folder}/bin:{os.environ['PATH']}", "STAND_IN_AZ": str(self._file)}
        done = subprocess.run(
            ["sh", "-c", line], cwd=self.folder, env=env, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def well(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Call the script, and fail unless it ends well."""
        done = self.call(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def __getitem__(self, key: str) -> Any:
        return json.loads(self._file.read_text(encoding="utf-8"))[key]

    @property
    def changes(self) -> list[str]:
        """The calls that change something, each by its words before the options, in order."""
        calls = [(" ".join(call).partition(" --")[0], call) for call in self["calls"]]
        return [verbs if verbs != "rest" else "rest post" for verbs, call in calls if CHANGES & {*verbs.split(), *call}]


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    """A directory with the API, a machine's identity, and no application."""
    return Directory(tmp_path)


WAYS = {
    "tenant by certificate": ("tenant", "--certificate", "contoso.pem"),
    "tenant by federation": ("tenant", *CLUSTER),
    "partner by certificate": ("partner", "--certificate", "contoso.pem", "--customers", "customers"),
    "partner by federation": ("partner", *CLUSTER, "--customers", "customers"),
    "managed identity": ("managed-identity", "--identity", "vm-o'neil"),
}


def test_the_script_has_nothing_that_its_judge_objects_to() -> None:
    """Shellcheck has no word to say."""
    need(SHELLCHECK)
    done = subprocess.run([SHELLCHECK, SCRIPT], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_done_before_it_was_shown(way: str, directory: Directory) -> None:
    """Without `--apply` every step is said, nothing changes in the directory, and no file is made."""
    before = sorted(directory.folder.rglob("*"))
    done = directory.well(*WAYS[way])
    assert done.stdout == ""
    assert directory.changes == []
    assert sorted(directory.folder.rglob("*")) == before
    shown = re.findall(r"^would: (.*)$", done.stderr, re.MULTILINE)
    applied = directory.well(*WAYS[way], "--apply")
    assert re.findall(r"^doing: (.*)$", applied.stderr, re.MULTILINE) == shown
    assert len(directory.changes) == len([step for step in shown if not step.startswith("make the certificate")]) > 0


@pytest.mark.parametrize("way", WAYS)
def test_a_second_call_changes_nothing_and_says_the_same_settings(way: str, directory: Directory) -> None:
    """What is there is left as it is, the certificate in its file too."""
    first = directory.well(*WAYS[way], "--apply")
    before = directory.changes
    certificate = directory.folder / "contoso.pem"
    kept = certificate.read_bytes() if certificate.exists() else b""
    for more in ((), ("--apply",)):
        again = directory.well(*WAYS[way], *more)
        assert "would:" not in again.stderr
        assert "doing:" not in again.stderr
        assert again.stdout == first.stdout
    assert directory.changes == before
    assert not kept or certificate.read_bytes() == kept


@pytest.mark.parametrize("way", WAYS)
def test_the_settings_that_it_says_load(way: str, directory: Directory) -> None:
    """They are tenants of the collector, each with its id and the way to sign in."""
    said = directory.well(*WAYS[way], "--apply").stdout
    config = directory.folder / "collector.toml"
    config.write_text(said, encoding="utf-8")
    assert "no journal yet" in collector("status", "--config", config).stderr
    tenants = tomllib.loads(said)["tenants"]
    assert len(tenants) == (2 if way.startswith("partner") else 1)
    if way.startswith("partner"):
        assert [tenant["tenant_id"] for tenant in tenants.values()] == list(CUSTOMERS)


def test_one_permission_is_granted_and_no_more(directory: Directory) -> None:
    """The application's permission of that name, not the one for people; by ids that were looked up."""
    directory.well(*WAYS["tenant by certificate"], "--apply")
    (app,) = directory["apps"]
    assert app["signInAudience"] == "AzureADMyOrg"
    assert app["requiredResourceAccess"] == [
        {"resourceAppId": API["appId"], "resourceAccess": [{"id": ROLE, "type": "Role"}]}
    ]
    (grant,) = directory["grants"]
    assert (grant["resourceId"], grant["appRoleId"]) == (API["id"], ROLE)
    assert grant["principalId"] == directory["principals"][-1]["id"]


def test_a_certificate_s_key_stays_on_the_machine(directory: Directory) -> None:
    """What is uploaded is the public part; the file is its owner's alone, and the collector can read it."""
    directory.well(*WAYS["tenant by certificate"], "--apply")
    (key,) = directory["apps"][0]["keys"]
    assert "PRIVATE" not in key["text"]
    certificate = directory.folder / "contoso.pem"
    assert certificate.stat().st_mode & 0o777 == 0o600
    text = certificate.read_text(encoding="utf-8")
    assert text.count("-----BEGIN") == 2
    assert key["text"] in text
    assert {path.name for path in directory.folder.glob("contoso*")} == {"contoso.pem"}
    left = datetime.fromisoformat(key["endDateTime"]) - datetime.now(UTC)
    assert 729 <= left.days <= 730, "it counts as long as it says, not a year"


def test_a_partner_s_customers_consent_by_a_link(directory: Directory) -> None:
    """The application is open to other tenants; nothing is granted in the partner's own."""
    done = directory.well(*WAYS["partner by certificate"], "--apply")
    (app,) = directory["apps"]
    assert app["signInAudience"] == "AzureADMultipleOrgs"
    assert directory["grants"] == []
    for customer in CUSTOMERS:
        link = f"https://login.microsoftonline.com/{customer}/adminconsent?client_id={app['appId']}"
        assert link in done.stderr


def test_a_certificate_that_can_not_be_made_leaves_nothing_and_is_said(directory: Directory) -> None:
    """What openssl said is shown, half a file is none, and nothing of it is uploaded."""
    openssl = directory.folder / "bin" / "openssl"
    openssl.write_text("#!/bin/sh\necho 'no entropy' >&2\nexit 1\n", encoding="utf-8")
    openssl.chmod(0o755)
    done = directory.call(*WAYS["tenant by certificate"], "--apply")
    assert done.returncode == 1
    assert "no entropy" in done.stderr
    assert list(directory.folder.glob("contoso*")) == []
    assert "ad app credential reset" not in directory.changes


@pytest.mark.parametrize("way", WAYS)
def test_the_settings_name_the_cloud_that_is_signed_in_to(way: str, tmp_path: Path) -> None:
    """A tenant of the US government is not at the hosts that are asked without a word."""
    directory = Directory(tmp_path, login="https://login.microsoftonline.us")
    done = directory.well(*WAYS[way], "--apply")
    assert {tenant["cloud"] for tenant in tomllib.loads(done.stdout)["tenants"].values()} == {"gcc-high"}
    config = tmp_path / "collector.toml"
    config.write_text(done.stdout, encoding="utf-8")
    assert "no journal yet" in collector("status", "--config", config).stderr


def test_a_managed_identity_gets_the_permission_and_nothing_else(directory: Directory) -> None:
    """No application is made; the identity is found by its name, whatever stands in that."""
    directory.well(*WAYS["managed identity"], "--apply")
    assert directory.changes == ["rest post"]
    (grant,) = directory["grants"]
    assert (grant["principalId"], grant["appRoleId"]) == (MACHINE["id"], ROLE)


def test_an_application_that_is_there_is_completed(tmp_path: Path) -> None:
    """What is missing of it is made; the rest, and others' credentials, stay."""
    there = {
        "appId": "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa",
        "displayName": "Scores & more",
        "signInAudience": "AzureADMyOrg",
        "requiredResourceAccess": [{"resourceAppId": "other", "resourceAccess": [{"id": "x", "type": "Role"}]}],
        "keys": [{"keyId": "other", "displayName": "other"}],
        "federated": [],
    }
    directory = Directory(tmp_path, apps=[there])
    directory.well(*WAYS["partner by certificate"], "--name", "Scores & more", "--apply")
    assert directory.changes == [
        *("ad app update", "ad app permission add", "ad sp create", "ad app credential reset"),
    ]
    (app,) = directory["apps"]
    assert app["keys"][0] == there["keys"][0]
    assert app["requiredResourceAccess"][0] == there["requiredResourceAccess"][0]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"tenant": ""}, "az login"),
        ({"principals": [MACHINE]}, "Microsoft Defender for Endpoint"),
        ({"principals": [API, API | {"id": "another"}]}, "several APIs"),
        ({"principals": [API | {"appRoles": []}]}, "no permission Score.Read.All"),
        ({"apps": [{"appId": str(n), "displayName": "exposure-collector"} for n in range(2)]}, "--name"),
    ],
)
def test_what_can_not_be_done_is_said_and_nothing_is_changed(more: dict[str, Any], said: str, tmp_path: Path) -> None:
    """A tenant without the API, an API or an application that isn't the only one of its name, no sign-in."""
    directory = Directory(tmp_path, **more)
    done = directory.call(*WAYS["tenant by certificate"], "--apply")
    assert done.returncode == 1
    assert said in done.stderr
    assert directory.changes == []


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("tenants",),
        ("tenant",),
        ("tenant", "--certificate"),
        ("tenant", "--certificate", "x.pem", *CLUSTER),
        ("tenant", "--federated", 'https://x"', "y"),
        ("tenant", "--certificate", 'x".pem'),
        ("partner", "--certificate", "x.pem"),
        ("partner", "--certificate", "x.pem", "--customers", "bin/az"),
        ("managed-identity",),
        ("tenant", "--colour"),
    ],
)
def test_a_wrong_call_is_exit_code_2_and_asks_nobody(words: tuple[str, ...], directory: Directory) -> None:
    """It is said how the script is called."""
    done = directory.call(*words)
    assert done.returncode == 2, done.stderr
    assert "usage: register.sh" in done.stderr
    assert directory["calls"] == []


def test_the_portal_s_steps_are_the_script_s() -> None:
    """The page names the same API, permission, audience and kinds, and each kind's settings are the collector's."""
    script = SCRIPT.read_text(encoding="utf-8")
    for word in ("WindowsDefenderATP", "Score.Read.All", "api://AzureADTokenExchange", "adminconsent?client_id="):
        assert word in script
        assert word in PORTAL
    kinds = set(re.findall(r'kind = \\?"(\w+)', script))
    assert (
        kinds == set(re.findall(r'kind = "(\w+)"', PORTAL)) == {"certificate", "workload_identity", "managed_identity"}
    )


def test_the_lines_of_the_readme_show_it_and_do_it(directory: Directory) -> None:
    """The first says what would be done, the second does it and prints the settings."""
    (directory.folder / "deploy").symlink_to(ROOT / "deploy")
    lines = next(block for block in blocks("console") if "register.sh" in block).splitlines()
    shown, done = (directory.line(line) for line in lines)
    assert "would: " in shown
    assert "doing: " in done
    assert "[tenants.contoso]" in done
