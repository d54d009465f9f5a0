"""collector.service.expiry: a credential's end is told in time, once a day, and counts as it is on disk."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from fakes import Time

from collector.service.expiry import Expiry

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


@dataclass
class Credential:
    """A tenant whose credential ends when the test says."""

    tenant: str
    ends: datetime | None

    def expires(self) -> datetime | None:
        return self.ends


def looked(expiry: Expiry) -> list[tuple[str, str, str, int]]:
    """Look, and return the level, tenant, day and days left of each warning."""
    with structlog.testing.capture_logs() as logs:
        expiry.look()
    assert {line["event"] for line in logs} <= {"credential.expires"}
    assert all(line["mend"] for line in logs)
    return [(line["log_level"], line["tenant"], line["day"], line["days_left"]) for line in logs]


def test_what_ends_within_thirty_days_is_warned_of_once_a_day() -> None:
    """A warning at the first look and then one each day; nothing of what lasts longer, or has no end that is known."""
    time = Time(NOW.timestamp())
    soon = Credential("contoso", NOW + timedelta(days=29, hours=1))
    expiry = Expiry([soon, Credential("fabrikam", NOW + timedelta(days=31)), Credential("litware", None)], time)
    assert looked(expiry) == [("warning", "contoso", "2027-03-30", 29)]
    for hours in (1, 10):
        time.now = (NOW + timedelta(hours=hours)).timestamp()
        assert looked(expiry) == []
    time.now = (NOW + timedelta(hours=13)).timestamp()
    assert looked(expiry) == [("warning", "contoso", "2027-03-30", 28)]
    assert expiry.moments == {
        "contoso": soon.ends and soon.ends.timestamp(),
        "fabrikam": (NOW + timedelta(days=31)).timestamp(),
    }


def test_what_has_ended_is_an_error() -> None:
    """From its end on it is an error, each day, and the days are counted on."""
    time = Time(NOW.timestamp())
    expiry = Expiry([Credential("contoso", NOW - timedelta(hours=1))], time)
    assert looked(expiry) == [("error", "contoso", "2027-03-01", -1)]
    time.now += 86_400
    assert looked(expiry) == [("error", "contoso", "2027-03-01", -2)]


def test_a_credential_that_was_replaced_is_warned_of_no_more() -> None:
    """The next look sees the new one; one that can't be read any more has no moment."""
    time = Time(NOW.timestamp())
    credential = Credential("contoso", NOW + timedelta(days=1))
    expiry = Expiry([credential], time)
    assert len(looked(expiry)) == 1
    credential.ends = NOW + timedelta(days=365)
    time.now += 86_400
    assert looked(expiry) == []
    assert expiry.moments == {"contoso": credential.ends.timestamp()}
    credential.ends = None
    assert looked(expiry) == []
    assert expiry.moments == {}
