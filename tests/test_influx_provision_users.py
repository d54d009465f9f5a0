"""collector.influx.provision against InfluxDB 1.x that wants to know who asks."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from provisions import new, policies, provided, provision
from servers import ADMIN, Influxd

from collector.errors import CollectorError, Unauthorized
from collector.http import Http
from collector.influx.plan import DAY
from collector.influx.provision import Provision
from collector.settings import Influx, Secret


@pytest.fixture(name="http", scope="module")
def _http() -> Iterator[Http]:
    http = Http()
    yield http
    http.close()


@pytest.fixture(name="user")
def _user(influxd_with_users: Influxd) -> dict[str, Any]:
    """The settings of a new user, who may nothing yet."""
    name = f"user {uuid.uuid4().hex[:8]}"
    influxd_with_users.query(f"CREATE USER \"{name}\" WITH PASSWORD 'of nobody'")
    return {"username": name, "password": Secret("password", inline="of nobody")}


def run_by_administrator(server: Influxd, error: CollectorError) -> None:
    """Do as the mend of an error says, statement by statement."""
    server.query(error.mend.partition("administrator run: ")[2])


@pytest.mark.parametrize("policy", ["", "two years"])
def test_who_may_not_create_is_told_what_an_administrator_can_run(
    policy: str, influxd_with_users: Influxd, http: Http, user: dict[str, Any]
) -> None:
    """Without the right, the error names the user and the right, and has a statement that does it for who may."""
    database = new()
    site = provision(influxd_with_users, http, database, policy, **user)
    done = site.carry_out(site.plan(730 * DAY), 730 * DAY, shorten=False)
    assert type(done.error) is Unauthorized
    assert f"the user {user['username']} needs ALL PRIVILEGES" in done.error.mend
    assert "of nobody" not in f"{done.error} {done.error.mend}"
    run_by_administrator(influxd_with_users, done.error)
    assert policies(influxd_with_users, database)[policy or "autogen"][0] == "17520h0m0s"


def test_who_may_not_look_is_told_what_an_administrator_can_run(
    influxd_with_users: Influxd, http: Http, user: dict[str, Any]
) -> None:
    """Where a retention is asked for that may not even be looked at, the error has a statement that sets it."""
    database = influxd_with_users.database()
    influxd_with_users.query(f'GRANT WRITE ON "{database}" TO "{user["username"]}"')
    with pytest.raises(Unauthorized, match="requires READ") as caught:
        provision(influxd_with_users, http, database, **user).plan(3 * DAY)
    run_by_administrator(influxd_with_users, caught.value)
    assert policies(influxd_with_users, database)["autogen"] == ("72h0m0s", "24h0m0s", True)


def test_a_user_who_may_only_write_needs_nothing_more(
    influxd_with_users: Influxd, http: Http, user: dict[str, Any]
) -> None:
    """Where points would be taken and nothing is asked of the retention, the collector's own user is enough."""
    database = influxd_with_users.database()
    influxd_with_users.query(f'GRANT WRITE ON "{database}" TO "{user["username"]}"')
    plan = provision(influxd_with_users, http, database, **user).plan(None)
    assert not plan.steps
    assert "would take points" in plan.note


def test_an_administrator_can_be_lent(influxd_with_users: Influxd, http: Http, user: dict[str, Any]) -> None:
    """Somebody else's sign-in creates, and whether the sink's own would write is still asked of its own."""
    database = new()
    own = Influx(api="v1", url=influxd_with_users.url, database=database, **user)
    site = Provision("main", own, http, by_administrator(own, ADMIN[1]), "--username and --password-file")
    provided(site, None)
    assert "autogen" in policies(influxd_with_users, database)
    with pytest.raises(Unauthorized, match="not authorized to write"):
        site.write()
    influxd_with_users.query(f'GRANT WRITE ON "{database}" TO "{user["username"]}"')
    site.write()


def test_a_wrong_sign_in_that_is_lent_is_not_passed_over(
    influxd_with_users: Influxd, http: Http, user: dict[str, Any]
) -> None:
    """Also where the sink needs nothing, who lends a sign-in hears that it is none; it is named as it was given."""
    database = influxd_with_users.database()
    influxd_with_users.query(f'GRANT WRITE ON "{database}" TO "{user["username"]}"')
    own = Influx(api="v1", url=influxd_with_users.url, database=database, **user)
    site = Provision("main", own, http, by_administrator(own, "wrong"), "--username and --password-file")
    with pytest.raises(Unauthorized, match="401") as caught:
        site.plan(None)
    assert caught.value.mend.startswith("correct --username and --password-file")


def by_administrator(own: Influx, password: str) -> Influx:
    """Return a sink as the administrator signs in to it."""
    return own.model_copy(update={"username": ADMIN[0], "password": Secret("--password-file", inline=password)})
