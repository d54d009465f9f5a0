"""collector.simulator: its sign-in, with the real msal and form by form."""

import re
import time
from collections.abc import Iterator

import pytest
from simulated import GROUPS, ORGANIZATION, SECURE, Caller, claims, said

from collector.simulator import SCOPE, Simulator

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
STRANGER = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(name="running", scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(folder=tmp_path_factory.mktemp("simulator")) as simulator:
        yield simulator


@pytest.fixture(name="caller", scope="module")
def _caller(running: Simulator) -> Iterator[Caller]:
    with Caller(running) as caller:
        yield caller


@pytest.fixture(name="simulator")
def _simulator(running: Simulator) -> Simulator:
    running.faults.clear()
    running.requests.clear()
    return running


def test_msal_signs_in_and_its_token_opens_the_api(simulator: Simulator, caller: Caller) -> None:
    """The real msal, told the simulator's authority, gets a token that all three calls of the API take."""
    found = caller.application(caller.secret).acquire_token_for_client([SCOPE])
    assert (found["token_type"], found["expires_in"]) == ("Bearer", 3599)
    headers = {"Authorization": f"Bearer {found['access_token']}"}
    assert [caller.get(path, headers=headers).status_code for path in (ORGANIZATION, GROUPS, SECURE)] == [200] * 3
    subjects = [request["subject"] for request in simulator.requests.requests()]
    assert subjects == ["discovery", "sign_in", "organization", "device_groups", "device_secure_score"]


def test_msal_keeps_the_token(simulator: Simulator, caller: Caller) -> None:
    """The token lives long enough for msal to take it from its cache."""
    app = caller.application(caller.secret)
    first, second = (app.acquire_token_for_client([SCOPE])["access_token"] for _ in range(2))
    assert first == second
    assert len(simulator.requests.requests(subject="sign_in")) == 1


def test_msal_passes_a_refusal_on(caller: Caller) -> None:
    """What msal makes of a wrong secret has the code that an owner can look up."""
    found = caller.application("wrong").acquire_token_for_client([SCOPE])
    assert found["error_codes"] == [7000215]


def test_msal_does_not_find_an_unknown_tenant(caller: Caller) -> None:
    """A tenant that isn't there is refused at the discovery, and at the token endpoint with 90002."""
    with pytest.raises(ValueError, match="double check your tenant"):
        caller.application(caller.secret, STRANGER)
    answer = caller.http.post(f"/{STRANGER}/oauth2/v2.0/token", data={"grant_type": "client_credentials"})
    assert (answer.status_code, answer.json()["error_codes"]) == (400, [90002])


def test_a_token_says_what_entras_does(caller: Caller) -> None:
    """Audience, issuer, tenant, application, permission and end stand in the token."""
    found = claims(caller.renew())
    assert found["aud"] == "https://api.securitycenter.microsoft.com"
    assert found["iss"] == f"https://sts.windows.net/{caller.tenant.tenant_id}/"
    assert (found["tid"], found["appid"]) == (caller.tenant.tenant_id, caller.tenant.client_id)
    assert found["roles"] == ["Score.Read.All"]
    assert 3500 < found["exp"] - time.time() <= 3599


def test_discovery_names_endpoints_on_the_origin_that_was_asked(simulator: Simulator, caller: Caller) -> None:
    """Who asks 127.0.0.1 is sent to 127.0.0.1, and who asks localhost to localhost."""
    for origin in (simulator.url, simulator.url.replace("localhost", "127.0.0.1")):
        found = caller.discover(origin).json()
        assert found["issuer"] == f"{origin}/{caller.tenant.tenant_id}/v2.0"
        assert found["token_endpoint"] == f"{origin}/{caller.tenant.tenant_id}/oauth2/v2.0/token"


@pytest.mark.parametrize(
    ("changes", "code", "status", "error"),
    [
        ({"client_secret": "wrong"}, 7000215, 401, "invalid_client"),
        ({"client_secret": None}, 7000216, 401, "invalid_client"),
        ({"client_secret": None, "client_assertion": "a.b.c"}, 900144, 400, "invalid_request"),
        ({"client_id": STRANGER}, 700016, 400, "unauthorized_client"),
        ({"client_id": None}, 900144, 400, "invalid_request"),
        ({"scope": "https://api.securitycenter.microsoft.us/.default"}, 500011, 400, "invalid_resource"),
        ({"scope": "Score.Read"}, 1002012, 400, "invalid_scope"),
        ({"scope": None}, 900144, 400, "invalid_request"),
        ({"grant_type": "password"}, 70003, 400, "unsupported_grant_type"),
        ({"grant_type": None}, 900144, 400, "invalid_request"),
    ],
)
def test_a_wrong_form_gets_entras_refusal(
    caller: Caller, changes: dict[str, str | None], code: int, status: int, error: str
) -> None:
    """Grant, application, secret and scope are really checked, and refused with the documented body."""
    answer = caller.token(changes)
    body = answer.json()
    assert said(answer) == (status, error, code)
    assert GUID.fullmatch(body["correlation_id"])
    assert GUID.fullmatch(body["trace_id"])
    assert caller.secret not in answer.text


def test_a_token_can_lack_its_permission(simulator: Simulator, caller: Caller) -> None:
    """Who was never granted Score.Read.All gets a token that says so, and 403 for it."""
    simulator.faults.set("sign_in_roles", roles=["Machine.Read.All"])
    assert claims(caller.renew())["roles"] == ["Machine.Read.All"]
    answer = caller.get()
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "Forbidden")
    simulator.faults.set("sign_in_roles")
    assert "roles" not in claims(caller.renew())
    assert caller.get().status_code == 403


def test_the_token_endpoint_is_posted_to(caller: Caller) -> None:
    """A GET of it is 405."""
    answer = caller.http.get(f"/{caller.tenant.tenant_id}/oauth2/v2.0/token")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
