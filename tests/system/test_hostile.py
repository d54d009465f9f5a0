"""One tenant whose API means harm, beside two that are well: these are polled, and no terminal is written to."""

import json
from pathlib import Path

import pytest
from system.blackbox import Simulated, collector, document, poll, settings, well
from system.test_trend import on_terminal

ESCAPES = "\x1b[2J\x1b]0;owned\x07\u202etxt.exe\r\nINFO all is well\x9b31m"
BODIES = {
    "brackets": "[" * 100_000,
    "no rows": json.dumps({"value": {"a": 1}}),
    "wrong types": json.dumps({"value": [None, 1, "x", [], {"score": {}}, {"score": True}, {"score": "41.3"}]}),
    "no numbers": '{"value": [{"score": NaN}, {"score": Infinity}, {"score": 1e400}], "score": -Infinity}',
    "a page elsewhere": json.dumps({"value": [], "score": None, "@odata.nextLink": "https://evil.example/api"}),
    "escapes": json.dumps({"value": [{"score": None, "rbacGroupName": ESCAPES}], "score": ESCAPES}),
}


def harmless(said: str) -> bool:
    """Whether a text moves no cursor, sets no title and turns no line around."""
    return not any(sign in said for sign in ("\x1b[2J", "\x1b]0", "\x07", "\u202e", "\x9b", "\nINFO all is well"))


def test_a_hostile_tenant_costs_no_other_its_poll(tmp_path: Path) -> None:
    """Whatever it answers: its own polls end in an error by name, both others' are ok, and the lines stay lines."""
    with Simulated(tmp_path / "simulated", "--tenants", "3", "--groups", "3") as simulated:
        hostile, *well_ones = simulated.tenants
        config = settings(tmp_path, simulated, poll(3600))
        for body in BODIES.values():
            simulated.heal()
            simulated.fault("body", tenant=hostile, body=body)
            done = collector("once", "--config", config)
            assert done.returncode == 1, done
            assert harmless(done.stdout + done.stderr)
            polls = document(collector("status", "--config", config, "--json"))["tenants"]
            assert {row["ok"] for row in polls if row["tenant"] in well_ones} == {True}
            assert {row["error"] for row in polls if row["tenant"] == hostile} == {"BadResponse"}


@pytest.mark.parametrize("command", ["once", "status", "trend", "check"])
def test_no_name_and_no_words_reach_a_terminal_as_commands(tmp_path: Path, command: str) -> None:
    """A group called by escape codes is shown in print; what an error's body says stays on its line."""
    with Simulated(tmp_path / "simulated", "--groups", "2") as simulated:
        config = settings(tmp_path, simulated, poll(3600))
        rows = [{"score": 41.5, "rbacGroupName": ESCAPES, "rbacGroupId": ESCAPES}]
        named = {"value": rows, "time": "2026-07-01T12:00:00Z", "score": 40.5}
        simulated.fault("body", body=json.dumps(named))
        well(collector("once", "--config", config))
        said = on_terminal(command, "--config", config, columns=100, env={})
        assert harmless(said.replace("\r\n", "\n"))
        refused = {"error": {"code": ESCAPES, "message": ESCAPES, "target": ESCAPES}}
        simulated.fault("body", body=json.dumps(refused), status=403)
        done = collector("once", "--config", config, "--patience", "0")
        assert done.returncode == 1
        assert harmless(done.stdout + done.stderr)
