"""collector.simulator: that it serves, over real TLS, from its start to its end."""

import asyncio
import contextlib
import socket
import stat
import threading
import time
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from simulated import connected, trusting

from collector.errors import CollectorError, ConfigError
from collector.simulator import SCOPE, Patience, Simulator

TODAY = date(2026, 3, 14)


def patient(client: httpx.Client) -> httpx.Response:
    """Return an answer of a simulator that has yet to start."""
    for _ in range(500):
        with contextlib.suppress(httpx.ConnectError):
            return client.get("/simulator/faults")
        time.sleep(0.02)
    raise AssertionError("it never answered")


def threads() -> list[str]:
    """Return the simulators' threads that are alive."""
    return [thread.name for thread in threading.enumerate() if thread.name == "simulator"]


@pytest.fixture(name="simulator")
def _simulator(tmp_path: Path) -> Iterator[Simulator]:
    with Simulator(folder=tmp_path, today=TODAY) as simulator:
        yield simulator


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_it_answers_by_each_name_of_loopback(simulator: Simulator, host: str) -> None:
    """Its certificate is good for localhost, 127.0.0.1 and ::1, for who trusts its authority."""
    url = simulator.url.replace("localhost", host)
    try:
        answer = httpx.get(f"{url}/simulator/faults", verify=trusting(simulator), trust_env=False)
    except httpx.ConnectError as error:
        if host == "[::1]" and "CERTIFICATE" not in str(error):
            pytest.skip("this machine has no ::1")
        raise
    assert answer.json() == {"faults": []}


def test_a_client_that_does_not_know_its_authority_refuses_it(simulator: Simulator) -> None:
    """Its certificate is no good without the CA file."""
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{simulator.url}/simulator/faults", trust_env=False)


def test_it_is_reached_on_loopback_alone(simulator: Simulator) -> None:
    """It holds its port on no address but 127.0.0.1 and ::1."""
    hosts = {bound.getsockname()[0] for server in simulator._servers for bound in server._sockets}
    assert hosts <= {"127.0.0.1", "::1"}


def test_a_port_that_is_taken_is_a_wrong_setting(tmp_path: Path) -> None:
    """A taken port is said at once, with what to do, and leaves nothing running."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=str(port)) as caught:
            Simulator(folder=tmp_path, port=port)
    assert "0 for a free one" in caught.value.mend
    assert not threads()


def test_a_named_port_is_free_again_after_the_end(tmp_path: Path) -> None:
    """A simulator can be started on the port of one that was stopped, also while its old connections fade away."""
    with Simulator(folder=tmp_path) as first, connected(first) as client:
        client.get("/simulator/faults")
        port = int(first.url.rpartition(":")[2])
    with Simulator(folder=tmp_path, port=port) as second, connected(second) as client:
        assert second.url == first.url
        assert client.get("/simulator/faults").status_code == 200


def test_it_ends_at_once_although_clients_keep_their_connections(tmp_path: Path) -> None:
    """An idle connection does not keep it from ending, and no thread is left."""
    simulator = Simulator(folder=tmp_path)
    simulator.start()
    with connected(simulator) as client:
        client.get("/simulator/faults")
        start = time.monotonic()
        simulator.stop()
        assert time.monotonic() - start < 8
    assert not threads()


@pytest.mark.parametrize(
    ("fault", "parameters"), [("hang", {}), ("slow", {"seconds": 600}), ("drip", {"milliseconds": 60_000})]
)
def test_it_ends_although_a_request_waits(tmp_path: Path, fault: str, parameters: dict[str, Any]) -> None:
    """A request that would wait for minutes is let go when the simulator ends."""
    simulator = Simulator(folder=tmp_path)
    simulator.start()
    simulator.faults.set(fault, subject="discovery", **parameters)
    path = f"/{simulator.tenants[0].tenant_id}/v2.0/.well-known/openid-configuration"
    with connected(simulator, timeout=60) as client, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.get, path)
        while not simulator.requests.requests(subject="discovery"):
            time.sleep(0.01)
        start = time.monotonic()
        simulator.stop()
        assert time.monotonic() - start < 8
        with contextlib.suppress(httpx.TransportError):
            assert answer.result(10).status_code == 200
    assert not threads()


def test_a_simulator_that_never_ran_can_be_stopped_twice(tmp_path: Path) -> None:
    """Stopping is always possible, and gives the port back."""
    simulator = Simulator(folder=tmp_path)
    simulator.stop()
    simulator.stop()
    socket.create_server(("127.0.0.1", int(simulator.url.rpartition(":")[2]))).close()


def test_a_simulator_starts_once(simulator: Simulator) -> None:
    """Starting it again is refused, and the first start goes on."""
    with pytest.raises(CollectorError, match="started before"):
        simulator.start()
    with connected(simulator) as client:
        assert client.get("/simulator/faults").status_code == 200


def test_hundreds_of_requests_wait_side_by_side(tmp_path: Path) -> None:
    """Latency is each request's own: 200 at once take nothing like 200 times as long."""

    async def ask(simulator: Simulator) -> list[int]:
        limits = httpx.Limits(max_connections=200)
        async with httpx.AsyncClient(
            base_url=simulator.url, verify=trusting(simulator), trust_env=False, timeout=60, limits=limits
        ) as client:
            answers = await asyncio.gather(*(client.get("/api/exposureScore") for _ in range(200)))
        return [answer.status_code for answer in answers]

    with Simulator(folder=tmp_path, latency=0.5) as simulator:
        start = time.monotonic()
        assert asyncio.run(ask(simulator)) == [401] * 200
        assert 0.5 <= time.monotonic() - start < 50


def test_its_settings_are_what_a_collector_needs(tmp_path: Path) -> None:
    """`collector.toml` has a section for each tenant: ids, hosts, scope, and absolute paths of files that exist."""
    folder = tmp_path / 'with "quotes", ü and spaces'
    simulator = Simulator(folder=folder, tenants=4)
    simulator.stop()
    assert simulator.settings_file.read_text(encoding="utf-8") == simulator.settings
    sections = tomllib.loads(simulator.settings)["tenants"]
    assert list(sections) == [tenant.name for tenant in simulator.tenants]
    for tenant in simulator.tenants:
        section = sections[tenant.name]
        credential = section.pop("credential")
        assert section == {
            "tenant_id": tenant.tenant_id,
            "client_id": tenant.client_id,
            "api_url": simulator.url,
            "login_url": simulator.url,
            "scope": SCOPE,
            "ca_file": str(simulator.ca_file),
        }
        assert credential == {"kind": "client_secret", "client_secret_file": str(simulator.secret_file)}
    assert Path(section["ca_file"]).is_absolute()
    assert simulator.ca_file.read_text(encoding="utf-8").startswith("-----BEGIN CERTIFICATE-----")


def test_its_secret_stands_in_its_file_alone(tmp_path: Path) -> None:
    """The secret is in one file that only its owner reads, new at each start, and in no settings."""
    secrets = []
    for _ in range(2):
        simulator = Simulator(folder=tmp_path)
        simulator.stop()
        secrets.append(simulator.secret_file.read_text(encoding="utf-8"))
        assert stat.S_IMODE(simulator.secret_file.stat().st_mode) == 0o600
        assert secrets[-1] not in simulator.settings
    assert secrets[0] != secrets[1]


def test_the_same_seed_has_the_same_tenants(tmp_path: Path) -> None:
    """Ids belong to the seed, so that settings outlive a restart on the same port."""
    built = [Simulator(folder=tmp_path, tenants=5, seed=seed) for seed in (1, 1, 2)]
    for simulator in built:
        simulator.stop()
    assert built[0].tenants == built[1].tenants
    assert not {tenant.tenant_id for tenant in built[1].tenants} & {tenant.tenant_id for tenant in built[2].tenants}
    assert len({tenant.tenant_id for tenant in built[0].tenants}) == 5


def test_what_cannot_be_is_refused_all_at_once(tmp_path: Path) -> None:
    """Numbers that make no sense, and a folder that can't be written, are wrong settings."""
    with pytest.raises(ConfigError) as caught:
        Simulator(folder=tmp_path, tenants=0, groups=0, latency=-1, port=-1, token_seconds=0, page_size=0)
    names = [problem.partition(":")[0] for problem in caught.value.problems]
    assert names == ["tenants", "groups", "latency", "port", "token_seconds", "page_size"]
    with pytest.raises(ConfigError, match="port"):
        Simulator(folder=tmp_path, port=65536)
    with pytest.raises(ConfigError) as caught:
        Simulator(
            folder=tmp_path, credential_days=1e9, metadata_port=-1, patience=Patience(interval=0, approve_after=-1)
        )
    assert len(caught.value.problems) == 4
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ConfigError, match="folder"):
        Simulator(folder=file)


def test_settings_of_a_person_are_left_alone(tmp_path: Path) -> None:
    """A folder whose `collector.toml` is not a simulator's is refused, and its own settings are written anew."""
    Simulator(folder=tmp_path / "own").stop()
    Simulator(folder=tmp_path / "own").stop()
    (tmp_path / "collector.toml").write_text("[tenants.contoso]")
    with pytest.raises(ConfigError, match="not a simulator's"):
        Simulator(folder=tmp_path)
    assert (tmp_path / "collector.toml").read_text() == "[tenants.contoso]"
    assert {path.name for path in tmp_path.iterdir()} == {"own", "collector.toml"}
