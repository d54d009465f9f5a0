"""What the commands that change the journal have in common, most of them to deliver again. Is not a command."""

import signal
import sys
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.options import ConfigFile, pasted, read_settings
from collector.errors import ConfigError

if TYPE_CHECKING:
    from collector.cli.progress import Progress
    from collector.errors import CollectorError
    from collector.journal import Journal
    from collector.service import Stand
    from collector.settings import Settings

GOES_ON = "the journal keeps them, and `run` or `once` goes on from there"

Patience = Annotated[
    float,
    typer.Option(
        min=0.0,
        max=86400.0,
        help="Seconds in which what is unavailable is tried again. No ceiling: an exchange that is under way then still"
        " ends by its own timeout.",
    ),
]


def quiet(config: "ConfigFile") -> "Settings":
    """Return the settings; of the log only errors are shown: what else is to be said is said by the command."""
    from collector import log

    settings = read_settings(config)
    log.configure("error", settings.log.format)
    return settings


def open_journal(settings: "Settings") -> "Journal":
    """Return the journal, open to write; raise JournalError where there is none: these commands don't begin one."""
    from collector.journal import Journal

    if not settings.journal.path.exists():
        Journal(settings.journal.path, readonly=True).close()
    return Journal(settings.journal.path)


def breakable() -> None:
    """Let SIGTERM break the command off as Ctrl-C does: then it says how things stand."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def known(sink: str, names: Collection[str]) -> None:
    """Return if there is such a sink; else raise ConfigError with those that there are."""
    if sink not in names:
        others = f"the settings have {', '.join(names)}" if names else "the settings have none"
        raise ConfigError([f"{sink}: no sink of that name; {others}"])


def shown(sinks: str, progress: "Progress") -> "Callable[[Stand], None]":
    """Return what shows how far the sinks are, and which process delivers."""

    def show(stand: "Stand") -> None:
        progress.show(f"{sinks}, by the process {stand.by}" if stand.by else sinks, stand.done, stand.of)

    return show


def interrupted(state: str, onward: str) -> typer.Exit:
    """Return the end of a command that a person broke off, once it is said how things stand. `onward`: what goes on."""
    print(pasted(f"interrupted: {state}; {GOES_ON}, or call `{onward}`"), file=sys.stderr)
    return typer.Exit(1)


def failed(sink: str, error: "CollectorError", state: str) -> typer.Exit:
    """Return the end of a command whose sink failed, once it is said of what, and how things stand."""
    mend = f" ({error.mend})" if error.mend else ""
    print(pasted(f"error: {sink}: {error.name}: {error}{mend}; {state}"), file=sys.stderr)
    return typer.Exit(1)
