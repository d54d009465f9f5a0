"""A reload of the service: what of changed settings is taken up, and what becomes of polls that are under way."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from clocked import SETTINGS, Answers, until
from managers import ListeningManager
from pytest_structlog import StructuredLogCapture

from collector.errors import ConfigError, Unavailable
from collector.journal import Journal
from collector.pipeline import Outcome
from collector.service.engine import Engine
from collector.service.manager import Manager
from collector.service.reload import Reload, change
from collector.service.run import Running
from collector.settings import Settings, load

SINK = '[influxdb.main]\nurl = "http://h"\nbucket = "b"\ntoken = "hush"\n'
ANOTHER = SETTINGS[SETTINGS.index("[tenants.contoso]") : SETTINGS.index("[web]")].replace("contoso", "fabrikam")
OTHERWISE = ANOTHER.replace("22222222-2222-2222-2222-222222222222", "33333333-3333-3333-3333-333333333333")


def settings(folder: Path, text: str = SETTINGS) -> Settings:
    """Return the settings of a text."""
    (folder / "collector.toml").write_text(text, encoding="utf-8")
    return load(folder / "collector.toml", {})


class Served:
    """A service of made-up tenants that reads whatever settings it is given."""

    def __init__(self, folder: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sources: list[Answers] = []
        """Every one that was made, in order."""
        monkeypatch.setattr("collector.service.engine.Defender", self.source)
        self.folder = folder
        self.next: Callable[[], Settings] = lambda: settings(folder)
        self.outcomes: list[Outcome] = []
        self.journal = journal
        self.manager = ListeningManager(str(folder / "notify"))
        self._asked = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, text: str = SETTINGS) -> None:
        """Run with the settings of a text."""
        first = settings(self.folder, text)
        names = list(first.tenants)
        engine = Engine(first, self.journal, name="host-1", tenants=names, delivered=lambda _: None)
        manager = Manager({"NOTIFY_SOCKET": self.manager.address}, 1)
        running = Running(first, engine, self.outcomes.append, manager, self._anew)
        self._thread = threading.Thread(target=running.until, args=(self._stop, self._asked))
        self._thread.start()

    def reload(self, text: str) -> None:
        """Have the settings of a text taken up, and return when the manager was told so."""
        before = self.manager.words.count("READY=1")
        self.next = lambda: settings(self.folder, text)
        self.ask()
        until(lambda: self.manager.words.count("READY=1") > before)

    def ask(self) -> None:
        """Ask for a reload, as a signal does."""
        self._asked.set()

    def asked(self) -> bool:
        """Whether the service has yet to hear of it."""
        return self._asked.is_set()

    def of(self, tenant: str) -> list[Outcome]:
        """Return what became of a tenant's polls."""
        return [outcome for outcome in self.outcomes if outcome.tenant == tenant]

    def end(self) -> None:
        """End in order."""
        self._stop.set()
        if self._thread:
            self._thread.join(15)
            assert not self._thread.is_alive()
        self.manager.__exit__()

    def _anew(self) -> Settings:
        return self.next()

    def source(self, tenant: str, *_: Any, **__: Any) -> Answers:
        """Return a made-up tenant, in whose place a Defender would stand."""
        made = Answers()
        made.tenant = tenant
        self.sources.append(made)
        return made


@pytest.fixture
def served(tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The service, which ends with the test."""
    served = Served(tmp_path, journal, monkeypatch)
    yield served
    served.end()


def test_an_exchange_that_hangs_while_its_tenant_leaves_is_waited_for_by_nobody(served: Served) -> None:
    """The reload is done meanwhile; when the answer comes it is kept, and told as the poll that it was."""
    served.start(SETTINGS)
    until(lambda: len(served.outcomes) == 1)
    hang = threading.Event()

    def hanging(tenant: str, *_: Any, **__: Any) -> Answers:
        made = served.source(tenant)
        made.hang = hang
        return made

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("collector.service.engine.Defender", hanging)
        served.reload(SETTINGS + ANOTHER)
    fabrikam = served.sources[-1]
    assert fabrikam.hangs.wait(10)
    served.reload(SETTINGS)
    assert served.of("fabrikam") == []
    hang.set()
    until(lambda: served.of("fabrikam"))
    assert served.of("fabrikam")[0].error is None
    assert [point.series.tag("tenant") for point in served.journal.latest("collector_poll", 0)].count("fabrikam") == 1


def test_a_tenant_that_waits_for_its_next_try_is_tried_with_its_new_settings_at_once(served: Served) -> None:
    """How the slot went is told by what came of the new ones."""
    failing(served, Unavailable("down"))
    served.reload(SETTINGS + OTHERWISE)
    until(lambda: any(outcome.error is None for outcome in served.of("fabrikam")))
    assert [point.fields["ok"] for point in served.journal.latest("collector_poll", 0)] == [1, 1]
    assert len(served.of("contoso")) == 1


def test_a_server_that_asked_to_be_left_alone_is_also_after_a_reload(served: Served) -> None:
    """Other settings are no reason to ask sooner than it said."""
    failing(served, Unavailable("throttled", retry_after=600.0))
    served.reload(SETTINGS + OTHERWISE)
    served.reload(SETTINGS + OTHERWISE)
    assert served.sources[-1].asked == []


def test_a_certificate_file_that_is_none_is_named_with_its_tenant(served: Served) -> None:
    """Among a thousand tenants it is said whose `ca_file` it is, each file once, and the old settings go on."""
    served.start(SETTINGS)
    until(lambda: len(served.outcomes) == 1)
    (served.folder / "empty.pem").touch()
    tenants = [
        (ANOTHER if name == "fabrikam" else ANOTHER.replace("fabrikam", name)).replace("]", f']\nca_file = "{file}"', 1)
        for name, file in (("fabrikam", "absent.pem"), ("adatum", "absent.pem"), ("wingtip", "empty.pem"))
    ]
    served.reload(SETTINGS + "".join(tenants))
    (said,) = [words for words in served.manager.words if "refused" in words]
    assert f"tenants.fabrikam.ca_file: {served.folder / 'absent.pem'}: no such file" in said
    assert f"tenants.wingtip.ca_file: {served.folder / 'empty.pem'}: holds no certificate" in said
    assert "adatum" not in said
    assert len(served.sources) == 1


def failing(served: Served, error: Unavailable) -> None:
    """Start the service, and have a reload bring it a tenant that fails of that, however often it is asked."""

    def down(tenant: str, *_: Any, **__: Any) -> Answers:
        made = served.source(tenant)
        made.errors = [error] * 100
        return made

    served.start(SETTINGS)
    until(lambda: len(served.outcomes) == 1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("collector.service.engine.Defender", down)
        served.reload(SETTINGS + ANOTHER)
        until(lambda: len(served.sources[-1].errors) < 100)


def test_a_tenant_that_comes_back_in_the_slot_in_which_it_left_is_not_polled_twice(served: Served) -> None:
    """The journal knows that it has succeeded."""
    served.start(SETTINGS + ANOTHER)
    until(lambda: len(served.outcomes) == 2)
    served.reload(SETTINGS)
    served.reload(SETTINGS + ANOTHER)
    assert served.sources[-1].tenant == "fabrikam"
    assert served.sources[-1].asked == []


def test_a_fault_of_ours_leaves_the_old_settings_and_a_manager_that_knows(
    served: Served, log: StructuredLogCapture
) -> None:
    """Whatever breaks while settings are read, the service is as ready as before."""
    served.start(SETTINGS)
    until(lambda: len(served.outcomes) == 1)

    def broken() -> Settings:
        raise RuntimeError("a fault of ours")

    before = served.manager.words.count("READY=1")
    served.next = broken
    served.ask()
    until(lambda: served.manager.words.count("READY=1") > before)
    assert "RELOADING=1" in served.manager.words
    until(lambda: any(line["event"] == "job.failed" for line in log.events))
    served.reload(SETTINGS + ANOTHER)
    until(lambda: served.of("fabrikam"))


def test_the_manager_is_told_that_settings_were_refused(served: Served) -> None:
    """`systemctl status` shows it, beside what the service does."""
    served.start(SETTINGS)
    until(lambda: served.manager.words.count("READY=1") == 1)
    served.reload(SETTINGS + "[journals]\n")
    status = [word for word in served.manager.words if word.startswith("STATUS=")][-1]
    assert status.startswith(
        "STATUS=tenants: 1, sinks: 0; the last reload was refused, and the settings before it hold: "
    )
    assert "journals" in status


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (SETTINGS, []),
        (SETTINGS + ANOTHER + "[spikes]\nwindow_days = 7\n[log]\nlevel = 'debug'\n", []),
        ("shard = '0/2'\n" + SETTINGS, []),
        (SETTINGS + "[journal]\nkeep_days = 30\n", ["journal.keep_days"]),
        (SETTINGS + SINK, ["influxdb.main"]),
        (SETTINGS.replace('""', '"127.0.0.1:0"'), ["web.listen"]),
        (
            "poll.timeout_seconds = 5\n" + SETTINGS.replace("[poll]", "[spikes]").replace("subjects =", "# "),
            ["poll.timeout_seconds", "poll.subjects"],
        ),
    ],
)
def test_what_a_restart_alone_takes_up_is_named_by_its_key(tmp_path: Path, text: str, kept: list[str]) -> None:
    """All else is taken up, and what is kept is as it was."""
    old, new = settings(tmp_path), settings(tmp_path, text)
    made = change(old, new)
    assert made.kept == kept
    for table in ("poll", "journal", "influxdb", "web"):
        assert getattr(made.settings, table) == getattr(old, table)
    for table in ("tenants", "spikes", "log", "shard"):
        assert getattr(made.settings, table) == getattr(new, table)
    assert made.settings.elsewhere == new.elsewhere


def test_a_secret_that_differs_is_named_and_not_shown(tmp_path: Path) -> None:
    """As everywhere."""
    made = change(settings(tmp_path, SETTINGS + SINK), settings(tmp_path, SETTINGS + SINK.replace("hush", "other")))
    assert made.kept == ["influxdb.main.token"]
    assert "hush" not in repr(made)


def test_a_page_names_the_first_mistakes_and_how_many_there_are(log: StructuredLogCapture) -> None:
    """The log has them all."""
    reload = Reload()
    assert (reload.ok, reload.warnings) == (True, [])
    reload.refused(ConfigError([f"key{n}: wrong" for n in range(5)], mend="the file that was read: c.toml"))
    assert not reload.ok
    (line,) = reload.warnings
    assert line.endswith("key0: wrong; key1: wrong; key2: wrong; and 2 more")
    (logged,) = [line for line in log.events if line["event"] == "settings.refused"]
    assert len(logged["problems"]) == 5
    assert logged["mend"] == "mend them, and reload again (the file that was read: c.toml)"


def test_reloads_that_are_asked_for_while_one_is_under_way_are_one_more(served: Served) -> None:
    """It begins when the first has come to its end, so that each is compared with what then holds."""
    served.start(SETTINGS)
    until(lambda: len(served.outcomes) == 1)
    reading, go_on = threading.Event(), threading.Event()

    def slow() -> Settings:
        reading.set()
        assert go_on.wait(60)
        served.next = last
        return settings(served.folder, SETTINGS + ANOTHER)

    def last() -> Settings:
        return settings(served.folder, SETTINGS)

    served.next = slow
    served.ask()
    assert reading.wait(10)
    for _ in range(3):
        served.ask()
        until(lambda: not served.asked())
    go_on.set()
    until(lambda: served.manager.words.count("READY=1") == 3)
    until(lambda: served.sources[-1].tenant == "fabrikam")
    status = [word for word in served.manager.words if word.startswith("STATUS=")]
    assert status[-2:] == ["STATUS=tenants: 2, sinks: 0", "STATUS=tenants: 1, sinks: 0"]
