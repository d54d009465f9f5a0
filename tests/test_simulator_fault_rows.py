"""collector.simulator: the faults in rows, pages and the sign-in, as a client sees them, and several at once."""

import math
from collections.abc import Callable, Iterator

import httpx
import pytest
from simulated import GROUPS, SECURE, Caller

from collector.simulator import Faults, Simulator


@pytest.fixture(name="running", scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(folder=tmp_path_factory.mktemp("simulator")) as simulator:
        yield simulator


@pytest.fixture(name="simulator")
def _simulator(running: Simulator) -> Simulator:
    running.faults.clear()
    running.requests.clear()
    return running


@pytest.fixture(name="faults")
def _faults(simulator: Simulator) -> Faults:
    return simulator.faults


@pytest.fixture(name="caller", scope="module")
def _caller(running: Simulator) -> Iterator[Caller]:
    with Caller(running) as caller:
        yield caller


def test_bad_rows_are_no_numbers(faults: Faults, caller: Caller) -> None:
    """The first rows have null, a text, true, nothing and NaN for a score; the others, and all names, are good."""
    faults.set("bad_rows")
    rows = caller.get(GROUPS).json()["value"]
    assert [row.get("score", "missing") for row in rows[:4]] == [None, "41.3", True, "missing"]
    assert math.isnan(rows[4]["score"])
    assert all(isinstance(row["score"], float) for row in rows[5:])
    assert all(row["rbacGroupName"] for row in rows)
    assert len(rows) == 7


def test_ids_can_be_missing(faults: Faults, caller: Caller) -> None:
    """No group has its id, in both of the API's ways to say so; names and scores are good."""
    faults.set("no_ids")
    rows = caller.get(GROUPS).json()["value"]
    assert [row.get("rbacGroupId", "absent") for row in rows] == ["absent", None] * 3 + ["absent"]
    assert all(row["rbacGroupName"] and isinstance(row["score"], float) for row in rows)


def test_a_single_score_can_be_bad(faults: Faults, caller: Caller) -> None:
    """Where the answer is one object, the first of the bad scores is in it."""
    faults.set("bad_rows", scores=["missing"])
    assert "score" not in caller.get().json()
    faults.set("bad_rows", scores=["null", "text"])
    assert caller.get(SECURE).json()["score"] is None


def test_a_next_page_can_be_elsewhere(faults: Faults, caller: Caller) -> None:
    """The link leads to the origin that was set; its path and query still work here, up to the last page."""
    faults.set("page_elsewhere", origin="https://api.example.com/", size=4)
    link = caller.get(GROUPS).json()["@odata.nextLink"]
    assert link == f"https://api.example.com{GROUPS}?$skip=4"
    last = caller.get(link.removeprefix("https://api.example.com")).json()
    assert len(last["value"]) == 3
    assert "@odata.nextLink" not in last
    faults.set("page_elsewhere", origin="https://api.example.com", size=100)
    assert caller.get(GROUPS).json()["@odata.nextLink"] == f"https://api.example.com{GROUPS}?$skip=100"


def test_a_next_page_can_be_the_same_page(faults: Faults, caller: Caller) -> None:
    """Following the link leads back to where it was found."""
    faults.set("page_loop")
    link = caller.get(GROUPS).json()["@odata.nextLink"]
    again = caller.get(link).json()
    assert again["@odata.nextLink"] == link
    assert len(again["value"]) == 2


def test_pages_can_be_endless(faults: Faults, caller: Caller) -> None:
    """There is always a next page with rows in it, and no link comes twice."""
    faults.set("pages_endless", size=3)
    url, links = GROUPS, []
    for _ in range(20):
        body = caller.get(url).json()
        url = body["@odata.nextLink"]
        assert len(body["value"]) == 3
        links.append(url)
    assert len(set(links)) == 20


def test_a_sign_in_can_be_refused_with_any_code(faults: Faults, caller: Caller) -> None:
    """A code that owners meet has its status and its OAuth error; one that is unknown is an invalid request."""
    faults.set("sign_in_error", code=7000222)
    answer = caller.token()
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.json()["error_description"].startswith("AADSTS7000222: ")
    faults.set("sign_in_error", code=123)
    assert (caller.token().status_code, caller.token().json()["error_codes"]) == (400, [123])
    assert caller.statuses(1) == [200]


def test_a_sign_in_can_be_down(faults: Faults, caller: Caller) -> None:
    """The token endpoint answers 5xx, while discovery and the API go on."""
    faults.set("sign_in_unavailable", status=502, retry_after=3)
    answer = caller.token()
    assert (answer.status_code, answer.headers["Retry-After"]) == (502, "3")
    assert (caller.discover().status_code, caller.get().status_code) == (200, 200)


def test_a_sign_in_can_hang(faults: Faults, caller: Caller) -> None:
    """The token endpoint never answers, while discovery and the API go on."""
    faults.set("sign_in_hang")
    with pytest.raises(httpx.ReadTimeout):
        caller.token(timeout=0.3)
    assert (caller.discover().status_code, caller.get().status_code) == (200, 200)


@pytest.mark.parametrize("subject", ["sign_in", "discovery"])
def test_the_faults_of_the_api_can_be_set_for_the_sign_in(faults: Faults, caller: Caller, subject: str) -> None:
    """A portal can answer in the place of the sign-in, or of the discovery before it."""
    faults.set("html", subject=subject)
    ask: dict[str, Callable[[], httpx.Response]] = {"sign_in": caller.token, "discovery": caller.discover}
    assert {name: "<html" in call().text for name, call in ask.items()} == {name: name == subject for name in ask}


def test_faults_of_different_kinds_come_together(simulator: Simulator, caller: Caller) -> None:
    """A refusal can drip, and what is on a page can be bad."""
    simulator.faults.set("not_found")
    simulator.faults.set("drip", milliseconds=0)
    assert caller.get().json()["error"]["code"] == "NotFound"
    assert simulator.requests.requests()[-1]["faults"] == ["not_found", "drip"]
    simulator.faults.clear()
    simulator.faults.set("bad_rows", scores=["null"])
    simulator.faults.set("pages", size=1)
    page = caller.get(GROUPS).json()
    assert ([row["score"] for row in page["value"]], "@odata.nextLink" in page) == ([None], True)
