"""Sign-in by managed identity: the real msal, to what stands in for the platform, which is on this machine alone."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from origins import Origin, Reply, Request
from signing import CONTOSO, Sources, failure, polled, shown, simulator
from signing import tenant as simulated_tenant
from tenants import TENANT_ID, as_json, jwt, settings

from collector.errors import BadResponse, Unauthorized, Unavailable
from collector.settings import ManagedIdentity, Tenant
from collector.simulator import Simulator

OTHER = "99999999-9999-9999-9999-999999999999"
IDENTITY = "33333333-3333-3333-3333-333333333333"
PLATFORMS = (
    *("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IDENTITY_SERVER_THUMBPRINT", "IMDS_ENDPOINT"),
    *("MSI_ENDPOINT", "MSI_SECRET", "AZURE_POD_IDENTITY_AUTHORITY_HOST"),
)
GOOD = as_json({"access_token": jwt(tid=TENANT_ID), "expires_in": "86000", "resource": "r", "token_type": "Bearer"})


@pytest.fixture(autouse=True)
def _no_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the machine no identity but the test's."""
    for name in PLATFORMS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)


@pytest.fixture(name="source")
def _source() -> Iterator[Sources]:
    with Sources() as sources:
        yield sources


@pytest.fixture(name="simulated")
def _simulated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    with simulator(tmp_path, "managed_identity") as simulated:
        assert simulated.metadata_url
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", simulated.metadata_url)
        yield simulated


@pytest.fixture(name="platform")
def _platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[Origin]:
    """The metadata service of a virtual machine, which answers what a test says."""
    with Origin(lambda *_: GOOD) as origin:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", origin.url)
        yield origin


def managed(**more: Any) -> Tenant:
    """Return a tenant that signs in as the machine."""
    usual = {"tenant_id": "", "client_id": "", "credential": ManagedIdentity(kind="managed_identity")}
    return settings(**{**usual, **more})


@pytest.mark.parametrize("client_id", ["", "own"])
def test_the_machine_signs_in_by_itself(simulated: Simulator, source: Sources, client_id: str) -> None:
    """The system-assigned identity, and the one that client_id names, bring a token that the API takes."""
    named = simulated.tenants[0].client_id if client_id else ""
    defender = source(simulated, client_id=named)
    defender.sign_in(10)
    assert polled(defender)
    (asked,) = simulated.requests.requests(subject="metadata")
    assert "resource=https%3A%2F%2Fapi.securitycenter.microsoft.com&" in f"{asked['path']}&"
    assert (f"client_id={named}" in asked["path"]) == bool(named)
    assert defender.expires() is None


def test_no_proxy_ever_sees_what_the_platform_is_asked(
    platform: Origin, source: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token is asked for on this machine, whatever HTTP_PROXY says: a proxy would be given the identity."""
    with Origin(lambda *_: Reply(b"", 502)) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        source.of(managed()).sign_in(10)
        assert proxy.requests == []
    (asked,) = platform.requests
    assert asked.headers["metadata"] == "true"


def test_an_identity_that_the_machine_has_not_is_named(simulated: Simulator, source: Sources) -> None:
    """400 "Identity not found" names the identity that was asked for, and client_id."""
    error = failure(source(simulated, client_id=OTHER))
    assert isinstance(error, Unauthorized)
    assert f"no token for the user-assigned identity {OTHER}" in str(error)
    assert "client_id" in error.mend
    simulated.faults.set("identity_not_found")
    assert "system-assigned identity" in str(failure(source(simulated, client_id="")))


def test_a_token_of_another_tenant_is_refused_by_both_names(simulated: Simulator, source: Sources) -> None:
    """A token of another tenant than tenant_id is Unauthorized, and both are said; a domain can't be compared."""
    own = simulated_tenant(simulated)
    source(simulated, tenant_id=simulated.tenants[0].tenant_id.upper()).sign_in(10)
    error = failure(source(simulated, tenant_id=OTHER))
    assert isinstance(error, Unauthorized)
    assert OTHER in str(error)
    assert simulated.tenants[0].tenant_id in str(error)
    assert "tenant_id" in error.mend
    source.of(own.model_copy(update={"tenant_id": "contoso.onmicrosoft.com"})).sign_in(10)


def test_a_machine_without_an_identity_is_told(
    platform: Origin, source: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing answers, or something that gives out no tokens, it is said that there is no managed identity."""
    for reply in (Reply(b"", 404), Reply(b"<html>", 200), Reply(b"", 302, {"Location": "/x"}), None):
        platform.talk = lambda *_, reply=reply: reply
        error = failure(source.of(managed()))
        assert isinstance(error, Unauthorized)
        assert "no managed identity" in str(error)
        assert "outside Azure" in error.mend
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:9")
    assert "no managed identity" in str(failure(source.of(managed()), 2))


@pytest.mark.parametrize(
    ("reply", "throttled", "retry_after"),
    [
        (Reply(b"", 410), False, None),
        (Reply(b"", 429, {"Retry-After": "7"}), True, 7.0),
        (Reply(b"{}", 500), False, None),
        (Reply(b"", 503), False, None),
    ],
)
def test_a_platform_that_is_busy_is_asked_again_later(
    platform: Origin, source: Sources, reply: Reply, *, throttled: bool, retry_after: float | None
) -> None:
    """While the metadata service is renewed, overloaded or failing, it is Unavailable; and no failure is replayed."""
    platform.talk = lambda *_: reply
    defender = source.of(managed())
    error = failure(defender)
    assert type(error) is Unavailable
    assert (error.throttled, error.retry_after) == (throttled, retry_after)
    platform.talk = lambda *_: GOOD
    defender.sign_in(10)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"access_token": "", "expires_in": 60},
        {"access_token": "t"},
        {"access_token": "two words", "expires_in": 60},
        {"access_token": "t", "expires_in": "soon"},
        {"access_token": "t", "expires_on": "1"},
    ],
)
def test_what_is_no_token_is_a_bad_response(platform: Origin, source: Sources, said: dict[str, object]) -> None:
    """An answer without a token, or with one that has ended, is a BadResponse; one without its life lives an hour."""
    platform.talk = lambda *_: as_json(said)
    defender = source.of(managed())
    if said == {"access_token": "t"}:
        defender.sign_in(10)
    else:
        assert isinstance(failure(defender), BadResponse)


def test_app_service_and_container_apps_are_asked_their_way(
    platform: Origin, source: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """IDENTITY_ENDPOINT and IDENTITY_HEADER are taken up; the header is a secret, and is shown nowhere."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{platform.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "the-header-of-the-platform")
    platform.talk = lambda *_: as_json({"access_token": "t", "expires_on": "9999999999", "token_type": "Bearer"})
    source.of(managed(client_id=IDENTITY)).sign_in(10)
    (asked,) = platform.requests
    assert asked.target.startswith("/msi/token?api-version=2019-08-01&")
    assert f"client_id={IDENTITY}" in asked.target
    assert asked.headers["x-identity-header"] == "the-header-of-the-platform"
    platform.talk = lambda *_: as_json({"statusCode": 400, "message": "No User Assigned Identity found"}, 400)
    error = failure(source.of(managed(client_id=IDENTITY)))
    assert "No User Assigned Identity found" in str(error)
    assert "the-header" not in shown(error)


def arc(key: Callable[[Request], bool]) -> Callable[..., Reply]:
    """Return Azure Arc's agent: it wants to see a key that only a member of its group can read."""

    def talk(request: Request, _: object) -> Reply:
        if key(request):
            return GOOD
        return Reply(b"", 401, {"WWW-Authenticate": "Basic realm=/var/opt/azcmagent/tokens/none.key"})

    return talk


def test_azure_arcs_key_that_cannot_be_read_is_told(
    platform: Origin, source: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine of Azure Arc the collector's user has to be in the group that may read the agent's keys."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{platform.url}/metadata/identity/oauth2/token")
    monkeypatch.setenv("IMDS_ENDPOINT", platform.url)
    platform.talk = arc(lambda _: False)
    error = failure(source.of(managed()))
    assert isinstance(error, Unauthorized)
    assert "Azure Arc's key can't be read" in str(error)
    assert "himds" in error.mend


def test_service_fabric_is_refused_before_anybody_is_asked(
    platform: Origin, source: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Service Fabric's way is not supported, and says what is in its place."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{platform.url}/token")
    monkeypatch.setenv("IDENTITY_HEADER", "secret")
    monkeypatch.setenv("IDENTITY_SERVER_THUMBPRINT", "A" * 40)
    error = failure(source.of(managed()))
    assert "Service Fabric" in str(error)
    assert "workload_identity" in error.mend
    assert platform.requests == []


def test_a_platform_that_hangs_ends_at_the_deadline(simulated: Simulator, source: Sources) -> None:
    """The metadata service is bounded as every sign-in is, and the machine is said to have no identity."""
    simulated.faults.set("hang", subject="metadata")
    error = failure(source(simulated), 0.5)
    assert re.search(r"no whole answer within 0\.[45]\d* s", str(error))
    assert CONTOSO not in str(error)


def test_a_resource_that_is_not_in_the_tenant_is_entras_to_tell(platform: Origin, source: Sources) -> None:
    """What Microsoft Entra refuses comes through the platform with its code, and is told by its meaning."""
    text = "AADSTS500011: The resource principal named https://api was not found in the tenant."
    platform.talk = lambda *_: as_json({"error": "invalid_resource", "error_description": text}, 400)
    error = failure(source.of(managed()))
    assert isinstance(error, Unauthorized)
    assert "AADSTS500011: the resource is not found in the tenant" in str(error)
