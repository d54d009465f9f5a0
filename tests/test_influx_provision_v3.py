"""collector.influx.databases3: what InfluxDB 3.x is asked, in the shapes of its source code; it can't be run here."""

import json
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from leaks import know
from origins import Origin, Reply, Request
from provisions import provided

from collector.errors import ConfigError, Unauthorized
from collector.http import Http
from collector.influx.plan import DAY
from collector.influx.provision import Provision
from collector.settings import Influx, Secret

TOKEN = know("apiv3_of_the_administrator")
DATABASE = "o'exposure"


@dataclass(slots=True)
class Influx3:
    """One server: databases by name, with the seconds that they keep points, None for ever."""

    databases: dict[str, int | None] = field(default_factory=lambda: {"_internal": 7 * DAY})
    fixed: bool = False
    """Retentions can't be changed, as Core's manual says."""
    changes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def talk(self, request: Request, _: object = None) -> Reply:
        """Answer one request."""
        if request.headers.get("authorization") not in (f"Token {TOKEN}", f"Bearer {TOKEN}"):
            return Reply(b'{"error": "the request was not authenticated"}', 401)
        parts = urlsplit(request.target)
        query = dict(parse_qsl(parts.query))
        match request.method, parts.path:
            case "GET", "/ping":
                said = {"version": "3.8.0", "revision": "abcdef", "process_id": "0"}
                return Reply(_json(said), 200, {"X-Influxdb-Build": "Core", "X-Influxdb-Version": "3.8.0"})
            case "GET", "/api/v3/configure/database" | "/api/v3/query_sql":
                assert query["format"] == "json"
                names = [{"iox::database": name} for name in self.databases]
                return Reply(_json(self._selected(query["q"]) if query.get("db") == "_internal" else names))
            case "POST" | "PUT", "/api/v3/configure/database":
                return self._change(request.method, json.loads(request.body))
            case "POST", "/api/v2/write":
                return Reply(status=204)
        return Reply(b"not found", 404)

    def _selected(self, statement: str) -> list[dict[str, int]]:
        begin = "SELECT retention_period_ns FROM system.databases WHERE database_name = '"
        assert statement.startswith(begin)
        assert statement.endswith("'")
        name = statement.removeprefix(begin)[:-1]
        assert "'" not in name.replace("''", "")
        seconds = self.databases[name.replace("''", "'")]
        # JSON rows of Arrow leave out what is null.
        return [{} if seconds is None else {"retention_period_ns": seconds * 10**9}]

    def _change(self, method: str, document: dict[str, Any]) -> Reply:
        name, period = document["db"], document.get("retention_period")
        if method == "POST" and name in self.databases:
            return Reply(b"attempted to create a resource that already exists", 409)
        if method == "PUT" and self.fixed:
            return Reply(b"not found", 404)
        assert period is None or period.endswith("d")
        self.changes.append((method, document))
        self.databases[name] = int(period[:-1]) * DAY if period else None
        return Reply(b"")


@pytest.fixture(name="server")
def _server() -> Influx3:
    return Influx3()


@pytest.fixture(name="origin")
def _origin(server: Influx3) -> Iterator[Origin]:
    with Origin(server.talk) as origin:
        yield origin


@pytest.fixture(name="site")
def _site(origin: Origin) -> Iterator[Callable[..., Provision]]:
    http = Http()

    def site(token: str = TOKEN) -> Provision:
        sink = Influx(url=origin.url, bucket=DATABASE, token=Secret("token", inline=token))
        return Provision("main", sink, http)

    yield site
    http.close()


@pytest.mark.parametrize(("keep", "seconds"), [(None, None), (0, None), (30 * DAY, 30 * DAY)])
def test_a_database_is_created(
    keep: int | None, seconds: int | None, server: Influx3, site: Callable[..., Provision]
) -> None:
    """A missing database is created with the retention asked for; one for ever is not asked as 0, which hides all."""
    provided(site(), keep)
    assert server.databases[DATABASE] == seconds
    assert [method for method, _ in server.changes] == ["POST"]


def test_what_is_there_is_left_as_it_is(server: Influx3, site: Callable[..., Provision]) -> None:
    """A database that is there keeps its retention where none, or the same, is asked for."""
    server.databases[DATABASE] = 30 * DAY
    for keep in (None, 30 * DAY):
        assert not provided(site(), keep).steps
    assert server.changes == []


@pytest.mark.parametrize("keep", [60 * DAY, 0])
def test_a_longer_retention_is_set(keep: int, server: Influx3, site: Callable[..., Provision]) -> None:
    """A database's retention becomes longer, up to for ever, without being asked twice."""
    server.databases[DATABASE] = 30 * DAY
    provided(site(), keep)
    assert server.databases[DATABASE] == (keep or None)


def test_a_shorter_retention_is_held_back(server: Influx3, site: Callable[..., Provision]) -> None:
    """A database's retention becomes shorter only when that was said."""
    server.databases[DATABASE] = None
    (step,) = provided(site(), 30 * DAY).held
    command = ["influxdb3", "update", "database", "--database", DATABASE, "--retention-period", "30d"]
    assert shlex.split(step.statement) == command
    assert server.databases[DATABASE] is None
    provided(site(), 30 * DAY, shorten=True)
    assert server.databases[DATABASE] == 30 * DAY


def test_a_server_that_changes_no_retention_is_said(server: Influx3, site: Callable[..., Provision]) -> None:
    """A server that keeps a database as it was created says no, and the mend is another database."""
    server.databases[DATABASE], server.fixed = 30 * DAY, True
    site_ = site()
    done = site_.carry_out(site_.plan(60 * DAY), 60 * DAY, shorten=False)
    assert isinstance(done.error, Unauthorized)
    assert "create another one" in done.error.mend


def test_who_may_not_is_told_what_an_administrator_can_run(site: Callable[..., Provision]) -> None:
    """3.x tells nobody who isn't known even its version: the error has the command of its own tool, not the token."""
    with pytest.raises(Unauthorized, match="not authenticated") as caught:
        site("apiv3_of_nobody").plan(30 * DAY)
    command = ["influxdb3", "create", "database", "--retention-period", "30d", DATABASE]
    assert shlex.split(caught.value.mend.partition("administrator run: ")[2]) == command
    assert "apiv3" not in f"{caught.value} {caught.value.mend}"


@pytest.mark.parametrize("taken", [True, False])
def test_the_v1_api_creates_nothing_there(
    taken: bool,  # noqa: FBT001 - a parameter of the test
    origin: Origin,
) -> None:
    """A sink of the v1 API at 3.x is left alone where it would take points, and is a wrong setting where not."""
    # Without users, 3.x tells everybody what it is.
    ping = Reply(b"{}", 200, {"X-Influxdb-Build": "Core", "X-Influxdb-Version": "3.8.0"})
    origin.talk = lambda request, _: ping if request.target == "/ping" else Reply(status=204 if taken else 404)
    http = Http()
    sink = Influx(api="v1", url=origin.url, database="exposure")
    site = Provision("main", sink, http)
    if taken:
        assert not site.plan(None).steps
    else:
        with pytest.raises(ConfigError, match=r"influxdb\.main\.api"):
            site.plan(None)
    http.close()


def _json(document: object) -> bytes:
    return json.dumps(document).encode()
