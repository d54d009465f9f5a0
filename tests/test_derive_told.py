"""A person is told once of each spike as it begins, and also where something failed meanwhile."""

from collections.abc import Sequence

import pytest
from journals import HOUR, org
from pytest_structlog import StructuredLogCapture
from test_derive import BEGAN, Lived, group, lived, organization, risen

from collector.errors import JournalError
from collector.point import Point, Series, Value

__all__ = ["lived"]


def _told(log: StructuredLogCapture) -> list[tuple[object, object]]:
    return [(event["group"], event["groups"]) for event in log.events if event["event"] == "spike.began"]


def test_a_spike_is_told_with_the_groups_that_rose_once(lived: Lived, log: StructuredLogCapture) -> None:
    """Once their scores have come; neither a restart nor a sample that goes on with it tells it again."""
    quiet = [(sample.time, sample.score) for sample in risen(45.0)[:24]]
    lived.came(*(org(*each) for each in quiet), *(group(*each) for each in quiet))
    lived.came(org(BEGAN, 45.0))
    assert _told(log) == []
    lived.came(group(BEGAN, 45.0))
    rose = "1 of 1 groups rose"
    assert sorted(_told(log), key=str) == [("(organization)", rose), ("a", rose)]
    lived.restart()
    lived.came(org(BEGAN + 6 * HOUR, 46.0), group(BEGAN + 6 * HOUR, 46.0))
    assert len(_told(log)) == 2


def test_a_spike_is_told_also_where_the_groups_failed_and_nothing_more_comes(
    lived: Lived, log: StructuredLogCapture
) -> None:
    """When the slot of the groups is over, whether or not anything is polled by then."""
    lived.came(*organization(risen()[:24]))
    lived.came(org(BEGAN, 40.0))
    lived.now = BEGAN + HOUR - 1
    lived.came()
    assert _told(log) == []
    lived.now = BEGAN + HOUR
    lived.came()
    lived.came()
    assert _told(log) == [("(organization)", None)]


def test_a_last_turn_tells_all(lived: Lived, log: StructuredLogCapture) -> None:
    """As `once` takes it, which ends before the next slot."""
    lived.came(*organization(risen()[:24]))
    lived.came(org(BEGAN, 40.0))
    assert not lived.derive.turn(last=True)
    assert _told(log) == [("(organization)", None)]


def test_what_an_import_brings_in_wakes_nobody(lived: Lived, log: StructuredLogCapture) -> None:
    """A spike that began over a day ago is kept, and not told."""
    lived.now = BEGAN + 30 * HOUR
    lived.came(*organization(risen()))
    assert lived.points("exposure_spike")
    assert _told(log) == []


def _waits(lived: Lived) -> None:
    """Let the organization's spike begin, and its groups not have come yet."""
    quiet = [(sample.time, sample.score) for sample in risen(45.0)[:24]]
    lived.came(*(org(*each) for each in quiet), *(group(*each) for each in quiet))
    lived.came(org(BEGAN, 45.0), _poll("organization"))


def _poll(subject: str, time: int = BEGAN, *, ok: int = 1) -> Point:
    tags = (("tenant", "contoso"), ("subject", subject), ("collector", "here"))
    fields: dict[str, Value] = {"ok": ok, "seconds": 0.1, "points": ok, "tries": 1, "throttled": 0, "error": ""}
    return Point(Series("collector_poll", tags), time, fields)


def test_what_waited_when_the_process_was_stopped_is_told_by_the_next(lived: Lived, log: StructuredLogCapture) -> None:
    """With the groups that rose, where they come after all; and once, however many processes follow."""
    _waits(lived)
    lived.restart()
    lived.came()
    assert _told(log) == []
    lived.restart()
    lived.came(group(BEGAN, 45.0), _poll("device_groups"))
    told = sorted(_told(log), key=str)
    assert told == [("(organization)", "1 of 1 groups rose"), ("a", "1 of 1 groups rose")]
    for n in range(2):
        lived.restart()
        lived.came(org(BEGAN + (n + 1) * HOUR, 45.0))
    assert len(_told(log)) == 2


def test_what_waited_is_told_though_its_slot_is_long_over(lived: Lived, log: StructuredLogCapture) -> None:
    """The process that is started hours later says it, before it polls anything; the one after it doesn't."""
    _waits(lived)
    lived.now = BEGAN + 5 * HOUR
    lived.restart()
    lived.derive.take_up()
    lived.came(org(BEGAN + 5 * HOUR, 45.0), _poll("organization", BEGAN + 5 * HOUR))
    assert _told(log) == [("(organization)", None)]
    lived.restart()
    lived.came(org(BEGAN + 6 * HOUR, 45.0))
    assert len(_told(log)) == 1


def test_a_spike_is_told_at_once_when_the_poll_of_its_groups_has_failed(
    lived: Lived, log: StructuredLogCapture
) -> None:
    """Nothing more is waited for; and a process that is started after it does not tell it again."""
    _waits(lived)
    lived.came(_poll("device_groups", ok=0))
    assert _told(log) == [("(organization)", None)]
    lived.restart()
    lived.came()
    assert len(_told(log)) == 1


def test_a_spike_that_was_told_when_its_slot_was_over_is_not_told_again(
    lived: Lived, log: StructuredLogCapture
) -> None:
    """Though nothing but failures came since: the record of the polls says that the process went on."""
    _waits(lived)
    lived.now = BEGAN + HOUR
    lived.came()
    assert len(_told(log)) == 1
    lived.came(_poll("organization", BEGAN + HOUR, ok=0))
    lived.restart()
    lived.came()
    assert len(_told(log)) == 1


def test_a_journal_that_fails_for_a_moment_costs_no_line(lived: Lived, log: StructuredLogCapture) -> None:
    """What waits to be said goes on to wait."""
    _waits(lived)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lived.journal, "at", _down)
        with pytest.raises(JournalError):
            lived.derive.turn()
    lived.now = BEGAN + HOUR
    lived.came()
    assert _told(log) == [("(organization)", None)]


def _down(*_: object) -> Sequence[Point]:
    raise JournalError("disk I/O error")
