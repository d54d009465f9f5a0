"""A journal that lost pages: the service sets it aside, goes on with what is sound, and says what happened."""

from pathlib import Path

import httpx
from servers import free_ports
from system.blackbox import Process, Simulated, collector, document, poll, settings, until, well

PAGE = 4096
LEAF = 13
"""The first byte of a page that has rows of a table."""


def destroyed(journal: Path) -> bytes:
    """Overwrite a dozen pages of rows, as a disk does that loses them; return what is in the file then."""
    content = bytearray(journal.read_bytes())
    rows = [page for page in range(PAGE, len(content), PAGE) if content[page] == LEAF]
    for page in rows[len(rows) // 2 :][:12]:
        content[page : page + PAGE] = b"\xaa" * PAGE
    journal.write_bytes(content)
    return bytes(content)


def points(config: Path) -> int:
    """Return how many points the journal has."""
    return int(document(collector("status", "--config", config, "--json"))["journal"]["points"])


def test_a_service_whose_journal_lost_pages_saves_what_is_sound(simulated: Simulated, tmp_path: Path) -> None:
    """It says what is lost and where the damaged file is, polls on, and is ready; commands before it only say so."""
    well(collector("demo", "--seconds", "5", "--folder", tmp_path, timeout=90))
    (port,) = free_ports(1)
    config = settings(tmp_path, simulated, poll(3600), f'[web]\nlisten = "127.0.0.1:{port}"\n')
    before = points(config)
    journal = tmp_path / "journal.db"
    damaged = destroyed(journal)
    for command in (["status"], ["check"], ["backup", tmp_path / "b.db"]):
        done = collector(*command, "--config", config)
        assert (done.returncode, "Traceback" in done.stderr) == (1, False)
        assert len(done.stderr.splitlines()) <= 3, done.stderr
        assert "set the damaged file aside" in done.stderr + done.stdout, done
    assert journal.read_bytes() == damaged
    with (
        Process("run", "--config", config) as service,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        (said,) = until(lambda: service.said("journal.salvaged"), 90, "the salvage")
        until(lambda: len(service.said("poll.settled")) == 2, what="both polls")
        until(lambda: client.get("/readyz").status_code == 200, what="a ready service")
        assert "collector_journal_ok 1.0" in client.get("/metrics").text
        assert said["level"] == "error"
        # A page holds some hundred rows.
        assert 0 < said["lost"] < 12 * 150
        # What was polled before the look was appended to it all the same.
        assert said["rows"] + said["lost"] in range(before - 12 * 150, before + 100)
        assert Path(said["aside"]).read_bytes().count(b"\xaa" * PAGE) == 12
        assert service.end() == 0
    assert points(config) >= said["rows"]
    well(collector("backup", tmp_path / "b.db", "--config", config))
    assert Path(said["aside"]).name in collector("check", "--config", config).stdout


def test_once_mends_it_too_and_a_file_that_is_another_programs_stays(simulated: Simulated, tmp_path: Path) -> None:
    """A journal whose first page is gone opens, with all its rows; a letter under its name is refused with exit 1."""
    config = settings(tmp_path, simulated, poll(3600))
    well(collector("once", "--config", config))
    before = points(config)
    journal = tmp_path / "journal.db"
    journal.write_bytes(bytes(PAGE) + journal.read_bytes()[PAGE:])
    done = collector("once", "--config", config)
    assert well(done)
    assert "journal.salvaged" in done.stderr
    assert points(config) == before
    journal.write_bytes(b"dear reader\n" * 500)
    done = collector("once", "--config", config)
    assert (done.returncode, "not a database" in done.stderr, "journal.path" in done.stderr) == (1, True, True)
    assert journal.read_bytes() == b"dear reader\n" * 500
