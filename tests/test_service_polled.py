"""What the service knows of each tenant's polls: from the journal at a start, and as they come."""

import time
from pathlib import Path

from collector.errors import Unavailable
from collector.journal import Journal
from collector.pipeline import Outcome
from collector.pipeline.outcome import poll_point
from collector.service.polled import Polled
from collector.web import PollFacts

HOUR = 3_600_000
NOW = int(time.time() * 1000) // HOUR * HOUR
SUBJECT = ("contoso", "organization")


def poll(hours: int, *, ok: bool = True, seconds: float = 0.5, throttled: int = 0, tenant: str = "contoso") -> Outcome:
    """Return the outcome of a poll of some hours ago."""
    return Outcome(
        tenant=tenant,
        subject="organization",
        slot=NOW - hours * HOUR,
        error=None if ok else Unavailable("busy"),
        points=int(ok),
        tries=1 + throttled,
        throttled=throttled,
        seconds=seconds,
    )


def test_a_start_takes_up_what_the_journal_has(tmp_path: Path) -> None:
    """When a subject was last polled, for how long, and when with success; not of tenants that are gone.

    How often it was throttled is of this process alone, as is how polls ended: that is how Prometheus counts.
    """
    told = [
        poll_point(poll(3, seconds=0.25), "old-host"),
        poll_point(poll(2, ok=False, seconds=9.0, throttled=4), "host"),
        poll_point(poll(1, tenant="left"), "host"),
    ]
    with Journal(tmp_path / "journal.db") as journal:
        journal.append(told)
        polled = Polled(journal, {"contoso"}, {"organization"})
    assert polled.last() == {SUBJECT: PollFacts(at=(NOW - 2 * HOUR) / 1000, seconds=9.0, throttled=0)}
    assert polled.successes() == {SUBJECT: (NOW - 3 * HOUR) / 1000}
    assert polled.outcomes() == {}


def test_a_success_before_failures_is_found(tmp_path: Path) -> None:
    """However many polls have failed since; a subject that never succeeded has no success."""
    with Journal(tmp_path / "journal.db") as journal:
        journal.append([poll_point(poll(hours, ok=hours == 9), "host") for hours in range(1, 12)])
        journal.append([poll_point(poll(hours, ok=False, tenant="fabrikam"), "host") for hours in range(1, 3)])
        polled = Polled(journal, {"contoso", "fabrikam"}, {"organization"})
    assert polled.successes() == {SUBJECT: (NOW - 9 * HOUR) / 1000}
    assert polled.last()["fabrikam", "organization"].at == (NOW - HOUR) / 1000


def test_polls_count_as_they_come(tmp_path: Path) -> None:
    """The last poll stands, well or not, and what was throttled adds up."""
    with Journal(tmp_path / "journal.db") as journal:
        polled = Polled(journal, {"contoso"}, {"organization"})
    for outcome in (poll(2, seconds=1.0, throttled=2), poll(1, ok=False, seconds=3.0, throttled=5)):
        polled.settled(outcome)
    assert polled.last() == {SUBJECT: PollFacts(at=(NOW - HOUR) / 1000, seconds=3.0, throttled=7)}
    assert polled.outcomes() == {(*SUBJECT, "ok"): 1, (*SUBJECT, "Unavailable"): 1}
    assert polled.successes() == {SUBJECT: (NOW - 2 * HOUR) / 1000}


def test_of_a_tenant_that_left_nothing_is_told_until_it_is_back(tmp_path: Path) -> None:
    """What it still settles counts no more; when it joins again the journal tells of its polls, its counts begin."""
    with Journal(tmp_path / "journal.db") as journal:
        journal.append([poll_point(poll(3), "host")])
        polled = Polled(journal, {"contoso"}, {"organization"})
        polled.settled(poll(2))
        polled.left({"contoso"})
        polled.settled(poll(1))
        assert (polled.last(), polled.successes(), polled.outcomes()) == ({}, {}, {})
        polled.joined({"contoso"})
        polled.take_up({"contoso"}, {"organization"})
    assert polled.successes() == {SUBJECT: (NOW - 3 * HOUR) / 1000}
    assert polled.outcomes() == {}


def test_a_tenant_that_comes_and_goes_while_the_journal_is_busy_is_told_as_it_is_now(tmp_path: Path) -> None:
    """Who has joined is counted at once; who has left again is not brought back by what the journal knew of it."""
    with Journal(tmp_path / "journal.db") as journal:
        journal.append([poll_point(poll(3), "host"), poll_point(poll(3, tenant="fabrikam"), "host")])
        polled = Polled(journal, {"contoso", "fabrikam"}, {"organization"})
        polled.left({"contoso", "fabrikam"})
        polled.joined({"contoso", "fabrikam"})
        polled.settled(poll(1))
        polled.left({"fabrikam"})
        polled.take_up({"contoso", "fabrikam"}, {"organization"})
    assert polled.successes() == {SUBJECT: (NOW - HOUR) / 1000}
    assert polled.outcomes() == {(*SUBJECT, "ok"): 1}
    assert polled.last().keys() == {SUBJECT}
