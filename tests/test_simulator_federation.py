"""collector.simulator: sign-in with a platform's token, by the real msal, and with tokens that differ."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from simulated import Caller, claims, connected, said
from test_simulator_certificate import form

from collector.errors import ConfigError
from collector.simulator import SCOPE, Simulator


@pytest.fixture(name="simulator", scope="module")
def _simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    folder = tmp_path_factory.mktemp("simulator")
    with Simulator(folder=folder, credential="workload_identity") as simulator:
        yield simulator


@pytest.fixture(name="caller", scope="module")
def _caller(simulator: Simulator) -> Iterator[Caller]:
    with Caller(simulator) as caller:
        yield caller


@pytest.fixture(name="file")
def _file(simulator: Simulator) -> Path:
    simulator.renew()
    return simulator.settings_file.parent / "simulator.token"


def test_msal_signs_in_with_the_token_in_the_file(caller: Caller, file: Path) -> None:
    """The real msal reads the file when it asks, so that a token that was rotated meanwhile is the one that counts."""
    application = caller.application({"client_assertion": lambda: file.read_text(encoding="utf-8")})
    token = application.acquire_token_for_client([SCOPE])["access_token"]
    assert caller.opens(token) == 200


def test_the_token_is_as_kubernetes_writes_it(simulator: Simulator, file: Path) -> None:
    """Issuer, service account and audience stand in it; the file is its owner's alone, and replaced as a whole."""
    found = claims(file.read_text(encoding="utf-8"))
    assert found["iss"] == f"{simulator.url}/cluster"
    assert found["sub"] == "system:serviceaccount:monitoring:exposure-collector"
    assert found["aud"] == ["api://AzureADTokenExchange"]
    assert found["exp"] - found["iat"] == 3600
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    inode = file.stat().st_ino
    simulator.renew()
    assert file.stat().st_ino != inode
    assert not [path for path in file.parent.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        ({"issuer": "https://elsewhere.example"}, 700211),
        ({"audience": "api://another"}, 700212),
        ({"subject": "system:serviceaccount:monitoring:another"}, 700213),
        ({"subject": "System:serviceaccount:monitoring:exposure-collector"}, 700213),
        ({"forged": True}, 700027),
        ({"seconds": -600}, 700024),
    ],
)
def test_a_token_that_differs_gets_entras_refusal(
    simulator: Simulator, caller: Caller, file: Path, lie: dict[str, Any], code: int
) -> None:
    """Issuer, audience, subject, signature and time are really verified, and what was presented is named."""
    simulator.renew(**lie)
    answer = caller.token(form(file.read_text(encoding="utf-8")))
    assert said(answer) == (401, "invalid_client", code)
    presented = next(iter(lie.values()))
    assert not isinstance(presented, str) or f"'{presented}'" in answer.json()["error_description"]


def test_a_token_lies_over_http_too(simulator: Simulator, caller: Caller, file: Path) -> None:
    """A test in another process rotates the file, and makes it lie; a slip in a claim's name is 400."""
    with connected(simulator) as handle:
        assert handle.post("/simulator/credential", json={"subject": "another"}).json() == {}
        assert said(caller.token(form(file.read_text(encoding="utf-8"))))[2] == 700213
        handle.post("/simulator/credential", json={})
        assert caller.token(form(file.read_text(encoding="utf-8"))).status_code == 200
        refused = handle.post("/simulator/credential", json={"sub": "another", "seconds": "600"})
        assert refused.status_code == 400
        assert refused.json()["problems"] == [
            "there is no parameter 'sub'; known: issuer, subject, audience, seconds, forged",
            "seconds: '600' doesn't fit",
        ]


def test_an_application_without_a_federated_credential_knows_no_platform(tmp_path: Path, file: Path) -> None:
    """Where nothing is trusted the refusal is the general one, with all that the token says."""
    with Simulator(folder=tmp_path) as plain, Caller(plain) as caller:
        answer = caller.token(form(file.read_text(encoding="utf-8")))
    assert said(answer) == (400, "invalid_request", 70021)
    assert "'system:serviceaccount:monitoring:exposure-collector'" in answer.json()["error_description"]


def test_a_token_is_for_one_audience_alone(simulator: Simulator, caller: Caller, file: Path) -> None:
    """What is for others too is refused, of whatever type they are."""
    federation = simulator._application._federation
    assert federation
    said_by_it = claims(file.read_text(encoding="utf-8"))
    for more in ("x", 7, None):
        text = jwt.encode({**said_by_it, "aud": [*said_by_it["aud"], more]}, federation._key, "RS256")
        assert said(caller.token(form(text)))[2] in (700212, 50027)


def test_an_unsigned_token_is_none(caller: Caller, file: Path) -> None:
    """A token whose header says that it needs no signature is refused."""
    unsigned = jwt.encode(claims(file.read_text(encoding="utf-8")), "", "none")
    assert said(caller.token(form(unsigned)))[2] == 700027


def test_a_secret_is_renewed_in_its_file(tmp_path: Path) -> None:
    """The secret's file can be rotated too: what was in it before is refused."""
    with Simulator(folder=tmp_path) as simulator, Caller(simulator) as caller:
        old = caller.secret
        simulator.renew()
        assert said(caller.token())[2] == 7000215
        new = simulator.secret_file.read_text(encoding="utf-8")
        assert new != old
        assert caller.token({"client_secret": new}).status_code == 200


@pytest.mark.parametrize("credential", ["managed_identity", "device_code"])
def test_what_has_no_credential_renews_none(tmp_path: Path, credential: Any) -> None:
    """A machine's or a person's sign-in has no file that could be rotated."""
    simulator = Simulator(folder=tmp_path, credential=credential)
    simulator.stop()
    with pytest.raises(ConfigError, match="nothing that could be renewed"):
        simulator.renew()
