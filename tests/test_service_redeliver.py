"""Redelivering: this process where the role is free, and whoever has it otherwise; never a word that isn't so."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import group
from journals import hear, hold_role, other
from servers import Influxd

from collector.errors import Unavailable
from collector.journal import Journal, RoleLock
from collector.service import Stand, redeliver, replay, resend
from collector.service.redeliver import Redelivery
from collector.settings import Settings, load

SLOT = 1_700_000_000_000


@pytest.fixture
def settings(influxd: Influxd, database: str, tmp_path: Path) -> Settings:
    """Settings with one sink, a real InfluxDB."""
    path = tmp_path / "collector.toml"
    path.write_text(
        '[tenants.contoso]\ntenant_id = "11111111-1111-1111-1111-111111111111"\n'
        'client_id = "22222222-2222-2222-2222-222222222222"\n'
        'credential = { kind = "client_secret", client_secret = "made-up" }\n'
        f'[influxdb.main]\napi = "v1"\nurl = "{influxd.url}"\ndatabase = "{database}"\n'
    )
    return load(path, {})


@pytest.fixture
def journal(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Journal]:
    """A journal with seven points, none of them delivered; whoever has the role is soon given up."""
    monkeypatch.setattr(redeliver, "_TAKEN_UP_SECONDS", 1.5)
    with Journal(settings.journal.path) as journal:
        journal.append([group("contoso", f"g{n}", SLOT) for n in range(7)])
        yield journal


def test_it_says_how_far_it_is_and_that_it_delivers_itself(
    settings: Settings, journal: Journal, influxd: Influxd, database: str
) -> None:
    """Where the role is free it is taken, held to the end, and let go."""
    stands: list[Stand] = []
    done = replay(settings, journal, "main", None, patience=5, seen=stands.append)
    assert (done.points, done.sink.points, done.sink.backlog, done.sink.error, done.by) == (7, 7, 0, None, None)
    assert stands[-1] == Stand(done=7, of=7, by=None)
    assert len(influxd.points("exposure_score_by_group", database)) == 7
    with RoleLock(journal.path):
        pass


def test_a_process_that_has_the_role_and_delivers_nothing_is_named(settings: Settings, journal: Journal) -> None:
    """A service that was started with other settings knows nothing of the sink: that is said, with its pid."""
    with other(hold_role, journal.path) as (_, pipe):
        pid = hear(pipe)
        done = replay(settings, journal, "main", None, patience=0.5)
        pipe.send("go")
    assert (done.by, done.sink.points, done.sink.backlog) == (str(pid), 0, 7)
    assert f"the process {pid} delivers nothing" in str(done.sink.error)
    assert "restart it" in done.sink.error.mend if done.sink.error else False


def test_what_the_other_process_fails_of_is_said_in_the_servers_words(settings: Settings, journal: Journal) -> None:
    """The words that the service has noted are those that a person gets, with the error's name."""
    journal.cursor("main", Redelivery(settings, journal, ["main"], patience=1)._sinks[0].target)
    journal.note("main", "Unauthorized: v1 http://i/ database d: 401: authorization failed")
    with other(hold_role, journal.path) as (_, pipe):
        hear(pipe)
        error = replay(settings, journal, "main", None, patience=0.5).sink.error
        pipe.send("go")
    assert error is not None
    assert (error.name, str(error)) == ("Unauthorized", "v1 http://i/ database d: 401: authorization failed")


def test_when_the_other_process_ends_the_command_takes_over_after_the_patience(
    settings: Settings, journal: Journal, influxd: Influxd, database: str
) -> None:
    """A service that is restarted finds the role free for that long; if none comes the command delivers itself."""
    begun = time.monotonic()
    with other(hold_role, journal.path) as (_, pipe):
        hear(pipe)
        timer = threading.Timer(0.5, pipe.send, ("go",))
        timer.start()
        done = replay(settings, journal, "main", None, patience=2)
        timer.join()
    assert (done.by, done.sink.points, done.sink.error) == (None, 7, None)
    assert time.monotonic() - begun > 2, "the role was left free for the patience"
    assert len(influxd.points("exposure_score_by_group", database)) == 7


def test_a_cursor_that_is_moved_back_further_meanwhile_is_followed(
    settings: Settings, journal: Journal, influxd: Influxd, database: str
) -> None:
    """Two replays at once do no harm: each ends when its own goal is reached, and nothing is skipped."""
    first = replay(settings, journal, "main", None, patience=5)
    moved: list[bool] = []

    def again(_: Stand) -> None:
        if not moved:
            moved.append(True)
            journal.move("main", 1)

    influxd.query(f'DROP DATABASE "{database}"')
    influxd.query(f'CREATE DATABASE "{database}"')
    done = replay(settings, journal, "main", SLOT + 1, patience=5, seen=again)
    assert (first.points, done.since, done.sink.error) == (7, None, None)
    with Redelivery(settings, journal, ["main"], patience=5) as redelivery:
        (delivered,) = redelivery.run(journal.tail())
    assert (delivered.backlog, delivered.error) == (0, None)
    assert len(influxd.points("exposure_score_by_group", database)) == 7


def test_a_process_that_delivers_elsewhere_is_found_out_before_anything_is_moved(
    settings: Settings, journal: Journal
) -> None:
    """Nothing is moved, and nothing is sent again, to where the settings no longer point."""
    journal.cursor("main", "v1 http://elsewhere/ database d")
    with other(hold_role, journal.path) as (_, pipe):
        hear(pipe)
        with pytest.raises(Unavailable, match="elsewhere"):
            replay(settings, journal, "main", None, patience=0.5)
        with pytest.raises(Unavailable, match="elsewhere"):
            resend(settings, journal, ["main"], patience=0.5)
        pipe.send("go")
    assert journal.cursor("main").moves == 0
