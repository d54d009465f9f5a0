"""collector.settings: a start without a file, from the variables that Azure's and InfluxDB's own tools read."""

from pathlib import Path

import pytest
from tables import GUID, client_secret

from collector.errors import ConfigError
from collector.settings import Secret, load

OTHER = "22222222-2222-2222-2222-222222222222"
AZURE = {"AZURE_TENANT_ID": GUID, "AZURE_CLIENT_ID": OTHER, "AZURE_CLIENT_SECRET": "hush"}
INFLUXDB = {"INFLUXDB_V2_URL": "http://h:1", "INFLUXDB_V2_BUCKET": "b"}


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.settings.loader.DEFAULT_FILE", tmp_path / "etc" / "collector.toml")
    monkeypatch.chdir(tmp_path)


def problems(environ: dict[str, str]) -> tuple[str, ...]:
    """Return the lines about what is wrong; none where nothing is."""
    try:
        load(None, environ)
    except ConfigError as error:
        return error.problems
    return ()


def test_azures_and_influxdbs_own_variables_are_enough(tmp_path: Path) -> None:
    """Without a file they name one tenant and one sink; the journal is in the working folder."""
    settings = load(None, AZURE | INFLUXDB | {"INFLUXDB_V2_ORG": "o", "INFLUXDB_V2_TOKEN": "t"})
    [(name, tenant)] = settings.tenants.items()
    assert (name, tenant.tenant_id, tenant.client_id, tenant.cloud) == ("default", GUID, OTHER, "global")
    assert client_secret(settings, name) == Secret("AZURE_CLIENT_SECRET", inline="hush")
    [(name, sink)] = settings.influxdb.items()
    assert (name, sink.api, sink.url, sink.org, sink.bucket) == ("main", "v2", "http://h:1", "o", "b")
    assert sink.token == Secret("INFLUXDB_V2_TOKEN", inline="t")
    assert settings.journal.path == tmp_path / "exposure.db"


def test_ecosystem_secrets_can_be_files(tmp_path: Path) -> None:
    """Each secret's variable has a twin that ends in _FILE, whose path starts from the working folder."""
    azure = {name: value for name, value in AZURE.items() if name != "AZURE_CLIENT_SECRET"}
    settings = load(
        None,
        azure | INFLUXDB | {"AZURE_CLIENT_SECRET_FILE": "a", "INFLUXDB_V2_TOKEN_FILE": "/b", "COLLECTOR_TENANT": "ü 1"},
    )
    assert list(settings.tenants) == ["ü 1"]
    assert [(secret.key, secret.file) for secret in settings.secrets()] == [
        ("AZURE_CLIENT_SECRET_FILE", tmp_path / "a"),
        ("INFLUXDB_V2_TOKEN_FILE", Path("/b")),
    ]
    assert [line.split(":")[0] for line in settings.missing_secrets()] == [
        "AZURE_CLIENT_SECRET_FILE",
        "INFLUXDB_V2_TOKEN_FILE",
    ]


def test_overrides_stand_over_the_ecosystems_variables() -> None:
    """`COLLECTOR__` speaks last, without a file too, and can replace a whole table."""
    environ = {"COLLECTOR__TENANTS__DEFAULT__CLOUD": "gcc", "COLLECTOR__JOURNAL__PATH": "/j.db"}
    settings = load(None, AZURE | INFLUXDB | environ)
    assert settings.tenants["default"].cloud == "gcc"
    assert settings.journal.path == Path("/j.db")
    table = {"COLLECTOR__INFLUXDB__MAIN": '{ url = "h" }'}
    assert problems(AZURE | INFLUXDB | table) == (
        "COLLECTOR__INFLUXDB__MAIN.url: must be a URL like http://HOST",
        'COLLECTOR__INFLUXDB__MAIN.bucket: is missing; api "v2" writes to a bucket',
    )


def test_without_influxdbs_variables_the_journal_serves_alone() -> None:
    """No sink is no mistake; an empty variable, as Compose passes on, is none."""
    assert load(None, AZURE | {"INFLUXDB_V2_URL": "", "INFLUXDB_V2_TOKEN": ""}).influxdb == {}


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({"AZURE_TENANT_ID": GUID}, ["AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"]),
        ({"AZURE_CLIENT_SECRET_FILE": "x"}, ["AZURE_TENANT_ID", "AZURE_CLIENT_ID"]),
        ({"COLLECTOR_TENANT": "x"}, ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"]),
        (AZURE | {"INFLUXDB_V2_URL": "http://h"}, ["INFLUXDB_V2_BUCKET"]),
        (AZURE | {"INFLUXDB_V2_TOKEN": "t"}, ["INFLUXDB_V2_URL", "INFLUXDB_V2_BUCKET"]),
    ],
)
def test_each_variable_that_is_missing_is_named(environ: dict[str, str], missing: list[str]) -> None:
    """A tenant or a sink that is set in part is never left out in silence."""
    said = problems(environ)
    assert [line.split(":")[0] for line in said] == missing
    assert all(": is missing; " in line for line in said)


def test_a_wrong_ecosystem_value_is_told_by_its_variable() -> None:
    """The words are the same as for a file; the key is the variable."""
    wrong = {"AZURE_TENANT_ID": "hunter2", "COLLECTOR_TENANT": "a\nb", "INFLUXDB_V2_URL": "hunter2"}
    assert [line.split(":")[0] for line in problems(AZURE | INFLUXDB | wrong)] == [
        "COLLECTOR_TENANT",
        "AZURE_TENANT_ID",
        "INFLUXDB_V2_URL",
    ]
    both = problems(AZURE | {"AZURE_CLIENT_SECRET_FILE": "x"})
    assert both == ("AZURE_CLIENT_SECRET: given both by value and as a file; keep one of the two",)


def test_bytes_that_are_no_text_can_be_told() -> None:
    """The environment can hold any bytes; what comes of them is a line that can be printed."""
    broken = b"hunter2\xff".decode("utf-8", "surrogateescape")
    environ = AZURE | {
        "COLLECTOR__INFLUXDB__MAIN__URL": broken,
        "COLLECTOR__INFLUXDB__MAIN__BUCKET": broken,
        "COLLECTOR__INFLUXDB__MAIN__TOKEN": broken,
        "COLLECTOR__JOURNAL__PATH": broken,
        f"COLLECTOR__TENANTS__{broken}__CLOUD": "gcc",
        f"COLLECTOR__{broken}": "x",
    }
    said = "\n".join(problems(environ))
    assert said.encode()
    for line in (
        "COLLECTOR__INFLUXDB__MAIN__URL: must be a URL like http://HOST",
        "COLLECTOR__INFLUXDB__MAIN__BUCKET: must be one line of valid text, without control characters",
        "COLLECTOR__INFLUXDB__MAIN__TOKEN: is not valid text",
        "COLLECTOR__JOURNAL__PATH: must be a path, one line of valid text without control characters",
        '"COLLECTOR__hunter2\\udcff": unknown variable',
    ):
        assert line in said


def test_nothing_set_at_all_tells_how_to_start() -> None:
    """A file, the variables, or the demo."""
    [line] = problems({"PATH": "/bin"})
    for way in ("--config", "COLLECTOR_CONFIG", "AZURE_TENANT_ID", "exposure-collector demo"):
        assert way in line
    [line] = problems({"COLLECTOR__LOG__LEVEL": "debug"})
    assert line.startswith("tenants: none is named; ")
