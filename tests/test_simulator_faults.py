"""collector.simulator.faults: what can be set, what strikes, and what is on record of it."""

import math
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.errors import ConfigError
from collector.simulator import Faults
from collector.simulator.fault_answers import Instead, Throttle
from collector.simulator.fault_rows import Pages
from collector.simulator.fault_sending import Slow
from collector.simulator.faults import KINDS
from collector.simulator.record import MAX_REQUESTS, Record


@pytest.fixture(name="faults")
def _faults() -> Faults:
    return Faults(["contoso", "fabrikam"])


def test_faults_are_cleared_by_name_and_by_tenant(faults: Faults) -> None:
    """Clearing can be as narrow as setting."""
    faults.set("throttle", tenant="contoso")
    faults.set("slow", tenant="contoso", seconds=1)
    faults.set("slow", seconds=1)
    faults.clear("slow", tenant="contoso")
    assert [(fault["fault"], fault["tenant"]) for fault in faults.active()] == [("slow", None), ("throttle", "contoso")]
    faults.clear(tenant="contoso")
    assert [fault["fault"] for fault in faults.active()] == ["slow"]
    faults.clear("slow")
    assert faults.active() == []


@pytest.mark.parametrize(
    ("fault", "parameters", "says"),
    [
        ("throtle", {}, "no fault 'throtle'; known: bad_rows, body, clock, disabled_feature"),
        ("throttle", {"retry": 2}, "no parameter 'retry'; known: retry_after, as_date"),
        ("hang", {"seconds": 2}, "no parameter 'seconds'; known: none"),
        ("slow", {}, "the parameter 'seconds' is missing"),
        ("slow", {"seconds": -1}, "seconds is a number, 0 or more"),
        ("slow", {"seconds": math.inf}, "seconds is a number, 0 or more"),
        ("drip", {"milliseconds": "5"}, "milliseconds is a number"),
        ("throttle", {"retry_after": True}, "retry_after is a number of seconds"),
        ("throttle", {"as_date": 1}, "as_date is true or false"),
        ("unavailable", {"status": 429}, "status is one of 500, 502, 503, 504"),
        ("redirect", {"url": "x\r\nSet-Cookie: y"}, "url is a text without line breaks"),
        ("unavailable", {"status": 503.0}, "status is one of 500, 502, 503, 504"),
        ("body", {"body": "", "status": []}, "status is a number from 200 to 599"),
        ("redirect", {"url": "x", "status": 200}, "status is one of 301"),
        ("body", {"body": "", "status": 204}, "status is a number from 200 to 599"),
        ("body", {"body": b"x"}, "body is a text"),
        ("bad_rows", {"scores": []}, "scores is a list of null, text"),
        ("bad_rows", {"scores": ["wrong"]}, "scores is a list of null, text"),
        ("pages", {"size": 0}, "size is a number of rows, 1 or more"),
        ("page_elsewhere", {"origin": "api.example.com"}, "origin is a scheme and a host"),
        ("sign_in_error", {"code": "7000222"}, "code is the number"),
        ("clock", {"seconds": math.nan}, "seconds is a number, at most a century"),
        ("other_cloud", {"cloud": "us"}, "cloud is one of global, gcc, gcc-high, dod"),
        ("other_cloud", {"subject": "sign_in"}, "it can't strike 'sign_in'; it can strike: discovery"),
        ("metadata_updating", {"status": 500}, "status is one of 404, 410"),
        ("sign_in_roles", {"roles": "Score.Read.All"}, "roles is a list of texts"),
        ("throttle", {"tenant": "umbrella"}, "no tenant 'umbrella'; known: contoso, fabrikam"),
        ("throttle", {"subject": "groups"}, "no subject 'groups'; known: organization, device_groups"),
        ("pages", {"subject": "organization"}, "it can't strike 'organization'; it can strike: device_groups"),
        ("throttle", {"times": 0}, "times is a count of requests, 1 or more"),
        ("throttle", {"times": True}, "times is a count of requests, 1 or more"),
        ("throttle", {"after": -1}, "after is a count of requests that are spared"),
    ],
)
def test_what_cannot_be_set_is_refused_with_what_could(
    faults: Faults, fault: str, parameters: dict[str, Any], says: str
) -> None:
    """A slip in a fault never passes for a fault that is set."""
    with pytest.raises(ConfigError) as caught:
        faults.set(fault, **parameters)
    assert says in str(caught.value)
    assert faults.active() == []


def test_all_slips_in_a_fault_are_said_at_once() -> None:
    """Tenant, count and parameters are judged together."""
    with pytest.raises(ConfigError) as caught:
        Faults(["contoso"]).set("slow", tenant="umbrella", times=-1, second=3)
    assert len(caught.value.problems) == 4


def test_every_fault_that_is_promised_is_there() -> None:
    """The names under which faults are set are a contract."""
    assert set(KINDS) == {
        *("throttle", "unavailable", "expired_token", "forbidden", "disabled_feature", "not_found", "redirect"),
        *("slow", "drip", "hang", "reset", "not_json", "html", "empty", "body"),
        *("bad_rows", "no_ids", "pages", "page_elsewhere", "page_loop", "pages_endless"),
        *("sign_in_hang", "sign_in_error", "sign_in_unavailable", "sign_in_roles"),
        *("clock", "other_cloud", "discovery_nonsense", "identity_not_found", "metadata_updating"),
    }


def test_a_count_holds_for_many_threads() -> None:
    """However many requests come at once, a fault strikes exactly as often as it was told."""
    faults = Faults(["contoso"])
    faults.set("throttle", times=500, after=100)
    struck: list[Instead] = []

    def ask() -> None:
        for _ in range(200):
            fault = faults.take(Instead, "contoso", "organization")
            if fault is not None:
                struck.append(fault)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(struck) == 500
    assert faults.active() == []


@given(
    operations=st.lists(
        st.tuples(
            st.sampled_from(["set", "take", "clear"]),
            st.sampled_from([("throttle", {}), ("slow", {"seconds": 0}), ("pages", {})]),
            st.sampled_from([None, "contoso", "fabrikam"]),
            st.one_of(st.none(), st.integers(1, 3)),
        ),
        max_size=30,
    )
)
def test_faults_are_a_list_that_is_read_from_its_end(operations: list[Any]) -> None:
    """Setting, striking and clearing in any order agree with the plainest model of them."""
    faults = Faults(["contoso", "fabrikam"])
    kinds = {"throttle": Throttle, "slow": Slow, "pages": Pages}
    model: list[list[Any]] = []
    for operation, (name, parameters), tenant, times in operations:
        if operation == "set":
            faults.set(name, tenant=tenant, times=times, **parameters)
            model = [[name, tenant, times], *(one for one in model if one[:2] != [name, tenant])]
        elif operation == "clear":
            faults.clear(name, tenant=tenant)
            model = [one for one in model if one[0] != name or tenant not in (None, one[1])]
        else:
            found = faults.take(kinds[name], tenant, "device_groups")
            wanted = next((one for one in model if one[0] == name and one[1] in (None, tenant)), None)
            assert (found is None) == (wanted is None)
            if wanted is not None and wanted[2] is not None:
                wanted[2] -= 1
                model = [one for one in model if one[2] != 0]
        assert [[one["fault"], one["tenant"], one["times"]] for one in faults.active()] == model


def test_a_record_is_bounded_and_counts_on() -> None:
    """The oldest requests are forgotten, their counts are not."""
    record = Record()
    for index in range(MAX_REQUESTS + 5):
        exchange = record.begin(tenant="contoso", subject="organization", method="GET", path=f"/{index}" + "x" * 1000)
        record.answered(exchange, 200)
    requests = record.requests()
    assert len(requests) == MAX_REQUESTS
    assert requests[0]["path"].startswith("/5x")
    assert len(requests[0]["path"]) == 200
    assert record.counts() == [
        {"tenant": "contoso", "subject": "organization", "status": 200, "count": MAX_REQUESTS + 5}
    ]
