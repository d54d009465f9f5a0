"""collector.defender.auth: tokens, by the real msal, from a sign-in on loopback over real TLS."""

import base64
import email.utils
import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog
from origins import Authority, Origin, Reply, crowded
from tenants import CLIENT_ID, SECRET, TENANT_ID, FakeTenant, always, as_json, jwt, payload, settings

from collector.defender.auth import Auth
from collector.defender.claims import claims
from collector.defender.clouds import endpoints
from collector.errors import BadResponse, Unauthorized, Unavailable
from collector.http import Http
from collector.settings import ClientSecret, Secret

CORRELATION = "5b1c8e34-77aa-4b0e-9d59-3a5f5f0b6c01"
CODES = {
    7000215: ("wrong client secret", "value"),
    7000222: ("expired", "new client secret"),
    700016: ("application is not found", "client_id and tenant_id"),
    90002: ("tenant is not found", "cloud"),
    700027: ("signature", "certificate"),
    700024: ("outside its time", "clock"),
    70021: ("no federated identity", "issuer, subject and audience"),
    700213: ("no federated identity", "issuer, subject and audience"),
    500011: ("resource is not found", "scope"),
    65001: ("consented", "administrator"),
    53003: ("Conditional Access", "application's credential"),
    700082: ("refresh token", "login"),
    70043: ("refresh token", "login"),
    700211: ("issuer", "federated credential"),
    700212: ("audience", "federated credential"),
    50173: ("revoked", "login"),
    50076: ("a person", "login"),
    50105: ("not open to this person", "enterprise application"),
    65004: ("declined", "login"),
    70020: ("not used in time", "login"),
    7000218: ("without a secret", "public client flows"),
    700025: ("public client", "device_code"),
}


class Clock:
    """A monotonic clock in the test's hands, in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture(name="authority", scope="module")
def _authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(name="fake")
def _fake(authority: Authority) -> Iterator[FakeTenant]:
    fake = FakeTenant(authority)
    with fake.origin:
        yield fake


@pytest.fixture(name="http")
def _http(authority: Authority) -> Iterator[Http]:
    http = Http(authority.pem)
    yield http
    http.close()


@pytest.fixture(name="clock")
def _clock() -> Clock:
    return Clock()


@pytest.fixture(name="make")
def _make(fake: FakeTenant, http: Http, clock: Clock) -> Callable[..., Auth]:
    def make(**settings: Any) -> Auth:
        tenant = fake.settings(**settings)
        return Auth("contoso", tenant, endpoints(tenant), http, clock)

    return make


@pytest.fixture(name="auth")
def _auth(make: Callable[..., Auth]) -> Auth:
    return make()


def refuse(code: int | None, status: int = 401, description: str | None = None, **more: Any) -> Reply:
    """Return a refusal as the token endpoint has it."""
    text = description if description is not None else f"AADSTS{code}: words.\r\nTrace ID: 1\r\nCorrelation ID: 2"
    body = {"error": "invalid_client", "error_description": text, "correlation_id": CORRELATION, **more}
    return as_json({**body, **({"error_codes": [code]} if code else {})}, status)


def failure(auth: Auth, seconds: float = 10) -> Unavailable | BadResponse:
    """Return the error that a sign-in ends with."""
    try:
        auth.sign_in(seconds)
    except (Unavailable, BadResponse) as error:
        assert auth.token() is None
        return error
    raise AssertionError("it brought a token")


def shown(error: BaseException) -> str:
    """Return all that a log could show of an error, and of those behind it."""
    text = f"{error} {error!r} {getattr(error, 'mend', '')}"
    behind = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return text + (shown(behind) if behind else "")


def test_a_sign_in_brings_a_token(fake: FakeTenant, auth: Auth) -> None:
    """The application's id, its secret and the scope of the cloud are sent to the tenant's token endpoint, once."""
    assert auth.token() is None
    auth.sign_in(10)
    assert [auth.token(), auth.token()] == fake.entra.given * 2
    [form] = fake.entra.asked
    assert form["grant_type"] == ["client_credentials"]
    assert (form["client_id"], form["client_secret"]) == ([CLIENT_ID], [SECRET])
    assert form["scope"] == ["https://api.securitycenter.microsoft.com/.default"]
    assert all(request.target.startswith(f"/{TENANT_ID}/") for request in fake.origin.requests)


def test_a_scope_of_the_settings_is_asked_for(fake: FakeTenant, make: Callable[..., Auth]) -> None:
    """The settings' scope stands in for the cloud's."""
    make(scope="https://own.example/.default").sign_in(10)
    assert fake.entra.asked[0]["scope"] == ["https://own.example/.default"]


@pytest.mark.parametrize(
    ("life", "serves"),
    [
        (3600, 3300),
        (86400, 86100),
        (600, 300),
        (400, 200),
        (300, 150),
        (60, 30),
        (1, 0.5),
        ("3600", 3300),
        (3599.0, 3299),
    ],
)
def test_a_token_serves_until_five_minutes_before_its_end(
    fake: FakeTenant, auth: Auth, clock: Clock, life: object, serves: float
) -> None:
    """A token is handed out until five minutes before it ends; one that lives less than ten, for half its life."""
    fake.entra.life = life
    auth.sign_in(10)
    clock.now += serves - 0.01
    assert auth.token() == fake.entra.given[0]
    clock.now += 0.02
    assert auth.token() is None
    auth.sign_in(10)
    assert auth.token() == fake.entra.given[1]


def test_a_jump_of_the_wall_clock_changes_nothing(
    fake: FakeTenant, auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token's life is measured by the monotonic clock: setting the machine's time neither ends nor prolongs it."""
    real = time.time
    auth.sign_in(10)
    for jump in (86400.0, -86400.0):
        monkeypatch.setattr(time, "time", lambda jump=jump: real() + jump)
        assert auth.token() == fake.entra.given[-1]
        auth.sign_in(10)
        assert auth.token() == fake.entra.given[-1]
    assert len(fake.entra.given) == 3


def test_a_refused_token_is_never_handed_out_again(fake: FakeTenant, auth: Auth) -> None:
    """After a refusal the next sign-in asks for a new token, however long the old one would have lived."""
    auth.sign_in(10)
    first = auth.token()
    assert first
    auth.refused(first)
    assert auth.token() is None
    auth.sign_in(10)
    assert auth.token() == fake.entra.given[1] != first


def test_a_late_refusal_costs_the_new_token_nothing(fake: FakeTenant, auth: Auth) -> None:
    """Where two polls see their old token refused, the second doesn't throw away what the first has renewed."""
    auth.sign_in(10)
    old = auth.token()
    assert old
    auth.refused(old)
    auth.sign_in(10)
    auth.refused(old)
    assert auth.token() == fake.entra.given[1]


def test_while_a_renewal_fails_the_old_token_serves_on(fake: FakeTenant, auth: Auth, clock: Clock) -> None:
    """A renewal that fails costs nothing while the old token lives; it is tried again, and fails loudly at its end."""
    auth.sign_in(10)
    fake.entra.say = always(refuse(7000222))
    clock.now += 3400
    assert auth.token() is None
    with structlog.testing.capture_logs() as logs:
        auth.sign_in(10)
    assert auth.token() == fake.entra.given[0]
    [line] = logs
    assert (line["event"], line["log_level"], line["tenant"]) == ("token.kept", "warning", "contoso")
    assert (line["error"], line["seconds_left"]) == ("Unauthorized", 200)
    assert "AADSTS7000222" in line["message"]
    assert fake.entra.given[0] not in str(line)
    clock.now += 59
    assert auth.token() == fake.entra.given[0]
    clock.now += 2
    assert auth.token() is None
    with structlog.testing.capture_logs():
        auth.sign_in(10)
    assert auth.token()
    clock.now += 140
    assert isinstance(failure(auth), Unauthorized)
    fake.entra.say = fake.entra.token
    auth.sign_in(10)
    assert auth.token() == fake.entra.given[1]


def test_a_login_that_asks_for_rest_is_left_alone_while_the_old_token_lives(
    fake: FakeTenant, auth: Auth, clock: Clock
) -> None:
    """Retry-After holds for a renewal as well, but never beyond the old token's end."""
    fake.entra.life = 900
    auth.sign_in(10)
    clock.now += 610
    fake.entra.say = always(as_json({}, 429, Retry_After="200"))
    with structlog.testing.capture_logs():
        auth.sign_in(10)
        clock.now += 199
        assert auth.token()
        clock.now += 2
        assert auth.token() is None
        auth.sign_in(10)
    clock.now += 88
    assert auth.token()
    clock.now += 2
    assert auth.token() is None


def test_a_refused_token_does_not_serve_on(fake: FakeTenant, auth: Auth) -> None:
    """What the API has refused is no comfort when the renewal fails too."""
    auth.sign_in(10)
    token = auth.token()
    assert token
    auth.refused(token)
    fake.entra.say = always(refuse(90033, 503))
    assert type(failure(auth)) is Unavailable


@pytest.mark.parametrize("code", CODES)
def test_each_code_of_the_sign_in_has_its_meaning_and_its_mend(fake: FakeTenant, auth: Auth, code: int) -> None:
    """What owners meet is said in words, with Microsoft's code, its correlation id, and what to do."""
    meaning, mend = CODES[code]
    for status, codes in ((400, {}), (401, {}), (401, {"error_codes": [50000, code]}), (401, {"error_codes": "none"})):
        fake.entra.say = always(refuse(code, status, **codes))
        error = failure(auth)
        assert isinstance(error, Unauthorized)
        assert str(error).startswith(f"127.0.0.1:{fake.origin.port}: {status} AADSTS{code}: ")
        assert meaning in str(error)
        assert str(error).endswith(f"(correlation id {CORRELATION})")
        assert mend in error.mend
        assert "words" not in str(error)


@pytest.mark.parametrize(("code", "does"), [(7000215, "not the secret's id"), (7000222, "a new client secret")])
def test_the_mend_names_where_the_secret_is(
    fake: FakeTenant, make: Callable[..., Auth], tmp_path: Path, code: int, does: str
) -> None:
    """A wrong or an old secret is mended where the settings have it: the key, and the file if there is one."""
    fake.entra.say = always(refuse(code))
    assert failure(make()).mend.endswith("into client_secret")
    file = tmp_path / "contoso.secret"
    file.write_text(SECRET, encoding="utf-8")
    secret = Secret("tenants.contoso.credential.client_secret_file", file=file)
    mend = failure(make(credential=ClientSecret(kind="client_secret", client_secret=secret))).mend
    assert does in mend
    assert mend.endswith(f"into tenants.contoso.credential.client_secret_file ({file})")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-700, "is 7[0-9]{2} s ahead of the answer's Date"), (700, "is [67][0-9]{2} s behind"), (0, "agrees with")],
)
def test_a_clock_that_is_off_is_told_by_how_much(fake: FakeTenant, auth: Auth, seconds: int, said: str) -> None:
    """700024 says by how much this machine's clock differs from the answer's Date; without one, nothing of it."""
    date = email.utils.formatdate(time.time() + seconds, usegmt=True)
    fake.entra.say = lambda: replace(refuse(700024), headers={"Date": date})
    assert re.search(f"this machine's clock {said}", str(failure(auth)))
    fake.entra.say = always(refuse(700024))
    assert "Date" not in str(failure(auth))


def test_a_recorded_refusal_is_told(fake: FakeTenant, auth: Auth) -> None:
    """The whole body as Microsoft sends it."""
    fake.entra.say = always(Reply(payload("AADSTS7000215.json"), 401, {"Content-Type": "application/json"}))
    assert str(failure(auth)).endswith(f"401 AADSTS7000215: wrong client secret (correlation id {CORRELATION})")


def test_a_tenant_that_discovery_does_not_know_is_told(fake: FakeTenant, auth: Auth) -> None:
    """A wrong tenant_id fails before any secret is sent, in the same words."""
    fake.entra.discover = always(refuse(90002, 400))
    error = failure(auth)
    assert "AADSTS90002: the tenant is not found" in str(error)
    assert fake.entra.asked == []


def test_an_unknown_code_is_told_in_microsofts_words(fake: FakeTenant, auth: Auth) -> None:
    """For a code that isn't known here, the first line of Microsoft's own text is shown, cut short."""
    fake.entra.say = always(refuse(50194, 400, "AADSTS50194: not configured as multi-tenant. " + "a " * 500))
    error = failure(auth)
    assert isinstance(error, Unauthorized)
    assert "AADSTS50194: not configured as multi-tenant." in str(error)
    assert len(str(error)) < 400


@pytest.mark.parametrize(
    "echo",
    [
        "AADSTS50000: you sent {secret} there",
        "AADSTS50000: '{secret}'",
        "AADSTS50000: client_secret={quoted}&x=1",
        "AADSTS50000: assertion " + jwt(sub="x", aud="y" * 40),
        "{secret}",
    ],
)
def test_a_login_that_repeats_the_secret_betrays_nothing(fake: FakeTenant, auth: Auth, echo: str) -> None:
    """Whatever the login repeats of what it was sent, neither the message nor anything behind it shows it."""
    quoted = "the~Secret.of%2Bcontoso%2F8f3a1c52%3D%3D"
    fake.entra.say = always(refuse(50000, 400, echo.format(secret=SECRET, quoted=quoted)))
    text = shown(failure(auth))
    for secret in (SECRET, quoted, "eyJ"):
        assert secret not in text
    assert "50000" in text


@pytest.mark.parametrize(
    ("reply", "throttled", "retry_after"),
    [
        (refuse(90033, 400), False, None),
        (refuse(90033, 503), False, None),
        (refuse(90024, 401), False, None),
        (refuse(90055, 400), False, None),
        (refuse(None, 400, error="temporarily_unavailable"), False, None),
        (Reply(b"<html>", 500), False, None),
        (Reply(b"", 502), False, None),
        (Reply(b"", 503, {"Retry-After": "9"}), False, 9.0),
        (Reply(b"", 408), False, None),
        (Reply(b"", 429, {"Retry-After": "30"}), True, 30.0),
        (refuse(7000215, 500), False, None),
    ],
)
@pytest.mark.parametrize("stage", ["discover", "say"])
def test_a_login_that_is_away_is_asked_again_later(
    fake: FakeTenant, auth: Auth, reply: Reply, stage: str, *, throttled: bool, retry_after: float | None
) -> None:
    """An overloaded or failing login is Unavailable, with the wait that it asks for, at either of its two exchanges."""
    setattr(fake.entra, stage, always(reply))
    error = failure(auth)
    assert type(error) is Unavailable
    assert (error.throttled, error.retry_after) == (throttled, retry_after)


def test_no_failure_is_replayed(fake: FakeTenant, auth: Auth) -> None:
    """After a failure the next try asks the login again, and can succeed at once, whatever a library remembers."""
    for reply in (refuse(7000215), refuse(7000215, 400), Reply(b"", 503), Reply(b"", 429, {"Retry-After": "3600"})):
        fake.entra.say = always(reply)
        failure(auth)
        fake.entra.say = fake.entra.token
        auth.sign_in(10)
        assert auth.token() == fake.entra.given[-1]
        auth.refused(fake.entra.given[-1])


def test_a_renewed_secret_counts_at_the_next_try(fake: FakeTenant, make: Callable[..., Auth], tmp_path: Path) -> None:
    """The secret's file is read anew at each sign-in; a file that is gone is a person's to mend."""
    file = tmp_path / "contoso.secret"
    secret = ClientSecret(kind="client_secret", client_secret=Secret("client_secret_file", file=file))
    auth = make(credential=secret)
    assert isinstance(failure(auth), Unauthorized)
    assert fake.origin.requests == []
    for text in ("first", "second"):
        file.write_text(f"{text}\n")
        auth.sign_in(10)
    assert [form["client_secret"] for form in fake.entra.asked] == [["first"], ["second"]]


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


def test_a_login_nobody_trusts_is_a_persons_to_mend(fake: FakeTenant, clock: Clock) -> None:
    """An untrusted certificate at the login is Unauthorized, and no secret is sent."""
    http = Http()
    tenant = fake.settings()
    error = failure(Auth("contoso", tenant, endpoints(tenant), http, clock))
    http.close()
    assert isinstance(error, Unauthorized)
    assert "certificate" in str(error)
    assert fake.origin.requests == []


def test_a_login_nobody_reaches_is_asked_again_later(fake: FakeTenant, make: Callable[..., Auth]) -> None:
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


def test_a_login_that_drips_through_two_exchanges_ends_at_one_deadline(authority: Authority, http: Http) -> None:
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

    with Origin(drip, authority.context()) as origin:
        tenant = settings(origin.url)
        auth = Auth("contoso", tenant, endpoints(tenant), http)
        began = time.monotonic()
        assert type(failure(auth, 1.0)) is Unavailable
        assert 0.9 < time.monotonic() - began < 5
    assert waits[0] < 5


def test_a_login_that_takes_no_connection_ends_at_the_deadline(make: Callable[..., Auth]) -> None:
    """Connecting to the login ends in time too."""
    with crowded() as port:
        began = time.monotonic()
        assert type(failure(make(login_url=f"https://127.0.0.1:{port}"), 0.4)) is Unavailable
        assert time.monotonic() - began < 5


def test_many_threads_share_one_tenants_token(fake: FakeTenant, auth: Auth) -> None:
    """Sign-ins at once end each with a token, and one of those is kept."""
    threads = [threading.Thread(target=auth.sign_in, args=(20,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fake.entra.given) == 6
    assert auth.token() in fake.entra.given


def test_neither_secret_nor_token_is_shown_anywhere(
    fake: FakeTenant, auth: Auth, caplog: pytest.LogCaptureFixture
) -> None:
    """No repr and no log line, of ours or of a library at its most talkative, holds the secret or the token."""
    with caplog.at_level(logging.DEBUG), structlog.testing.capture_logs() as logs:
        auth.sign_in(10)
        fake.entra.say = always(refuse(7000215))
        token = auth.token()
        assert token
        auth.refused(token)
        failure(auth)
    text = f"{auth!r} {vars(auth)} {logs} {caplog.text}"
    assert "msal" in caplog.text
    for secret in (SECRET, token):
        assert secret not in text


def test_a_tokens_claims_are_read_without_verifying_them() -> None:
    """The permissions that a token says it has can be told, whoever signed it."""
    assert claims(jwt(roles=["Score.Read.All"], tid="x")) == {"roles": ["Score.Read.All"], "tid": "x"}


@pytest.mark.parametrize(
    "token",
    [
        "",
        "opaque",
        "a.b",
        "a.b.c.d",
        "..",
        "a.%%%.c",
        "a.ä.c",
        "a." + base64.urlsafe_b64encode(b"[1]").decode() + ".c",
        f"a.{'W' * 99_999}.c",
    ],
    ids=lambda token: token[:10],
)
def test_a_token_that_cannot_be_read_claims_nothing(token: str) -> None:
    """An opaque or broken token has no claims; it is none of ours to judge."""
    assert claims(token) == {}
