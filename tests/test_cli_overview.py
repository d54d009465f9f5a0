"""What `status` looks like: what is wrong comes first, and thousands that are well are a few rows and a count."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from collector.cli.overview import lines
from collector.status import DeriveStatus, JournalStatus, PollStatus, ProcessStatus, ShardStatus, SinkStatus, Status

SLOT = "2026-11-28T08:00:00Z"


def poll(tenant: str, subject: str = "organization", **told: object) -> PollStatus:
    """Return a subject that is well, but for what is told."""
    known = PollStatus(tenant, subject, SLOT, True, "", 1, late=False, seconds=0.5, throttled=0)
    return replace(known, **told)  # type: ignore[arg-type]


SINK = SinkStatus("main", 0, None, 0, "", begun=True, exact=True, rate=None, seconds_left=None)
FAILED = poll("fails", ok=False, error="Unauthorized", tries=7, seconds=12.25, throttled=3)
NEVER = poll("new", slot=None, ok=None, seconds=None, tries=0)
LATE = poll("late", late=True)


def status(tenants: Sequence[PollStatus], sinks: Sequence[SinkStatus] = (), behind: int = 0) -> Status:
    """Return a status of a journal that a process polls."""
    return Status(
        tenants=tenants,
        sinks=sinks,
        journal=JournalStatus(1_234_567, 70_000_000, SLOT, SLOT, exact=False),
        derive=DeriveStatus(behind, SLOT, "", exact=True, rate=2000.0, seconds_left=30),
        process=ProcessStatus(True, 42),
        shard=ShardStatus(None, len(tenants), 0),
    )


def test_what_is_wrong_comes_first_then_what_is_late_then_what_is_new() -> None:
    """Those that are well follow as they stand in the settings; each has its slot, its time, tries and 429s."""
    shown = list(lines(status([poll("b"), NEVER, LATE, poll("a"), FAILED])))
    assert [line.split()[0] for line in shown[:6]] == ["tenant", "fails", "late", "new", "b", "a"]
    assert shown[0].split() == ["tenant", "subject", "slot", "state", "took", "tries", "throttled"]
    assert shown[1].split() == ["fails", "organization", SLOT, "Unauthorized", "12.25", "s", "7", "3"]
    assert shown[3].split() == ["new", "organization", "-", "never", "polled", "-", "0", "0"]
    assert shown[7] == (
        "5 tenants, 5 subjects: 2 well, 1 failed, 1 late, 1 never polled, 1 throttled (3 times); the longest took"
        " 12.25 s (fails, organization)"
    )
    assert "what is wrong with a poll: `" in shown[-1]


def test_columns_stand_below_each_other_whatever_a_tenant_is_called() -> None:
    """Also where a name is of wide characters, and none moves the cursor or turns the direction."""
    shown = list(lines(status([poll("東京"), poll("contoso"), poll("ev\u202eil\x1b[2J")])))
    assert shown[1] == f"東京     organization  {SLOT}  ok     0.50 s  1      0"
    assert shown[2] == f"contoso  organization  {SLOT}  ok     0.50 s  1      0"
    assert shown[3].startswith("evil[2J  ")


@pytest.mark.parametrize("everything", [False, True])
def test_of_thousands_a_few_rows_are_shown_and_the_others_counted(*, everything: bool) -> None:
    """With `--all` every subject has its row."""
    many = [poll(f"tenant-{n:04}", subject) for n in range(1000) for subject in ("organization", "device_groups")]
    shown = list(lines(status([*many, FAILED]), everything=everything))
    rows = [line for line in shown if SLOT in line and " s  " in line]
    assert rows[0].startswith("fails ")
    assert len(rows) == (2001 if everything else 40)
    assert any(line.startswith("and 1,961 well more: `") for line in shown) is not everything
    assert any(line.startswith("1,001 tenants, 2,001 subjects: 2,000 well, 1 failed,") for line in shown)


def test_more_than_fit_of_what_is_wrong_are_counted_by_what_they_are() -> None:
    """Nobody takes forty failures for all of them."""
    wrong = [replace(FAILED, tenant=f"t{n}") for n in range(45)]
    shown = list(lines(status([*wrong, LATE, NEVER, poll("a"), poll("b")])))
    assert any(line.startswith("and 5 failed, 1 late, 1 never polled, 2 well more: `") for line in shown)


def test_a_sink_that_no_start_has_taken_up_is_not_called_ok() -> None:
    """One that came into the settings while `run` goes on takes nothing until that is started anew."""
    new = replace(SINK, name="second", backlog=72, oldest=SLOT, begun=False)
    (second,) = [line for line in lines(status([poll("a")], [SINK, new])) if line.startswith("second")]
    assert second.endswith("waits for a start of `run`, which is when a new sink is taken up")


def test_a_sink_that_catches_up_says_how_fast_and_how_long() -> None:
    """A backlog that was not counted whole is about that; what a sink fails of is said, and no pace."""
    far = replace(SINK, backlog=1_234_567, oldest=SLOT, exact=False, rate=41_234.0, seconds_left=75)
    ill = replace(SINK, name="other", backlog=12, error="Unavailable: no answer", dead_letters=2)
    shown = list(lines(status([poll("a")], [SINK, far, ill], behind=60_000)))
    assert [line.split(None, 1)[1] for line in shown if line.startswith("main")] == [
        "0                -                     0             ok",
        f"about 1,230,000  {SLOT}  0             catching up, 41,234/s, 1 min 15 s left",
    ]
    (other,) = [line for line in shown if line.startswith("other")]
    assert "Unavailable: no answer; 2 refused; see `" in other
    assert f"trends, spikes and days: 60,000 points behind, from {SLOT}; catching up, 2,000/s, 30 s left" in shown
    assert f"journal: about 1,230,000 points in 70.0 MB, from {SLOT} to {SLOT}" in shown
    assert "polled by the process 42" in shown


def test_what_waits_and_tells_no_time_is_said_without_one() -> None:
    """Where all rows of it are damaged nobody knows since when it waits."""
    behind = status([poll("a")], [replace(SINK, backlog=3)], behind=3)
    shown = list(lines(replace(behind, derive=replace(behind.derive, oldest=None))))
    assert any(line.startswith("trends, spikes and days: 3 points behind; ") for line in shown)
    assert any(line.split()[:3] == ["main", "3", "-"] for line in shown)
