"""Fixtures that several test files share: a journal, sign-ins, and the real servers, started once a session if asked.

A file that means something else by one of the names has its own.
"""

import sys
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import settings as hypothesis
from leaks import begin_test, know_in_this_test, leaks, want_none, want_none_kept
from origins import Authority
from servers import INFLUXD, NOT_TESTED, VICTORIA, Influxd, Victoria, need
from sign_ins import SignIns
from signing import CONTOSO, Sources, simulator, tenant
from tenants import FakeTenant

from collector.defender import Login
from collector.defender.auth import Auth
from collector.errors import CollectorError
from collector.http import Http
from collector.journal import Journal
from collector.settings import Secret
from collector.simulator import Patience, Simulator
from collector.web.guard import EVERYWHERE

pytest_plugins = ["pytester"]

# What takes a fifth of a second on a machine that does something else besides is no fault.
hypothesis.register_profile("suite", deadline=None)
hypothesis.load_profile("suite")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write a loud line for each program that was missing."""
    skipped = terminalreporter.stats.get("skipped", ())
    for reason in sorted({report.longrepr[2] for report in skipped if isinstance(report.longrepr, tuple)}):
        if NOT_TESTED in reason:
            terminalreporter.write_line(reason, red=True, bold=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a test fail that printed or logged a secret, whatever else it claims."""
    report = yield
    found = leaks("".join(text for _, text in report.sections)) if report.when == "teardown" else []
    if found:
        report.outcome = "failed"
        report.longrepr = f"{item.name} printed or logged {', '.join(found)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Let nothing count what an `unmeasured` test reaches: it takes twice as long else, and others reach the same."""
    counting, threads_counting = sys.gettrace(), threading.gettrace()
    if item.get_closest_marker("unmeasured") is None or counting is None:
        return (yield)
    sys.settrace(None)
    threading.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(counting)
        threading.settrace(threads_counting)


@pytest.fixture(autouse=True)
def _no_secret_leaks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a test fail in which an error's words, a page, or a file that the collector keeps hold a secret."""
    folder = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    begin_test()
    told: list[str] = []
    real = CollectorError.__init__

    def telling(self: CollectorError, message: str, *, mend: str = "") -> None:
        real(self, message, mend=mend)
        told.append(f"{message} {mend}")

    monkeypatch.setattr(CollectorError, "__init__", telling)
    served: list[bytes] = []
    send = httpx.Client.send

    def listening(self: httpx.Client, *asked: Any, **how: Any) -> httpx.Response:
        answer = send(self, *asked, **how)
        # Told by its headers: no other server in the suite has them.
        if answer.is_closed and all(answer.headers.get(name) == value for name, value in EVERYWHERE):
            served.append(repr(answer.headers.raw).encode() + answer.content)
        return answer

    monkeypatch.setattr(httpx.Client, "send", listening)
    read = Secret.read
    monkeypatch.setattr(Secret, "read", lambda self: know_in_this_test(read(self)))
    yield
    want_none("an error", "\n".join(told))
    want_none("a page", b"\n".join(served))
    if folder is not None:
        want_none_kept(folder)


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


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that issues the certificates of a made-up tenant."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def make(authority: Authority) -> Iterator[SignIns]:
    """Makes sign-ins to a made-up tenant."""
    with SignIns(authority) as sign_ins:
        yield sign_ins


@pytest.fixture
def fake(make: SignIns) -> FakeTenant:
    """That tenant, whose every answer is the test's."""
    return make.fake


@pytest.fixture
def auth(make: SignIns) -> Auth:
    """Its token, of which there is none yet."""
    return make()


@pytest.fixture
def source() -> Iterator[Sources]:
    """Makes sources, and closes their connections at the end."""
    with Sources() as sources:
        yield sources


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[Simulator]:
    """A simulated tenant that a person signs in to by device code."""
    with simulator(tmp_path, "device_code", patience=Patience(interval=1)) as simulated:
        yield simulated


@pytest.fixture
def login(simulated: Simulator) -> Iterator[Callable[..., Login]]:
    """Makes sign-ins of a person to it."""
    http = Http(simulated.ca_file)
    yield lambda **more: Login(CONTOSO, tenant(simulated, **more), http)
    http.close()
