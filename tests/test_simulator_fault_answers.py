"""collector.simulator: the faults that answer in the API's place, late or broken, as a client sees them."""

import email.utils
import json
import time
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated import GROUPS, ORGANIZATION, SECURE, Caller

from collector.simulator import Faults, Simulator


@pytest.fixture(name="running", scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(folder=tmp_path_factory.mktemp("simulator"), tenants=2) as simulator:
        yield simulator


@pytest.fixture(name="callers", scope="module")
def _callers(running: Simulator) -> Iterator[tuple[Caller, Caller]]:
    with Caller(running) as one, Caller(running, 1) as other:
        yield one, other


@pytest.fixture(name="simulator")
def _simulator(running: Simulator) -> Simulator:
    running.faults.clear()
    running.requests.clear()
    return running


@pytest.fixture(name="faults")
def _faults(simulator: Simulator) -> Faults:
    return simulator.faults


@pytest.fixture(name="caller")
def _caller(callers: tuple[Caller, Caller], simulator: Simulator) -> Caller:
    del simulator
    return callers[0]


def code(answer: httpx.Response) -> tuple[int, str]:
    """Return the status, and the code of the documented error body."""
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "target"}
    return answer.status_code, error["code"]


def test_a_fault_strikes_as_often_as_it_was_told(faults: Faults, caller: Caller) -> None:
    """After its count a fault is over; without one it lasts until it is cleared."""
    faults.set("throttle", times=2)
    assert caller.statuses(3) == [429, 429, 200]
    faults.set("throttle")
    assert caller.statuses(4) == [429] * 4
    faults.clear()
    assert caller.statuses(1) == [200]


def test_a_fault_can_spare_the_first_requests(faults: Faults, caller: Caller) -> None:
    """`after` lets requests pass before the fault begins: so a second page can fail."""
    faults.set("unavailable", after=2, times=1)
    assert caller.statuses(4) == [200, 200, 503, 200]


def test_a_fault_strikes_its_tenant_and_subject_alone(faults: Faults, callers: tuple[Caller, Caller]) -> None:
    """Another tenant, and another subject of the same tenant, never notice."""
    one, other = callers
    faults.set("throttle", tenant="contoso", subject="device_groups")
    assert [one.get(path).status_code for path in (ORGANIZATION, GROUPS, SECURE)] == [200, 429, 200]
    assert [other.get(path).status_code for path in (ORGANIZATION, GROUPS, SECURE)] == [200, 200, 200]
    assert one.token().status_code == 200


def test_the_last_fault_that_was_set_strikes(faults: Faults, callers: tuple[Caller, Caller]) -> None:
    """A fault for one tenant goes before an earlier one for all; the same fault again replaces the first."""
    one, other = callers
    faults.set("unavailable")
    faults.set("forbidden", tenant="contoso")
    assert (one.get().status_code, other.get().status_code) == (403, 503)
    faults.set("unavailable", status=500)
    assert (one.get().status_code, other.get().status_code) == (500, 500)
    assert [fault["fault"] for fault in faults.active()] == ["unavailable", "forbidden"]


def test_throttling_says_when_to_come_back(faults: Faults, caller: Caller) -> None:
    """429 with the documented body, and `Retry-After` in seconds, as a date, or not at all."""
    faults.set("throttle", retry_after=2)
    assert code(caller.get()) == (429, "TooManyRequests")
    assert caller.get().headers["Retry-After"] == "2"
    faults.set("throttle", retry_after=90, as_date=True)
    moment = email.utils.parsedate_to_datetime(caller.get().headers["Retry-After"]).timestamp()
    assert 80 < moment - time.time() <= 91
    faults.set("throttle", retry_after=None)
    assert "Retry-After" not in caller.get().headers


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_outage_has_the_status_that_was_asked_for(faults: Faults, caller: Caller, status: int) -> None:
    """5xx, with `Retry-After` only if it was set."""
    faults.set("unavailable", status=status)
    answer = caller.get()
    assert code(answer)[0] == status
    assert "Retry-After" not in answer.headers
    faults.set("unavailable", status=status, retry_after=0.5)
    assert caller.get().headers["Retry-After"] == "0.5"


def test_an_expired_token_is_401_until_a_new_one_is_fetched(faults: Faults, callers: tuple[Caller, Caller]) -> None:
    """Old tokens of that tenant are refused, a new one is taken, and other tenants' go on."""
    one, other = callers
    faults.set("expired_token", tenant="contoso")
    assert code(one.get()) == (401, "Unauthorized")
    assert (one.statuses(2), other.statuses(1)) == ([401, 401], [200])
    one.renew()
    assert one.statuses(2) == [200, 200]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("forbidden", (403, "Forbidden")),
        ("disabled_feature", (403, "DisabledFeature")),
        ("not_found", (404, "NotFound")),
    ],
)
def test_a_refusal_has_the_documented_body(
    faults: Faults, caller: Caller, fault: str, expected: tuple[int, str]
) -> None:
    """Code, message, and a correlation id that is new each time."""
    faults.set(fault)
    answers = [caller.get(), caller.get()]
    assert [code(answer) for answer in answers] == [expected] * 2
    assert len({answer.json()["error"]["target"] for answer in answers}) == 2


def test_a_redirect_leads_where_it_was_told(faults: Faults, caller: Caller) -> None:
    """302 and its kind, to any address."""
    faults.set("redirect", url="https://127.0.0.1:1/elsewhere")
    answer = caller.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, "https://127.0.0.1:1/elsewhere")
    faults.set("redirect", url="/x", status=307)
    assert caller.get().status_code == 307


def test_a_slow_answer_is_late_and_whole(faults: Faults, caller: Caller) -> None:
    """The answer comes after the seconds that were set."""
    faults.set("slow", seconds=0.3, times=1)
    start = time.monotonic()
    assert caller.get().json()["score"] >= 0
    assert time.monotonic() - start >= 0.3


def test_a_dripping_answer_comes_byte_by_byte(faults: Faults, caller: Caller) -> None:
    """The bytes come one by one, with their pause between them, and are whole in the end."""
    faults.set("body", body="0123456789")
    faults.set("drip", milliseconds=20)
    start = time.monotonic()
    with caller.http.stream("GET", ORGANIZATION) as answer:
        pieces = list(answer.iter_raw())
    assert time.monotonic() - start >= 0.2
    assert b"".join(pieces) == b"0123456789"
    assert len(pieces) > 5


def test_a_hanging_request_never_gets_an_answer(simulator: Simulator, caller: Caller) -> None:
    """The client runs out of time, and the request is on record without a status."""
    simulator.faults.set("hang")
    with pytest.raises(httpx.ReadTimeout):
        caller.get(timeout=0.3)
    (request,) = simulator.requests.requests()
    assert (request["status"], request["faults"]) == (None, ["hang"])


def test_a_reset_breaks_the_connection_in_the_middle(faults: Faults, caller: Caller) -> None:
    """The status may come, the body never does."""
    faults.set("reset", times=1)
    with pytest.raises(httpx.TransportError):
        caller.get()
    assert caller.statuses(1) == [200]


def test_an_answer_that_is_not_json(faults: Faults, caller: Caller) -> None:
    """200, said to be JSON, and no JSON."""
    faults.set("not_json")
    answer = caller.get()
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_an_answer_that_is_a_page(faults: Faults, caller: Caller) -> None:
    """200 with HTML, as a captive portal sends it."""
    faults.set("html")
    answer = caller.get()
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<html" in answer.text


def test_an_answer_that_is_empty(faults: Faults, caller: Caller) -> None:
    """200 with nothing."""
    faults.set("empty")
    answer = caller.get()
    assert (answer.status_code, answer.content) == (200, b"")


@settings(deadline=None)  # an exchange each
@given(body=st.text(max_size=200), status=st.sampled_from([200, 202, 302, 400, 418, 599]))
def test_any_answer_can_be_given(running: Simulator, callers: tuple[Caller, Caller], body: str, status: int) -> None:
    """Body, type and status are sent as they were set."""
    running.faults.clear()
    running.faults.set("body", body=body, content_type="text/plain", status=status)
    answer = callers[0].get()
    assert (answer.status_code, answer.content.decode()) == (status, body)
    assert answer.headers["Content-Type"] == "text/plain"
