"""Options that several commands share, and what they stand for."""

import os
import re
import shlex
import shutil
import socket
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from collector.cli.names import nearest
from collector.errors import ConfigError

if TYPE_CHECKING:
    from collector.settings import Settings

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="Settings, a TOML file. Else $COLLECTOR_CONFIG, /etc/exposure-collector/collector.toml, or the"
        " environment's AZURE_… and INFLUXDB_V2_… variables.",
        show_default=False,
    ),
]
Tenant = Annotated[str | None, typer.Option("--tenant", "-t", help="This tenant alone, by its name in the settings.")]
Name = Annotated[
    str | None,
    typer.Option("--name", help="This collector's name, the tag `collector` of its polls. Else the host's."),
]
_COMMANDS = (
    *(
        "run",
        "once",
        "check",
        "status",
        "trend",
        "spikes",
        "annotate",
        "replay",
        "rejected",
        "provision",
        "export",
        "import",
    ),
    *("backup", "forget", "login"),
)
_PROPOSED = re.compile(rf"`(?:exposure-collector )?((?:{'|'.join(_COMMANDS)})(?: [^`]*)?)`")
"""A command in a message, alone or with its arguments."""
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def finish(code: int) -> NoReturn:
    """End the process at once with an exit code: the interpreter would wait for workers that are in an exchange."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    main = threading.main_thread()
    others = (thread for thread in threading.enumerate() if thread is not main)
    if threading.current_thread() is not main or any(not thread.daemon for thread in others):
        os._exit(code)
    sys.exit(code)


def typed() -> str:
    """Return how this command was called, for the commands that a message proposes."""
    called = Path(sys.argv[0])
    return f"{_short(Path(sys.executable))} -m collector" if called.name == "__main__.py" else _short(called)


def pasted(text: str) -> str:
    """Return a message with the commands that it names, each in backticks, as they can be typed here and now.

    That is with the program as it was called, and with the settings' file that was named.
    """
    config = _named(sys.argv[1:])
    more = f" --config {shlex.quote(config)}" if config else ""
    # The help of a command is that of every settings' file.
    return _PROPOSED.sub(lambda found: f"`{typed()} {found[1]}{'' if found[1].endswith('--help') else more}`", text)


def _short(program: Path) -> str:
    """Return a program's name where the shell finds it by that, else its path."""
    found = shutil.which(program.name)
    # Not by what a link leads to: an environment's python is a link to another's, and not the same.
    return program.name if found and Path(found).absolute() == program.absolute() else shlex.quote(str(program))


def _named(arguments: Sequence[str]) -> str | None:
    """Return the settings' file of a command line: what failed may not have come to read it."""
    for n, word in enumerate(arguments):
        if word in ("--config", "-c"):
            return next(iter(arguments[n + 1 :]), None)
        for form in ("--config=", "-c"):
            if word.startswith(form):
                return word.removeprefix(form)
    return None


def read_settings(config: Path | None) -> "Settings":
    """Return the settings, and let the log be as they say; raise ConfigError with every mistake in them."""
    from collector import log
    from collector.settings import load

    settings = load(config, os.environ)
    log.configure(settings.log.level, settings.log.format)
    return settings


def settings_anew(config: Path | None) -> "Settings":
    """Return the settings as they are now, for a service that runs; raise ConfigError where a start would."""
    from collector.settings import load

    settings = load(config, os.environ)
    want_secrets(settings, list(settings.tenants))
    return settings


def want_secrets(settings: "Settings", tenants: Sequence[str]) -> None:
    """Return if one of `tenants` at least can sign in, and log what is missing; else raise ConfigError with all of it.

    A secret that isn't there keeps its own tenant or sink waiting, and no other: it is read anew at each try.
    """
    from collector.log import logger

    missing = {tenant: settings.tenants[tenant].missing_secrets() for tenant in tenants}
    # What tenants share is missing once.
    lines = dict.fromkeys(line for lines in missing.values() for line in lines)
    if missing and all(missing.values()):
        raise ConfigError(list(lines))
    sinks = [line for sink in settings.influxdb.values() for line in sink.missing_secrets()]
    for line in (*lines, *sinks):
        logger().error("secret.missing", what=line)


def chosen(settings: "Settings", tenant: str | None) -> Sequence[str]:
    """Return the tenant that was asked for, or all; raise ConfigError for one that isn't in the settings."""
    if tenant is None:
        return list(settings.tenants)
    if tenant not in settings.tenants:
        here = f"no tenant of that name; the settings have {nearest(tenant, list(settings.tenants))}"
        raise ConfigError([f"--tenant: {elsewhere(settings, tenant) or here}"])
    return [tenant]


def elsewhere(settings: "Settings", tenant: str) -> str:
    """Return which shard polls a tenant that this one doesn't; empty for a name that no shard has."""
    owner = settings.shard_of(tenant)
    return f"the tenant is of shard {owner}, and this is shard {settings.shard}; ask there" if owner else ""


def collector_name(name: str | None) -> str:
    """Return the name of this collector as a tag; raise ConfigError for one that can't be carried."""
    from collector.point import MAX_ID_BYTES, carried, tag_value

    if name is None:
        return tag_value(socket.gethostname() or "collector", most=MAX_ID_BYTES)
    if not carried(name, MAX_ID_BYTES):
        raise ConfigError(["--name: a control character or a backslash that line protocol can't carry, or nothing"])
    return name
