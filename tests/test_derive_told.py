"""A person is told once of each spike as it begins, and also where something failed meanwhile."""

from journals import HOUR, org
from pytest_structlog import StructuredLogCapture
from test_derive import BEGAN, Lived, group, lived, organization, risen

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
