"""collector.simulator: the identity of a machine in Azure, by the real msal and by hand."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msal
import pytest
from simulated import Caller, claims

from collector.errors import ConfigError
from collector.simulator import Simulator

PATH = "/metadata/identity/oauth2/token"
RESOURCE = "https://api.securitycenter.microsoft.com"
GOOD = {"api-version": "2018-02-01", "resource": RESOURCE}


@pytest.fixture(name="running", scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    folder = tmp_path_factory.mktemp("simulator")
    with Simulator(folder=folder, credential="managed_identity") as simulator:
        yield simulator


@pytest.fixture(name="simulator")
def _simulator(running: Simulator) -> Simulator:
    running.faults.clear()
    running.requests.clear()
    return running


@pytest.fixture(name="machine")
def _machine(simulator: Simulator) -> Iterator[httpx.Client]:
    assert simulator.metadata_url
    with httpx.Client(base_url=simulator.metadata_url, trust_env=False, headers={"Metadata": "true"}) as client:
        yield client


@pytest.mark.parametrize("whose", ["the machine's own", "user-assigned"])
def test_msal_gets_the_machines_token(
    simulator: Simulator, machine: httpx.Client, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    """The real msal, told where the service is, gets a token that the API takes, for either kind of identity."""
    tenant = simulator.tenants[0]
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", str(simulator.metadata_url))
    identity = (
        msal.UserAssignedManagedIdentity(client_id=tenant.client_id)
        if whose == "user-assigned"
        else msal.SystemAssignedManagedIdentity()
    )
    found = msal.ManagedIdentityClient(identity, http_client=machine).acquire_token_for_client(resource=RESOURCE)
    assert found["expires_in"] == 3599
    assert claims(found["access_token"])["tid"] == tenant.tenant_id
    with Caller(simulator) as caller:
        assert caller.opens(found["access_token"]) == 200
    (request,) = simulator.requests.requests(subject="metadata")
    assert (request["tenant"], request["status"]) == (tenant.name, 200)


def test_msal_hears_that_there_is_no_such_identity(
    simulator: Simulator, machine: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client id that the machine wasn't given is refused in the service's own words."""
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", str(simulator.metadata_url))
    identity = msal.UserAssignedManagedIdentity(client_id="00000000-0000-0000-0000-000000000000")
    found = msal.ManagedIdentityClient(identity, http_client=machine).acquire_token_for_client(resource=RESOURCE)
    assert found == {"error": "invalid_request", "error_description": "Identity not found"}


def test_numbers_are_texts_and_the_end_is_there_twice(machine: httpx.Client) -> None:
    """The answer has the service's own form."""
    found = machine.get(PATH, params=GOOD).json()
    assert (found["expires_in"], found["resource"], found["token_type"]) == ("3599", RESOURCE, "Bearer")
    assert abs(int(found["expires_on"]) - time.time() - 3599) < 60


@pytest.mark.parametrize(
    ("headers", "query", "says"),
    [
        ({"Metadata": "false"}, GOOD, "Required metadata header not specified"),
        ({}, {"resource": RESOURCE}, "'api-version' is missing"),
        ({}, {"api-version": "2018-02-01"}, "'resource' is missing"),
        ({}, {**GOOD, "resource": "https://graph.microsoft.com"}, "AADSTS500011"),
    ],
)
def test_a_wrong_request_is_400(
    machine: httpx.Client, headers: dict[str, str], query: dict[str, str], says: str
) -> None:
    """The header that no browser sends, the version and the resource are wanted."""
    answer = machine.get(PATH, params=query, headers=headers)
    assert answer.status_code == 400
    assert says in answer.json()["error_description"]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"fault": "identity_not_found"}, 400),
        ({"fault": "metadata_updating"}, 410),
        ({"fault": "metadata_updating", "status": 404}, 404),
        ({"fault": "throttle", "subject": "metadata"}, 429),
        ({"fault": "unavailable", "subject": "metadata", "status": 500}, 500),
    ],
)
def test_the_service_fails_as_documented(
    simulator: Simulator, machine: httpx.Client, fault: dict[str, Any], status: int
) -> None:
    """It lacks the identity, is being updated, is asked too often, or is broken; then it is well again."""
    simulator.faults.set(fault.pop("fault"), times=1, **fault)
    assert [machine.get(PATH, params=GOOD).status_code for _ in range(2)] == [status, 200]


def test_a_machine_can_lack_the_permission(simulator: Simulator, machine: httpx.Client) -> None:
    """A managed identity that was never granted the role gets a token without it, and 403 for that."""
    simulator.faults.set("sign_in_roles")
    token = machine.get(PATH, params=GOOD).json()["access_token"]
    assert "roles" not in claims(token)
    with Caller(simulator) as caller:
        assert caller.opens(token) == 403


def test_it_is_no_door_to_anything_else(simulator: Simulator, machine: httpx.Client) -> None:
    """Plain HTTP doesn't have the API, the API's origin doesn't have the machine's tokens, and both are only asked."""
    assert machine.get("/api/exposureScore").status_code == 404
    assert machine.post(PATH).headers["Allow"] == "GET"
    with Caller(simulator) as caller:
        assert caller.get(PATH, params=GOOD, headers={"Metadata": "true"}).status_code == 404


def test_a_machine_is_in_one_tenant(tmp_path: Path) -> None:
    """Several tenants can't share a machine's identity: that is a wrong setting."""
    with pytest.raises(ConfigError, match="tenants of a managed identity: 2 is more than 1"):
        Simulator(folder=tmp_path, tenants=2, credential="managed_identity")


def test_both_ports_are_free_after_the_end(tmp_path: Path) -> None:
    """A metadata port that is taken is said, and gives the other one back."""
    simulator = Simulator(folder=tmp_path, credential="managed_identity")
    taken = int(str(simulator.metadata_url).rpartition(":")[2])
    with simulator, pytest.raises(ConfigError, match=str(taken)):
        Simulator(folder=tmp_path, credential="managed_identity", metadata_port=taken)
    again = Simulator(folder=tmp_path, credential="managed_identity", metadata_port=taken)
    again.stop()
