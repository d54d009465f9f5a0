"""collector.settings: where settings come from, what they are when nothing is said, and where their paths start."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from tables import GUID, client_secret

from collector.errors import ConfigError
from collector.settings import ClientSecret, Influx, Journal, Log, Poll, Secret, Settings, Spikes, Tenant, Web, load

CONTOSO = f"""
[tenants.contoso]
tenant_id = "contoso.onmicrosoft.com"
client_id = "{GUID}"
credential = {{ kind = "client_secret", client_secret_file = "contoso.secret" }}
"""
VARIABLES = {"AZURE_TENANT_ID": GUID, "AZURE_CLIENT_ID": GUID, "AZURE_CLIENT_SECRET": "hush"}


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.settings.loader.DEFAULT_FILE", tmp_path / "etc" / "collector.toml")
    monkeypatch.chdir(tmp_path)


def written(path: Path, text: str) -> Path:
    """Return `path`, with `text` in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_what_a_file_leaves_out_has_its_default(tmp_path: Path) -> None:
    """One tenant is all that a file has to name."""
    settings = load(written(tmp_path / "c.toml", CONTOSO), {})
    assert settings == Settings(
        poll=Poll(
            interval_seconds=3600, timeout_seconds=30.0, concurrency=32, subjects=("organization", "device_groups")
        ),
        tenants={
            "contoso": Tenant(
                tenant_id="contoso.onmicrosoft.com",
                client_id=GUID,
                cloud="global",
                region=None,
                credential=ClientSecret(
                    kind="client_secret",
                    client_secret=Secret(
                        "tenants.contoso.credential.client_secret_file", file=tmp_path / "contoso.secret"
                    ),
                ),
                api_url=None,
                login_url=None,
                scope=None,
                ca_file=None,
            )
        },
        journal=Journal(path=tmp_path / "journal.db", keep_days=0),
        influxdb={},
        spikes=Spikes(rise_points=5.0, group_rise_points=10.0, window_days=14),
        web=Web(listen="127.0.0.1:9470", allowed_hosts=()),
        log=Log(level="info", format="auto"),
    )


def test_a_sink_of_each_api_has_its_own_keys(tmp_path: Path) -> None:
    """v2 needs a bucket, v1 a database; the rest has defaults, and what is of the other api is empty."""
    text = """
    [influxdb.main]
    url = "https://influx.example/base/"
    bucket = "exposure"
    [influxdb."Größe 1"]
    api = "v1"
    url = "http://127.0.0.1:8086"
    database = "exposure"
    username = "collector"
    password = " hush "
    tenants = ["contoso"]
    measurements = ["*_daily", "exposure_spike"]
    timeout_seconds = 2.5
    """
    main, other = load(written(tmp_path / "c.toml", CONTOSO + text), {}).influxdb.values()
    assert main == Influx(api="v2", url="https://influx.example/base", bucket="exposure")
    assert (main.org, main.token, main.measurements, main.tenants, main.timeout_seconds) == ("", None, ("*",), None, 30)
    assert (other.database, other.retention_policy, other.username, other.bucket) == ("exposure", "", "collector", "")
    assert other.password is not None
    assert other.password.read() == "hush"
    assert (other.tenants, other.measurements) == (("contoso",), ("*_daily", "exposure_spike"))


def test_the_first_file_that_is_named_is_read(tmp_path: Path) -> None:
    """--config comes before COLLECTOR_CONFIG, that before the file in /etc, and that before Azure's variables."""
    named = written(tmp_path / "named.toml", f"poll.interval_seconds = 1\n{CONTOSO}")
    variable = written(tmp_path / "variable.toml", f"poll.interval_seconds = 2\n{CONTOSO}")
    environ = VARIABLES | {"COLLECTOR_CONFIG": str(variable)}
    assert load(None, VARIABLES).poll.interval_seconds == 3600
    written(tmp_path / "etc" / "collector.toml", f"poll.interval_seconds = 3\n{CONTOSO}")
    assert load(named, environ).poll.interval_seconds == 1
    assert load(None, environ).poll.interval_seconds == 2
    assert load(None, VARIABLES).poll.interval_seconds == 3
    assert load(None, {"COLLECTOR_CONFIG": ""}).poll.interval_seconds == 3


def test_beside_a_file_azures_variables_say_nothing(tmp_path: Path) -> None:
    """A file is the whole of it: what a shell happens to export for other tools makes no tenant and no sink."""
    settings = load(written(tmp_path / "c.toml", CONTOSO), VARIABLES | {"INFLUXDB_V2_URL": "http://127.0.0.1:1"})
    assert (list(settings.tenants), settings.influxdb) == (["contoso"], {})


@pytest.mark.parametrize("named_by", ["--config", "COLLECTOR_CONFIG"])
def test_a_named_file_that_is_not_there_is_a_problem(tmp_path: Path, named_by: str) -> None:
    """A file that somebody named is never passed over in silence."""
    missing = tmp_path / "missing.toml"
    with pytest.raises(ConfigError) as caught:
        load(missing if named_by == "--config" else None, VARIABLES | {"COLLECTOR_CONFIG": str(missing)})
    assert caught.value.problems == (f"{missing}: can't be read (No such file or directory)",)


def test_a_file_in_etc_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    """It is there, so somebody meant it."""
    (tmp_path / "etc" / "collector.toml").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"collector\.toml: can't be read \(Is a directory\)"):
        load(None, VARIABLES)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"[poll]\ninterval_seconds = hunter2\n", " (line 2): not TOML: invalid value, at column 20"),
        (b'[log]\nlevel = "caf\xe9"\n', " (line 2): not UTF-8 text"),
        (b'a = 1\r\nb = """\r\nhunter2\r\n', " (line 2): not TOML: unterminated string"),
        (b"a = " + b"[" * 50_000, ": not TOML that can be read: a number of thousands of digits, or tables too deep"),
        (b"a = " + b"9" * 5_000, ": not TOML that can be read: a number of thousands of digits, or tables too deep"),
    ],
)
def test_a_file_that_is_not_toml_is_a_problem_with_its_place(tmp_path: Path, content: bytes, problem: str) -> None:
    """Line and column are named, the text that stands there is not; and no file is an accident."""
    (tmp_path / "c.toml").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "c.toml", {})
    assert str(caught.value).startswith(f"{tmp_path / 'c.toml'}{problem}")
    assert caught.value.__context__ is None


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    """Windows editors put one before the text."""
    (tmp_path / "c.toml").write_bytes(b"\xef\xbb\xbf" + CONTOSO.encode())
    assert list(load(tmp_path / "c.toml", {}).tenants) == ["contoso"]


def test_paths_of_a_file_start_from_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the file itself was named by a relative path, and whatever the working folder is later."""
    text = '[influxdb.main]\nurl = "http://h"\nbucket = "b"\nca_file = "ca.pem"\ntoken_file = "/run/token"\n'
    written(tmp_path / "conf" / "c.toml", CONTOSO + text + '[journal]\npath = "../data/j.db"\n')
    settings = load(Path("conf/c.toml"), {})
    monkeypatch.chdir("/")
    sink = settings.influxdb["main"]
    assert settings.journal.path == tmp_path / "conf" / ".." / "data" / "j.db"
    assert sink.ca_file == tmp_path / "conf" / "ca.pem"
    assert sink.token == Secret("influxdb.main.token_file", file=Path("/run/token"))
    assert client_secret(settings).file == tmp_path / "conf" / "contoso.secret"


def test_a_mounted_files_links_are_left_alone(tmp_path: Path) -> None:
    """Kubernetes mounts settings as links into a folder that is replaced: paths start from where the link stands."""
    real = written(tmp_path / "..data" / "c.toml", CONTOSO)
    (tmp_path / "c.toml").symlink_to(real)
    assert load(tmp_path / "c.toml", {}).journal.path == tmp_path / "journal.db"


def test_paths_of_variables_start_from_the_working_folder(tmp_path: Path) -> None:
    """A variable is set in a shell, whose paths start there; without a file there is no other folder."""
    file = written(tmp_path / "conf" / "c.toml", CONTOSO)
    assert load(file, {"COLLECTOR__JOURNAL__PATH": "j.db"}).journal.path == tmp_path / "j.db"
    whole_table = {"COLLECTOR__JOURNAL": '{ path = "k.db" }'}
    assert load(file, whole_table).journal.path == tmp_path / "k.db"
    assert load(None, VARIABLES).journal.path == tmp_path / "exposure.db"


def test_where_the_collector_listens_is_split_in_two() -> None:
    """An IPv6 address loses its brackets; nothing at all is no host."""
    assert [
        (web.host, web.port) for web in (Web(), Web(listen="[::1]:80"), Web(listen="box_1.local:0"), Web(listen=""))
    ] == [
        ("127.0.0.1", 9470),
        ("::1", 80),
        ("box_1.local", 0),
        ("", 0),
    ]
    assert Web(allowed_hosts=("Collector.Example", "::1")).allowed_hosts == ("collector.example", "::1")


def test_settings_cannot_be_changed_or_built_wrong() -> None:
    """Whoever holds settings need not check them again; and no refusal repeats what it was given."""
    with pytest.raises(ValidationError, match="frozen"):
        Poll().interval_seconds = 5
    with pytest.raises(ValidationError) as caught:
        Influx(api="v1", url="http://hunter2:x@h", token="hunter2", database="d", password="hunter2")  # type: ignore[arg-type]
    assert "hunter2" not in str(caught.value)
    tenant = Tenant(
        tenant_id=GUID,
        client_id=GUID,
        credential=ClientSecret(kind="client_secret", client_secret=Secret("key", inline="hush")),
    )
    sink = Influx(url="http://h", bucket="b", tenants=("fabrikam",))
    with pytest.raises(ValidationError, match="no tenant has this name"):
        Settings(tenants={"contoso": tenant}, influxdb={"main": sink})
    with pytest.raises(ValidationError) as caught:
        Settings(tenants={"contoso": "hunter2"}, influxdb={"main": sink})  # type: ignore[dict-item]
    assert "hunter2" not in str(caught.value)
    assert caught.value.error_count() == 2


def test_a_thousand_tenants_are_read(tmp_path: Path) -> None:
    """A provider's file is large, and a slip in it is still found by name."""
    text = "".join(CONTOSO.replace("contoso]", f"customer-{number}]") for number in range(1000))
    assert len(load(written(tmp_path / "c.toml", text), {}).tenants) == 1000
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "c.toml", {"COLLECTOR__TENANTS__CUSTOMER_77__CLIENTID": GUID})
    [problem] = caught.value.problems
    assert problem.endswith("; did you mean COLLECTOR__TENANTS__CUSTOMER_77__CLIENT_ID?")
    assert caught.value.mend == f"the file that was read: {tmp_path / 'c.toml'}"
