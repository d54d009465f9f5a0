"""`check` of settings that are wrong: every mistake at once, by key and line, with the nearest right one."""

from pathlib import Path

from system.blackbox import collector, document, environment

WRONG = """\
[poll]
intervall_seconds = 60
timeout_seconds = -1

[tenants.contoso]
tenant_id = "11111111-1111-1111-1111-111111111111"
client_id = "22222222-2222-2222-2222-222222222222"
cloud = "gcc_high"
credential = { kind = "client_secret", client_secret = "the-s3cret-value", certificate_file = "y" }
"""


def test_each_wrong_setting_is_a_finding(tmp_path: Path) -> None:
    """An unknown key, a wrong value and a key of another kind each have a finding with key and line; exit code 2."""
    config = tmp_path / "collector.toml"
    config.write_text(WRONG)
    done = collector("check", "--config", config, "--json")
    assert done.returncode == 2
    assert str(config) in done.stderr
    report = document(done)
    assert not report["ok"]
    messages = [check["message"] for check in report["checks"]]
    assert {check["name"] for check in report["checks"]} == {"settings"}
    for key, line, right in (
        ("poll.intervall_seconds", 2, "did you mean interval_seconds?"),
        ("poll.timeout_seconds", 3, "over 0"),
        ("tenants.contoso.cloud", 8, 'did you mean "gcc-high"?'),
        ("tenants.contoso.credential.certificate_file", 9, 'kind "certificate"'),
    ):
        [message] = [message for message in messages if key in message]
        assert f"line {line}" in message
        assert right in message
    assert "the-s3cret-value" not in done.stdout + done.stderr


def test_a_file_that_is_not_toml(tmp_path: Path) -> None:
    """A slip of the pen is found with its line."""
    config = tmp_path / "collector.toml"
    config.write_text('[poll]\ninterval_seconds = "\n')
    done = collector("check", "--config", config)
    assert done.returncode == 2
    assert done.stdout.startswith("BAD   settings: ")
    assert "line 2" in done.stdout


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    """A mistake in a variable has the variable's name, and stands beside those of the file."""
    config = tmp_path / "collector.toml"
    config.write_text(WRONG)
    env = {"COLLECTOR__POLL__CONCURRENCY": "0", "COLLECTOR__POLL__CONCURENCY": "3"}
    assert not set(env) & set(environment())
    done = collector("check", "--config", config, env=env)
    assert done.returncode == 2
    assert "COLLECTOR__POLL__CONCURRENCY" in done.stdout
    assert "COLLECTOR__POLL__CONCURENCY" in done.stdout
    assert "poll.intervall_seconds" in done.stdout
