"""collector.simulator: the lies around sign-in and API: the server's certificate, its clock, its discovery."""

import email.utils
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from simulated import ORGANIZATION, Caller, connected, said

from collector.simulator import Simulator

LISTED = (7000215, 7000222, 700016, 90002, 700027, 700024, 70021, 700213, 500011, 65001, 53003, 700082, 70043)
"""The codes that owners meet."""


@pytest.fixture(name="simulator", scope="module")
def _simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(folder=tmp_path_factory.mktemp("simulator")) as simulator:
        yield simulator


@pytest.fixture(name="caller")
def _caller(simulator: Simulator) -> Iterator[Caller]:
    simulator.faults.clear()
    with Caller(simulator) as caller:
        yield caller
    simulator.faults.clear()


def offset(answer: httpx.Response) -> float:
    """Return by how many seconds the answer's `Date` is ahead of the clock here."""
    return email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()


@pytest.mark.parametrize(
    ("certificate", "says"),
    [
        ("expired", "certificate has expired"),
        ("other_name", "not valid for"),
        ("untrusted", "unable to get local issuer"),
    ],
)
def test_the_servers_certificate_is_bad_on_demand(tmp_path: Path, certificate: Any, says: str) -> None:
    """Expired, of another name, or of a stranger's authority: a client that verifies says so, on both of its names."""
    with Simulator(folder=tmp_path, certificate=certificate) as simulator:
        for url in (simulator.url, simulator.url.replace("localhost", "127.0.0.1")):
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED") as caught:
                reach(simulator, url)
            assert says in str(caught.value)


@pytest.mark.parametrize(("whose", "bad"), [("api", "localhost"), ("sign_in", "127.0.0.1")])
def test_the_api_and_the_sign_in_can_differ_in_their_certificates(tmp_path: Path, whose: Any, bad: str) -> None:
    """One of them shows a bad certificate, and the other a good one; the settings ask each by its own name."""
    with Simulator(folder=tmp_path, certificate="expired", shown_by=whose) as simulator:
        assert 'login_url = "https://127.0.0.1:' in simulator.settings
        for name in ("localhost", "127.0.0.1"):
            url = simulator.url.replace("localhost", name)
            if name == bad:
                with pytest.raises(httpx.ConnectError, match="has expired"):
                    reach(simulator, url)
            else:
                assert reach(simulator, url).status_code == 401


def reach(simulator: Simulator, url: str) -> httpx.Response:
    """Ask without a token, trusting what the simulator has its users trust."""
    context = ssl.create_default_context(cafile=simulator.ca_file)
    return httpx.get(f"{url}{ORGANIZATION}", verify=context, trust_env=False)


def test_every_answer_has_the_date(simulator: Simulator, caller: Caller) -> None:
    """Without a fault it is right, in answers of the API, of the sign-in and of the handle."""
    with connected(simulator) as handle:
        answers = (caller.get(), caller.token(), caller.discover(), handle.get("/simulator/faults"))
    assert all(abs(offset(answer)) < 60 for answer in answers)


@pytest.mark.parametrize("seconds", [600, -86400.5])
def test_the_clock_is_off_on_demand(simulator: Simulator, caller: Caller, seconds: float) -> None:
    """The `Date` of the API and of the sign-in is ahead or behind by what was asked for."""
    simulator.faults.set("clock", seconds=seconds)
    for answer in (caller.get(), caller.token(), caller.discover(), caller.get("/api/exposureScore?x=1")):
        assert abs(offset(answer) - seconds) < 60
        assert answer.status_code == 200
    simulator.faults.clear("clock")
    assert abs(offset(caller.get())) < 60


def test_the_clock_can_be_off_in_one_place(simulator: Simulator, caller: Caller) -> None:
    """The fault can be set for the sign-in alone."""
    simulator.faults.set("clock", seconds=600, subject="sign_in")
    assert abs(offset(caller.get())) < 60
    assert offset(caller.token()) > 500


@pytest.mark.parametrize(
    ("cloud", "scope", "sub_scope", "instance"),
    [
        ("global", "EU", None, "microsoftonline.com"),
        ("gcc", "NA", "GCC", "microsoftonline.com"),
        ("gcc-high", "USGov", "DODCON", "microsoftonline.us"),
        ("dod", "USGov", "DOD", "microsoftonline.us"),
    ],
)
def test_a_tenant_is_in_another_cloud_on_demand(
    simulator: Simulator, caller: Caller, cloud: str, scope: str, sub_scope: str | None, instance: str
) -> None:
    """The discovery names the cloud as Microsoft's does."""
    simulator.faults.set("other_cloud", cloud=cloud)
    found = caller.discover().json()
    names = ("tenant_region_scope", "tenant_region_sub_scope", "cloud_instance_name")
    assert tuple(found.get(name) for name in names) == (scope, sub_scope, instance)


def test_the_discovery_is_nonsense_on_demand(simulator: Simulator, caller: Caller) -> None:
    """200 and JSON, and no endpoint in it; a page in its place is another fault."""
    simulator.faults.set("discovery_nonsense")
    answer = caller.discover()
    assert (answer.status_code, "token_endpoint" in answer.json()) == (200, False)
    simulator.faults.clear()
    simulator.faults.set("html", subject="discovery")
    assert "<html" in caller.discover().text


@pytest.mark.parametrize("code", LISTED)
def test_each_code_of_the_sign_in_comes_by_its_number(simulator: Simulator, caller: Caller, code: int) -> None:
    """Each code that owners meet has its own OAuth error and words, and never the secret."""
    simulator.faults.set("sign_in_error", code=code)
    answer = caller.token()
    assert answer.status_code in (400, 401)
    assert said(answer)[2] == code
    assert "could not be served" not in answer.text
    assert caller.secret not in answer.text


def test_the_endpoint_of_device_codes_refuses_on_demand(simulator: Simulator, caller: Caller) -> None:
    """Conditional Access can forbid the flow before there is a code."""
    simulator.faults.set("sign_in_error", code=53003, subject="device_code")
    answer = caller.http.post(f"/{caller.tenant.tenant_id}/oauth2/v2.0/devicecode", data={})
    assert said(answer)[2] == 53003
    assert caller.token().status_code == 200
