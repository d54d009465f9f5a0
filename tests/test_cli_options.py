"""What a message proposes to type: the program as it was called, and the settings' file in use."""

import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("text", ["see `timedatectl`", "`running`", "once, run", "`onces`", "", "`scope` of `once"])
def test_other_words_stay_as_they_are(text: str) -> None:
    """Only a whole command in backticks is one."""
    assert pasted(text) == text
