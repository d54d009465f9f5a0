"""`check` where the API refuses, or something else answers in its place, or the clocks differ."""

import re
from pathlib import Path

import pytest
from system.blackbox import Process, Simulated, collector, settings, until
from system.doctor import bad, checks, only_bad

TARGET = re.compile(r"\(target [0-9a-f-]{36}\)")


def test_a_permission_that_the_token_lacks(simulated: Simulated, tmp_path: Path) -> None:
    """A 403 says what is needed, what the token has, the correlation id for Microsoft, and the consent."""
    simulated.fault("sign_in_roles", roles=["Machine.Read.All", "Alert.Read.All"])
    found = bad(settings(tmp_path, simulated))
    assert set(found) == {"contoso: permission", "contoso: organization", "contoso: device_groups"}
    said = found["contoso: organization"]
    assert "403 Forbidden: Score.Read.All is needed" in said.message
    assert "Machine.Read.All, Alert.Read.All" in said.message
    assert TARGET.search(said.message)
    assert "grant admin consent" in found["contoso: permission"].mend
    assert {found[f"contoso: {subject}"].mend for subject in ("organization", "device_groups")} == {"see permission"}


def test_a_tenant_without_the_product(simulated: Simulated, tmp_path: Path) -> None:
    """A 403 DisabledFeature is the tenant's licence, and nothing about permissions is said."""
    simulated.fault("disabled_feature")
    for found in bad(settings(tmp_path, simulated)).values():
        assert "403 DisabledFeature: the tenant lacks the product" in found.message
        assert TARGET.search(found.message)
        assert "licence" in found.mend
        assert "Score.Read" not in found.message + found.mend


def test_another_host_answers(simulated: Simulated, tmp_path: Path) -> None:
    """A 404 says host and cloud, and which setting overrides the host; the cloud that the tenant is in is said too."""
    simulated.fault("not_found")
    simulated.fault("other_cloud", cloud="gcc-high")
    found = bad(settings(tmp_path, simulated))
    port = simulated.url.rpartition(":")[2]
    said = found["contoso: organization"]
    assert f"localhost:{port}/api/exposureScore: 404" in said.message
    assert "asked as cloud global, but the host is that of api_url" in said.message
    assert "leave tenants.contoso.api_url out" in said.mend
    assert 'set tenants.contoso.cloud = "gcc-high"' in found["contoso: cloud"].mend
    simulated.heal()
    simulated.fault("not_found")
    simulated.fault("other_cloud", cloud="global")
    same = checks(settings(tmp_path, simulated))["contoso: cloud"]
    assert same.ok
    assert "global" in same.message


def test_a_redirect_says_where_to(simulated: Simulated, tmp_path: Path) -> None:
    """A redirect names the host that it leads to and whose that is, without path and query; it is not followed."""
    simulated.fault("redirect", url="https://api-gcc.securitycenter.microsoft.us/a?token=s3cret")
    found = bad(settings(tmp_path, simulated))["contoso: organization"]
    assert "302: not what the API answers but a redirect to api-gcc.securitycenter.microsoft.us" in found.message
    assert "the host of cloud gcc" in found.message
    assert "s3cret" not in found.message + found.mend


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("unavailable", "503"),
        ("throttle", "429"),
        ("html", "not JSON"),
        ("reset", "the connection broke"),
        ("bad_rows", "score"),
    ],
)
def test_an_api_that_is_not_well_is_said_so(simulated: Simulated, tmp_path: Path, fault: str, words: str) -> None:
    """What passes by itself, and what is no answer, is bad too, and says what was seen."""
    simulated.fault(fault, subject="organization")
    found = {name: check for name, check in checks(settings(tmp_path, simulated)).items() if not check.ok}
    assert set(found) == {"contoso: organization"}
    assert words in found["contoso: organization"].message


@pytest.mark.parametrize(("seconds", "words"), [(-900, r"1[45] min( \d+ s)?"), (7500, "2 h [45] min")])
def test_a_clock_that_is_off_by_minutes(simulated: Simulated, tmp_path: Path, seconds: int, words: str) -> None:
    """A clock that differs from the servers' is bad, by how much and to which side; the mend is NTP."""
    simulated.fault("clock", seconds=seconds)
    found = only_bad(settings(tmp_path, simulated), "clock")
    stands = "behind" if seconds > 0 else "ahead of"
    assert re.search(rf"clock is {words} {stands} the servers'", found.message)
    assert "NTP" in found.mend


def test_a_clock_that_is_off_by_seconds_is_well(simulated: Simulated, tmp_path: Path) -> None:
    """A minute is well: points keep their slot, and sign-in takes it."""
    simulated.fault("clock", seconds=60)
    assert checks(settings(tmp_path, simulated))["clock"].ok


def test_the_service_warns_of_its_clock_once(simulated: Simulated, tmp_path: Path) -> None:
    """The running service says in its log, once, that the clock differs, and by how much."""
    simulated.fault("clock", seconds=-900)
    config = settings(tmp_path, simulated, "[poll]\ninterval_seconds = 1\n")
    with Process("run", "--config", config) as service:
        [said] = until(lambda: service.said("clock.differs"), what="clock.differs")
        polls = len(service.said("poll.settled"))
        until(lambda: len(service.said("poll.settled")) > polls + 20, what="ten polls more")
        assert len(service.said("clock.differs")) == 1
    assert 890 <= said["seconds_ahead"] <= 910
    assert said["level"] == "warning"


def test_one_tenant_alone_is_asked(tmp_path: Path) -> None:
    """With --tenant no other tenant is asked; the journal and what else is shared is looked at all the same."""
    with Simulated(tmp_path / "two", "--tenants", "2", "--groups", "1") as simulated:
        first, second = simulated.tenants
        simulated.fault("unavailable", tenant=second)
        found = checks(settings(tmp_path, simulated), "--tenant", first)
        assert all(check.ok for check in found.values())
        assert "journal" in found
        assert not any(name.startswith(second) for name in found)
        assert not simulated.requests(tenant=second)
        done = collector("check", "--config", settings(tmp_path, simulated), "--tenant", "nobody")
        assert done.returncode == 2
        (known,) = re.findall("the settings have (.*)", done.stdout)
        assert sorted(known.split("; ")) == sorted((first, second))
