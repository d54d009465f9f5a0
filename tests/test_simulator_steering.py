"""collector.simulator.steering: the handle over HTTP, as a test in another process holds it."""

import time
from collections.abc import Iterator

import httpx
import pytest
from simulated import GROUPS, ORGANIZATION, Caller, connected

from collector.simulator import Simulator

FAULTS = "/simulator/faults"
REQUESTS = "/simulator/requests"
WORLD = "/simulator/world"


@pytest.fixture(name="running", scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(folder=tmp_path_factory.mktemp("simulator"), tenants=2) as simulator:
        yield simulator


@pytest.fixture(name="handle")
def _handle(running: Simulator) -> Iterator[httpx.Client]:
    with connected(running) as client:
        yield client
        client.delete(FAULTS)
        client.delete(REQUESTS)


@pytest.fixture(name="caller", scope="module")
def _caller(running: Simulator) -> Iterator[Caller]:
    with Caller(running) as caller:
        running.requests.clear()
        yield caller


def test_a_fault_is_set_and_cleared_over_http(handle: httpx.Client, caller: Caller) -> None:
    """PUT sets a fault and shows it, GET shows what is left of it, DELETE takes it back."""
    wanted = {"fault": "throttle", "tenant": "contoso", "subject": "organization", "times": 3, "retry_after": 2}
    shown = handle.put(FAULTS, json=wanted).json()
    assert shown == {"faults": [{**wanted, "after": 0, "as_date": False}]}
    assert caller.get().headers["Retry-After"] == "2"
    assert handle.get(FAULTS).json()["faults"][0]["times"] == 2
    assert handle.delete(FAULTS).json() == {"faults": []}
    assert caller.get().status_code == 200


def test_faults_are_cleared_by_name_over_http(handle: httpx.Client) -> None:
    """DELETE with a query clears as much as it names."""
    for fault in ("throttle", "empty", "html"):
        handle.put(FAULTS, json={"fault": fault, "tenant": "contoso" if fault == "html" else None})
    handle.delete(FAULTS, params={"fault": "throttle"})
    assert [one["fault"] for one in handle.get(FAULTS).json()["faults"]] == ["html", "empty"]
    handle.delete(FAULTS, params={"tenant": "contoso"})
    assert [one["fault"] for one in handle.get(FAULTS).json()["faults"]] == ["empty"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"fault": "throtle"}', "no fault 'throtle'"),
        (b'{"fault": "throttle", "retry": 2}', "no parameter 'retry'; known: retry_after, as_date"),
        (b'{"fault": "throttle", "self": 2}', "no parameter 'self'"),
        (b'{"fault": "throttle", "tenant": ["contoso"]}', "no tenant"),
        (b'{"fault": "throttle", "subject": {}}', "no subject"),
        (b'{"fault": "throttle", "times": "3"}', "times is a count"),
        (b'{"fault": 3}', "an object with the name of a fault"),
        (b'["throttle"]', "an object with the name of a fault"),
        (b"throttle", "not JSON"),
        (b"\xff", "not JSON"),
        (b"", "not JSON"),
    ],
)
def test_a_slip_is_400_with_what_is_known(handle: httpx.Client, body: bytes, says: str) -> None:
    """A fault or parameter that doesn't exist is answered with those that do, and changes nothing."""
    answer = handle.put(FAULTS, content=body)
    assert answer.status_code == 400
    assert says in " ".join(answer.json()["problems"])
    assert answer.json()["known"]["throttle"] == ["retry_after", "as_date"]
    assert handle.get(FAULTS).json() == {"faults": []}


@pytest.mark.parametrize("query", [{"fault": "throtle"}, {"tenant": "umbrella"}])
def test_clearing_what_is_not_there_is_400(handle: httpx.Client, query: dict[str, str]) -> None:
    """A slip in a name does not pass for a fault that was cleared."""
    handle.put(FAULTS, json={"fault": "throttle"})
    assert handle.delete(FAULTS, params=query).status_code == 400
    assert len(handle.get(FAULTS).json()["faults"]) == 1


def test_requests_are_on_record(handle: httpx.Client, caller: Caller) -> None:
    """Each request of the API and the sign-in is there with its time, tenant, subject, path, status and faults."""
    start = time.time_ns() // 1_000_000
    handle.put(FAULTS, json={"fault": "unavailable", "times": 1})
    caller.renew()
    for path in (ORGANIZATION, f"{GROUPS}?$skip=2", "/api/nothing"):
        caller.get(path)
    found = handle.get(REQUESTS).json()
    assert [(one["tenant"], one["subject"], one["status"], one["faults"]) for one in found["requests"]] == [
        ("contoso", "sign_in", 200, []),
        ("contoso", "organization", 503, ["unavailable"]),
        ("contoso", "device_groups", 200, []),
        ("contoso", "unknown", 404, []),
    ]
    assert found["requests"][2]["path"] == f"{GROUPS}?$skip=2"
    times = [one["time"] for one in found["requests"]]
    assert times == sorted(times)
    assert start <= times[0]
    assert {"tenant": "contoso", "subject": "sign_in", "status": 200, "count": 1} in found["counts"]


def test_requests_can_be_picked_and_forgotten(handle: httpx.Client, caller: Caller) -> None:
    """A query picks a tenant's and a subject's; DELETE forgets them all."""
    caller.get()
    picked = handle.get(REQUESTS, params={"tenant": "contoso", "subject": "organization"}).json()["requests"]
    assert [one["subject"] for one in picked] == ["organization"]
    assert handle.get(REQUESTS, params={"tenant": "fabrikam"}).json()["requests"] == []
    assert handle.delete(REQUESTS).json() == {"requests": [], "counts": []}
    assert handle.get(REQUESTS).json() == {"requests": [], "counts": []}


def test_a_request_that_hangs_is_on_record_at_once(handle: httpx.Client, caller: Caller) -> None:
    """A test can wait until a request has come, although it never gets its answer."""
    handle.put(FAULTS, json={"fault": "hang", "times": 1})
    with pytest.raises(httpx.ReadTimeout):
        caller.get(timeout=0.3)
    (found,) = handle.get(REQUESTS, params={"subject": "organization"}).json()["requests"]
    assert (found["status"], found["faults"]) == (None, ["hang"])


def test_the_world_is_the_truth_to_test_against(running: Simulator, handle: httpx.Client, caller: Caller) -> None:
    """It shows what the API answers, at any moment, whatever faults are set."""
    said = caller.get().json()
    handle.put(FAULTS, json={"fault": "unavailable"})
    found = handle.get(WORLD, params={"tenant": "contoso"}).json()
    assert found["organization"]["score"] == said["score"]
    assert abs(found["at"] - time.time() * 1000) < 60_000
    past = handle.get(WORLD, params={"tenant": "fabrikam", "at": "1700000000000"}).json()
    assert past["device_groups"] == running.world.groups("fabrikam", 1_700_000_000_000)
    assert past["organization"]["time"].startswith("2023-11-14T22:13:20.")
    assert past["device_secure_score"]["score"] > 0


@pytest.mark.parametrize("query", [{}, {"tenant": "umbrella"}, {"tenant": "contoso", "at": "now"}])
def test_a_world_that_is_not_there_is_400(handle: httpx.Client, query: dict[str, str]) -> None:
    """A tenant has to be named, by a name that exists; a moment is a number."""
    assert handle.get(WORLD, params=query).status_code == 400


@pytest.mark.parametrize(("method", "path"), [("GET", "/simulator/"), ("POST", FAULTS), ("GET", "/simulator/x/y")])
def test_an_unknown_handle_is_404(handle: httpx.Client, method: str, path: str) -> None:
    """What isn't there says so, and is not taken for a request of the API."""
    assert handle.request(method, path).json() == {"problems": [f"there is no {method} {path}"]}
    assert handle.get(REQUESTS).json()["requests"] == []


def test_many_kinds_of_faults_leave_the_handle_alone(handle: httpx.Client) -> None:
    """Whatever is set, the handle answers."""
    for subject in ("organization", "sign_in", "discovery"):
        handle.put(FAULTS, json={"fault": "hang", "subject": subject})
    assert len(handle.get(FAULTS).json()["faults"]) == 3


@pytest.mark.parametrize(("method", "what"), [("PUT", FAULTS), ("POST", "/simulator/credential")])
@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_is_400(handle: httpx.Client, method: str, what: str, body: bytes) -> None:
    """However it is broken, and however deep."""
    answer = handle.request(method, what, content=body)
    assert answer.status_code == 400
    assert answer.json()["problems"]
