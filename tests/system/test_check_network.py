"""`check` where nobody is reached, or somebody who isn't trusted: whose, which host and port, by which proxy."""

import re
import socket
import threading
from pathlib import Path

import pytest
from leaks import know
from origins import Authority, Origin, Reply, Request, crowded
from servers import free_ports
from system.blackbox import Simulated, collector, settings, v1
from system.doctor import Check, bad, checks, only_bad

SECRET = know("the-proxy's-s3cret")


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
    assert found.message == f"tenants.contoso.ca_file: {tmp_path / 'absent.pem'}: no such file"
    env = {"COLLECTOR__INFLUXDB__MAIN__CA_FILE": str(tmp_path / "collector.toml")}
    config = settings(tmp_path, simulated, v1("main", "https://127.0.0.1:1", "exposure"))
    found = only_bad(config, "sink main: write", env=env)
    assert found.message.startswith(f"influxdb.main.ca_file: {config}: holds no certificate in PEM form")


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


def test_an_api_that_hangs_costs_one_timeout(simulated: Simulated, tmp_path: Path) -> None:
    """The subjects are asked at once, so that an API that hangs holds `check` up for one timeout, however many."""
    together = threading.Barrier(2)

    def talk(request: Request, _: object) -> Reply:
        together.wait(30)
        groups = b'{"value": []}'
        one = b'{"time": "2026-07-01T00:00:00Z", "score": 33.5}'
        return Reply(groups if "ByMachineGroups" in request.target else one)

    authority = Authority(tmp_path)
    both = tmp_path / "both.pem"
    both.write_bytes((simulated.folder / "ca.pem").read_bytes() + authority.pem.read_bytes())
    with Origin(talk, authority.context()) as api:
        env = {"COLLECTOR__TENANTS__CONTOSO__API_URL": api.url, "COLLECTOR__TENANTS__CONTOSO__CA_FILE": str(both)}
        found = checks(settings(tmp_path, simulated), env=env)
    assert found["contoso: organization"].message == "score 33.5"
    assert found["contoso: device_groups"].message == "0 groups"


def test_what_is_awaited_is_named(simulated: Simulated, tmp_path: Path) -> None:
    """While something is silent `check` says what it waits for, and since when."""
    simulated.fault("hang", subject="organization")
    env = {"COLLECTOR__POLL__TIMEOUT_SECONDS": "7"}
    done = collector("check", "--config", settings(tmp_path, simulated), env=env)
    assert re.search(r"^waiting for contoso: organization, [5-7] s: 2 of 3 things$", done.stderr, re.MULTILINE)
    assert "/s, " not in done.stderr


def test_tls_to_a_plain_port(simulated: Simulated, tmp_path: Path) -> None:
    """A port that speaks no TLS is said to."""
    with Origin(lambda *_: Reply()) as origin:
        found = sign_in_at(simulated, tmp_path, origin.url.replace("http:", "https:"))
    assert "no TLS with 127.0.0.1" in found.message
    assert "http" in found.mend


@pytest.mark.parametrize(
    ("status", "mend"), [(407, "correct user and password"), (403, "allow this host"), (502, "whoever runs the proxy")]
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


def test_a_proxy_that_stands_before_an_influxdb_nearby(simulated: Simulated, tmp_path: Path) -> None:
    """A 407 on the way to an InfluxDB over plain http is the proxy's too, and NO_PROXY the first mend."""
    with Origin(lambda *_: Reply(status=407)) as proxy:
        env = {"HTTP_PROXY": f"http://127.0.0.1:{proxy.port}", "NO_PROXY": "localhost"}
        config = settings(tmp_path, simulated, v1("main", "http://127.0.0.1:8086", "exposure"))
        found = only_bad(config, "sink main: write", env=env)
    assert f"127.0.0.1:8086 by the proxy 127.0.0.1:{proxy.port}: the proxy refused: 407" in found.message
    assert found.mend.startswith("ask 127.0.0.1 without a proxy: add it to NO_PROXY")


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
