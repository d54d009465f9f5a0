"""`login`, and every kind of credential from outside: the command signs in, and the collector goes on from there."""

import re
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from system.blackbox import Process, Simulated, collector, document, settings, until, well

KINDS = ("certificate", "certificate_pfx", "workload_identity", "managed_identity")


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    """Two tenants that a person signs in to, who does so a second after being asked."""
    folder = tmp_path_factory.mktemp("simulated")
    options = ("--approve-after", "1", "--device-interval", "1", "--groups", "2", "--tenants", "2")
    with Simulated(folder, "--credential", "device_code", *options) as simulated:
        yield simulated


@pytest.fixture
def config(simulated: Simulated, tmp_path: Path) -> Path:
    """Settings whose caches are the test's own."""
    path = settings(tmp_path, simulated)
    text = path.read_text(encoding="utf-8")
    caches = iter(range(9))
    path.write_text(
        re.sub(r'cache_file = "[^"]*"', lambda _: f'cache_file = "{next(caches)}.cache"', text), encoding="utf-8"
    )
    return path


def test_a_person_signs_in_and_the_collector_polls(config: Path, simulated: Simulated) -> None:
    """Before: told what to type. `login` shows URL and code and waits; after it `once` polls, and renews each time."""
    name = simulated.tenants[0]
    done = collector("check", "--tenant", name, "--config", config, "--json")
    assert done.returncode == 1
    (bad,) = [check for check in document(done)["checks"] if check["name"] == f"{name}: sign-in"]
    assert f"exposure-collector login --tenant {name}" in bad["mend"]
    lines = well(collector("login", "--tenant", name, "--config", config)).splitlines()
    assert re.fullmatch(rf"To sign in to {name}, open https://\S+ and type in the code [A-Z0-9]+", lines[0])
    assert lines[1] == f"{name}: signed in as ada@contoso.example; kept in {config.parent / '0.cache'}"
    assert stat.S_IMODE((config.parent / "0.cache").stat().st_mode) == 0o600
    for _ in range(2):
        well(collector("once", "--tenant", name, "--config", config))


def test_a_sign_in_without_the_permission_is_kept_and_said_loudly(config: Path, simulated: Simulated) -> None:
    """The token has no scope for scores: exit 1 with the delegated permission; once it is granted, nobody is needed."""
    name = simulated.tenants[0]
    simulated.fault("sign_in_roles", roles=[])
    done = collector("login", "--tenant", name, "--config", config)
    checked = collector("check", "--tenant", name, "--config", config, "--json")
    simulated.heal()
    assert done.returncode == 1
    assert "signed in as ada@contoso.example; kept in" in done.stdout
    assert f"error: {name}: signed in, but not to any score: Score.Read is needed" in done.stderr
    assert "add the delegated permission Score.Read of WindowsDefenderATP" in done.stderr
    (permission,) = [check for check in document(checked)["checks"] if check["name"] == f"{name}: permission"]
    assert "Score.Read is needed" in permission["message"]
    assert "the delegated permission Score.Read" in permission["mend"]
    well(collector("once", "--tenant", name, "--config", config))


def test_a_machine_without_the_permission_is_told_what_can_be_done(tmp_path: Path) -> None:
    """The portal grants an identity nothing: `check` and `once` name the command that does."""
    with Simulated(tmp_path, "--credential", "managed_identity", "--groups", "2") as simulated:
        path = settings(tmp_path / "settings", simulated)
        found = re.search(r"(AZURE_POD_IDENTITY_AUTHORITY_HOST)=(\S+)", "".join(simulated.err))
        assert found
        env = {found[1]: found[2]}
        simulated.fault("sign_in_roles", roles=[])
        report = document(collector("check", "--config", path, "--json", env=env))
        done = collector("once", "--config", path, "--patience", "0", env=env)
    (permission,) = [check for check in report["checks"] if check["name"].endswith(": permission")]
    for words in (permission["mend"], done.stderr):
        assert "New-MgServicePrincipalAppRoleAssignment" in words
        assert "admin consent" not in words


def test_waiting_for_a_person_can_be_broken_off(tmp_path: Path) -> None:
    """Ctrl-C ends `login` at once, with a word and no traceback; a code that nobody types ends it by itself."""
    options = ("--credential", "device_code", "--device-interval", "1", "--device-seconds", "4")
    with Simulated(tmp_path, *options) as simulated:
        path = settings(tmp_path / "settings", simulated)
        with Process("login", "--config", path, env={"PYTHONUNBUFFERED": "1"}) as login:
            until(lambda: any("type in the code" in line for line in login.out), what="the code")
            assert login.end(signal.SIGINT) == 1
            assert [line for line in login.err if "interrupted" in line]
            assert "Traceback" not in "".join(login.err)
        done = collector("login", "--config", path)
        assert done.returncode == 1
        assert "waiting for up to 4 seconds" in done.stderr
        assert re.search(r"error: (nobody has signed in within 4 seconds|.*AADSTS70020)", done.stderr)
        assert "mend: start login again" in done.stderr


def test_the_tenant_has_to_be_named_and_of_that_kind(config: Path, tmp_path: Path, simulated: Simulated) -> None:
    """With several tenants, an unknown one, or one of another kind, `login` ends with 2 and says which would do."""
    done = collector("login", "--config", config)
    assert done.returncode == 2
    assert all(name in done.stderr for name in simulated.tenants)
    assert collector("login", "--tenant", "nobody", "--config", config).returncode == 2
    with Simulated(tmp_path / "other") as other:
        done = collector("login", "--config", settings(tmp_path / "settings", other))
    assert done.returncode == 2
    assert "its kind is client_secret" in done.stderr
    assert "device_code" in done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_application_polls_by_its_own_settings(tmp_path: Path, kind: str) -> None:
    """The settings and files of each kind are all that `once` and `check` need."""
    with Simulated(tmp_path, "--credential", kind, "--groups", "2") as simulated:
        path = settings(tmp_path / "settings", simulated)
        found = re.search(r"(AZURE_POD_IDENTITY_AUTHORITY_HOST)=(\S+)", "".join(simulated.err))
        env = {found[1]: found[2]} if found else {}
        assert bool(env) == (kind == "managed_identity")
        well(collector("once", "--config", path, env=env))
        report = document(collector("check", "--config", path, "--json", env=env))
        assert report["ok"], report


def test_a_certificate_that_ends_soon_is_warned_of(tmp_path: Path) -> None:
    """The running service says so at its start, once, and /metrics has the moment."""
    with Simulated(tmp_path, "--credential", "certificate", "--credential-days", "10") as simulated:
        path = settings(tmp_path / "settings", simulated, '[web]\nlisten = "127.0.0.1:0"\n')
        with Process("run", "--config", path, env={"COLLECTOR__LOG__FORMAT": "json"}) as service:
            (line,) = until(lambda: service.said("credential.expires"), what="the warning")
            assert (line["level"], line["tenant"], line["days_left"]) == ("warning", simulated.tenants[0], 9)
            assert line["mend"]
            (started,) = until(lambda: service.said("service.started"), what="the service")
            metrics = httpx.get(f"{started['web'].rstrip('/')}/metrics", trust_env=False).text
        found = re.search(
            r'^collector_credential_expiry_timestamp_seconds\{tenant="\w+"\} (\S+)', metrics, re.MULTILINE
        )
        assert found, metrics
        assert 9 * 86_400 < float(found[1]) - time.time() < 10 * 86_400
