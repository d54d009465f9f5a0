"""What a message proposes to type: the program as it was called, and the settings' file in use."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from collector.cli import app
from collector.cli.options import pasted, typed


@pytest.fixture(name="program")
def _program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed command that the shell does not find by its name."""
    program = tmp_path / "bin" / "exposure-collector"
    program.parent.mkdir()
    program.touch(0o755)
    monkeypatch.setattr(sys, "argv", [str(program)])
    monkeypatch.setenv("PATH", "/nowhere")
    return program


def test_the_name_is_enough_where_the_shell_finds_it(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the path is said, as it was typed."""
    assert typed() == str(program)
    monkeypatch.setenv("PATH", str(program.parent))
    assert typed() == "exposure-collector"


def test_a_program_of_the_same_name_elsewhere_is_another(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the shell would find is not what was called."""
    other = tmp_path / "other" / program.name
    other.parent.mkdir()
    other.symlink_to(program)
    monkeypatch.setenv("PATH", str(other.parent))
    assert typed() == str(program)


@pytest.mark.parametrize(
    ("arguments", "more"),
    [
        ((), ""),
        (("once", "--config", "a.toml"), " --config a.toml"),
        (("once", "--config=a b.toml"), " --config 'a b.toml'"),
        (("once", "-c", "a.toml"), " --config a.toml"),
        (("once", "-ca.toml"), " --config a.toml"),
        (("once", "--config"), ""),
    ],
)
@pytest.mark.parametrize(
    ("said", "command"),
    [
        ("start `run`", "run"),
        ("see `rejected list`", "rejected list"),
        ("sign in: `exposure-collector login --tenant 'a b'`", "login --tenant 'a b'"),
    ],
)
def test_a_command_gets_program_and_settings(
    program: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], more: str, said: str, command: str
) -> None:
    """However the settings were named, and however the message has the command."""
    monkeypatch.setattr(sys, "argv", [str(program), *arguments])
    assert pasted(f"{said}; then") == f"{said.partition('`')[0]}`{program} {command}{more}`; then"


def test_the_help_of_a_command_is_no_settings_file_s(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for as it is."""
    monkeypatch.setattr(sys, "argv", [str(program), "replay", "--config", "a.toml"])
    assert pasted("see `replay --help`") == f"see `{program} replay --help`"


@pytest.mark.parametrize("text", ["see `timedatectl`", "`running`", "once, run", "`onces`", "", "`scope` of `once"])
def test_other_words_stay_as_they_are(text: str) -> None:
    """Only a whole command in backticks is one."""
    assert pasted(text) == text


def test_the_commands_without_json_are_those_that_the_readme_names() -> None:
    """Who reads that a command has `--json` finds it there."""
    said = re.search(r"all but (.*?) have\s`--json`", (Path(__file__).parents[1] / "README.md").read_text(), re.DOTALL)
    assert said is not None
    without = {name for name, command in _commands(typer.main.get_command(app)) if "--json" not in _options(command)}
    assert set(re.findall(r"`(\w+)`", said[1])) == without


def _commands(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", {})
    if not inner:
        yield name, command
    for each, its in inner.items():
        yield from _commands(its, each)


def _options(command: Any) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}
