"""Redelivering: this process where the role is free, and whoever has it otherwise; never a word that isn't so."""

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import pytest
from fakes import group
from journals import hear, hold_role, other
from servers import Influxd

from collector.batch import DeadLetter
from collector.errors import Unavailable
from collector.journal import Journal, Resent, RoleLock
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


def within(settings: Settings, seconds: float) -> Settings:
    """Return the settings with that time for one exchange with the sink."""
    sink = settings.influxdb["main"].model_copy(update={"timeout_seconds": seconds})
    return settings.model_copy(update={"influxdb": {"main": sink}})


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
        done = replay(within(settings, 0.5), journal, "main", None, patience=0.5)
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


def test_an_exchange_that_is_under_way_there_has_its_time_to_fail_in(settings: Settings, journal: Journal) -> None:
    """A sink that hangs is said in the words that the service notes at the end, not blamed on its settings.

    That end may be the second one: what hangs at compressed lines is asked again without.
    """
    journal.cursor("main", Redelivery(settings, journal, ["main"], patience=1)._sinks[0].target)
    with other(hold_role, journal.path) as (_, pipe):
        hear(pipe)
        timer = threading.Timer(4.5, journal.note, ("main", "Unavailable: no whole answer within 30 s"))
        timer.start()
        error = replay(within(settings, 2.0), journal, "main", None, patience=0.5).sink.error
        timer.join()
        pipe.send("go")
    assert (error.name, str(error)) == ("Unavailable", "no whole answer within 30 s") if error else False


def test_what_the_other_process_saw_refused_is_not_counted_as_delivered(settings: Settings, journal: Journal) -> None:
    """Of seven points that a service took to the sink, two of them in vain, five are delivered."""

    def deliver() -> None:
        cursor = journal.cursor("main")
        batch = journal.read(cursor, 10)
        journal.advance(cursor, batch.after, [DeadLetter(row, "no") for row in batch.rows[:2]])

    with other(hold_role, journal.path) as (_, pipe):
        hear(pipe)
        timer = threading.Timer(0.5, deliver)
        timer.start()
        done = replay(settings, journal, "main", None, patience=0.5)
        timer.join()
        pipe.send("go")
    assert (done.points, done.sink.points, done.sink.dead_letters, done.sink.error) == (7, 5, 2, None)


def test_a_role_that_is_let_go_in_the_very_moment_is_no_error(
    settings: Settings, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that ends between two looks is waited for like any other, and then the command delivers itself."""
    with other(hold_role, journal.path) as (process, pipe):
        hear(pipe)

        class Ending(RoleLock):
            def __enter__(self) -> Self:
                try:
                    return super().__enter__()
                finally:
                    if process.is_alive():
                        pipe.send("go")
                        process.join(30)

        monkeypatch.setattr(redeliver, "RoleLock", Ending)
        done = replay(settings, journal, "main", None, patience=0.5)
    assert (done.by, done.sink.points, done.sink.error) == (None, 7, None)


def test_what_was_polled_and_refused_meanwhile_is_not_taken_for_what_was_sent_again(
    settings: Settings, journal: Journal, influxd: Influxd, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of points that a service appends between, none is counted as one that was refused a second time."""
    influxd.write(f'exposure_score_by_group,tenant=planted score="a text" {SLOT}', database)
    replay(settings, journal, "main", None, patience=5)
    assert journal.dead_letters("main") == 7
    letters_resend = journal.letters.resend

    def polled_meanwhile(sinks: Sequence[str], after: int, until: int, limit: int) -> Resent | None:
        part = letters_resend(sinks, after, until, limit)
        journal.append([group("contoso", f"new{after}", SLOT)])
        return part

    monkeypatch.setattr(journal.letters, "resend", polled_meanwhile)
    done = resend(settings, journal, ["main"], patience=5)
    assert (done.sent, len(done.again), done.left) == (7, 7, 0)
    assert {letter.row.point.series.tag("rbacGroupName") for letter in done.again} == {f"g{n}" for n in range(7)}


def test_sending_again_says_how_far_it_is_of_all(
    settings: Settings, journal: Journal, influxd: Influxd, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person sees of how many points how many were sent, not how each of the parts begins and ends."""
    influxd.write(f'exposure_score_by_group,tenant=planted score="a text" {SLOT}', database)
    replay(settings, journal, "main", None, patience=5)
    influxd.query(f'DROP DATABASE "{database}"')
    influxd.query(f'CREATE DATABASE "{database}"')
    monkeypatch.setattr(sys.modules["collector.service.resend"], "AT_ONCE", 3)
    stands: list[Stand] = []
    assert resend(settings, journal, ["main"], patience=5, seen=stands.append).sent == 7
    assert list(dict.fromkeys((stand.done, stand.of) for stand in stands)) == [(3, 7), (6, 7), (7, 7)]


def test_where_there_is_nothing_to_send_again_nothing_is_touched(settings: Settings, journal: Journal) -> None:
    """Without a dead letter the role is left to others, and what waits for its delivery goes on waiting."""
    done = resend(settings, journal, ["main"], patience=5)
    assert (done.sent, done.left, done.sinks) == (0, 0, ())
    assert journal.backlog(journal.cursor("main")).points == 7


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
