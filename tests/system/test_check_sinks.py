"""`check` where an InfluxDB would take no point: which sink, which thing, and `provision` where that helps."""

import json
from pathlib import Path

import pytest
from leaks import know
from origins import Origin, Reply, Request
from servers import ADMIN, Influxd
from system.blackbox import Simulated, settings, v1
from system.doctor import Check, checks, only_bad

SECRET = know("the-s3cret-of-the-sink")
WRITE = "sink main: write"


def of_sink(simulated: Simulated, folder: Path, section: str) -> Check:
    """Return the bad finding of a sink; hold that no secret is in it."""
    found = only_bad(settings(folder, simulated, section), WRITE)
    assert SECRET not in found.message + found.mend
    return found


def user(name: str, password: str) -> str:
    """Return the settings of a user."""
    return f'username = "{name}"\npassword = "{password}"'


def test_a_database_that_is_missing(simulated: Simulated, influxd: Influxd, tmp_path: Path) -> None:
    """A real InfluxDB 1.x without the database: which one, and the command that creates it."""
    found = of_sink(simulated, tmp_path, v1("main", influxd.url, "nowhere"))
    assert f"{influxd.url}/ database nowhere: 404" in found.message
    assert "create the database nowhere with `exposure-collector provision`" in found.mend


def test_a_retention_policy_that_is_missing(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """A real InfluxDB 1.x without the retention policy: which one, and the command that creates it."""
    found = of_sink(simulated, tmp_path, v1("main", influxd.url, database, 'retention_policy = "years"'))
    assert f"database {database}, retention policy years: 500: retention policy not found" in found.message
    assert "retention policy years with `exposure-collector provision`" in found.mend


@pytest.mark.parametrize("name", [ADMIN[0], "nobody"])
def test_a_wrong_password(simulated: Simulated, influxd_with_users: Influxd, tmp_path: Path, name: str) -> None:
    """A real InfluxDB 1.x that doesn't know the user, or takes another password: which settings to correct."""
    database = influxd_with_users.database()
    found = of_sink(simulated, tmp_path, v1("main", influxd_with_users.url, database, user(name, SECRET)))
    assert "401: authorization failed" in found.message
    assert "correct influxdb.main.username and its password" in found.mend


def test_no_user_where_one_is_wanted(simulated: Simulated, influxd_with_users: Influxd, tmp_path: Path) -> None:
    """A real InfluxDB 1.x with users that is asked without one: which settings to correct."""
    found = of_sink(simulated, tmp_path, v1("main", influxd_with_users.url, influxd_with_users.database()))
    assert ": 401: " in found.message
    assert "influxdb.main.username" in found.mend


def test_a_user_who_may_only_read(simulated: Simulated, influxd_with_users: Influxd, tmp_path: Path) -> None:
    """A real InfluxDB 1.x whose user may only read: which right is missing on which database."""
    database = influxd_with_users.database()
    influxd_with_users.query(f"CREATE USER \"reader_{database}\" WITH PASSWORD '{SECRET}'")
    influxd_with_users.query(f'GRANT READ ON "{database}" TO "reader_{database}"')
    more = user(f"reader_{database}", SECRET)
    found = of_sink(simulated, tmp_path, v1("main", influxd_with_users.url, database, more))
    assert ": 403: " in found.message
    assert f"grant write on the database {database}" in found.mend


def test_the_wrong_api(simulated: Simulated, influxd: Influxd, tmp_path: Path) -> None:
    """A 1.x that is asked as 2.x says what it is: the mend is the api of the settings, and the keys that go with it."""
    section = f'[influxdb.main]\nurl = "{influxd.url}"\norg = "o"\nbucket = "b"\ntoken = "{SECRET}"\n'
    found = of_sink(simulated, tmp_path, section)
    keys = "database, username and password_file"
    assert found.mend == f'set influxdb.main.api = "v1", with {keys}: the server is an InfluxDB 1.6'


@pytest.mark.parametrize(
    ("status", "body", "mend"),
    [
        (401, {"code": "unauthorized", "message": "unauthorized access"}, "correct influxdb.main.token"),
        (
            403,
            {"code": "forbidden", "message": "insufficient permissions for write"},
            "grant write on the bucket exposure",
        ),
        (404, {"code": "not found", "message": 'bucket "exposure" not found'}, "`exposure-collector provision`"),
        (404, {"code": "not found", "message": 'organization name "security" not found'}, "correct influxdb.main.org"),
    ],
)
def test_what_a_2x_server_refuses(
    simulated: Simulated, tmp_path: Path, status: int, body: dict[str, str], mend: str
) -> None:
    """In the words of InfluxDB 2.x: a wrong token, one that may only read, a missing bucket, a missing organization."""

    def talk(request: Request, _: object) -> Reply:
        assert request.headers["authorization"] == f"Token {SECRET}"
        return Reply(json.dumps(body).encode(), status, {"Content-Type": "application/json"})

    with Origin(talk) as origin:
        section = f'[influxdb.main]\nurl = "{origin.url}"\norg = "security"\nbucket = "exposure"\ntoken = "{SECRET}"\n'
        found = of_sink(simulated, tmp_path, section)
    assert f"bucket exposure of organization security: {status}: {body['message']}" in found.message
    assert mend in found.mend


def test_an_empty_database_is_said_to_be_empty(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """A database that may be read, and holds nothing yet, is said to be so."""
    found = checks(settings(tmp_path, simulated, v1("main", influxd.url, database)))
    assert found["sink main: read"].message == "allowed; nothing is in it yet"


def test_plain_http_to_a_server_that_wants_tls(simulated: Simulated, tmp_path: Path) -> None:
    """A server that answers plain requests with 400 because it speaks TLS: the mend is https."""
    with Origin(lambda *_: Reply(b"Client sent an HTTP request to an HTTPS server.\n", 400)) as origin:
        found = of_sink(simulated, tmp_path, v1("main", origin.url, "exposure"))
    assert "write influxdb.main.url with https://" in found.mend


def test_a_password_file_that_is_missing(simulated: Simulated, influxd: Influxd, tmp_path: Path) -> None:
    """A secret's file that can't be read is named by its key and path."""
    more = 'username = "collector"\npassword_file = "absent.password"'
    found = of_sink(simulated, tmp_path, v1("main", influxd.url, "exposure", more))
    assert "influxdb.main.password_file" in found.message
    assert str(tmp_path / "absent.password") in found.message


def test_one_sink_that_is_bad_hides_no_other(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """Each sink has its own findings, under its own name."""
    config = settings(tmp_path, simulated, v1("main", influxd.url, database), v1("other", influxd.url, "nowhere"))
    found = checks(config)
    assert found[WRITE].ok
    assert not found["sink other: write"].ok
    assert "influxdb.other" in found["sink other: write"].mend
