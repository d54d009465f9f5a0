"""What the collector makes is its user's alone, whatever the umask is: files 0600, folders 0700."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from servers import free_ports
from system.blackbox import Process, Simulated, collector, poll, settings, until, well


@pytest.fixture(autouse=True)
def _no_umask() -> Iterator[None]:
    """The system takes no right away by itself."""
    before = os.umask(0)
    yield
    os.umask(before)


def wide(folder: Path) -> dict[str, str]:
    """Return what in a folder others could use, or its owner can't."""
    found = {}
    for path in folder.rglob("*"):
        mode = stat.S_IMODE(path.lstat().st_mode)
        if mode != (0o700 if path.is_dir() else 0o600):
            found[str(path.relative_to(folder))] = oct(mode)
    return found


def made(folder: Path, do: Callable[[Path], object]) -> set[str]:
    """Return the names of what `do` has left in a new folder, once its rights have been looked at."""
    folder.mkdir(mode=0o700)
    folder.chmod(0o700)
    do(folder)
    assert wide(folder) == {}
    return {path.name for path in folder.iterdir()}


def test_a_demo_leaves_nothing_for_others(tmp_path: Path) -> None:
    """Its journal, its settings, its certificate and the secret of its tenant."""

    def demo(folder: Path) -> None:
        well(collector("demo", "--seconds", "5", "--folder", folder / "demo", timeout=90))

    assert made(tmp_path / "of the demo", demo) == {"demo"}


def test_a_simulated_tenant_leaves_nothing_for_others(tmp_path: Path) -> None:
    """Its authority, its secret, its certificate with a key: whatever the way to sign in."""

    def simulate(folder: Path) -> None:
        for kind in ("client_secret", "certificate", "certificate_pfx", "workload_identity", "device_code"):
            with Simulated(folder / kind, "--credential", kind):
                pass

    assert len(made(tmp_path / "of simulate", simulate)) == 5


def test_a_service_leaves_nothing_for_others(simulated: Simulated, tmp_path: Path) -> None:
    """The journal, its rollback, the role, a backup, a damaged file that was set aside."""
    (port,) = free_ports(1)
    config = settings(tmp_path / "settings", simulated, poll(1), f'[web]\nlisten = "127.0.0.1:{port}"\n')

    def serve(folder: Path) -> None:
        env = {"COLLECTOR__JOURNAL__PATH": str(folder / "journal.db")}
        with Process("run", "--config", config, env=env) as service:
            until(lambda: service.said("poll.settled"), what="a poll")
            well(collector("backup", folder / "backup.db", "--config", config, env=env))
            assert wide(folder) == {}
        journal = folder / "journal.db"
        journal.write_bytes(bytes(100) + journal.read_bytes()[100:])
        well(collector("once", "--config", config, env=env))

    names = made(tmp_path / "of the service", serve)
    assert {"journal.db", "journal.db.lock", "backup.db"} < names
    assert any("damaged" in name for name in names)
