"""collector.simulator: sign-in by device code, by the real msal and form by form; somebody has to be the person."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msal
import pytest
from simulated import GROUPS, ORGANIZATION, SECURE, Caller, claims, connected, said

from collector.errors import ConfigError
from collector.simulator import SCOPE, Patience, Simulator

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
RESOURCE = "https://api.securitycenter.microsoft.com"


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(name="clock", scope="module")
def _clock() -> Clock:
    return Clock()


@pytest.fixture(name="simulator", scope="module")
def _simulator(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Simulator]:
    folder = tmp_path_factory.mktemp("simulator")
    with Simulator(folder=folder, tenants=2, credential="device_code", clock=clock) as simulator:
        yield simulator


@pytest.fixture(name="caller", scope="module")
def _caller(simulator: Simulator) -> Iterator[Caller]:
    with Caller(simulator) as caller:
        yield caller


@pytest.fixture(autouse=True)
def _alone(simulator: Simulator, clock: Clock) -> None:
    """No code of another test waits any more."""
    clock.now += 1000
    simulator.faults.clear()


def device(caller: Caller, scope: str = SCOPE, **changes: str) -> httpx.Response:
    """Ask for a code."""
    form = {"client_id": caller.tenant.client_id, "scope": f"{scope} openid profile offline_access", **changes}
    return caller.http.post(f"/{caller.tenant.tenant_id}/oauth2/v2.0/devicecode", data=form)


def redeem(caller: Caller, device_code: str) -> httpx.Response:
    """Ask whether the person has decided."""
    return ask(caller, grant_type=GRANT, device_code=device_code)


def refresh(caller: Caller, refresh_token: str, /, **changes: str) -> httpx.Response:
    """Renew without the person."""
    return ask(caller, **{"grant_type": "refresh_token", "refresh_token": refresh_token, "scope": SCOPE, **changes})


def ask(caller: Caller, **form: str) -> httpx.Response:
    """Ask the token endpoint as a public client."""
    url = f"/{caller.tenant.tenant_id}/oauth2/v2.0/token"
    return caller.http.post(url, data={"client_id": caller.tenant.client_id, **form})


def signed_in(simulator: Simulator, caller: Caller) -> dict[str, Any]:
    """Return the answer after a person has approved."""
    code = device(caller).json()["device_code"]
    simulator.devices.decide(None, approve=True)
    answer: dict[str, Any] = redeem(caller, code).json()
    return answer


def test_msal_signs_a_person_in_and_renews_without_them(tmp_path: Path) -> None:
    """The real msal waits for the person, gets a token that the API takes, and later a new one from its cache."""
    patience = Patience(interval=1)
    with (
        Simulator(folder=tmp_path, credential="device_code", patience=patience) as simulator,
        Caller(simulator) as caller,
    ):
        cache = msal.SerializableTokenCache()
        application = msal.PublicClientApplication(
            caller.tenant.client_id,
            authority=f"{simulator.url}/{caller.tenant.tenant_id}",
            instance_discovery=False,
            http_client=caller.http,
            token_cache=cache,
        )
        flow = application.initiate_device_flow([SCOPE])
        assert (flow["interval"], flow["expires_in"]) == (1, 900)
        assert flow["user_code"] in flow["message"]
        with connected(simulator) as handle:
            person = threading.Timer(1.5, handle.post, ["/simulator/device"], {"json": {"approve": True}})
            person.start()
            found = application.acquire_token_by_device_flow(flow)
            person.join()
        assert found["id_token_claims"]["preferred_username"] == "ada@contoso.example"
        assert caller.opens(found["access_token"]) == 200
        (account,) = application.get_accounts()
        renewed = application.acquire_token_silent_with_error([SCOPE], account, force_refresh=True)
        assert renewed["access_token"] != found["access_token"]
        assert caller.opens(renewed["access_token"]) == 200
        assert simulator.devices.seen() == {"waiting": [], "refreshed": 1, "reused": 0}
        statuses = [request["status"] for request in simulator.requests.requests(subject="sign_in")]
        assert statuses.count(400) >= 1
        assert statuses[-1] == 200


def test_a_persons_token_carries_a_scope_and_no_role(simulator: Simulator, caller: Caller) -> None:
    """All three calls take it; without the scope they are 403."""
    token = signed_in(simulator, caller)["access_token"]
    found = claims(token)
    assert (found["scp"], found["idtyp"], found["upn"]) == ("Score.Read", "user", "ada@contoso.example")
    assert "roles" not in found
    headers = {"Authorization": f"Bearer {token}"}
    assert [caller.get(path, headers=headers).status_code for path in (ORGANIZATION, GROUPS, SECURE)] == [200] * 3
    simulator.faults.set("sign_in_roles", roles=["Machine.Read"])
    without = signed_in(simulator, caller)
    assert (claims(without["access_token"])["scp"], without["scope"]) == ("Machine.Read", f"{RESOURCE}/Machine.Read")
    assert caller.opens(without["access_token"]) == 403


def test_a_device_waits_until_the_person_decides(simulator: Simulator, caller: Caller, clock: Clock) -> None:
    """Pending until then; who asks too soon is told to slow down; a code is good once."""
    code = device(caller).json()["device_code"]
    assert said(redeem(caller, code)) == (400, "authorization_pending", 70016)
    assert said(redeem(caller, code)) == (400, "slow_down", 70016)
    clock.now += 4
    assert redeem(caller, code).json()["error"] == "slow_down", "the interval has grown"
    clock.now += 15
    assert redeem(caller, code).json()["error"] == "authorization_pending"
    simulator.devices.decide(None, approve=True)
    assert redeem(caller, code).status_code == 200
    assert said(redeem(caller, code)) == (400, "bad_verification_code", 70018)


def test_a_person_can_decline(simulator: Simulator, caller: Caller) -> None:
    """Declining ends the code."""
    code = device(caller).json()["device_code"]
    simulator.devices.decide(None, approve=False)
    assert said(redeem(caller, code)) == (400, "authorization_declined", 65004)
    assert redeem(caller, code).json()["error"] == "bad_verification_code"


def test_a_code_ends(simulator: Simulator, caller: Caller, clock: Clock) -> None:
    """Nobody has decided within its time, and nobody can any more."""
    code = device(caller).json()["device_code"]
    clock.now += 900
    assert said(redeem(caller, code)) == (400, "expired_token", 70020)
    with pytest.raises(ConfigError, match="no code waits"):
        simulator.devices.decide(None, approve=True)


def test_a_code_is_of_one_tenant(simulator: Simulator, caller: Caller) -> None:
    """Another tenant's token endpoint doesn't know it, nor the refresh token that comes of it."""
    refresh_token = signed_in(simulator, caller)["refresh_token"]
    code = device(caller).json()["device_code"]
    with Caller(simulator, 1) as other:
        assert said(redeem(other, code))[1] == "bad_verification_code"
        assert said(refresh(other, refresh_token)) == (400, "invalid_grant", 70000)


def test_refresh_tokens_rotate_and_the_old_one_stays_good(simulator: Simulator, caller: Caller) -> None:
    """Each renewal gives a new one; the old one is taken for a while, as by Entra, and that it was is on record."""
    first = signed_in(simulator, caller)["refresh_token"]
    before = simulator.devices.seen()
    second = refresh(caller, first).json()["refresh_token"]
    assert second != first
    assert refresh(caller, second).status_code == 200
    assert refresh(caller, first).status_code == 200
    after = simulator.devices.seen()
    assert (after["refreshed"] - before["refreshed"], after["reused"] - before["reused"]) == (3, 1)


@pytest.mark.parametrize("code", [700082, 70043, 50173, 53003])
def test_a_sign_in_can_end(simulator: Simulator, caller: Caller, code: int) -> None:
    """The codes that send a person back to `login`, or to the administrator."""
    refresh_token = signed_in(simulator, caller)["refresh_token"]
    simulator.faults.set("sign_in_error", code=code, times=1)
    assert said(refresh(caller, refresh_token)) == (400, "invalid_grant", code)
    assert refresh(caller, refresh_token).status_code == 200


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"refresh_token": "0.stranger"}, "invalid_grant", 70000),
        ({"client_secret": "x"}, "invalid_client", 700025),
        ({"client_id": "00000000-0000-0000-0000-000000000000"}, "unauthorized_client", 700016),
        ({"scope": f"{RESOURCE}/Machine.Read"}, "invalid_grant", 65001),
        ({"scope": "https://graph.microsoft.com/.default"}, "invalid_resource", 500011),
        ({"scope": "openid"}, "invalid_request", 900144),
    ],
)
def test_a_wrong_renewal_is_refused(
    simulator: Simulator, caller: Caller, changes: dict[str, str], error: str, code: int
) -> None:
    """Token, application and scopes are really looked at, and a public client has no secret."""
    answer = refresh(caller, signed_in(simulator, caller)["refresh_token"], **changes)
    assert said(answer)[1:] == (error, code)


def test_a_code_is_not_given_for_everything(caller: Caller) -> None:
    """Another resource, permission or application is refused before a person is bothered."""
    assert said(device(caller, "https://graph.microsoft.com/User.Read"))[2] == 500011
    assert said(device(caller, f"{RESOURCE}/Alert.Read"))[2] == 65001
    assert said(device(caller, client_id="00000000-0000-0000-0000-000000000000"))[2] == 700016


def test_the_person_is_steered_over_http(simulator: Simulator, caller: Caller) -> None:
    """A test in another process sees the codes that wait, and decides about one of them."""
    one, other = device(caller).json(), device(caller).json()
    with connected(simulator) as handle:
        waiting = handle.get("/simulator/device").json()["waiting"]
        assert {row["user_code"] for row in waiting} == {one["user_code"], other["user_code"]}
        decided = handle.post("/simulator/device", json={"approve": True, "user_code": one["user_code"]})
        assert [row["user_code"] for row in decided.json()["waiting"]] == [other["user_code"]]
        for slip in ({}, {"approve": "yes"}, {"approve": True, "code": "x"}, {"approve": True, "user_code": "x"}):
            assert handle.post("/simulator/device", json=slip).status_code == 400
    assert one["verification_uri"].startswith(simulator.url)
    assert redeem(caller, one["device_code"]).status_code == 200
    assert redeem(caller, other["device_code"]).status_code == 400


def test_a_person_can_be_imitated(tmp_path: Path, clock: Clock) -> None:
    """After the seconds that were set a code is approved as if by a person, and not before."""
    patience = Patience(approve_after=30)
    with (
        Simulator(folder=tmp_path, credential="device_code", patience=patience, clock=clock) as simulator,
        Caller(simulator) as caller,
    ):
        code = device(caller).json()["device_code"]
        clock.now += 29
        assert redeem(caller, code).status_code == 400
        clock.now += 1
        assert redeem(caller, code).status_code == 200
