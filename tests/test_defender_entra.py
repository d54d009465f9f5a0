"""collector.defender.entra: what Microsoft's sign-in refuses is told in words, with a mend, and without the secret."""

import email.utils
import json
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from origins import Reply
from sign_ins import CORRELATION, SignIns, refuse
from signing import failure, shown
from tenants import CLIENT_ID, SECRET, TENANT_ID, FakeTenant, always, as_json, jwt, payload

from collector.defender.auth import Auth
from collector.errors import Unauthorized, Unavailable
from collector.settings import ClientSecret, Secret

CODES = {
    7000215: ("wrong client secret", "value"),
    7000222: ("expired", "new client secret"),
    700016: (
        "application is not found",
        f"tenants.NAME.client_id ({CLIENT_ID}) and tenants.NAME.tenant_id ({TENANT_ID})",
    ),
    90002: ("tenant is not found", f"tenants.NAME.tenant_id ({TENANT_ID}), and tenants.NAME.cloud (global)"),
    700027: ("signature", "certificate"),
    700024: ("outside its time", "clock"),
    70021: ("no federated identity", "issuer, subject and audience"),
    700213: ("no federated identity", "issuer, subject and audience"),
    500011: ("resource is not found", "tenants.NAME.cloud (global) and the scope (https://api.securitycenter."),
    65001: ("consented", "administrator"),
    53003: ("Conditional Access", "sign-in log"),
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


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


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
    fake: FakeTenant, make: SignIns, tmp_path: Path, code: int, does: str
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


@pytest.mark.parametrize(
    "body",
    [
        {"error_codes": [True]},
        {"error_codes": [-7], "error_description": "x"},
        {"error_codes": [10**300]},
        {"error_codes": [[7000215]], "error_description": {"AADSTS1": f"'{SECRET}'"}},
        {"error_codes": [1.5, None, "7000215"], "error_description": [f"{SECRET}"]},
        {"error_codes": list(range(10**9, 10**9 + 100_000))},
        {"error": {"deep": [[f"{SECRET}"]]}},
        {"error": f"\x1b[2J{SECRET}\r\nINFO all is well"},
        {"error_description": "a " * 4_000_000},
        {"error_description": "AADSTS" * 2_000_000},
        {"error_description": "AADSTS" + "9" * 5_000_000},
        {"correlation_id": "\r\nx", "error_description": "x\u2028\u202ey"},
    ],
    ids=lambda body: str(body)[:40],
)
@pytest.mark.parametrize("stage", ["discover", "say"])
def test_whatever_a_refusal_is_made_of_it_is_told_on_one_short_line(
    fake: FakeTenant, auth: Auth, body: dict[str, object], stage: str
) -> None:
    """Wrong types, control characters and megabytes end as one short line in print, without the secret."""
    if stage == "discover":
        # It was sent no secret that it could repeat.
        body = json.loads(json.dumps(body).replace(SECRET, "no secret"))
    setattr(fake.entra, stage, always(as_json({"error": "invalid_client"} | body, 401)))
    error = failure(auth)
    assert isinstance(error, Unauthorized)
    assert str(error).isprintable()
    assert len(str(error)) < 400
    assert SECRET not in shown(error)
    assert re.match("401( AADSTS[1-9][0-9]{0,8})?: ", str(error).partition(": ")[2])


def test_a_content_type_cannot_reach_the_terminal(fake: FakeTenant, auth: Auth) -> None:
    """A header's bytes are shown only where they are print."""
    fake.entra.say = always(Reply(b"<html>", 200, {"Content-Type": "text/\x9b2Jhtml"}))
    assert str(failure(auth)).isprintable()
