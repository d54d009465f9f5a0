"""Credentials of somebody who may do more, for one command alone. They are given to one server, and kept nowhere."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collector.errors import CollectorError, ConfigError

if TYPE_CHECKING:
    from collector.settings import Influx, Secret

_TOKEN, _PASSWORD = "COLLECTOR_PROVISION_TOKEN", "COLLECTOR_PROVISION_PASSWORD"

TokenFile = Annotated[
    Path | None,
    typer.Option(
        envvar=f"{_TOKEN}_FILE",
        help=f"A token that may create, for this command alone, instead of the sink's own. Else ${_TOKEN}.",
        show_default=False,
    ),
]
Username = Annotated[
    str | None,
    typer.Option(
        envvar="COLLECTOR_PROVISION_USERNAME",
        help="A user who may create (InfluxDB 1.x), for this command alone.",
        show_default=False,
    ),
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(envvar=f"{_PASSWORD}_FILE", help=f"That user's password. Else ${_PASSWORD}.", show_default=False),
]


def borrowed(token_file: Path | None, username: str | None, password_file: Path | None) -> Mapping[str, object]:
    """Return the credentials that stand in for the sinks' own, by what the user calls them; nothing when none are.

    Raise ConfigError where they are twice, in part, or can't be read.
    """
    token = _secret("--token-file", token_file, _TOKEN)
    password = _secret("--password-file", password_file, _PASSWORD)
    problems = []
    if token and (username or password):
        problems.append("--token-file: goes with no --username: the one is for InfluxDB 2.x and 3.x, the other for 1.x")
    if bool(username) != bool(password):
        problems.append("--username: goes with a --password-file, and that with it")
    if problems:
        raise ConfigError(problems)
    if token:
        return {token.key: token}
    return {"--username": username, password.key: password} if username and password else {}


def _secret(option: str, file: Path | None, variable: str) -> "Secret | None":
    from collector.settings import Secret

    inline = os.environ.get(variable)
    if file and inline:
        raise ConfigError([f"{option}: given, and ${variable} too; keep one of the two"])
    if not file and not inline:
        return None
    try:
        secret = Secret(option, file=file) if file else Secret(f"${variable}", inline=inline)
        secret.read()
    except CollectorError as error:
        raise ConfigError([str(error)], mend=error.mend) from error
    except ValueError:
        # Its words name what is wrong with it, and no more than that; but they stand beside it in the chain.
        raise ConfigError([f"${variable}: holds no secret, which is one line of text"]) from None
    return secret


def lent(others: Mapping[str, object], sinks: "Mapping[str, Influx]") -> "Mapping[str, Influx]":
    """Return the sinks as they sign in by `others`.

    Raise ConfigError where these are of another kind of server, or would be shown to several.
    """
    first, *more = others.values()
    for name, sink in sinks.items():
        if bool(more) != (sink.api == "v1"):
            right = "--username with --password-file" if sink.api == "v1" else "--token-file"
            raise ConfigError(
                [f'{next(iter(others))}: influxdb.{name} is of api "{sink.api}", which takes {right}'],
                mend="name the sink that it is for with --sink" if len(sinks) > 1 else "",
            )
    if len({sink.url for sink in sinks.values()}) > 1:
        raise ConfigError(
            ["--sink: which one? Who may create at one server is not shown to the others"],
            mend=f"name one of {', '.join(sinks)}",
        )
    update = {"username": first, "password": more[0]} if more else {"token": first}
    return {name: sink.model_copy(update=update) for name, sink in sinks.items()}
