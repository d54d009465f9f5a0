"""collector.defender.sign_in.wire: what is no sound answer of a sign-in ends as our error, and all waits at one end."""

import socket
import threading
import time
from typing import Any

import pytest
from origins import Authority, Origin, Reply, crowded
from sign_ins import SignIns
from signing import failure
from tenants import TENANT_ID, FakeTenant, always, as_json, settings

from collector.defender.auth import Auth
from collector.defender.clouds import endpoints
from collector.errors import BadResponse, Unauthorized, Unavailable
from collector.http import Http


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.mark.parametrize("stage", ["discover", "say"])
@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"<html>Welcome to the hotel</html>", 200, {"Content-Type": "text/html"}),
        Reply(b"<html>Welcome to the hotel</html>", 404, {"Content-Type": "text/html"}),
        Reply(b"", 302, {"Location": "https://portal.example/"}),
        Reply(b"", 407),
        Reply(b"", 405),
        Reply(b"", 204),
        Reply(b"[" * 100_000),
        Reply(b"[]"),
    ],
)
def test_a_portal_in_the_logins_place_is_a_persons_to_mend(
    fake: FakeTenant, auth: Auth, stage: str, reply: Reply
) -> None:
    """A page, a redirect or anything else that no sign-in answers is Unauthorized: wrong login_url, or a proxy."""
    setattr(fake.entra, stage, always(reply))
    error = failure(auth)
    assert isinstance(error, Unauthorized)
    assert "no answer of a sign-in" in str(error)
    assert "login_url" in error.mend
    assert "proxy" in error.mend


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"token_endpoint": 7, "authorization_endpoint": "x", "issuer": "y"},
        {
            "token_endpoint": "http://127.0.0.1:1/t/token",
            "authorization_endpoint": "https://h/a",
            "issuer": "https://h",
        },
        {"token_endpoint": "https://[", "authorization_endpoint": "https://h/a", "issuer": "https://h"},
        {"token_endpoint": "nowhere", "authorization_endpoint": "https://h/a", "issuer": "https://h"},
    ],
)
def test_a_login_that_names_no_token_endpoint_is_a_persons_to_mend(
    fake: FakeTenant, auth: Auth, said: dict[str, object]
) -> None:
    """Discovery without an https token endpoint is Unauthorized, and no secret goes anywhere."""
    fake.entra.discover = always(as_json(said))
    error = failure(auth)
    assert isinstance(error, Unauthorized)
    assert "login_url" in error.mend
    assert fake.entra.asked == []


def test_a_token_whose_life_is_not_said_lives_an_hour(fake: FakeTenant, auth: Auth) -> None:
    """OAuth leaves `expires_in` open: a token without it serves as long as Microsoft's do."""
    fake.entra.say = always(as_json({"access_token": "t"}))
    auth.sign_in(10)
    assert auth.token() == "t"


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"access_token": None, "expires_in": 3600},
        {"access_token": 7, "expires_in": 3600},
        {"access_token": "", "expires_in": 3600},
        {"access_token": "t" * 16_385, "expires_in": 3600},
        {"access_token": "two words", "expires_in": 3600},
        {"access_token": "line\nbreak", "expires_in": 3600},
        {"access_token": "t\u00f6ken", "expires_in": 3600},
        {"access_token": "t", "expires_in": None},
        {"access_token": "t", "expires_in": "soon"},
        {"access_token": "t", "expires_in": True},
        {"access_token": "t", "expires_in": 0},
        {"access_token": "t", "expires_in": -1},
        {"access_token": "t", "expires_in": 10**30},
        {"access_token": "t", "expires_in": float("nan")},
        {"access_token": "t", "expires_in": float("inf")},
        {"access_token": "t", "expires_in": [3600]},
    ],
)
def test_a_token_that_is_none_is_a_bad_response(fake: FakeTenant, auth: Auth, said: dict[str, object]) -> None:
    """JSON without a token that can be sent, or without its life, is a BadResponse."""
    fake.entra.say = always(as_json(said))
    assert isinstance(failure(auth), BadResponse)


def test_what_else_stands_beside_a_token_is_not_read(fake: FakeTenant, auth: Auth) -> None:
    """Fields that are not asked for can't break a sign-in, whatever they hold."""
    extra = {"ext_expires_in": "x", "refresh_in": [], "expires_on": {}, "client_info": "?", "id_token": 7, "scope": 7}
    fake.entra.say = always(as_json({"access_token": "t", "expires_in": 3600, "token_type": 7, **extra}))
    auth.sign_in(10)
    assert auth.token() == "t"


def test_a_login_nobody_trusts_is_a_persons_to_mend(fake: FakeTenant) -> None:
    """An untrusted certificate at the login is Unauthorized, and no secret is sent."""
    http = Http()
    tenant = fake.settings()
    error = failure(Auth("contoso", tenant, endpoints(tenant), http))
    http.close()
    assert isinstance(error, Unauthorized)
    assert "certificate" in str(error)
    assert fake.origin.requests == []


def test_a_login_nobody_reaches_is_asked_again_later(fake: FakeTenant, make: SignIns) -> None:
    """A login that isn't there, or hangs up, is Unavailable."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert type(failure(make(login_url=f"https://127.0.0.1:{port}"))) is Unavailable
    fake.entra.say = always(None)
    assert type(failure(make())) is Unavailable


@pytest.mark.parametrize("stage", ["discover", "say"])
def test_a_login_that_hangs_ends_at_the_deadline(fake: FakeTenant, auth: Auth, stage: str) -> None:
    """A login that never answers, at either exchange, ends the sign-in in time."""
    never = threading.Event()

    def hang() -> None:
        never.wait(30)

    setattr(fake.entra, stage, hang)
    began = time.monotonic()
    assert type(failure(auth, 0.5)) is Unavailable
    assert time.monotonic() - began < 5
    never.set()


def test_a_login_that_drips_through_two_exchanges_ends_at_one_deadline(authority: Authority) -> None:
    """The deadline is one for the whole sign-in: a discovery that took half of it leaves the token the other half."""
    waits: list[float] = []

    def drip(request: Any, connection: socket.socket) -> Reply | None:
        login = f"https://127.0.0.1:{origin.port}/{TENANT_ID}"
        if "openid" in request.target:
            time.sleep(0.5)
            names = ("issuer", "authorization_endpoint", "token_endpoint")
            return as_json(dict.fromkeys(names, f"{login}/oauth2/v2.0/token"))
        began = time.monotonic()
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n")
            while time.monotonic() - began < 20:
                connection.sendall(b" ")
                time.sleep(0.02)
        finally:
            waits.append(time.monotonic() - began)
        return None

    http = Http(authority.pem)
    with Origin(drip, authority.context()) as origin:
        tenant = settings(origin.url)
        auth = Auth("contoso", tenant, endpoints(tenant), http)
        began = time.monotonic()
        assert type(failure(auth, 1.0)) is Unavailable
        assert 0.9 < time.monotonic() - began < 5
    http.close()
    assert waits[0] < 5


def test_a_login_that_takes_no_connection_ends_at_the_deadline(make: SignIns) -> None:
    """Connecting to the login ends in time too."""
    with crowded() as port:
        began = time.monotonic()
        assert type(failure(make(login_url=f"https://127.0.0.1:{port}"), 0.4)) is Unavailable
        assert time.monotonic() - began < 5
