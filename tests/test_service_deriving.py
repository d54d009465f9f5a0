"""A consumer that fails says so, holds up no other score, and nothing is pruned on its word meanwhile."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from time import time

import pytest
from fakes import Stage, Time
from journals import DAY, MIDNIGHT, group, org
from pytest_structlog import StructuredLogCapture

from collector.batch import DERIVE, Batch, Cursor, Filter
from collector.derive import Rules
from collector.errors import JournalError
from collector.history.spikes import Rule
from collector.journal import Journal
from collector.point import MAX_TIME, Point, Series, Value
from collector.service.deriving import Deriving

_EVERYTHING = Filter()
_RULE = Rule(rise=5.0, window_days=14)
_RULES = Rules(organization=_RULE, groups=_RULE, interval=3600, links={})


class _Failing(Journal):
    """A journal that can't be read while it has an error."""

    error: Exception | None = None

    def read(self, cursor: Cursor, limit: int, wanted: Filter = _EVERYTHING) -> Batch:
        if self.error:
            raise self.error
        return super().read(cursor, limit, wanted)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[_Failing]:
    """An empty journal."""
    with _Failing(tmp_path / "journal.db") as journal:
        yield journal


def _deriving(journal: Journal, stage: Stage) -> Deriving:
    return Deriving(journal, _RULES, stage, lambda: None, monotonic=stage.time)


def _trends(journal: Journal, measurement: str = "exposure_trend") -> list[Point]:
    return [point for each in journal.series(measurement) for point in journal.history(each, 0, MAX_TIME)]


@pytest.mark.parametrize("error", [JournalError("down"), RuntimeError("a fault of ours")])
def test_what_fails_is_not_up_to_date(journal: _Failing, error: Exception) -> None:
    """Also where it was before; and it is again once a turn goes well."""
    deriving = _deriving(journal, Stage(Time()))
    found: list[bool] = []
    for journal.error in (None, error, None):
        journal.append([org()])
        deriving.finish()
        found.append(deriving.up_to_date)
    assert found == [True, False, True]
    assert deriving.error is None
    assert deriving.failing == ""


def test_a_fault_of_ours_is_said_once_and_tried_ever_more_rarely(journal: _Failing, log: StructuredLogCapture) -> None:
    """Nudged each five seconds for an hour, with a trace in the log once; whoever asks for the status is told."""
    stage = Stage(Time())
    deriving = _deriving(journal, stage)
    journal.append([org()])
    journal.error = RuntimeError("a fault of ours")
    for _ in range(720):
        deriving.nudge()
        stage.play(until=stage.time.now + 5)
    assert len(stage.ran) < 60
    (said,) = [event for event in log.events if event["event"] == "derive.failed"]
    assert said["exc_info"] is journal.error
    assert journal.noted(DERIVE) == "CollectorError: a fault of the collector; its log has the trace"
    journal.error = None
    stage.play(until=stage.time.now + 600)
    deriving.nudge()
    stage.play(until=stage.time.now + 600)
    assert (journal.noted(DERIVE), len(_trends(journal))) == ("", 1)
    assert log.has("derive.recovered")


def _spoilt(journal: Journal, name: str, time: int = MIDNIGHT - DAY) -> None:
    """Let there be a spike of a group that goes on, which no release writes: it has no baseline."""
    tags = (("tenant", "contoso"), ("rbacGroupName", name), ("rbacGroupId", "7"))
    fields: dict[str, Value] = {"peak": 40.0, "rise": 20.0, "state": 1, "end_time": 0, "title": "", "text": ""}
    journal.append([Point(Series("exposure_spike", tags), time, fields)])


def test_a_score_that_can_not_be_derived_holds_up_no_other(journal: _Failing, log: StructuredLogCapture) -> None:
    """It is named once, with its tenant, and counted; what else came of that poll and the next ones is derived."""
    _spoilt(journal, "Servers")
    deriving = _deriving(journal, Stage(Time()))
    for n in range(3):
        at = MIDNIGHT + n * 3_600_000
        journal.append([org(at), group("Servers", at), Point(_series("Desks", "8"), at, {"score": 30.0})])
        assert deriving.finish()
    assert [point.time for point in _trends(journal)] == [MIDNIGHT + n * 3_600_000 for n in range(3)]
    assert {point.series.tag("rbacGroupName") for point in _trends(journal, "exposure_trend_by_group")} == {"Desks"}
    said = [event for event in log.events if event["event"] == "derive.left_out"]
    assert [(event["tenant"], event["group"]) for event in said] == [("contoso", "Servers")]
    assert deriving.left_out == 1
    assert journal.noted(DERIVE) == "left out: Servers of contoso (KeyError: 'baseline')"
    assert deriving.error is None


def test_a_spike_of_today_that_says_nothing_keeps_no_process_from_its_turns(
    journal: _Failing, log: StructuredLogCapture
) -> None:
    """What a process takes up at its start is looked at one by one, too."""
    now = int(time() * 1000)
    _spoilt(journal, "Servers", now - 60_000)
    deriving = _deriving(journal, Stage(Time()))
    deriving.begin()
    journal.append([org(now)])
    assert deriving.finish()
    assert [point.time for point in _trends(journal)] == [now]
    assert [event["group"] for event in log.events if event["event"] == "derive.left_out"] == ["Servers"]


def test_what_was_left_out_is_made_up_for_once_it_can_be(journal: _Failing, log: StructuredLogCapture) -> None:
    """With the next score of it, by whichever process: no sample is skipped for good."""
    _spoilt(journal, "Servers")
    first = _deriving(journal, Stage(Time()))
    for n in range(3):
        journal.append([group("Servers", MIDNIGHT + n * 3_600_000)])
        first.finish()
    mended: dict[str, Value] = {
        "peak": 40.0,
        "rise": 20.0,
        "state": 0,
        "end_time": 1,
        "title": "",
        "text": "",
        "baseline": 20.0,
    }
    journal.append([Point(Series("exposure_spike", _series("Servers", "7").tags), MIDNIGHT - DAY, mended)])
    for deriving in (first, _deriving(journal, Stage(Time()))):
        n += 1
        journal.append([group("Servers", MIDNIGHT + n * 3_600_000)])
        journal.era += 1  # as another process's mend would have it
        assert deriving.finish()
        found = [point.time for point in _trends(journal, "exposure_trend_by_group")]
        assert found == [MIDNIGHT + k * 3_600_000 for k in range(n + 1)]
        assert deriving.left_out == 0
    assert [event["group"] for event in log.events if event["event"] == "derive.caught_up"] == ["Servers"]


def test_what_there_is_no_time_for_waits(journal: _Failing) -> None:
    """`once` has an end also where a journal of years is derived for the first time; the next one goes on."""
    journal.append([org(MIDNIGHT + n * 3_600_000) for n in range(5_000)])
    seconds = count()
    found: list[int] = []
    finished = False
    while not finished:
        # A process for each; it looks at the days of five weeks first.
        deriving = Deriving(journal, _RULES, Stage(Time()), lambda: None, monotonic=lambda: float(next(seconds)))
        finished = deriving.finish(37)
        found.append(deriving.backlog().points)
        assert finished or len(found) < 9
    assert len(found) > 1
    assert found == sorted(found, reverse=True)
    assert len(_trends(journal)) == 5_000


def _series(name: str, id_: str) -> Series:
    tags = (("tenant", "contoso"), ("rbacGroupName", name), ("rbacGroupId", id_))
    return Series("exposure_score_by_group", tags)
