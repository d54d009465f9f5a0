"""collector.simulator.catalogue: what is listed of the faults, and how they are written on the command line."""

import re

import pytest

from collector.cli.faults import print_faults, set_fault
from collector.errors import ConfigError
from collector.simulator import Faults
from collector.simulator.catalogue import entries
from collector.simulator.fault_kind import SUBJECTS
from collector.simulator.faults import KINDS


@pytest.fixture(name="faults")
def _faults() -> Faults:
    return Faults(["contoso"])


def test_every_fault_is_listed_with_what_it_does() -> None:
    """No fault is left out, none is without a sentence, and each strikes something unasked."""
    listed = list(entries())
    assert [entry.name for entry in listed] == sorted(KINDS)
    for entry in listed:
        assert re.fullmatch(r"[A-Z0-9].*\.", entry.does), entry
        assert entry.strikes, entry
        assert set(entry.strikes) | set(entry.others) <= set(SUBJECTS), entry


def test_what_is_listed_can_be_typed(faults: Faults, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line of the list sets its fault once the … in it are filled in."""
    needed = {"url": "/x", "seconds": "5", "code": "7000222", "body": "x", "origin": "https://api.example.com"}
    print_faults()
    lines = re.findall(r"^--fault '?(.*?)'?$", capsys.readouterr().out, re.MULTILINE)
    assert len(lines) == len(KINDS)
    for line in lines:
        set_fault(faults, re.sub(r"(\w+)=…", lambda found: f"{found[1]}={needed[found[1]]}", line))
    assert {fault["fault"] for fault in faults.active()} == set(KINDS)


def test_the_list_is_as_wide_as_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads well at 80 columns, and names the codes of the sign-in."""
    monkeypatch.setenv("COLUMNS", "80")
    print_faults()
    printed = capsys.readouterr().out
    assert max(len(line) for line in printed.splitlines()) <= 80
    assert "7000222  The provided client secret keys are expired." in printed


def test_faults_that_need_one_another_are_shown_together(faults: Faults, capsys: pytest.CaptureFixture[str]) -> None:
    """The list says beside what another cloud shows, and how two faults are typed; what it shows can be set."""
    print_faults()
    printed = capsys.readouterr().out
    example = re.search(r"^    (--fault .*)$", printed, re.MULTILINE)
    assert example is not None
    for text in re.findall(r"--fault (\S+)", example[1]):
        set_fault(faults, text)
    assert {fault["fault"] for fault in faults.active()} == {"other_cloud", "sign_in_error"}
    (does,) = (entry.does for entry in entries() if entry.name == "other_cloud")
    for beside in ("sign_in_error,code=90002", "not_found", "redirect"):
        assert beside in does


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("throttle", {"fault": "throttle", "retry_after": 1}),
        ("throttle,retry_after=5,times=3,tenant=contoso", {"retry_after": 5, "times": 3, "tenant": "contoso"}),
        ("throttle,retry_after=null,as_date=true", {"retry_after": None, "as_date": True}),
        ('bad_rows,scores=["nan","text"],times=1', {"scores": ["nan", "text"], "times": 1}),
        ("redirect,url=https://127.0.0.1:1/a,b?c=d", {"url": "https://127.0.0.1:1/a,b?c=d"}),
        pytest.param("body,body=" + "[" * 3000, {"body": "[" * 3000}, id="deep"),
        ('{"fault": "body", "body": "a,b=c"}', {"fault": "body", "body": "a,b=c"}),
    ],
)
def test_a_fault_is_written_in_words_or_in_json(faults: Faults, text: str, expected: dict[str, object]) -> None:
    """Values are JSON where they can be, texts elsewhere, and may hold commas."""
    set_fault(faults, text)
    (active,) = faults.active()
    assert {name: active[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("throtle", "--fault: there is no fault 'throtle'"),
        ("", "--fault: there is no fault ''"),
        ("throttle,", "--fault: there is no fault 'throttle,'"),
        ("throttle,retry=5", "--fault: throttle: there is no parameter 'retry'"),
        ('{"fault": "throttle"', "--fault: not JSON"),
        ("sign_in_error", "--fault: sign_in_error: the parameter 'code' is missing"),
        ('{"fault": {}}', "--fault: the name of a fault is a text"),
        pytest.param('{"fault": ' + "[" * 3000, "--fault: not JSON", id="deep"),
    ],
)
def test_a_slip_is_said_with_where_to_look(faults: Faults, text: str, says: str) -> None:
    """A fault that can't be set is a wrong option."""
    with pytest.raises(ConfigError) as caught:
        set_fault(faults, text)
    assert str(caught.value).startswith(says)
    assert faults.active() == []
