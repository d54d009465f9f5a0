"""What a service tells the manager that started it: ready, turning while it turns, stopping."""

import threading
import time
from pathlib import Path

import pytest
from fakes import Time
from managers import ListeningManager
from pytest_structlog import StructuredLogCapture
from test_service import TENANT

from collector.journal import Journal
from collector.service import Manager, run
from collector.service.engine import Engine
from collector.service.facts import Watching
from collector.service.run import Running
from collector.settings import load

PID = 4711


@pytest.mark.parametrize("kind", ["a file", "an abstract name"])
def test_words_reach_the_manager_wherever_its_socket_is(kind: str, tmp_path: Path) -> None:
    """A socket in a folder and one without any are told alike, a word at a time."""
    address = str(tmp_path / "notify") if kind == "a file" else f"@exposure-collector-{tmp_path}"
    with ListeningManager(address) as listening:
        manager = Manager({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "3000000"}, PID)
        manager.ready("tenants: 1, sinks: 0")
        manager.turning()
        manager.stopping()
        assert listening.words == [
            *("READY=1", "STATUS=tenants: 1, sinks: 0", "WATCHDOG=1", "STOPPING=1", "STATUS=ending in order"),
        ]


def test_the_watchdog_is_told_three_times_in_its_time(tmp_path: Path) -> None:
    """However often the service turns, a third of the watchdog's time lies between two pings."""
    clock = Time()
    with ListeningManager(str(tmp_path / "notify")) as listening:
        manager = Manager({"NOTIFY_SOCKET": listening.address, "WATCHDOG_USEC": "30000000"}, PID, clock)
        for _ in range(61):
            manager.turning()
            clock.now += 0.5
        assert listening.words == ["WATCHDOG=1"] * 4


@pytest.mark.parametrize(
    "environ", [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}]
)
def test_a_watchdog_that_nobody_asked_for_is_told_nothing(environ: dict[str, str], tmp_path: Path) -> None:
    """Without a time, or with one that is another process's, there are no pings."""
    with ListeningManager(str(tmp_path / "notify")) as listening:
        Manager({"NOTIFY_SOCKET": listening.address, **environ}, PID).turning()
        assert listening.words == []


def test_a_manager_that_is_gone_is_said_once_and_stops_nothing(tmp_path: Path, log: StructuredLogCapture) -> None:
    """The service goes on without it, and tells it again when it is back."""
    address = str(tmp_path / "notify")
    manager = Manager({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1"}, PID)
    for _ in range(3):
        manager.turning()
    assert [line["error"] for line in log.events if line["event"] == "manager.unreachable"] == [
        "No such file or directory"
    ]
    with ListeningManager(address) as listening:
        manager.turning()
        assert listening.words == ["WATCHDOG=1"]


def test_a_reload_is_told_with_the_moment_at_which_it_began(tmp_path: Path) -> None:
    """By the monotonic clock, in microseconds: a manager that asked before doesn't take an older word for its own."""
    with ListeningManager(str(tmp_path / "notify")) as listening:
        Manager({"NOTIFY_SOCKET": listening.address}, PID, lambda: 12.5).reloading()
        assert listening.words == ["RELOADING=1", "MONOTONIC_USEC=12500000"]


def test_a_service_whose_clock_stands_still_is_not_said_to_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pings come while `/livez` is well, and no longer: the manager then starts the service anew."""
    monkeypatch.setattr(run, "_LOOK_SECONDS", 0.02)
    turns = True
    monkeypatch.setattr(Watching, "turns", lambda _: turns)
    (tmp_path / "collector.toml").write_text(TENANT)
    settings = load(tmp_path / "collector.toml", {})
    stop = threading.Event()
    with Journal(tmp_path / "journal.db") as journal, ListeningManager(str(tmp_path / "notify")) as listening:
        manager = Manager({"NOTIFY_SOCKET": listening.address, "WATCHDOG_USEC": "1000"}, PID)
        engine = Engine(settings, journal, name="host-1", tenants=[], delivered=lambda _: None)
        service = threading.Thread(target=Running(settings, engine, manager=manager).until, args=(stop,))
        service.start()
        try:
            end = time.monotonic() + 10
            while listening.words.count("WATCHDOG=1") < 3:
                assert time.monotonic() < end
            turns = False
            time.sleep(0.1)
            pings = listening.words.count("WATCHDOG=1")
            time.sleep(0.3)
            assert listening.words.count("WATCHDOG=1") == pings
        finally:
            stop.set()
            service.join(15)
        assert listening.words[-2:] == ["STOPPING=1", "STATUS=ending in order"]
