"""A slip in a command line is told as every other error is: what stands where, and what would be right."""

import sys

import pytest

from collector.cli import _run

_TIMES = "a time is 2026-03-01T06:00:00Z (or with +01:00), a date like 2026-03-01, or 7d or 12h ago"
_YEARS = "times from 1970-01-01 to 2262-04-11 are taken"


def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    """Call the command with these words; return what it says on stderr."""
    monkeypatch.setattr(sys, "argv", ["/usr/local/bin/exposure-collector", *words])
    assert _run() == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err.splitlines()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("trend --days abc", "--days: 'abc' is not a whole number from 1 to 3650"),
        ("trend --days 2.5", "--days: '2.5' is not a whole number from 1 to 3650"),
        ("trend --days 0", "--days: '0' is not a whole number from 1 to 3650"),
        ("once --patience x", "--patience: 'x' is not a number from 0 to 86400"),
        ("once --patience nan", "--patience: 'nan' is not a number from 0 to 86400"),
        ("demo --seconds 1", "--seconds: '1' is not a number, 5 or more"),
        ("simulate --tenants 0", "--tenants: '0' is not a whole number, 1 or more"),
        ("provision --keep-days x", "--keep-days: 'x' is not a whole number from 0 to 36500"),
        ("spikes --since abc", f"--since: 'abc' is no time: {_TIMES}"),
        ("annotate x --at 1969-12-31", f"--at: '1969-12-31' is too early: {_YEARS}"),
        ("export --since 2263-01-01", f"--since: '2263-01-01' is too late: {_YEARS}"),
        ("annotate x --kind brek", "--kind: 'brek' is not one of 'note', 'break'"),
        ("trend extra --tenant --json", "--tenant: has no value before --json"),
        ("trend --days --json", "--days: has no value before --json"),
        ("trend --dais 7", "there is no option '--dais' of trend; did you mean --days?"),
        ("trend extra", "trend takes options alone, and no 'extra'"),
        ("rejected discard main", "rejected discard takes options alone, and no 'main'"),
        ("import", "FILE is missing: a CSV file, or - for stdin"),
        ("replay --all", "SINK is missing: a sink, by its name in the settings"),
        ("forget", "--tenant is missing: its name; it need not be in the settings any more"),
        ("trned", "there is no command 'trned'; did you mean trend?"),
        ("--config x trend", "--config: an option stands behind the command that it is of"),
    ],
)
def test_a_slip_is_told_with_where_it_is_and_what_is_right(
    line: str, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says it, and the next one names the help of that very command."""
    error, mend = told(monkeypatch, capsys, *line.split())
    assert error == f"error: {says}"
    command = "" if line.startswith(("trned", "--")) else " ".join(line.split()[: 1 + line.startswith("rejected")])
    assert mend.startswith("  mend: see `")
    assert mend.endswith(f" {command} --help`".replace("  ", " "))


@pytest.mark.parametrize(
    ("words", "proposed"),
    [
        (("Gateways", "patched"), '"Gateways patched"'),
        (("Gateways", "are", "patched", "--at", "2d"), '"Gateways are patched"'),
        (("cost: 5$", "a head"), "'cost: 5$ a head'"),
    ],
)
def test_a_title_without_quotes_is_shown_with_them(
    words: tuple[str, ...], proposed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who leaves out the quotes reads the whole title in them."""
    error, _ = told(monkeypatch, capsys, "annotate", *words)
    assert error.startswith("error: TITLE: one is taken, and '")
    assert error.endswith(f"is behind it; one with spaces needs quotes, as in annotate {proposed}")


def test_an_option_at_the_end_without_its_value_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As is a value for an option that has none."""
    assert told(monkeypatch, capsys, "trend", "--config") == ["error: --config: has no value behind it"]
    assert told(monkeypatch, capsys, "trend", "--json=3") == ["error: --json: takes no value"]


def test_what_was_typed_is_shown_without_its_controls(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever was pasted into a command line, the terminal is told nothing by it, and not much of it."""
    for words in (("annotate", "a", "\x1b[2Jb"), ("trend", "--days", "\x1b[2J" + "x" * 5000), ("\x1b[2J",)):
        said = "\n".join(told(monkeypatch, capsys, *words))
        assert "\x1b" not in said
        assert len(said) < 400


def test_no_command_at_all_is_answered_with_the_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """So is a group of commands without one of its own."""
    for words in ((), ("rejected",)):
        said = told(monkeypatch, capsys, *words)
        assert said[0].startswith("Usage: ")
        assert "Commands:" in said
