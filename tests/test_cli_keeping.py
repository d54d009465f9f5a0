"""`backup` and `forget` of a journal that takes its time, broken off by a signal, or killed."""

import os
import signal
from functools import partial
from pathlib import Path

import pytest
from journals import DAY, HOUR, MIDNIGHT, every, group, hear, org, other, stop_in_the_middle
from system.blackbox import Process, collector, until, well

from collector.journal import Journal

SETTINGS = """
[tenants.contoso]
tenant_id = "11111111-1111-1111-1111-111111111111"
client_id = "22222222-2222-2222-2222-222222222222"
credential = { kind = "client_secret", client_secret = "made-up" }
"""
MANY = 250_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings beside a journal of many points of two tenants."""
    folder = tmp_path_factory.mktemp("large")
    with Journal(folder / "journal.db") as journal:
        tenants = ("contoso", "fabrikam")
        journal.append(
            [group(f"g{n % 50}", MIDNIGHT + n // 100 * HOUR, float(n), tenants[n // 50 % 2]) for n in range(MANY)]
        )
    (folder / "collector.toml").write_text(SETTINGS)
    return folder / "collector.toml"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_backup_that_is_broken_off_leaves_no_half_file(large: Path, tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C or SIGTERM in the middle: exit code 1, a word, and nothing is in the folder that wasn't there."""
    with Process("backup", tmp_path / "b.db", "--config", large) as command:
        until(lambda: list(tmp_path.iterdir()), what="the file in the making")
        assert command.end(number) == 1
    assert list(tmp_path.iterdir()) == []
    assert "was not made" in "".join(command.err)
    assert "Traceback" not in "".join(command.err)


def test_a_forgetting_that_is_broken_off_is_taken_up_again(large: Path) -> None:
    """Ctrl-C leaves a journal that is whole: some of the tenant's points are there, and a second call takes them."""
    before = large.with_name("journal.db").read_bytes()
    with Process("forget", "--tenant", "fabrikam", "--yes", "--config", large) as command:
        until(lambda: large.with_name("journal.db").read_bytes() != before, what="the first transaction")
        assert command.end(signal.SIGINT) == 1
    assert "call it again" in "".join(command.err)
    with Journal(large.with_name("journal.db")) as journal:
        assert 0 < journal.holdings("fabrikam").points < MANY // 2
        assert journal.holdings("contoso").points == MANY // 2
    assert "forgotten" in well(collector("forget", "--tenant", "fabrikam", "--yes", "--config", large))
    with Journal(large.with_name("journal.db")) as journal:
        assert journal.tenants() == ["contoso"]
        assert len(every(journal)) == MANY // 2
        assert journal.history(group("g7").series, MIDNIGHT, MIDNIGHT + 900 * DAY)[1].fields == {"score": 107.0}


def test_what_was_killed_in_the_middle_is_forgotten_by_a_second_call(tmp_path: Path) -> None:
    """The half of a transaction that a killed process left in the file keeps nobody from calling the command again."""
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        journal.append([org(tenant="fabrikam")])
    with other(stop_in_the_middle, path, 5) as (process, pipe):
        assert hear(pipe) == "in the middle"
        process.kill()
        process.join()
    assert path.with_name("journal.db-journal").stat().st_size > 0
    (tmp_path / "collector.toml").write_text(SETTINGS)
    said = well(collector("forget", "--tenant", "fabrikam", "--yes", "--config", tmp_path / "collector.toml"))
    assert "fabrikam: 1 point, 1 series, 0 dead letters forgotten" in said
    with Journal(path) as journal:
        assert every(journal) == [org(value=1.0)]


def test_without_a_journal_there_is_nothing_to_forget(tmp_path: Path) -> None:
    """No file is begun to take a tenant out of it."""
    (tmp_path / "collector.toml").write_text(SETTINGS)
    for sure in ((), ("--yes",)):
        done = collector("forget", "--tenant", "contoso", *sure, "--config", tmp_path / "collector.toml")
        assert (done.returncode, "there is no journal yet" in done.stderr) == (1, True)
    assert not (tmp_path / "journal.db").exists()


def test_ctrl_c_before_a_command_has_begun_is_exit_code_1_too(tmp_path: Path) -> None:
    """While the settings are still being read: a word, and none of the codes that mean something else."""
    os.mkfifo(tmp_path / "collector.toml")
    with Process("replay", "main", "--all", "--config", tmp_path / "collector.toml") as command:
        # It can be opened to write as soon as somebody reads.
        writer = until(partial(_writer, tmp_path / "collector.toml"), what="the settings are read")
        os.kill(command.pid, signal.SIGINT)
        # A signal that comes just before the read begins is seen when the read ends.
        os.close(writer)
        until(lambda: command.exit_code is not None, what="its end")
    assert command.exit_code == 1
    assert "".join(command.err) == "interrupted\n"


def _writer(pipe: Path) -> int | None:
    try:
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None
