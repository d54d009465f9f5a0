"""`login`: a person signs in to a tenant, by a code that is typed into any browser."""

import sys
import time
from typing import TYPE_CHECKING

import typer

from collector.cli.options import ConfigFile, Tenant, chosen, read_settings
from collector.errors import ConfigError, Unauthorized, Unavailable

if TYPE_CHECKING:
    from collector.defender import Login, Person
    from collector.settings import Settings


def add(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(login)


def login(*, config: ConfigFile = None, tenant: Tenant = None) -> None:
    """Sign in to a tenant of the kind device_code.

    Shows a code, and waits until a person has typed it in.
    """
    from collector.defender import Login
    from collector.http import Http

    settings = read_settings(config)
    name = _one(settings, tenant)
    seconds = settings.poll.timeout_seconds
    sign_in = Login(name, settings.tenants[name], Http(settings.tenants[name].ca_file).serving(f"tenants.{name}"))
    code = sign_in.begin(seconds)
    print(f"To sign in to {name}, open {code.url} and type in the code {code.text}", flush=True)
    print(f"waiting for up to {_span(code.seconds)}; Ctrl-C ends it", file=sys.stderr)
    try:
        person = _wait(sign_in, code.seconds, seconds)
    except KeyboardInterrupt:
        print("interrupted: nobody has signed in", file=sys.stderr)
        raise typer.Exit(1) from None
    print(f"{name}: signed in{f' as {person.name}' if person.name else ''}; kept in {person.file}")
    if person.before:
        print(f"what was in that file, and was no sign-in, is now {person.before}", file=sys.stderr)
    if person.lack:
        raise person.lack


def _wait(sign_in: "Login", patience: int, seconds: float) -> "Person":
    """Return who has signed in; raise Unauthorized when nobody has within `patience` seconds."""
    end = time.monotonic() + patience
    failure: Unavailable | None = None
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(sign_in.interval, left))
        try:
            person = sign_in.ask(seconds)
        except Unauthorized:
            raise
        except Unavailable as error:
            # The code is good for as long as it was said; a network that fails once is no reason to start anew.
            failure = error
        else:
            failure = None
            if person:
                return person
    raise failure or Unauthorized(f"nobody has signed in within {_span(patience)}", mend="start login again")


def _one(settings: "Settings", tenant: str | None) -> str:
    names = chosen(settings, tenant)
    if len(names) == 1:
        return names[0]
    kinds = {name: settings.tenants[name].credential.kind for name in names}
    by_code = [name for name, kind in kinds.items() if kind == "device_code"]
    raise ConfigError(
        ["--tenant: which one? The settings have several tenants"],
        mend=f"name one of the kind device_code: {', '.join(by_code) or 'there is none'}",
    )


def _span(seconds: int) -> str:
    return f"{seconds // 60} minutes" if seconds >= 120 else f"{seconds} seconds"  # noqa: PLR2004 - two minutes
