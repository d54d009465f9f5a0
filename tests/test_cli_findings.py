"""`check` for people: a line a thing, few lines for many tenants, and nothing left out of --json."""

import io
import json
import sys
from collections.abc import Sequence

import pytest

from collector.check import Finding
from collector.cli import findings

TRACE = "8f3a1c52-6f0e-4f7a-9d3c-2b1e0a9c7d6{}"


def tenants(count: int, ill: Sequence[int] = ()) -> list[Finding]:
    """Return what was found of so many tenants, those of `ill` with one fault that they have alike."""
    found = [Finding("settings", ok=True, message=f"tenants: {count}, sinks: 0")]
    for n in range(count):
        name = f"tenant-{n}"
        found.append(Finding(f"{name}: sign-in", ok=True, message="a token was given", tenant=name))
        call = Finding(f"{name}: organization", ok=True, message="score 41.5", tenant=name)
        if n in ill:
            message = f"h: 503: the API is not available (target {TRACE.format(n % 10)})"
            call = Finding(call.name, ok=False, message=message, mend="wait", tenant=name)
        found.append(call)
    return [*found, Finding("journal", ok=True, message="j.db: 5 points")]


def shown(capsys: pytest.CaptureFixture[str], found: Sequence[Finding], *, verbose: bool = False) -> list[str]:
    """Return the lines that are printed."""
    findings.show(found, verbose=verbose)
    return capsys.readouterr().out.splitlines()


def test_few_tenants_have_a_line_for_everything(capsys: pytest.CaptureFixture[str]) -> None:
    """In a pipe a finding is one line, however long, and its mend another; one that won't stay well is a warning."""
    long = "word " * 60 + "end"
    found = [
        Finding("settings", ok=True, message="tenants: 1, sinks: 0"),
        Finding("journal", ok=False, message=long, mend=long),
        Finding("journal: room", ok=True, message="full in 9 days", mend="make room"),
    ]
    assert shown(capsys, found) == [
        "good  settings: tenants: 1, sinks: 0",
        f"BAD   journal: {long}",
        f"      mend: {long}",
        "warn  journal: room: full in 9 days",
        "      mend: make room",
    ]


def test_a_mend_that_stands_right_above_is_not_said_again(capsys: pytest.CaptureFixture[str]) -> None:
    """Of two faults with one mend the second says so; a mend further up is said in full."""
    found = [
        Finding("a", ok=False, message="x", mend="one"),
        Finding("b", ok=False, message="x", mend="one"),
        Finding("c", ok=True, message="x"),
        Finding("d", ok=False, message="x", mend="one"),
    ]
    mends = [line.strip() for line in shown(capsys, found) if "mend" in line]
    assert mends == ["mend: one", "mend: as above", "mend: one"]


def test_many_tenants_that_are_well_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """With more than ten tenants those that are well are one line, unless each is wanted."""
    assert shown(capsys, tenants(1000)) == [
        "good  settings: tenants: 1000, sinks: 0",
        "good  1,000 tenants: all is well (--verbose shows each)",
        "good  journal: j.db: 5 points",
    ]
    assert len(shown(capsys, tenants(1000), verbose=True)) == 2002
    assert len(shown(capsys, tenants(findings.MANY))) == 2 * findings.MANY + 2


def test_a_fault_that_many_tenants_have_alike_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    """One fault of several tenants is one line with the first names, whatever ids Microsoft gave the requests."""
    assert shown(capsys, tenants(20, ill=range(15))) == [
        "good  settings: tenants: 20, sinks: 0",
        "good  5 tenants: all is well (--verbose shows each)",
        (
            "BAD   tenant-0, tenant-1, tenant-2 and 12 more: organization: h: 503: the API is not available"
            f" (target {TRACE.format(0)})"
        ),
        "      mend: wait",
        "good  journal: j.db: 5 points",
    ]
    assert shown(capsys, tenants(20, ill=[7]))[2].startswith("BAD   tenant-7: organization: h: 503")


def test_json_leaves_nothing_out() -> None:
    """However many tenants there are, each finding is in the document, with the four keys."""
    document = findings.document(tenants(20, ill=[3]))
    assert document["ok"] is False
    checks = json.loads(json.dumps(document))["checks"]
    assert len(checks) == 42
    assert all(set(check) == {"name", "ok", "message", "mend"} for check in checks)


def test_what_is_not_well_is_named_up_to_a_bound() -> None:
    """The last line names the faults, the first ten where they are many."""
    found = [finding for finding in tenants(15, ill=range(15)) if not finding.ok]
    assert findings.named(found[:2]) == "tenant-0: organization, tenant-1: organization"
    assert findings.named(found).endswith("tenant-9: organization, and 5 more")


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_terminal_gets_wrapped_lines(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """On a terminal lines are wrapped under their own begin, at its width and no wider than is good to read."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    findings.show([Finding("journal", ok=False, message="[b]word[/b] " * 30, mend="do " * 60)], verbose=False)
    lines = terminal.getvalue().splitlines()
    assert lines[0].startswith("BAD   journal: [b]word[/b] ")
    assert all(line.startswith("      ") for line in lines[1:])
    assert any(line.startswith("      mend: do") for line in lines)
    assert max(map(len, lines)) <= min(columns, 110)
    assert terminal.getvalue().count("[b]word[/b]") == 30
    assert "\x1b" not in terminal.getvalue()


def test_a_terminal_gets_colours_beside_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Colour is an addition: the word stands there too."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    findings.show(tenants(1, ill=[0]), verbose=False)
    assert "\x1b[31mBAD" in terminal.getvalue()
    assert "\x1b[32mgood" in terminal.getvalue()
