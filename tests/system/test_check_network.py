"""`check` where nobody is reached, or somebody who isn't trusted: whose, which host and port, by which proxy."""

import socket
from pathlib import Path

import pytest
from origins import Authority, Origin, Reply, crowded
from servers import free_ports
from system.blackbox import Simulated, settings, v1
from system.doctor import Check, bad, only_bad

SECRET = "the-proxy's-s3cret"


def sign_in_at(simulated: Simulated, folder: Path, url: str, **env: str) -> Check:
    """Return the finding of a sign-in that is to be had at `url`."""
    named = {"COLLECTOR__TENANTS__CONTOSO__LOGIN_URL": url, **env}
    return only_bad(settings(folder, simulated), "contoso: sign-in", env=named)


@pytest.mark.parametrize(
    ("certificate", "words", "mend"),
    [
        ("untrusted", "issuer", "tenants.contoso.ca_file, or add it to the system's store"),
        ("expired", "expired", "renew the server's certificate"),
        ("other_name", "ismatch", "by a name that its certificate holds"),
    ],
)
@pytest.mark.parametrize(("shown_by", "name"), [("sign_in", "contoso: sign-in"), ("api", "contoso: organization")])
def test_a_certificate_that_is_not_trusted(
    tmp_path: Path, certificate: str, words: str, mend: str, shown_by: str, name: str
) -> None:
    """The certificate of sign-in or of the API is named as such, with why it isn't trusted and what to do."""
    options = ("--groups", "1", "--certificate", certificate, "--shown-by", shown_by)
    with Simulated(tmp_path / "simulated", *options) as simulated:
        found = bad(settings(tmp_path / "settings", simulated))
    assert set(found) == ({name} if shown_by == "sign_in" else {name, "contoso: device_groups"})
    assert f"the certificate of {'127.0.0.1' if shown_by == 'sign_in' else 'localhost'} is not" in found[name].message
    assert words in found[name].message
    assert mend in found[name].mend


def test_an_influxdb_whose_certificate_is_not_trusted(simulated: Simulated, tmp_path: Path) -> None:
    """The certificate of a sink is named with the sink, and with the sink's own ca_file."""
    with Origin(lambda *_: Reply(status=204), Authority(tmp_path).context()) as origin:
        config = settings(tmp_path / "settings", simulated, v1("main", origin.url, "exposure"))
        found = only_bad(config, "sink main: write")
        assert f"127.0.0.1:{origin.port}: the certificate of 127.0.0.1 is not trusted" in found.message
        assert "influxdb.main.ca_file" in found.mend


def test_a_ca_file_that_is_none(simulated: Simulated, tmp_path: Path) -> None:
    """A ca_file without a certificate is named by its key and path."""
    env = {"COLLECTOR__TENANTS__CONTOSO__CA_FILE": str(tmp_path / "absent.pem")}
    found = only_bad(settings(tmp_path, simulated), "contoso: sign-in", env=env)
    assert f"tenants.contoso.ca_file: {tmp_path / 'absent.pem'}" in found.message


def test_a_name_that_is_not_found(simulated: Simulated, tmp_path: Path) -> None:
    """A host that DNS doesn't know is named, with the port."""
    found = sign_in_at(simulated, tmp_path, "https://login.invalid")
    assert "login.invalid:443: the name login.invalid is not found" in found.message
    assert "DNS" in found.mend


def test_a_connection_that_is_refused(simulated: Simulated, tmp_path: Path) -> None:
    """A port where nobody listens is named with its host."""
    [port] = free_ports(1)
    found = sign_in_at(simulated, tmp_path, f"https://127.0.0.1:{port}")
    assert f"127.0.0.1:{port}: the connection was refused" in found.message


def test_a_connection_that_is_not_taken(simulated: Simulated, tmp_path: Path) -> None:
    """A host that drops what is sent ends with the settings' timeout, and is named."""
    with crowded() as port:
        found = sign_in_at(simulated, tmp_path, f"https://127.0.0.1:{port}", COLLECTOR__POLL__TIMEOUT_SECONDS="0.5")
    assert f"127.0.0.1:{port}: the connection was not taken within 0." in found.message
    assert "firewall" in found.mend


def test_an_api_that_never_answers(simulated: Simulated, tmp_path: Path) -> None:
    """An API that takes the connection and is silent ends with the settings' timeout."""
    simulated.fault("hang", subject="organization")
    env = {"COLLECTOR__POLL__TIMEOUT_SECONDS": "1"}
    found = only_bad(settings(tmp_path, simulated), "contoso: organization", env=env)
    assert "no whole answer within 1 s" in found.message


def test_tls_to_a_plain_port(simulated: Simulated, tmp_path: Path) -> None:
    """A port that speaks no TLS is said to."""
    with Origin(lambda *_: Reply()) as origin:
        found = sign_in_at(simulated, tmp_path, origin.url.replace("http:", "https:"))
    assert "no TLS with 127.0.0.1" in found.message
    assert "http" in found.mend


@pytest.mark.parametrize(
    ("status", "mend"), [(407, "user and password"), (403, "allow this host"), (502, "whoever runs the proxy")]
)
def test_a_proxy_that_refuses(simulated: Simulated, tmp_path: Path, status: int, mend: str) -> None:
    """What a proxy refuses is the proxy's: by host and port, never with its password."""
    with Origin(lambda *_: Reply(status=status)) as proxy:
        env = {"HTTPS_PROXY": f"http://collector:{SECRET}@127.0.0.1:{proxy.port}", "NO_PROXY": ""}
        found = only_bad(settings(tmp_path, simulated), "contoso: sign-in", env=env)
    host = simulated.url.removeprefix("https://")
    assert f"{host} by the proxy 127.0.0.1:{proxy.port}: the proxy refused: {status}" in found.message
    assert mend in found.mend
    assert SECRET not in found.message + found.mend


def test_a_proxy_that_is_not_there(simulated: Simulated, tmp_path: Path) -> None:
    """A proxy that can't be reached is not taken for the host behind it."""
    [port] = free_ports(1)
    env = {"HTTPS_PROXY": f"http://collector:{SECRET}@127.0.0.1:{port}", "NO_PROXY": ""}
    found = only_bad(settings(tmp_path, simulated), "contoso: sign-in", env=env)
    assert f"by the proxy 127.0.0.1:{port}: the connection was refused by the proxy" in found.message
    assert "NO_PROXY" in found.mend
    assert SECRET not in found.message + found.mend


def test_pages_whose_port_is_taken(simulated: Simulated, tmp_path: Path) -> None:
    """A port that another process holds is said before the service fails on it; a free one is well."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        found = only_bad(settings(tmp_path, simulated, f'[web]\nlisten = "{address}"\n'), "web")
    assert f"{address} is taken by another process" in found.message
    assert "ss -ltnp" in found.mend
