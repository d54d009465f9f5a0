"""The command line: exit codes, what goes where, and errors that a person can act on."""

import json
import os
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
from servers import Influxd
from system.blackbox import COMMAND, Simulated, collector, document, environment, poll, settings, v1, well

COMMANDS = (
    *(
        "run",
        "once",
        "check",
        "status",
        "health",
        "trend",
        "spikes",
        "annotate",
        "replay",
        "rejected",
        "provision",
        "export",
        "import",
    ),
    *("backup", "forget", "login", "simulate", "demo"),
)


def test_help_names_every_command() -> None:
    """`--help` has a line for each command, and each command has its own help."""
    overview = well(collector("--help"))
    for command in COMMANDS:
        assert re.search(rf"^  {command} ", overview, re.MULTILINE), command
        lines = well(collector(command, "--help")).splitlines()
        assert any("Usage" in line for line in lines), command
        assert all(len(line) <= 80 for line in lines), command
    assert "..." not in overview.partition("Commands:")[2], "each sentence is whole"
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", well(collector("--version")))


@pytest.mark.parametrize("arguments", [(), ("nonsense",), ("once", "--patience", "inf"), ("status", "--colour")])
def test_a_wrong_command_line_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    """What is wrong with the command line is said on stderr, with exit code 2 and no traceback."""
    done = collector(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_wrong_settings_are_all_said_at_once_with_exit_code_2(tmp_path: Path) -> None:
    """Every mistake is a line with its key and what would be right; no secret is repeated."""
    config = tmp_path / "collector.toml"
    config.write_text(
        "[poll]\ninterval_seconds = 0\nintervall = 5\n"
        '[tenants.contoso]\ntenant_id = "hush-hush-1"\nclient_id = "hush-hush-2"\ncloud = "globl"\n'
        'credential = { kind = "client_secret", client_secret = "hush-hush-3", client_secret_file = "x" }\n',
        encoding="utf-8",
    )
    for command in ("run", "once", "status", "check"):
        done = collector(command, "--config", config)
        said = done.stdout + done.stderr
        assert done.returncode == 2, said
        for key in ("poll.interval_seconds", "poll.intervall", "tenant_id", "client_id", "cloud", "client_secret"):
            assert key in said, (command, key)
        assert "1 to 21600" in said
        assert "hush" not in said
        assert "Traceback" not in said


def test_settings_that_are_not_there_are_named() -> None:
    """A file that isn't there is exit code 2 with its path; no settings at all says how to begin."""
    done = collector("once", "--config", "/nowhere/collector.toml")
    assert done.returncode == 2
    assert "/nowhere/collector.toml" in done.stderr
    done = collector("once")
    assert done.returncode == 2
    assert "AZURE_TENANT_ID" in done.stderr
    assert "demo" in done.stderr


def test_a_secret_file_that_is_not_there_is_named(simulated: Simulated, tmp_path: Path) -> None:
    """A missing secret file is exit code 2, with its key and path; reading commands don't need it."""
    config = settings(tmp_path, simulated)
    text = config.read_text().replace("simulator.secret", "gone.secret")
    config.write_text(text)
    done = collector("once", "--config", config)
    assert done.returncode == 2
    assert "client_secret_file" in done.stderr
    assert "gone.secret" in done.stderr


def test_an_unknown_tenant_is_exit_code_2(simulated: Simulated, tmp_path: Path) -> None:
    """`--tenant` with a name that isn't in the settings names those that are."""
    done = collector("once", "--config", settings(tmp_path, simulated), "--tenant", "nobody")
    assert done.returncode == 2
    assert "contoso" in done.stderr


def test_status_without_a_journal_says_what_to_do(simulated: Simulated, tmp_path: Path) -> None:
    """Before the first poll `status` ends with 1 and says how to begin."""
    done = collector("status", "--config", settings(tmp_path, simulated))
    assert done.returncode == 1
    assert "no journal yet" in done.stderr
    assert "once" in done.stderr


def test_the_environment_alone_is_enough(simulated: Simulated, tmp_path: Path) -> None:
    """With no file at all the ecosystem's variables name one tenant, and overrides reach every key."""
    tenant = simulated.tenant
    env = {
        "AZURE_TENANT_ID": tenant["tenant_id"],
        "AZURE_CLIENT_ID": tenant["client_id"],
        "AZURE_CLIENT_SECRET_FILE": tenant["credential"]["client_secret_file"],
        "COLLECTOR_TENANT": "contoso",
        "COLLECTOR__TENANTS__CONTOSO__API_URL": simulated.url,
        "COLLECTOR__TENANTS__CONTOSO__LOGIN_URL": simulated.url,
        "COLLECTOR__TENANTS__CONTOSO__SCOPE": tenant["scope"],
        "COLLECTOR__TENANTS__CONTOSO__CA_FILE": tenant["ca_file"],
    }
    well(collector("once", env=env, cwd=tmp_path))
    status = document(collector("status", "--json", env=env, cwd=tmp_path))
    assert [poll["tenant"] for poll in status["tenants"]] == ["contoso", "contoso"]
    assert (tmp_path / "exposure.db").stat().st_mode & 0o077 == 0


def test_status_has_the_keys_that_are_promised(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """`status --json` has tenants, sinks, journal, process and what is derived, with exactly the documented keys."""
    config = settings(tmp_path, simulated, poll(3600), v1("main", influxd.url, database))
    well(collector("once", "--config", config))
    done = collector("status", "--config", config, "--json")
    status = document(done)
    assert set(status) == {"tenants", "sinks", "journal", "derive", "process", "shard"}
    assert set(status["tenants"][0]) == {"tenant", "subject", "slot", "ok", "error", "tries"} | {
        "late",
        "seconds",
        "throttled",
    }
    assert status["shard"] == {"shard": None, "tenants": 1, "elsewhere": 0}
    assert status["process"] == {"running": False, "pid": None}
    assert set(status["sinks"][0]) == {"name", "backlog", "oldest", "dead_letters", "error"} | {
        "begun",
        "exact",
        "rate",
        "seconds_left",
    }
    assert set(status["journal"]) == {"points", "bytes", "oldest", "newest", "exact"}
    assert status["derive"] == {
        "backlog": 0,
        "oldest": None,
        "error": "",
        "exact": True,
        "rate": None,
        "seconds_left": None,
    }
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
    shown = well(collector("status", "--config", config))
    assert "contoso" in shown
    assert "trends, spikes and days: up to date" in shown


def test_results_go_to_stdout_and_logs_to_stderr(simulated: Simulated, tmp_path: Path) -> None:
    """With `--json` stdout is one document; every line of stderr is a log line in JSON where it is no terminal."""
    done = collector("once", "--config", settings(tmp_path, simulated), "--json")
    json.loads(done.stdout)
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()].count("poll.settled") == 2


def test_simulate_prints_settings_that_work(simulated: Simulated, tmp_path: Path) -> None:
    """The settings of `simulate` are TOML, lie in its folder too, and `once` runs with them as they are."""
    assert tomllib.loads(simulated.settings)["tenants"]["contoso"]["api_url"] == simulated.url
    file = simulated.folder / "collector.toml"
    assert file.read_text() == simulated.settings
    env = {"COLLECTOR__JOURNAL__PATH": str(tmp_path / "journal.db")}
    well(collector("once", "--config", file, env=env))


def test_simulate_takes_faults_from_the_start(tmp_path: Path) -> None:
    """`--fault` names a fault or gives it with parameters; an unknown one is refused with the known ones."""
    with Simulated(tmp_path / "s", "--fault", '{"fault": "throttle", "retry_after": 60}', "--tenants", "2") as sim:
        done = collector("once", "--config", settings(tmp_path, sim), "--patience", "1", "--json")
        assert {poll["throttled"] for poll in document(done)["polls"]} == {1}
        assert len(sim.tenants) == 2
    done = collector("simulate", "--folder", tmp_path / "t", "--fault", "gremlins")
    assert done.returncode == 2
    assert "throttle" in done.stderr


def test_a_reader_that_has_enough_is_no_error(simulated: Simulated, tmp_path: Path) -> None:
    """`status` into a pipe that closes early says nothing of it."""
    config = settings(tmp_path, simulated)
    well(collector("once", "--config", config))
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        command = [*COMMAND, "status", "--config", str(config), "--json"]
        done = subprocess.run(command, env=environment(), stdout=closed, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (1, b"")


def test_in_a_pipe_lines_come_in_the_order_in_which_they_were_said(simulated: Simulated, tmp_path: Path) -> None:
    """Both streams into one: the report first, and what to make of it at the end; no line ends in blanks."""
    config = settings(tmp_path, simulated, v1("main", "http://127.0.0.1:9", "d"))
    for command in (("once", "--patience", "0"), ("check",), ("status",)):
        called = [*COMMAND, *command, "--config", str(config)]
        done = subprocess.run(
            called, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        lines = done.stdout.splitlines()
        assert lines[-1].startswith("error: ") == (command != ("status",)), lines
        assert [line for line in lines if line != line.rstrip()] == []


def test_what_a_message_proposes_can_be_typed(simulated: Simulated, influxd: Influxd, tmp_path: Path) -> None:
    """The program as it was called, and the settings that were named, are in the command; in `--json` it is as ever."""
    config = settings(tmp_path, simulated, v1("main", influxd.url, "nowhere"), name="my own.toml")
    done = collector("once", "--config", config, "--patience", "0")
    (proposed,) = re.findall(r"create the database nowhere with `([^`]+)`", done.stderr.rpartition("error: ")[2])
    program, _, rest = proposed.partition(" -m collector ")
    assert program.endswith("python3.11") or "python" in program
    assert shlex.split(rest) == ["provision", "--config", str(config)]
    report = collector("check", "--config", config, "--json")
    assert "with `exposure-collector provision`" in report.stdout
    assert f"-m collector {rest}`" in collector("check", "--config", config).stdout


def test_a_full_disk_behind_stdout_is_said(simulated: Simulated, tmp_path: Path) -> None:
    """What can't be printed is an error of one line, not a fault of the collector."""
    config = settings(tmp_path, simulated)
    well(collector("once", "--config", config))
    with Path("/dev/full").open("w") as full:
        command = [*COMMAND, "status", "--config", str(config), "--json"]
        done = subprocess.run(
            command,
            env=environment({"PYTHONUNBUFFERED": "1"}),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_terminal_without_unicode_is_served_all_the_same(simulated: Simulated, tmp_path: Path) -> None:
    """A group's or a program's name that the terminal can't show does not end the command."""
    config = settings(tmp_path, simulated)
    well(collector("once", "--config", config, "--name", "Büro", env={"PYTHONIOENCODING": "ascii"}))
