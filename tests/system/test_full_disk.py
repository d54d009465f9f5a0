"""A disk that is full for a while: what is polled waits in memory, and is appended in order."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from servers import free_ports
from system.blackbox import Process, Simulated, poll, settings, until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a disk of two megabytes")


@pytest.fixture(name="disk")
def _disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Fill the disk to the last byte."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue
    yield
    filler.unlink()


def slots(service: Process, *, safe: bool) -> Sequence[str]:
    """Return the slots of which a poll of the organization was settled."""
    lines = (line for line in service.said("poll.settled") if line["subject"] == "organization" and line["ok"])
    return [line["slot"] for line in lines if line["safe"] is safe]


def test_nothing_is_lost_while_the_disk_takes_nothing(simulated: Simulated, disk: Path) -> None:
    """Polls go on, `/readyz` says why it isn't ready, and with room all is appended in the order of its slots."""
    (port,) = free_ports(1)
    web = f'[web]\nlisten = "127.0.0.1:{port}"\n'
    config = settings(disk, simulated, poll(1), web)
    with (
        Process("run", "--config", config) as service,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        until(lambda: len(slots(service, safe=True)) >= 2, what="polls")
        with full(disk):
            until(lambda: len(slots(service, safe=False)) >= 3, what="polls that wait")
            ready = client.get("/readyz")
            assert ready.status_code == 503
            assert "the journal can't be written" in ready.text
            assert client.get("/livez").status_code == 200
            assert "collector_journal_ok 0.0" in client.get("/metrics").text
        (recovered,) = until(lambda: service.said("journal.recovered"), what="room")
        assert recovered["appended"] > 0
        until(lambda: client.get("/readyz").status_code == 200, what="a ready service")
        waited = slots(service, safe=False)
        assert service.end() == 0
        settled = sorted({*waited, *slots(service, safe=True)})
    with closing(sqlite3.connect(disk / "journal.db")) as connection:
        rows = connection.execute(
            "SELECT strftime('%Y-%m-%dT%H:%M:%SZ', p.time / 1000, 'unixepoch') FROM point p"
            " JOIN series s ON s.id = p.series WHERE s.measurement = 'exposure_score' ORDER BY p.id"
        ).fetchall()
    assert [slot for (slot,) in rows] == settled


def test_what_still_waits_at_the_end_is_said_with_exit_code_1(simulated: Simulated, disk: Path) -> None:
    """A service that is ended while its disk is full says how many points go with it."""
    config = settings(disk, simulated, poll(1))
    with Process("run", "--config", config) as service:
        until(lambda: len(slots(service, safe=True)) >= 1, what="a poll")
        with full(disk):
            until(lambda: len(slots(service, safe=False)) >= 1, what="a poll that waits")
            assert service.end() == 1
        (lost,) = service.said("points.lost")
        assert lost["count"] > 0
