"""`simulate` and `demo`: a Defender tenant on loopback, and the whole collector against it."""

import shlex
import sys
import tempfile
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from collector.cli.ending import when_told
from collector.cli.faults import print_faults, set_fault
from collector.cli.options import typed
from collector.errors import ConfigError

if TYPE_CHECKING:
    from collector.simulator import Simulator

_LOOK_SECONDS = 0.5


def add(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(simulate)
    app.command()(demo)


def simulate(
    *,
    tenants: Annotated[int, typer.Option(min=1, help="How many tenants.")] = 1,
    groups: Annotated[int, typer.Option(min=1, help="How many device groups a tenant.")] = 7,
    credential: Annotated[
        Literal[
            "client_secret", "certificate", "certificate_pfx", "workload_identity", "managed_identity", "device_code"
        ],
        typer.Option(
            metavar="KIND",
            help="How the application signs in; the settings and files are made for it: client_secret, certificate,"
            " certificate_pfx, workload_identity, managed_identity or device_code.",
        ),
    ] = "client_secret",
    credential_days: Annotated[
        float, typer.Option(help="Days until the application's certificate ends; below 0 it has.")
    ] = 365.0,
    approve_after: Annotated[
        float | None,
        typer.Option(min=0.0, help="Seconds until a device code is approved as if by a person; else never by itself."),
    ] = None,
    device_interval: Annotated[int, typer.Option(min=1, help="Seconds between a device's questions.")] = 5,
    device_seconds: Annotated[int, typer.Option(min=1, help="How long a device code waits for a person.")] = 900,
    certificate: Annotated[
        Literal["valid", "expired", "other_name", "untrusted"], typer.Option(help="The server's own certificate.")
    ] = "valid",
    shown_by: Annotated[
        Literal["all", "api", "sign_in"], typer.Option(help="Whose that certificate is; the other's is then valid.")
    ] = "all",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on loopback; 0 for a free one.")] = 0,
    metadata_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the managed identity; 0 for a free one.")
    ] = 0,
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
            help="A fault from the start: NAME, NAME,parameter=value,… like throttle,retry_after=5,times=3, or the "
            'same as JSON, {"fault": "throttle", "retry_after": 5}. May be repeated; see --list-faults.'
        ),
    ] = None,
    list_faults: Annotated[
        bool, typer.Option("--list-faults", help="Print every fault that there is, and end.")
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option(
            help="Where its certificate, the credential and the settings are written; what you added to those stays."
            " Else a new one."
        ),
    ] = None,
) -> None:
    """Serve simulated Defender tenants on this machine.

    They are on loopback, sign-in included; settings that point at them are printed.
    """
    kind = _simulator()
    if list_faults:
        print_faults()
        return
    from collector.simulator import Patience

    where = folder or Path(tempfile.mkdtemp(prefix="exposure-simulator-"))
    simulator = (kind if seed is None else partial(kind, seed=seed))(
        folder=where,
        tenants=tenants,
        groups=groups,
        port=port,
        latency=latency,
        page_size=page_size,
        nameless=nameless,
        token_seconds=token_seconds,
        credential=credential,
        credential_days=credential_days,
        patience=Patience(interval=device_interval, seconds=device_seconds, approve_after=approve_after),
        metadata_port=metadata_port,
        certificate=certificate,
        shown_by=shown_by,
    )
    for text in fault or ():
        set_fault(simulator.faults, text)
    stop = threading.Event()
    when_told(stop.set)
    with simulator:
        print(simulator.settings, end="", flush=True)
        added = simulator.settings_file.read_text(encoding="utf-8") != simulator.settings
        beside = ", beside what was added there" if added else ", where what you add stays" if folder else ""
        said = [
            f"serving on {simulator.url} until Ctrl-C; these settings are in {simulator.settings_file}{beside}:",
            *(f"  {line}" for line in _next(simulator, credential, approve_after)),
        ]
        print("\n".join(said), file=sys.stderr, flush=True)
        # A signal that reaches another thread, or this one as it falls asleep, is seen when it wakes.
        while not stop.wait(_LOOK_SECONDS):
            pass


def _next(simulator: "Simulator", credential: str, approve_after: float | None) -> list[str]:
    """Return what to type, in order, until a collector polls."""
    config = f"--config {shlex.quote(str(simulator.settings_file))}"
    curl = f"curl -s --cacert {shlex.quote(str(simulator.ca_file))}"
    lines = []
    if simulator.metadata_url:
        lines += [f"export AZURE_POD_IDENTITY_AUTHORITY_HOST={simulator.metadata_url}"]
    if credential == "device_code":
        person = f"{curl} -d '{{\"approve\": true}}' {simulator.url}/simulator/device"
        if approve_after is not None:
            person = f"approved by itself {approve_after:g} s after a code was asked for"
        lines += [f"{typed()} login --tenant {simulator.tenants[0].name} {config}", f"# meanwhile: {person}"]
    lines += [f"{typed()} once {config}"]
    if credential in ("certificate", "certificate_pfx", "workload_identity"):
        lines += [f"# to have another one in its file: {curl} -d '{{}}' {simulator.url}/simulator/credential"]
    return lines


def demo(
    *,
    seconds: Annotated[float, typer.Option(min=5.0, help="How long the service runs.")] = 30.0,
    folder: Annotated[
        Path | None, typer.Option(help="Where the journal is kept afterwards. Else it goes with the demo.")
    ] = None,
) -> None:
    """Run it all against a simulated tenant.

    The tenant comes with 90 days of history.
    """
    kind = _simulator()
    from collector.cli.demo import Demo

    with tempfile.TemporaryDirectory(prefix="exposure-demo-") as own:
        where = folder or Path(own)
        for name, what in (("journal.db", "a journal"), ("demo.toml", "settings"), ("collector.toml", "settings")):
            if (where / name).exists():
                raise ConfigError([f"--folder: {where} has {what} already, {name}; name a new folder"])
        with kind(folder=where) as simulator:
            Demo(simulator, where, seconds, kept=folder is not None).run()


def _simulator() -> "type[Simulator]":
    try:
        from collector.simulator import Simulator
    except ModuleNotFoundError as error:
        raise ConfigError(
            [f"the simulator needs {error.name}, which is not installed"],
            mend="pip install 'exposure-collector[demo]'",
        ) from error
    return Simulator
