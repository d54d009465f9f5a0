"""`backup` and `forget` of a journal that takes its time, broken off by a signal."""

import signal
from pathlib import Path

import pytest
from journals import DAY, HOUR, MIDNIGHT, every, group
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
