"""The commands, a file a group. Results go to stdout, logs and errors to stderr; the only place that prints.

Exit codes: 0 all is well; 1 something failed, and stderr says what; 2 the settings or the command line are wrong.
"""

import io
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from collector.cli import (
    annotating,
    checking,
    exporting,
    importing,
    keeping,
    provisioning,
    redelivering,
    showing,
    signing_in,
    simulating,
    spiking,
    trending,
    working,
)
from collector.cli.mistyped import UsageError, slip
from collector.cli.options import finish, pasted
from collector.errors import CollectorError, ConfigError

app = typer.Typer(
    name="exposure-collector",
    help="Keeps the history of a Microsoft Defender exposure score, and delivers it to InfluxDB.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)
for room in (
    *(working, checking, showing, trending, spiking, annotating),
    *(redelivering, provisioning, exporting, importing, keeping, signing_in, simulating),
):
    room.add(app)

_CTRL_C = 130
"""What typer makes of it, where a command doesn't end in its own words."""


@app.callback(invoke_without_command=True)
def _options(
    *, show_version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False
) -> None:
    if show_version:
        from importlib.metadata import version

        print(version("exposure-collector"))
        raise typer.Exit


def main() -> NoReturn:
    """Run the command line, and end the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal without Unicode shows a group's name in part; it does not end the command. And a line that was
            # printed is out before the next one on the other stream, also where both are one pipe.
            stream.reconfigure(errors="replace", line_buffering=True)
    finish(_run())


def _run() -> int:
    try:
        if (end := _called()) != _CTRL_C:
            return end
        print("interrupted", file=sys.stderr)
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else int(left.code is not None)
    except CollectorError as error:
        return _say(error)
    except BrokenPipeError:
        # Whoever read stdout has enough; nothing more can be said there, not even by the interpreter's last flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        print(f"error: {error.filename or 'the output'}: {error.strerror or error}", file=sys.stderr)
    except Exception as error:  # noqa: BLE001 - a person gets a line, not a traceback
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}:{place.lineno}, in {place.name}"
        print(f"error: a fault of the collector: {type(error).__name__} at {where}", file=sys.stderr)
    return 1


def _called() -> int:
    """Run the command that was typed; a slip in it is told in our words, not in those of the parser."""
    try:
        return int(app(standalone_mode=False) or 0)
    except UsageError as error:
        if wrong := slip(error):
            raise wrong from None
        print(error, file=sys.stderr)
        return 2


def _say(error: CollectorError) -> int:
    """Print what is wrong and its mend, and return the exit code."""
    for line in str(error).splitlines():
        print(f"error: {pasted(line)}", file=sys.stderr)
    if error.mend:
        print(f"  mend: {pasted(error.mend)}", file=sys.stderr)
    return 2 if isinstance(error, ConfigError) else 1
