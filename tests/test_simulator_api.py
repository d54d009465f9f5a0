"""collector.simulator: the three calls of its API, and who may make them."""

import re
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import jwt
import pytest
from simulated import GROUPS, ORGANIZATION, SECURE, Caller

from collector.simulator import Simulator

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{5,6}[1-9]Z")
CONTEXT = "https://api.securitycenter.microsoft.com/api/$metadata"


class Clock:
    """The real time, and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        """Return seconds since the Unix epoch."""
        return time.time() + self.ahead


@pytest.fixture(name="clock", scope="module")
def _clock() -> Clock:
    return Clock()


@pytest.fixture(name="running", scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Simulator]:
    with Simulator(folder=tmp_path_factory.mktemp("simulator"), tenants=3, clock=clock) as simulator:
        yield simulator


@pytest.fixture(name="simulator")
def _simulator(running: Simulator, clock: Clock) -> Simulator:
    running.faults.clear()
    running.requests.clear()
    clock.ahead = 0
    return running


@pytest.fixture(name="caller")
def _caller(simulator: Simulator) -> Iterator[Caller]:
    with Caller(simulator) as caller:
        yield caller


def test_the_organization_has_the_documented_shape(caller: Caller) -> None:
    """One object: context, the time of the call, a score with all its digits."""
    answer = caller.get(ORGANIZATION)
    body = answer.json()
    assert answer.headers["Content-Type"].startswith("application/json")
    assert list(body) == ["@odata.context", "time", "score"]
    assert body["@odata.context"] == f"{CONTEXT}#ExposureScore/$entity"
    assert TIME.fullmatch(body["time"])
    assert isinstance(body["score"], float)


def test_groups_have_the_documented_shape(caller: Caller) -> None:
    """An OData list: each row with its time, score, name and whole-numbered id."""
    body = caller.get(GROUPS).json()
    assert list(body) == ["@odata.context", "value"]
    assert body["@odata.context"] == f"{CONTEXT}#ExposureScore"
    assert len(body["value"]) == 7
    for row in body["value"]:
        assert list(row) == ["time", "score", "rbacGroupName", "rbacGroupId"]
        assert TIME.fullmatch(row["time"])
        assert isinstance(row["rbacGroupId"], int)
        assert isinstance(row["score"], float)


def test_the_secure_score_has_the_documented_shape(caller: Caller) -> None:
    """One object with whole points."""
    body = caller.get(SECURE).json()
    assert list(body) == ["@odata.context", "time", "score"]
    assert body["@odata.context"] == f"{CONTEXT}#ConfigurationScore/$entity"
    assert isinstance(body["score"], int)


def test_the_time_is_that_of_the_call(caller: Caller) -> None:
    """No two calls have the same time, though the score repeats."""
    bodies = [caller.get().json() for _ in range(20)]
    times = [body["time"].rstrip("Z").ljust(27, "0") for body in bodies]
    assert times == sorted(set(times))
    assert len({body["score"] for body in bodies}) == 1
    called = datetime.fromisoformat(bodies[-1]["time"][:23] + "+00:00").timestamp()
    assert abs(called - time.time()) < 60


def test_the_token_alone_says_whose_score_it_is(simulator: Simulator) -> None:
    """Each tenant gets its own score from the same address, and stands on record with its name."""
    for index, tenant in enumerate(simulator.tenants):
        with Caller(simulator, index) as caller:
            score = caller.get().json()["score"]
        assert score == simulator.world.organization(tenant.name, int(time.time() * 1000))["score"]
    asked = [request["tenant"] for request in simulator.requests.requests(subject="organization")]
    assert asked == [tenant.name for tenant in simulator.tenants]


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer garbled", "Basic dXNlcjpzZWNyZXQ=", "forged"])
def test_without_a_good_token_it_is_401(caller: Caller, authorization: str) -> None:
    """A token that is missing, garbled or signed by another is 401, with the documented body."""
    if authorization == "forged":
        said = jwt.decode(caller.renew(), options={"verify_signature": False})
        authorization = f"Bearer {jwt.encode(said, b'another key, as long as a key has to be', 'HS256')}"
    answer = caller.get(headers={"Authorization": authorization})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "Unauthorized"
    assert GUID.fullmatch(answer.json()["error"]["target"])


def test_a_token_ends(caller: Caller, clock: Clock) -> None:
    """A token is good until its lifetime is over, and 401 from then on."""
    clock.ahead = 3500
    assert caller.get().status_code == 200
    clock.ahead = 3600
    assert caller.get().status_code == 401
    caller.renew()
    assert caller.get().status_code == 200


def test_an_unknown_path_is_404_with_the_documented_body(simulator: Simulator, caller: Caller) -> None:
    """What the API doesn't have, it says it doesn't have, with a correlation id that is new each time."""
    simulator.requests.clear()
    answers = [caller.get(path) for path in ("/api/exposurescores", "/api/exposureScore/", "/")]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert {answer.json()["error"]["code"] for answer in answers} == {"NotFound"}
    assert len({answer.json()["error"]["target"] for answer in answers}) == 3
    assert [request["subject"] for request in simulator.requests.requests()] == ["unknown"] * 3


def test_the_api_is_only_read(caller: Caller) -> None:
    """Another method than GET is 405."""
    answer = caller.http.post(ORGANIZATION)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")


def test_pages_together_are_whole(simulator: Simulator, caller: Caller) -> None:
    """Following `@odata.nextLink` gives each group once, and the last page has no link."""
    simulator.faults.set("pages", size=3)
    url, sizes, names = GROUPS, [], []
    while url:
        body = caller.get(url).json()
        sizes.append(len(body["value"]))
        names += [row["rbacGroupName"] for row in body["value"]]
        url = body.get("@odata.nextLink", "")
        assert not url or url.startswith(f"{simulator.url}{GROUPS}?$skip=")
    assert sizes == [3, 3, 1]
    assert names == [group.name for group in simulator.world.groups_of("contoso")]


@pytest.mark.parametrize("skip", ["-1", "two", "", "²"])
def test_a_skip_that_is_no_number_is_400(caller: Caller, skip: str) -> None:
    """A made-up `$skip` is refused as OData does."""
    answer = caller.get(GROUPS, params={"$skip": skip})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "ODataError")


def test_page_size_and_token_lifetime_can_be_chosen(tmp_path: Path) -> None:
    """With `page_size` pages need no fault, and a token lives for `token_seconds`."""
    with Simulator(folder=tmp_path, page_size=5, token_seconds=60) as simulator, Caller(simulator) as caller:
        assert caller.token().json()["expires_in"] == 60
        first = caller.get(GROUPS).json()
        assert len(first["value"]) == 5
        assert first["@odata.nextLink"] == f"{simulator.url}{GROUPS}?$skip=5"
