"""Sign-in by device code: a person once, the real msal over real TLS, and the cache that it is renewed from."""

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from signing import CONTOSO, Sources, cache_of, failure, polled, refresh_token, shown, signed_in, simulator, tenant
from tenants import jwt

from collector.defender import Login, Person
from collector.errors import BadResponse, ConfigError, Unauthorized
from collector.http import Http
from collector.settings import DeviceCode
from collector.simulator import Simulator

OTHER = "99999999-9999-9999-9999-999999999999"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


def test_a_person_signs_in_once_and_the_service_goes_on_alone(
    simulated: Simulator, login: Callable[..., Login], source: Sources
) -> None:
    """A code is shown, nobody has answered, then somebody has; from then on tokens are renewed without a person."""
    sign_in = login()
    code = sign_in.begin(10)
    assert code.url.startswith("https://")
    assert simulated.devices.seen()["waiting"] == [{"user_code": code.text, "tenant": CONTOSO}]
    assert sign_in.ask(10) is None
    simulated.devices.decide(code.text, approve=True)
    with pytest.MonkeyPatch.context() as patch:
        # A clock that was set back is no reason to complain.
        patch.setattr("time.time", lambda real=time.time: real() - 3600)
        person = sign_in.ask(10)
    assert person == Person("ada@contoso.example", cache_of(simulated), None, None)
    defender = source(simulated)
    for count in (1, 2, 3):
        defender.sign_in(10)
        assert polled(defender)
        assert simulated.devices.seen() == {"waiting": [], "refreshed": count, "reused": 0}
    assert defender.permissions() == ("Score.Read", ["Score.Read"])
    assert defender.expires() is None


def test_each_renewal_is_kept_for_the_next_process(
    simulated: Simulator, login: Callable[..., Login], source: Sources
) -> None:
    """The refresh token that came with a renewal takes the old one's place, and another process goes on from it."""
    signed_in(simulated, login)
    kept = [refresh_token(cache_of(simulated))]
    for _ in range(3):
        source(simulated).sign_in(10)
        kept.append(refresh_token(cache_of(simulated)))
    assert len(set(kept)) == 4
    assert simulated.devices.seen()["reused"] == 0


def test_before_anybody_has_signed_in_the_command_is_named(simulated: Simulator, source: Sources) -> None:
    """No cache is no fault of the settings: it is said who has to do what."""
    error = failure(source(simulated))
    assert isinstance(error, Unauthorized)
    assert f"nobody has signed in: {cache_of(simulated)} is not there" in str(error)
    assert error.mend == "sign in: `exposure-collector login --tenant contoso`"


@pytest.mark.parametrize("code", [700082, 70043, 50173, 70000, 50076])
def test_a_sign_in_that_microsoft_has_ended_needs_the_person_again(
    simulated: Simulator, login: Callable[..., Login], source: Sources, code: int
) -> None:
    """Too old, revoked, or not enough any more: it is Unauthorized with the command, and the cache stays as it was."""
    signed_in(simulated, login)
    before = cache_of(simulated).read_bytes()
    simulated.faults.set("sign_in_error", code=code)
    error = failure(source(simulated))
    assert isinstance(error, Unauthorized)
    assert f"AADSTS{code}" in str(error)
    assert error.mend == "sign in again: `exposure-collector login --tenant contoso`"
    assert cache_of(simulated).read_bytes() == before
    assert refresh_token(cache_of(simulated)) not in shown(error)


def test_a_person_who_declines_or_is_too_late_is_told(simulated: Simulator, login: Callable[..., Login]) -> None:
    """A declined, expired, forbidden or refused sign-in is Unauthorized, and nothing is kept."""
    sign_in = login()
    sign_in.begin(10)
    simulated.devices.decide(None, approve=False)
    with pytest.raises(Unauthorized, match="AADSTS65004: the sign-in was declined"):
        sign_in.ask(10)
    for code, words in ((70020, "not used in time"), (53003, "Conditional Access"), (7000218, "without a secret")):
        sign_in = login()
        sign_in.begin(10)
        simulated.faults.set("sign_in_error", code=code)
        with pytest.raises(Unauthorized, match=words) as caught:
            sign_in.ask(10)
        assert caught.value.mend
        simulated.faults.clear()
    assert not cache_of(simulated).exists()


def test_a_code_is_not_asked_for_in_vain(simulated: Simulator, login: Callable[..., Login], tmp_path: Path) -> None:
    """Where the sign-in could not be kept, nobody is asked to type a code; where the login refuses, it says why."""
    nowhere = DeviceCode(kind="device_code", cache_file=tmp_path / "not there" / "cache")
    with pytest.raises(Unauthorized, match="can't be written"):
        login(credential=nowhere).begin(10)
    assert simulated.requests.requests() == []
    with pytest.raises(Unauthorized, match="AADSTS700016"):
        login(client_id=OTHER).begin(10)
    simulated.faults.set("body", subject="device_code", body='{"device_code": "d", "user_code": "a\\u001b[2J"}')
    with pytest.raises(BadResponse, match="user_code"):
        login().begin(10)


def person(**claims: object) -> dict[str, str]:
    """Return a sound answer to who has signed in, and what it says of that person."""
    info = base64.urlsafe_b64encode(json.dumps({"uid": "u", "utid": "t"}).encode()).decode()
    return {"access_token": "t", "refresh_token": "r", "client_info": info, "id_token": jwt(sub="s", **claims)}


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (person(preferred_username="ada@contoso.example", exp="never", iat=[], aud={}, iss=7), "ada@contoso.example"),
        (person(preferred_username={}), ""),
        (person(preferred_username="ada", oid=7), ""),
        (person(upn=["ada"]), ""),
        (person() | {"id_token": "a.b.c"}, ""),
        (person() | {"id_token": jwt(sub="s", preferred_username="x" * 20_000)}, ""),
        (person(preferred_username="a\x1b[2Jda\n"), "a[2Jda"),
    ],
)
def test_what_is_said_of_a_person_breaks_no_sign_in(
    simulated: Simulator, login: Callable[..., Login], source: Sources, said: dict[str, str], name: str
) -> None:
    """Whatever else the login says of the person, what is kept can be renewed from."""
    sign_in = login()
    sign_in.begin(10)
    simulated.faults.set("body", subject="sign_in", body=json.dumps(said))
    found = sign_in.ask(10)
    assert found
    assert found.name == name
    source(simulated).sign_in(10)


def test_a_sign_in_that_is_too_long_to_be_kept_is_not(simulated: Simulator, login: Callable[..., Login]) -> None:
    """A refresh token longer than any is passed over: the cache never grows beyond what can be read again."""
    sign_in = login()
    sign_in.begin(10)
    simulated.faults.set("body", subject="sign_in", body=json.dumps(person() | {"refresh_token": "r" * 100_000}))
    with pytest.raises(BadResponse, match="renewed by"):
        sign_in.ask(10)
    assert not cache_of(simulated).exists()


def test_only_a_tenant_of_that_kind_is_signed_in_to(tmp_path: Path) -> None:
    """`login` for a tenant of another kind is a mistake of the settings, and names the kind."""
    with simulator(tmp_path, "certificate") as simulated, pytest.raises(ConfigError, match="kind is certificate"):
        Login(CONTOSO, tenant(simulated), Http())
