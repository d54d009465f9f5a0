"""Fixtures that several test files share: a journal, and the real servers, started once a session when first asked."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import INFLUXD, NOT_TESTED, VICTORIA, Influxd, Victoria, need

from collector.journal import Journal


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write a loud line for each program that was missing."""
    skipped = terminalreporter.stats.get("skipped", ())
    for reason in sorted({report.longrepr[2] for report in skipped if isinstance(report.longrepr, tuple)}):
        if NOT_TESTED in reason:
            terminalreporter.write_line(reason, red=True, bold=True)


@pytest.fixture(scope="session")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    """InfluxDB 1.x that takes everybody's points."""
    need(INFLUXD)
    with Influxd(tmp_path_factory.mktemp("influxd")) as server:
        yield server


@pytest.fixture(scope="session")
def influxd_with_users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    """InfluxDB 1.x that wants to know who asks; `servers.ADMIN` may do everything."""
    need(INFLUXD)
    with Influxd(tmp_path_factory.mktemp("influxd-with-users"), auth=True) as server:
        yield server


@pytest.fixture(scope="session")
def victoria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victoria]:
    """VictoriaMetrics, which answers /api/v2/write."""
    need(VICTORIA)
    with Victoria(tmp_path_factory.mktemp("victoria")) as server:
        yield server


@pytest.fixture
def database(influxd: Influxd) -> str:
    """The name of a database that no other test has."""
    return influxd.database()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """An empty journal."""
    with Journal(tmp_path / "journal.db") as journal:
        yield journal
