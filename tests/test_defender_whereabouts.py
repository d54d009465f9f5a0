"""collector.defender's whereabouts: which cloud a tenant is in, by the discovery document of its sign-in."""

from collections.abc import Iterator
from typing import Any

import pytest
from origins import Authority, Origin, Reply, Request
from tenants import TENANT_ID, as_json, settings

from collector.defender.clouds import Endpoints, endpoints
from collector.defender.whereabouts import Whereabouts, find
from collector.http import Http

US = "microsoftonline.us"
PUBLIC = "microsoftonline.com"


@pytest.fixture(name="authority", scope="module")
def _authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(name="http")
def _http(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[Http]:
    monkeypatch.setenv("NO_PROXY", "*")
    http = Http(authority.pem)
    yield http
    http.close()


@pytest.fixture(name="login")
def _login(authority: Authority) -> Iterator[Origin]:
    with Origin(lambda *_: Reply(status=400), authority.context()) as origin:
        yield origin


def document(instance: str | None, scope: str | None = None, sub_scope: str | None = None) -> dict[str, Any]:
    """Return what is in the discovery document beside the endpoints."""
    fields = {"cloud_instance_name": instance, "tenant_region_scope": scope, "tenant_region_sub_scope": sub_scope}
    return {key: value for key, value in fields.items() if value is not None} | {"issuer": "https://sts.test/"}


def found(login: Origin, http: Http, *others: str) -> Whereabouts | None:
    """Return where the tenant is, asked at that sign-in and then at others."""
    places = Endpoints("https://api.test", login.url, "s", frozenset(), other_logins=others)
    return find(TENANT_ID, places, http, 5)


@pytest.mark.parametrize(
    ("said", "cloud"),
    [
        (document(PUBLIC, "NA"), "global"),
        (document(PUBLIC, "EU", ""), "global"),
        (document(None, "WW"), "global"),
        (document(PUBLIC, "NA", "GCC"), "gcc"),
        (document(US, "USGov", "DODCON"), "gcc-high"),
        (document(US, "USGov", "DOD"), "dod"),
        (document(US, "USGov"), "gcc-high"),
        (document(PUBLIC, "USG"), "gcc-high"),
        (document("partner.microsoftonline.cn", "AS"), None),
        (document(PUBLIC, "NA", "MOON"), None),
    ],
)
def test_the_sign_in_tells_the_cloud(login: Origin, http: Http, said: dict[str, Any], cloud: str | None) -> None:
    """Region, sub-scope and cloud of the discovery document stand for a cloud of the settings, or for none of them."""
    login.talk = lambda *_: as_json(said)
    where = found(login, http)
    assert where is not None
    assert where.cloud == cloud
    assert where.login == f"127.0.0.1:{login.port}"
    assert all(str(said[key]) in where.said for key in said if key != "issuer")
    assert login.requests[0].target == f"/{TENANT_ID}/v2.0/.well-known/openid-configuration"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=400),
        Reply(b"<html>"),
        as_json({"issuer": "https://sts.test/"}),
        as_json({"cloud_instance_name": 7, "tenant_region_scope": "a\nb"}),
        as_json({"cloud_instance_name": PUBLIC}, 302),
    ],
)
def test_a_sign_in_that_tells_nothing(login: Origin, http: Http, reply: Reply) -> None:
    """Nothing is made up where the document is missing, isn't one, or lacks the fields."""
    login.talk = lambda *_: reply
    assert found(login, http) is None


def test_another_clouds_sign_in_is_asked_where_the_own_knows_no_such_tenant(
    authority: Authority, login: Origin, http: Http
) -> None:
    """A tenant that the sign-in of the settings doesn't know is looked for at the others, in order."""

    def talk(_: Request, __: object) -> Reply:
        return as_json(document(US, "USGov", "DODCON"))

    with Origin(talk, authority.context()) as other:
        where = found(login, http, other.url)
        assert where == Whereabouts(
            f"127.0.0.1:{other.port}",
            "gcc-high",
            f"cloud_instance_name {US}, tenant_region_scope USGov, tenant_region_sub_scope DODCON",
        )
        login.talk = lambda *_: as_json(document(PUBLIC, "NA"))
        assert found(login, http, other.url) != where


def test_the_clouds_sign_ins_are_two_and_an_own_one_is_alone() -> None:
    """Beside the own cloud's sign-in the other one is asked; where the settings name a sign-in, that one alone."""
    assert endpoints(settings()).other_logins == ("https://login.microsoftonline.us",)
    assert endpoints(settings(cloud="gcc")).other_logins == ("https://login.microsoftonline.us",)
    assert endpoints(settings(cloud="dod")).other_logins == ("https://login.microsoftonline.com",)
    assert endpoints(settings("https://login.test")).other_logins == ()


@pytest.mark.parametrize(
    ("cloud", "configured", "fits"),
    [
        ("global", "global", True),
        ("gcc", "global", False),
        ("gcc-high", "dod", True),
        ("dod", "gcc-high", True),
        ("dod", "gcc", False),
        (None, "global", False),
    ],
)
def test_clouds_that_are_asked_alike_fit(cloud: str | None, configured: str, *, fits: bool) -> None:
    """GCC High and DoD have the same hosts, so that either setting is right for both."""
    assert Whereabouts("login.test", cloud, "").fits(configured) is fits
