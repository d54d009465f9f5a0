"""What `status` says, from the journal alone."""

import os
import time
from pathlib import Path

import pytest

from collector.history import Note
from collector.journal import Journal, RoleLock
from collector.point import Point, Series, Value, rfc3339
from collector.settings import Settings, load
from collector.status import read_status

_HOUR = 3_600_000
_NOW = int(time.time() * 1000) // _HOUR * _HOUR


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings for one tenant, polled every hour, with a journal."""
    path = tmp_path / "collector.toml"
    path.write_text(
        '[tenants.contoso]\ntenant_id = "11111111-1111-1111-1111-111111111111"\n'
        'client_id = "22222222-2222-2222-2222-222222222222"\n'
        'credential = { kind = "client_secret", client_secret = "made-up" }\n[journal]\npath = "journal.db"\n'
    )
    return load(path, {})


def poll(subject: str, at: int, *, ok: bool) -> Point:
    """Return the point of a poll."""
    tags = (("tenant", "contoso"), ("subject", subject), ("collector", "here"))
    error = "" if ok else "Unavailable"
    fields: dict[str, Value] = {
        "ok": int(ok),
        "seconds": 0.5,
        "points": int(ok),
        "tries": 1,
        "throttled": 0,
        "error": error,
    }
    return Point(Series("collector_poll", tags), at, fields)


@pytest.mark.parametrize(("hours", "late"), [(1, False), (5, True)])
@pytest.mark.parametrize("ok", [True, False])
def test_a_subject_is_late_after_three_intervals_without_a_poll(
    settings: Settings, *, hours: int, late: bool, ok: bool
) -> None:
    """However the last one ended; one that was never polled is not late, and says that it has no slot."""
    with Journal(settings.journal.path) as journal:
        journal.append([poll("organization", _NOW - hours * _HOUR, ok=ok)])
        organization, groups = read_status(settings, journal).tenants
    assert (organization.late, organization.ok, organization.slot) == (late, ok, rfc3339(_NOW - hours * _HOUR))
    assert (groups.late, groups.ok, groups.slot) == (False, None, None)


def test_a_sink_has_begun_once_the_journal_has_its_cursor(settings: Settings, tmp_path: Path) -> None:
    """All that is kept waits for one that hasn't; looking at it begins nothing."""
    path = tmp_path / "collector.toml"
    sink = '\napi = "v1"\nurl = "http://127.0.0.1:1"\ndatabase = "exposure"\n'
    path.write_text(f"{path.read_text()}[influxdb.main]{sink}[influxdb.second]{sink}")
    with Journal(settings.journal.path) as journal:
        journal.append([poll("organization", _NOW, ok=True)])
        journal.cursor("main")
        for _ in range(2):
            main, second = read_status(load(path, {}), journal).sinks
            assert (main.name, main.begun, main.backlog) == ("main", True, 1)
            assert (second.name, second.begun, second.backlog) == ("second", False, 1)


def test_the_process_that_polls_is_named(settings: Settings) -> None:
    """While one has the role; without one it says that none runs."""
    with Journal(settings.journal.path) as journal:
        assert read_status(settings, journal).document()["process"] == {"running": False, "pid": None}
        with RoleLock(settings.journal.path):
            assert read_status(settings, journal).document()["process"] == {"running": True, "pid": os.getpid()}


def test_a_note_stretches_no_history(settings: Settings) -> None:
    """Notes speak of times that lie ahead, or long ago: the oldest and the newest are those of what was polled."""
    with Journal(settings.journal.path) as journal:
        for id_, at in (("early", 0), ("late", _NOW + 400 * 24 * _HOUR)):
            journal.append([Note(id=id_, at=at, kind="note", tenant="contoso", title="Maintenance").point()])
        assert (journal.summary().oldest, journal.summary().newest) == (None, None)
        journal.append([poll("organization", _NOW - hours * _HOUR, ok=True) for hours in (1, 2)])
        found = read_status(settings, journal).journal
    assert (found.points, found.oldest, found.newest) == (4, rfc3339(_NOW - 2 * _HOUR), rfc3339(_NOW - _HOUR))
