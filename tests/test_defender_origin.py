"""What proves who we are is sent to the login of the settings alone, whatever that login says of itself."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from signing import CONTOSO, Sources, cache_of, failure, refresh_token, shown, signed_in, simulator, tenant

from collector.defender import Login
from collector.errors import Unauthorized
from collector.http import Http
from collector.simulator import Credential, Patience, Simulator

APPLICATIONS = ("client_secret", "certificate", "certificate_pfx", "workload_identity")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture(name="source")
def _source() -> Iterator[Sources]:
    with Sources() as sources:
        yield sources


def mislead(simulated: Simulator, **elsewhere: str) -> None:
    """Have discovery name other endpoints; each would answer, over TLS that is trusted."""
    login = f"{tenant(simulated).login_url}/{simulated.tenants[0].tenant_id}"
    said = {
        "issuer": f"{login}/v2.0",
        "authorization_endpoint": f"{login}/oauth2/v2.0/authorize",
        "token_endpoint": f"{login}/oauth2/v2.0/token",
        "device_authorization_endpoint": f"{login}/oauth2/v2.0/devicecode",
    }
    simulated.faults.set("body", subject="discovery", body=json.dumps(said | elsewhere))


def other(simulated: Simulator, path: str) -> str:
    """Return the URL of a path at another origin of the simulator than its login's."""
    elsewhere = simulated.url.replace("localhost", "127.0.0.1")
    return f"{elsewhere}/{simulated.tenants[0].tenant_id}/oauth2/v2.0/{path}"


@pytest.mark.parametrize("credential", APPLICATIONS)
def test_no_proof_of_an_application_goes_to_another_origin(
    source: Sources, tmp_path: Path, credential: Credential
) -> None:
    """A discovery that names another host for tokens is Unauthorized: that host is said, and was sent nothing."""
    with simulator(tmp_path, credential) as simulated:
        mislead(simulated)
        source(simulated).sign_in(10)
        simulated.requests.clear()
        mislead(simulated, token_endpoint=other(simulated, "token"))
        error = failure(source(simulated))
        assert isinstance(error, Unauthorized)
        assert f"names another origin, 127.0.0.1:{simulated.url.rpartition(':')[2]}," in str(error)
        assert "login_url" in error.mend
        assert simulated.requests.requests(subject="sign_in") == []


@pytest.mark.parametrize(
    "spelt",
    [
        "http://localhost:{port}/t/token",
        "https://localhost:1/t/token",
        "https://localhost/t/token",
        "https://localhost:{port}@127.0.0.1:{port}/t/token",
        "https://userlocalhost@:{port}/t/token",
        "https://localhost.127.0.0.1:{port}/t/token",
        "https://localhost:{port}\\@127.0.0.1:{port}/t/token",
        "https://localhost:99999/t/token",
        "https://[::1]:{port}/t/token",
        "//127.0.0.1:{port}/t/token",
    ],
)
def test_no_spelling_of_another_origin_passes_for_the_logins(source: Sources, tmp_path: Path, spelt: str) -> None:
    """Another scheme, port, user or host is another origin, however it is written."""
    with simulator(tmp_path, "client_secret") as simulated:
        port = simulated.url.rpartition(":")[2]
        mislead(simulated, token_endpoint=spelt.format(port=port))
        error = failure(source(simulated))
        assert isinstance(error, Unauthorized)
        assert "login_url" in error.mend
        assert simulated.requests.requests(subject="sign_in") == []
        assert simulated.secret_file.read_text(encoding="utf-8") not in shown(error)


def test_no_persons_sign_in_goes_to_another_origin(source: Sources, tmp_path: Path) -> None:
    """Neither the refresh token that is kept, nor a device's code, is sent to a host that discovery names."""
    with simulator(tmp_path, "device_code", patience=Patience(interval=1)) as simulated:
        http = Http(simulated.ca_file)
        signed_in(simulated, lambda: Login(CONTOSO, tenant(simulated), http))
        kept = refresh_token(cache_of(simulated))
        for path, subject in (("token", "sign_in"), ("devicecode", "device_code")):
            simulated.requests.clear()
            mislead(simulated, token_endpoint=other(simulated, "token"))
            error = failure(source(simulated))
            assert "names another origin" in str(error)
            assert kept not in shown(error)
            mislead(simulated, device_authorization_endpoint=other(simulated, path))
            with pytest.raises(Unauthorized, match="names another origin"):
                Login(CONTOSO, tenant(simulated), http).begin(10)
            assert simulated.requests.requests(subject=subject) == []
        http.close()
