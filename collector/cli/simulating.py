"""`simulate` and `demo`: a Defender tenant on loopback, and the whole collector against it."""

import json
import signal
import sys
import tempfile
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from collector.cli.options import typed
from collector.errors import ConfigError

if TYPE_CHECKING:
    from collector.simulator import Simulator


def add(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(simulate)
    app.command()(demo)


def simulate(
    *,
    tenants: Annotated[int, typer.Option(min=1, help="How many tenants.")] = 1,
    groups: Annotated[int, typer.Option(min=1, help="How many device groups a tenant.")] = 7,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on loopback; 0 for a free one.")] = 0,
    latency: Annotated[float, typer.Option(min=0.0, help="Seconds before each answer.")] = 0.0,
    page_size: Annotated[int | None, typer.Option(min=1, help="Groups a page; else all on one.")] = None,
    nameless: Annotated[
        Literal["none", "empty", "null"], typer.Option(help="Devices in no group: none, or how the name is written.")
    ] = "none",
    token_seconds: Annotated[int, typer.Option(min=1, help="How long a token lives.")] = 3599,
    seed: Annotated[int | None, typer.Option(help="Another seed makes other scores.")] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="A fault from the start, by name or as JSON with its parameters, like "
            '{"fault": "throttle", "retry_after": 5, "times": 3}. May be repeated.'
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(help="Where its certificate, its secret and the settings are written. Else a new one."),
    ] = None,
) -> None:
    """Serve Defender tenants on loopback, sign-in included, and print settings that point at them."""
    where = folder or Path(tempfile.mkdtemp(prefix="exposure-simulator-"))
    kind = _simulator()
    simulator = (kind if seed is None else partial(kind, seed=seed))(
        folder=where,
        tenants=tenants,
        groups=groups,
        port=port,
        latency=latency,
        page_size=page_size,
        nameless=nameless,
        token_seconds=token_seconds,
    )
    for text in fault or ():
        _set_fault(simulator, text)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    with simulator:
        print(simulator.settings, end="", flush=True)
        print(
            f"serving on {simulator.url} until Ctrl-C; these settings are in {simulator.settings_file}:\n"
            f"  {typed()} once --config {simulator.settings_file}",
            file=sys.stderr,
            flush=True,
        )
        stop.wait()


def demo(
    *,
    seconds: Annotated[float, typer.Option(min=5.0, help="How long the service runs.")] = 30.0,
    folder: Annotated[
        Path | None, typer.Option(help="Where the journal is kept afterwards. Else it goes with the demo.")
    ] = None,
) -> None:
    """Run the whole collector against a simulated tenant with 90 days of history."""
    kind = _simulator()
    from collector.cli.demo import Demo

    with tempfile.TemporaryDirectory(prefix="exposure-demo-") as own:
        where = folder or Path(own)
        if (where / "journal.db").exists():
            raise ConfigError([f"--folder: {where} has a journal already; name a new folder"])
        with kind(folder=where) as simulator:
            Demo(simulator, where, seconds).run()
        if folder:
            print(f"\nThe journal stays: {typed()} status --config {where / 'demo.toml'}")


def _simulator() -> "type[Simulator]":
    try:
        from collector.simulator import Simulator
    except ModuleNotFoundError as error:
        raise ConfigError(
            [f"the simulator needs {error.name}, which is not installed"],
            mend="pip install 'exposure-collector[demo]'",
        ) from error
    return Simulator


def _set_fault(simulator: "Simulator", text: str) -> None:
    try:
        wanted = json.loads(text) if text.lstrip().startswith("{") else {"fault": text}
        name = wanted.pop("fault", "")
    except ValueError as error:
        raise ConfigError([f"--fault: not JSON: {error}"]) from error
    try:
        simulator.faults.set(name, **wanted)
    except ConfigError as error:
        raise ConfigError([f"--fault: {problem}" for problem in error.problems], mend=error.mend) from error
