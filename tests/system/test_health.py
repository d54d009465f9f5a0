"""`health`: what a container's engine, or whoever watches, asks of the service on its own machine."""

from pathlib import Path

import pytest
from servers import free_ports
from system.blackbox import Process, Simulated, collector, poll, settings, until, well


def test_a_service_is_live_and_ready_by_its_own_word(simulated: Simulated, tmp_path: Path) -> None:
    """It is asked at its own address, past every proxy, also where it listens everywhere and wants a token."""
    (port,) = free_ports(1)
    (tmp_path / "web.token").write_text("the token of the pages")
    web = f'[web]\nlisten = "0.0.0.0:{port}"\ntoken_file = "web.token"\n'
    config = settings(tmp_path, simulated, poll(3600), web)
    proxied = {"HTTP_PROXY": "http://127.0.0.1:1", "NO_PROXY": ""}
    before = collector("health", "--config", config, env=proxied)
    assert (before.returncode, before.stdout) == (1, "")
    assert "refused" in before.stderr
    with Process("run", "--config", config) as service:
        until(lambda: len(service.said("poll.settled")) == 2, what="both polls")
        assert well(collector("health", "--config", config, env=proxied)) == "live\n"
        assert well(collector("health", "--ready", "--config", config, env=proxied)) == "ready\n"


def test_a_service_that_polls_in_vain_is_live_but_not_ready(simulated: Simulated, tmp_path: Path) -> None:
    """What `/readyz` says is said, and is exit code 1; to start the service anew would help nobody."""
    (port,) = free_ports(1)
    config = settings(tmp_path, simulated, poll(3600), f'[web]\nlisten = "127.0.0.1:{port}"\n')
    simulated.fault("unavailable")
    with Process("run", "--config", config) as service:
        until(lambda: service.said("service.started"), what="the start")
        assert well(collector("health", "--config", config)) == "live\n"
        done = collector("health", "--ready", "--config", config)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "error: no tenant was polled with success within 3 intervals\n"


@pytest.mark.parametrize("listen", ["", "127.0.0.1:0"])
def test_a_service_without_an_address_can_not_be_asked(listen: str, simulated: Simulated, tmp_path: Path) -> None:
    """That is a matter of the settings, and says so."""
    done = collector("health", "--config", settings(tmp_path, simulated, f'[web]\nlisten = "{listen}"\n'))
    assert done.returncode == 2
    assert "web.listen" in done.stderr


def test_another_server_at_the_address_is_no_service(simulated: Simulated, tmp_path: Path) -> None:
    """An answer that is none of the service's is shown, and is exit code 1."""
    port = int(simulated.url.rpartition(":")[2])
    config = settings(tmp_path, simulated, f'[web]\nlisten = "127.0.0.1:{port}"\n')
    done = collector("health", "--config", config)
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr
