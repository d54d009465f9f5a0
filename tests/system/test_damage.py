"""A journal that lost pages: it is said once, with the mend, by whoever looks, and by a service that nobody asked."""

from pathlib import Path

import httpx
from servers import free_ports
from system.blackbox import Process, Simulated, collector, poll, settings, until, well

PAGE = 4096


def destroyed(journal: Path) -> Path:
    """Overwrite pages in the middle of the file, as a disk does that loses them."""
    content = journal.read_bytes()
    middle = len(content) // 2 // PAGE * PAGE
    journal.write_bytes(content[:middle] + b"\xaa" * 12 * PAGE + content[middle + 12 * PAGE :])
    return journal


def test_a_service_whose_journal_lost_pages_is_not_ready_and_says_so(simulated: Simulated, tmp_path: Path) -> None:
    """It polls on, with an error that has the mend; `/readyz` and the metric have it too; no command floods anybody."""
    well(collector("demo", "--seconds", "5", "--folder", tmp_path, timeout=90))
    journal = destroyed(tmp_path / "journal.db")
    (port,) = free_ports(1)
    web = f'[web]\nlisten = "127.0.0.1:{port}"\n'
    config = settings(tmp_path, simulated, poll(3600), web)
    with (
        Process("run", "--config", config) as service,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        until(lambda: service.said("journal.unsound"), what="the damage")
        (unsound,) = service.said("journal.unsound")
        assert (unsound["level"], "backup" in unsound["mend"]) == ("error", True)
        until(lambda: len(service.said("poll.settled")) == 2, what="both polls")
        ready = client.get("/readyz")
        assert ready.status_code == 503
        (reason,) = ready.json()["reasons"]
        assert str(journal) in reason
        assert "collector_journal_ok 0.0" in client.get("/metrics").text
        for command in (["status"], ["check"], ["backup", tmp_path / "b.db"]):
            done = collector(*command, "--config", config)
            assert (done.returncode, "Traceback" in done.stderr) == (1, False)
            assert len(done.stderr.splitlines()) <= 3, done.stderr
            assert done.stderr.count("journal.damaged") == 1
        assert not (tmp_path / "b.db").exists()
        assert service.end() == 0
