"""What `once` says of polls that the journal didn't take, and of what several polls fail of alike."""

import json
from dataclasses import replace

import pytest

from collector.cli.working import _document, _failures, _show
from collector.errors import JournalError, Unauthorized, Unavailable
from collector.pipeline import Outcome
from collector.service import Report
from collector.service.patience import Delivered

POLL = Outcome(
    tenant="contoso",
    subject="organization",
    slot=1_700_000_000_000,
    error=None,
    points=1,
    tries=1,
    throttled=0,
    seconds=0.03,
    safe=True,
)
GROUPS = replace(POLL, subject="device_groups", points=7)
SINK = Delivered(sink="main", points=8, backlog=0, dead_letters=3, refused=0, error=None)


def report(*polls: Outcome, sink: Delivered = SINK, lost: int = 0) -> Report:
    """Return what came of `once`."""
    return Report(slot=POLL.slot, polls=polls, sinks=[sink], lost=lost)


def rows(capsys: pytest.CaptureFixture[str], shown: Report) -> dict[str, list[str]]:
    """Return the words of each row of the table of polls, by subject."""
    _show(shown)
    return {words[1]: words[2:] for line in capsys.readouterr().out.splitlines() if len(words := line.split()) > 4}


def test_a_poll_that_the_journal_did_not_take_is_not_ok(capsys: pytest.CaptureFixture[str]) -> None:
    """The table says so of that poll alone, whether it failed too or not, and so does `--json`."""
    failed = replace(GROUPS, error=Unavailable("down"), safe=False)
    found = rows(capsys, report(POLL, replace(GROUPS, safe=False), lost=8))
    assert found["organization"][0] == "ok"
    assert found["device_groups"][:3] == ["not", "kept", "7"]
    assert rows(capsys, report(failed, lost=8))["device_groups"][:3] == ["Unavailable,", "not", "kept"]
    document = json.loads(json.dumps(_document(report(POLL, replace(GROUPS, safe=False), lost=8))))
    assert [poll["ok"] for poll in document["polls"]] == [True, False]
    assert not document["ok"]


def test_a_poll_that_only_had_to_wait_is_ok(capsys: pytest.CaptureFixture[str]) -> None:
    """What the journal took at the second time of asking is not lost."""
    shown = report(POLL, replace(GROUPS, safe=False))
    assert rows(capsys, shown)["device_groups"][:2] == ["ok", "7"]
    assert shown.ok


def test_the_time_is_that_of_the_exchanges_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """What is waited for between two tries is none of it."""
    _show(report(POLL))
    head, row = [line for line in capsys.readouterr().out.splitlines() if "tries" in line or "contoso" in line]
    assert head.endswith("in exchanges")
    assert row.endswith("0.03 s")


def test_what_several_polls_of_a_tenant_fail_of_alike_is_said_once() -> None:
    """Each tenant has its own line, and each error."""
    error = Unauthorized("AADSTS7000215: wrong client secret", mend="put in another")
    polls = [replace(poll, error=error) for poll in (POLL, GROUPS, replace(POLL, tenant="fabrikam"))]
    polls.append(replace(GROUPS, tenant="fabrikam", error=Unavailable("down")))
    assert _failures(report(*polls)) == [
        "contoso: organization, device_groups: Unauthorized: AADSTS7000215: wrong client secret (put in another)",
        "fabrikam: organization: Unauthorized: AADSTS7000215: wrong client secret (put in another)",
        "fabrikam: device_groups: Unavailable: down",
    ]


def test_what_is_not_derived_is_a_failure() -> None:
    """The journal could not be read or written for it: the points are safe, what follows from them is not there."""
    shown = replace(report(POLL), underived=JournalError("the disk is full", mend="make room"))
    assert not shown.ok
    assert _failures(shown) == ["derive: JournalError: the disk is full (make room); the next call derives it"]


def test_a_score_that_was_left_out_is_a_failure_and_one_that_waits_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """What there was no time for is told with the results, and in the document."""
    left_out = replace(report(POLL), left_out="left out: Servers of contoso (KeyError: 'x')")
    assert not left_out.ok
    assert _failures(left_out) == ["derive: left out: Servers of contoso (KeyError: 'x')"]
    waiting = replace(report(POLL), waiting=412)
    assert waiting.ok
    assert _failures(waiting) == []
    assert _document(waiting)["derive"] == {"ok": True, "waiting": 412, "error": "", "message": ""}
    _show(waiting)
    assert "412 points are yet to be derived from; the next call goes on there" in capsys.readouterr().out


def test_what_a_sink_refused_meanwhile_is_a_failure_and_older_letters_are_none() -> None:
    """A point that is refused for good is one that a person has to see; one that was told before is only counted."""
    assert report(POLL).ok
    refused = report(POLL, sink=replace(SINK, refused=2))
    assert not refused.ok
    assert _failures(refused) == ["main: refused 2 points for good; see `rejected list`"]
