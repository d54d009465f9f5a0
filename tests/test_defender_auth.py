"""collector.defender.auth: a token is kept while it serves, renewed in time, and never handed out once refused."""

import logging
import threading
import time
from pathlib import Path

import pytest
import structlog
from origins import Reply
from sign_ins import Clock, SignIns, refuse
from signing import failure
from tenants import CLIENT_ID, SECRET, TENANT_ID, FakeTenant, always, as_json

from collector.defender.auth import Auth
from collector.errors import Unauthorized, Unavailable
from collector.settings import ClientSecret, Secret


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture(name="clock")
def _clock(make: SignIns) -> Clock:
    return make.clock


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


def test_a_scope_of_the_settings_is_asked_for(fake: FakeTenant, make: SignIns) -> None:
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
    assert auth.token() is None
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
    assert auth.token() is None


def test_no_failure_is_replayed(fake: FakeTenant, auth: Auth) -> None:
    """After a failure the next try asks the login again, and can succeed at once, whatever a library remembers."""
    for reply in (refuse(7000215), refuse(7000215, 400), Reply(b"", 503), Reply(b"", 429, {"Retry-After": "3600"})):
        fake.entra.say = always(reply)
        failure(auth)
        fake.entra.say = fake.entra.token
        auth.sign_in(10)
        assert auth.token() == fake.entra.given[-1]
        auth.refused(fake.entra.given[-1])


def test_a_renewed_secret_counts_at_the_next_try(fake: FakeTenant, make: SignIns, tmp_path: Path) -> None:
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
