"""Where results are printed: what a terminal gets, and what a pipe gets."""

import io
from collections.abc import Mapping

import pytest

from collector.cli.terminal import console, draws, fitted


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    "environ", [{}, {"FORCE_COLOR": "1"}, {"TTY_COMPATIBLE": "1"}, {"COLUMNS": "x"}, {"COLUMNS": "0"}]
)
def test_a_pipe_gets_plain_text_of_80_columns(environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """No escape codes, and 80 columns, however wide the terminal is from which the pipe was started."""
    for key in ("FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS"):
        monkeypatch.delenv(key, raising=False)
    for key, value in environ.items():
        monkeypatch.setenv(key, value)
    stream = io.StringIO()
    page = console(stream, environ)
    page.print("[bold]plain[/bold] :smile:", style="bold red")
    assert stream.getvalue() == "[bold]plain[/bold] :smile:\n"
    assert page.width == 80


def test_who_asks_for_columns_gets_them() -> None:
    """`COLUMNS` is obeyed in a pipe and on a terminal."""
    assert console(io.StringIO(), {"COLUMNS": "40"}).width == 40
    assert console(Terminal(), {"COLUMNS": "132"}).width == 132


def test_a_terminal_gets_colours_unless_it_wants_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal has colours; with `NO_COLOR` it has none, but keeps what is bold."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured, plain = Terminal(), Terminal()
    console(coloured, {}).print("bad", style="bold red")
    assert "\x1b[1;31m" in coloured.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    console(plain, {}).print("bad", style="bold red")
    assert plain.getvalue() == "\x1b[1mbad\x1b[0m\n"


@pytest.mark.parametrize(("encoding", "can"), [("utf-8", True), ("ascii", False), ("latin-1", False), ("gbk", False)])
def test_a_chart_is_drawn_with_what_the_stream_can_hold(encoding: str, can: bool) -> None:  # noqa: FBT001 - a row
    """Braille where it can be written, else ASCII."""
    with io.TextIOWrapper(io.BytesIO(), encoding=encoding) as stream:
        assert draws(console(stream, {})) is can


@pytest.mark.parametrize(
    ("name", "cells", "text"),
    [
        ("Finance", 7, "Finance"),
        ("Finance", 6, "Finan…"),
        ("日本支社", 8, "日本支社"),
        ("日本支社", 7, "日本支…"),
        ("日本支社", 6, "日本…"),
        ("\u202eevil\u2028line", 9, "evilline"),
        ("\u200b", 4, "?"),
    ],
)
def test_a_name_is_cut_by_what_it_takes_on_a_terminal(name: str, cells: int, text: str) -> None:
    """Wide characters count twice and are never halved; what would move the cursor or turn the line is left out."""
    assert fitted(name, cells) == text
