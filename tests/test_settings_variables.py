"""collector.settings: what comes from the environment, over a file or without one."""

import re
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from tables import GUID, client_secret

from collector.errors import ConfigError
from collector.settings import Secret, Settings, load

OTHER = "22222222-2222-2222-2222-222222222222"
CONTOSO = f"""
[tenants.contoso]
tenant_id = "{GUID}"
client_id = "{GUID}"
credential = {{ kind = "client_secret", client_secret_file = "/contoso.secret" }}
"""
MAIN = '[influxdb.main]\nurl = "http://h"\nbucket = "b"\ntoken_file = "/token"\n'
KINDS = '"client_secret", "certificate", "workload_identity", "managed_identity" or "device_code"'
AZURE = {"AZURE_TENANT_ID": GUID, "AZURE_CLIENT_ID": OTHER, "AZURE_CLIENT_SECRET": "hush"}


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.settings.loader.DEFAULT_FILE", tmp_path / "etc" / "collector.toml")
    monkeypatch.chdir(tmp_path)


def over(folder: Path, text: str, **environ: str) -> Settings:
    """Return the settings of a file with `text`, under these variables; the prefix goes without saying."""
    (folder / "c.toml").write_text(text, encoding="utf-8")
    return load(folder / "c.toml", {f"COLLECTOR__{name}": value for name, value in environ.items()})


def problems(environ: dict[str, str], path: Path | None = None) -> tuple[str, ...]:
    """Return the lines about what is wrong; none where nothing is."""
    try:
        load(path, environ)
    except ConfigError as error:
        return error.problems
    return ()


def test_each_kind_of_key_can_be_set_by_a_variable(tmp_path: Path) -> None:
    """Numbers and texts are written plainly, lists and tables as TOML; all stand over the file."""
    settings = over(
        tmp_path,
        "poll.interval_seconds = 5\n" + CONTOSO + MAIN,
        POLL__INTERVAL_SECONDS="60",
        POLL__TIMEOUT_SECONDS="2.5",
        POLL__SUBJECTS='["organization"]',
        TENANTS__CONTOSO__CLIENT_ID=OTHER,
        TENANTS__CONTOSO__CREDENTIAL__CLIENT_SECRET_FILE="/other.secret",
        INFLUXDB__MAIN__URL="http://other",
        INFLUXDB__MAIN__TENANTS='["contoso"]',
        WEB="{ listen = '' }",
        LOG__LEVEL="debug",
    )
    assert (settings.poll.interval_seconds, settings.poll.timeout_seconds) == (60, 2.5)
    assert (settings.poll.subjects, settings.web.listen, settings.log.level) == (("organization",), "", "debug")
    tenant, sink = settings.tenants["contoso"], settings.influxdb["main"]
    assert (tenant.tenant_id, tenant.client_id, sink.url, sink.bucket) == (GUID, OTHER, "http://other", "b")
    assert sink.tenants == ("contoso",)
    assert client_secret(settings) == Secret(
        "COLLECTOR__TENANTS__CONTOSO__CREDENTIAL__CLIENT_SECRET_FILE", file=Path("/other.secret")
    )


def test_variables_alone_are_enough() -> None:
    """A name that is in no file makes a tenant or a sink of that name, in lower case; case makes no difference."""
    settings = load(
        None,
        {
            "COLLECTOR__TENANTS__Contoso__TENANT_ID": GUID,
            "COLLECTOR__TENANTS__CONTOSO__client_id": GUID,
            "COLLECTOR__tenants__contoso__CREDENTIAL": '{ kind = "client_secret" }',
            "COLLECTOR__TENANTS__CONTOSO__CREDENTIAL__CLIENT_SECRET": "hush",
            "COLLECTOR__INFLUXDB__EU_1": '{ url = "http://h" }',
            "COLLECTOR__INFLUXDB__EU_1__BUCKET": "b",
        },
    )
    assert list(settings.tenants) == ["contoso"]
    assert client_secret(settings).read() == "hush"
    assert settings.influxdb["eu_1"].bucket == "b"


def test_a_secret_from_a_variable_stands_over_either_form_in_the_file(tmp_path: Path) -> None:
    """The file's form of it is not "given too"; two variables for one secret are."""
    settings = over(tmp_path, CONTOSO + MAIN, INFLUXDB__MAIN__TOKEN="by value")
    assert settings.influxdb["main"].token == Secret("COLLECTOR__INFLUXDB__MAIN__TOKEN", inline="by value")
    by_value = MAIN.replace('token_file = "/token"', 'token = "t"')
    settings = over(tmp_path, CONTOSO + by_value, INFLUXDB__MAIN__TOKEN_FILE="/run/t")
    assert settings.influxdb["main"].token == Secret("COLLECTOR__INFLUXDB__MAIN__TOKEN_FILE", file=Path("/run/t"))
    settings = load(None, AZURE | {"COLLECTOR__TENANTS__DEFAULT__CREDENTIAL__CLIENT_SECRET_FILE": "/run/t"})
    assert client_secret(settings, "default").file == Path("/run/t")
    with pytest.raises(ConfigError, match=r"^COLLECTOR__INFLUXDB__MAIN__TOKEN: given both by value and as a file"):
        over(tmp_path, CONTOSO + MAIN, INFLUXDB__MAIN__TOKEN="a", INFLUXDB__MAIN__TOKEN_FILE="b")


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("POLL__INTERVAL_SECONDS", "0", ": must be 1 to 21600 (is 0)"),
        ("POLL__INTERVAL_SECONDS", "1h", ": must be a whole number"),
        ("POLL__TIMEOUT_SECONDS", "", ": must be a number"),
        ("POLL__TIMEOUT_SECONDS", "1e999", ": must be over 0 and at most 300"),
        ("POLL__SUBJECTS", "organization", ': must be a list, like ["a", "b"]'),
        ("POLL__SUBJECTS", '["organization"', ': must be a list, like ["a", "b"]'),
        ("POLL__SUBJECTS", "[" * 5000, ': must be a list, like ["a", "b"]'),
        ("POLL__SUBJECTS", '["hunter2"]', '[0]: must be "organization", "device_groups" or "device_secure_score"'),
        ("POLL", "{ interval_seconds = 0 }", ".interval_seconds: must be 1 to 21600 (is 0)"),
        ("POLL", "fast", ": must be a table, like { KEY = VALUE }"),
        ("TENANTS__CONTOSO", "x", ": must be a table, like [tenants.NAME]"),
        ("TENANTS__CONTOSO__CREDENTIAL__KIND", "x", f': must be {KINDS}; did you mean "client_secret"?'),
        ("INFLUXDB__MAIN__TOKEN", " ", ": is empty"),
        ("INFLUXDB__MAIN__TOKEN_FILE", "", ": must not be empty"),
    ],
)
def test_a_wrong_value_is_told_by_its_variable(tmp_path: Path, variable: str, value: str, problem: str) -> None:
    """Nobody looks in the file for what stands in the environment."""
    (tmp_path / "c.toml").write_text(CONTOSO + MAIN)
    assert problems({f"COLLECTOR__{variable}": value}, tmp_path / "c.toml") == (f"COLLECTOR__{variable}{problem}",)


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("POLL__INTERVAL", "POLL__INTERVAL_SECONDS"),
        ("POLL_INTERVAL_SECONDS", "POLL__INTERVAL_SECONDS"),
        ("POL__CONCURRENCY", "POLL__CONCURRENCY"),
        ("TENANTS__CONTOSO__CLIENTID", "TENANTS__CONTOSO__CLIENT_ID"),
        ("TENANTS__CONTOSSO__CLIENTID", "TENANTS__CONTOSO__CLIENT_ID"),
        ("TENANT__CONTOSO__CLIENT_ID", "TENANTS__CONTOSO__CLIENT_ID"),
        ("TENANTS__CONTOSO__CREDENTIAL__SECRET_FILE", "TENANTS__CONTOSO__CREDENTIAL__CLIENT_SECRET_FILE"),
        ("INFLUXDB__EU__UR", "INFLUXDB__EU__URL"),
        ("INFLUX__MAIN__URL", "INFLUXDB__MAIN__URL"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_nearest(tmp_path: Path, variable: str, meant: str) -> None:
    """A slip in a name never leaves a setting silently as it was."""
    (tmp_path / "c.toml").write_text(CONTOSO + MAIN)
    [problem] = problems({f"COLLECTOR__{variable}": "1"}, tmp_path / "c.toml")
    assert problem == f"COLLECTOR__{variable}: unknown variable; did you mean COLLECTOR__{meant}?"


def test_other_variables_are_not_ours(tmp_path: Path) -> None:
    """Kubernetes tells of a service named collector in variables of its own."""
    (tmp_path / "c.toml").write_text(CONTOSO)
    environ = {"COLLECTOR_PORT": "tcp://10.0.0.1:80", "COLLECTOR_SERVICE_HOST": "x", "COLLECTORS__X": "1"}
    assert load(tmp_path / "c.toml", environ)


def test_a_variable_that_can_mean_two_names_is_refused(tmp_path: Path) -> None:
    """Names that are alike to a variable may stand in a file, as long as no variable has to choose."""
    text = "".join(CONTOSO.replace("contoso]", f"{name}]") for name in ('"a b"', "A_B", "c"))
    assert list(over(tmp_path, text, TENANTS__C__REGION="eu").tenants) == ["a b", "A_B", "c"]
    [problem] = problems({"COLLECTOR__TENANTS__A_B__REGION": "eu"}, tmp_path / "c.toml")
    assert problem.startswith('COLLECTOR__TENANTS__A_B__REGION: can mean tenants."a b".region or tenants.A_B.region; ')
    [problem] = problems(
        {"COLLECTOR__POLL__CONCURRENCY": "1", "COLLECTOR__POLL__concurrency": "2"}, tmp_path / "c.toml"
    )
    assert problem == "COLLECTOR__POLL__concurrency: means the same as COLLECTOR__POLL__CONCURRENCY; keep one of them"


def test_a_mistake_of_the_file_stays_the_files(tmp_path: Path) -> None:
    """A variable for a place where the file has no table neither repairs nor breaks it."""
    (tmp_path / "c.toml").write_text("poll = 5\n" + CONTOSO)
    assert problems({"COLLECTOR__POLL__CONCURRENCY": "1"}, tmp_path / "c.toml") == (
        "poll (line 1): must be a table, like { KEY = VALUE }",
    )


NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\\~"), min_size=1, max_size=6)


def as_variable(name: str) -> str:
    """Return a name as the manual says that a variable spells it."""
    return re.sub(r"[^A-Z0-9]", "_", "".join(each.upper() if each.isascii() else "_" for each in name))


@given(st.lists(NAMES, min_size=1, max_size=4, unique=True), st.integers(0, 3))
@example(["x_", "x"], 0)
@example(["_x", "x"], 0)
@example(["a__b", "a"], 0)
@example(["größe 1", "b"], 0)
def test_any_name_can_be_meant_by_a_variable(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], chosen: int
) -> None:
    """Whatever script a tenant's name is in, its variable changes it and no other."""
    name = names[chosen % len(names)]
    assume(sum(as_variable(each) == as_variable(name) for each in names) == 1)
    quoted = ["".join(f"\\U{ord(each):08x}" for each in each_name) for each_name in names]
    text = "".join(CONTOSO.replace("contoso]", f'"{each}"]') for each in quoted)
    settings = over(tmp_path_factory.getbasetemp(), text, **{f"TENANTS__{as_variable(name)}__CLIENT_ID": OTHER})
    assert {each: tenant.client_id for each, tenant in settings.tenants.items()} == dict.fromkeys(names, GUID) | {
        name: OTHER
    }


NUMBERS = ["poll.interval_seconds", "poll.timeout_seconds", "journal.keep_days", "spikes.rise_points", "web.listen"]


@given(st.sampled_from(NUMBERS), st.integers(-5, 30_000) | st.floats(-5, 400).map(lambda number: round(number, 3)))
def test_a_variable_and_a_file_are_of_one_mind(
    tmp_path_factory: pytest.TempPathFactory, key: str, number: float
) -> None:
    """The same value is right or wrong in both, with the same words."""
    folder = tmp_path_factory.getbasetemp()
    value = f'"{number}"' if key == "web.listen" else str(number)
    outcomes = []
    for text, environ in [(f"{key} = {value}\n", {}), ("", {key.upper().replace(".", "__"): value.strip('"')})]:
        try:
            outcomes.append(over(folder, text + CONTOSO, **environ).model_dump_json())
        except ConfigError as error:
            # A variable has no type: "5.0" for a whole number is a text that is none.
            outcomes.append(re.sub(r"^[^:]+| \(is [^)]+\)", "", str(error)))
    assert outcomes[0] == outcomes[1]


@given(
    st.dictionaries(
        st.lists(
            st.sampled_from(["POLL", "TENANTS", "CONTOSO", "CREDENTIAL", "KIND", "INFLUXDB", "URL", ""])
            | st.text(max_size=3),
            max_size=4,
        ).map("__".join),
        st.text(max_size=8) | st.sampled_from(["{}", "{ x = 1 }", "{ kind = 1 }", "[]", "5"]),
        max_size=5,
    )
)
def test_any_environment_is_settings_or_problems(environ: dict[str, str]) -> None:
    """Whatever a variable is called and whatever it holds, there are settings or lines that can be printed."""
    said = problems(AZURE | {f"COLLECTOR__{name}": value for name, value in environ.items()})
    assert all(line.isprintable() and ": " in line for line in said)
