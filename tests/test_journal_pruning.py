"""Pruning: what is old and taken goes, what counts for ever stays."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from journals import DAY, HOUR, MIDNIGHT, every, group, org

from collector.errors import JournalError
from collector.journal import Journal, pruning
from collector.point import Point, Series


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal with ten hours of one series, in the order of time: rows 1 to 10."""
    with Journal(tmp_path / "journal.db") as journal:
        journal.append([org(MIDNIGHT + n * HOUR) for n in range(10)])
        yield journal


def _hours(journal: Journal) -> list[int]:
    return [(point.time - MIDNIGHT) // HOUR for point in every(journal)]


def test_points_go_by_their_own_time(journal: Journal) -> None:
    """What is older than the moment goes, what has that very time stays, whenever it was appended."""
    journal.append([org(MIDNIGHT - DAY)])
    assert journal.prune(MIDNIGHT + 3 * HOUR, []) == 4
    assert _hours(journal) == [3, 4, 5, 6, 7, 8, 9]
    assert journal.prune(MIDNIGHT + 3 * HOUR, []) == 0
    journal.append([org(0), org(DAY)])
    assert journal.prune(1, []) == journal.prune(DAY + 1, []) == 1


def test_nothing_goes_that_a_named_consumer_has_yet_to_take(journal: Journal) -> None:
    """The slowest of the consumers in the settings holds what it has yet to take."""
    journal.advance(journal.cursor("main"), 8)
    journal.advance(journal.cursor("derive"), 4)
    assert journal.prune(MIDNIGHT + DAY, ["main", "derive"]) == 3
    assert _hours(journal) == [3, 4, 5, 6, 7, 8, 9]


def test_a_consumer_that_never_ran_holds_everything(journal: Journal) -> None:
    """A sink that was just put into the settings gets all there is, before any of it goes."""
    journal.advance(journal.cursor("main"), 11)
    assert journal.prune(MIDNIGHT + DAY, ["main", "new"]) == 0


def test_a_consumer_that_left_the_settings_holds_nothing(journal: Journal) -> None:
    """The cursor of a sink that was removed doesn't keep the journal from being pruned."""
    journal.cursor("removed")
    journal.advance(journal.cursor("main"), 11)
    assert journal.prune(MIDNIGHT + DAY, ["main"]) == 10


def test_daily_spike_and_annotation_points_stay_for_ever(journal: Journal) -> None:
    """What trends and spikes are read from is never pruned."""
    kept = [
        Point(Series(measurement, (("tenant", "contoso"),)), MIDNIGHT, {"x": 1})
        for measurement in (
            "exposure_score_daily",
            "exposure_score_by_group_daily",
            "exposure_spike",
            "exposure_annotation",
        )
    ]
    goes = [
        Point(Series(measurement, (("tenant", "contoso"),)), MIDNIGHT, {"x": 1})
        for measurement in ("exposure_trend", "collector_poll", "exposure_daily_not", "device_secure_score")
    ]
    journal.append([*kept, *goes])
    assert journal.prune(MIDNIGHT + DAY, []) == 14
    assert every(journal) == kept


def test_pruning_takes_some_rows_at_a_time(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large prune is many short transactions, and ends also when the last one was a full one."""
    monkeypatch.setattr(pruning, "CHUNK", 5)
    begun: list[str] = []
    journal._database._connection.set_trace_callback(lambda sql: begun.append(sql) if "IMMEDIATE" in sql else None)
    assert journal.prune(MIDNIGHT + DAY, []) == 10
    assert len(begun) >= 3
    assert _hours(journal) == []


def test_a_replay_during_a_prune_is_not_pruned_away(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cursor that is moved back while rows go holds those that are still there."""
    monkeypatch.setattr(pruning, "CHUNK", 4)
    journal.advance(journal.cursor("main"), 11)
    original = pruning._delete

    def first_then_replay(*args: object) -> int:
        went = original(*args)  # type: ignore[arg-type]
        with Journal(journal.path) as person:
            person.move("main", 1)
        return went

    monkeypatch.setattr(pruning, "_delete", first_then_replay)
    assert journal.prune(MIDNIGHT + DAY, ["main"]) == 4
    assert _hours(journal) == [4, 5, 6, 7, 8, 9]


def test_what_was_pruned_is_gone_from_every_question(journal: Journal) -> None:
    """After a prune history, newest, moment and summary agree."""
    journal.append([group("a", MIDNIGHT)])
    journal.prune(MIDNIGHT + 5 * HOUR, [])
    assert journal.history(org().series, 0, MIDNIGHT + DAY) == every(journal)
    assert journal.latest("exposure_score_by_group", 0) == journal.at("exposure_score", MIDNIGHT) == []
    assert (journal.summary().points, journal.summary().oldest) == (5, MIDNIGHT + 5 * HOUR)


def test_a_prune_that_fails_says_so_and_leaves_what_it_met(journal: Journal) -> None:
    """Only what is damaged is passed by; all else that keeps a row from going is an error, and nothing is counted."""
    journal._database._connection.execute(
        "CREATE TRIGGER planted BEFORE DELETE ON point WHEN OLD.id = 3 BEGIN SELECT RAISE(ABORT, 'planted'); END"
    )
    with pytest.raises(JournalError, match="planted"):
        journal.prune(MIDNIGHT + 5 * HOUR, [])
    assert _hours(journal) == list(range(10))
