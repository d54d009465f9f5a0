"""The service's clock against its tenants' servers: a difference of minutes is said once."""

import pytest
from pytest_structlog import StructuredLogCapture

from collector.service.offset import Offset


class Tenant:
    """A tenant whose servers say what a test says."""

    def __init__(self, clock_ahead: float | None = None) -> None:
        self.clock_ahead = clock_ahead


def test_a_difference_is_said_once_and_its_end_too(log: StructuredLogCapture) -> None:
    """However often is looked, a clock that is off is warned of once, and so is its return said."""
    tenants = [Tenant(), Tenant(), Tenant()]
    offset = Offset(tenants)
    offset.look()
    assert log.events == []
    for ahead, event in ((-601.2, "clock.differs"), (0.0, "clock.agrees"), (7200.0, "clock.differs")):
        for tenant in tenants[1:]:
            tenant.clock_ahead = ahead
        offset.look()
        offset.look()
        assert [each["event"] for each in log.events] == [event]
        assert log.events[0]["seconds_ahead"] == round(ahead)
        log.events.clear()


@pytest.mark.parametrize("ahead", [None, 0.0, 119.0, -119.0])
def test_a_clock_that_is_right_is_no_news(log: StructuredLogCapture, ahead: float | None) -> None:
    """A clock within two minutes, or one that nobody compared, is not spoken of."""
    Offset([Tenant(ahead)]).look()
    assert log.events == []


def test_the_warning_says_what_to_do(log: StructuredLogCapture) -> None:
    """The warning has the seconds and the mend."""
    Offset([Tenant(600.0)]).look()
    assert log.events[0]["level"] == "warning"
    assert "NTP" in log.events[0]["mend"]
