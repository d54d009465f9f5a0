"""Defender tenants to run against, on loopback: their sign-in, their API, and every fault on demand.

Is not Microsoft: the scores are made up, the token is good here alone. Needs the extra `demo`.
"""

import math
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import trustme

from collector.errors import ConfigError
from collector.simulator.api import Api
from collector.simulator.faults import Faults
from collector.simulator.front import Front
from collector.simulator.metadata import Metadata
from collector.simulator.microsoft import Microsoft
from collector.simulator.record import Record
from collector.simulator.server import Server
from collector.simulator.settings import Files, settings
from collector.simulator.sign_in import SCOPE, SignIn, Tokens
from collector.simulator.sign_in.application import MOST_DAYS, Application, Credential
from collector.simulator.sign_in.devices import Devices, Patience
from collector.simulator.steering import Steering
from collector.simulator.tenants import Tenant, residents
from collector.simulator.tls import ServerCertificate, ServerName, context
from collector.simulator.world import DEFAULT_SEED, Nameless, World

__all__ = [
    "SCOPE",
    "Credential",
    "Faults",
    "Nameless",
    "Patience",
    "Record",
    "ServerCertificate",
    "ServerName",
    "Simulator",
    "Tenant",
    "World",
]


class Simulator:
    """Once built it holds its port and its files are written; between `start` and `stop` it answers.

    `folder`: where `ca.pem`, the credential's files and `collector.toml` are written. `tenants`, `groups`: how many, of
    groups a tenant. `seed` and `today` make the scores, see `World`. `latency`: seconds before each answer. `port`: 0
    for a free one. `token_seconds`: how long a token lives. `page_size`: rows a page, None for one page. `nameless`:
    whether devices are in no group. `credential`: how the application signs in; its certificate ends in
    `credential_days`. `patience`: how devices wait for a person. `metadata_port`: where the machine's identity is given
    out. `certificate`: the server's own, shown by the API, the sign-in or both (`shown_by`). `clock`: Unix seconds.
    Raise ConfigError for what can't be.
    """

    def __init__(  # noqa: PLR0913 - each is a knob of its own, all by name, all with a default but the first
        self,
        *,
        folder: Path,
        tenants: int = 1,
        groups: int = 7,
        seed: int = DEFAULT_SEED,
        today: date | None = None,
        latency: float = 0.0,
        port: int = 0,
        token_seconds: int = 3599,
        page_size: int | None = None,
        nameless: Nameless = "none",
        credential: Credential = "client_secret",
        credential_days: float = 365,
        patience: Patience = Patience(),  # noqa: B008 - it can't be changed
        metadata_port: int = 0,
        certificate: ServerCertificate = "valid",
        shown_by: ServerName = "all",
        clock: Callable[[], float] = time.time,
    ) -> None:
        machine = credential == "managed_identity"
        _check(
            ("tenants", tenants, 1, math.inf),
            ("groups", groups, 1, math.inf),
            ("latency", latency, 0, math.inf),
            ("port", port, 0, 65535),
            ("token_seconds", token_seconds, 1, math.inf),
            ("page_size", 1 if page_size is None else page_size, 1, math.inf),
            ("metadata_port", metadata_port, 0, 65535),
            ("credential_days", credential_days, -MOST_DAYS / 10, MOST_DAYS),
            ("patience.interval", patience.interval, 1, math.inf),
            ("patience.seconds", patience.seconds, 1, math.inf),
            ("patience.approve_after", patience.approve_after or 0, 0, math.inf),
            # A machine is in one tenant, and so is its identity.
            *([("tenants of a managed identity", tenants, 1, 1)] if machine and tenants > 1 else []),
        )
        self.tenants = residents(tenants, seed)
        names = [tenant.name for tenant in self.tenants]
        self.world = World(
            tenants=names,
            today=today or datetime.fromtimestamp(clock(), UTC).date(),
            seed=seed,
            groups=groups,
            nameless=nameless,
        )
        self.faults = Faults(names)
        self.requests = Record()
        authority = trustme.CA(organization_name="exposure-collector", organization_unit_name="simulator")
        server = Server(port, context(authority, certificate, shown_by))
        self.url = f"https://localhost:{server.port}"
        self._application = Application(
            self.tenants[0].client_id,
            credential=credential,
            issuer=f"{self.url}/cluster",
            days=credential_days,
            clock=clock,
        )
        self.devices = Devices(patience, clock)
        tokens = Tokens(self.tenants, seconds=token_seconds, clock=clock)
        sign_in = SignIn(self.tenants, application=self._application, tokens=tokens, devices=self.devices)
        front = partial(
            Front,
            steering=Steering(
                faults=self.faults,
                record=self.requests,
                world=self.world,
                devices=self.devices,
                renew=self.renew,
                clock=clock,
            ),
            faults=self.faults,
            record=self.requests,
            latency=latency,
            clock=clock,
        )
        api = Api(self.world, page_size=page_size, clock=clock)
        self._servers = {server: front(site=Microsoft(api, sign_in), server=server)}
        self.metadata_url: str | None = None
        self._files = Files(folder.absolute())
        self.ca_file = self._files.ca
        self.secret_file = self._files.secret
        self.settings_file = self._files.settings
        login_url = self.url if shown_by == "all" else self.url.replace("localhost", "127.0.0.1")
        self.settings = settings(self.tenants, self._files, credential, url=self.url, login_url=login_url)
        try:
            self._files.write(authority.cert_pem.bytes(), self._application, self.settings)
            if machine:
                metadata = Server(metadata_port, None)
                self._servers[metadata] = front(site=Metadata(self.tenants[0], tokens, clock), server=metadata)
                self.metadata_url = f"http://127.0.0.1:{metadata.port}"
        except ConfigError:
            self.stop()
            raise

    def renew(self, **wanted: Any) -> None:  # noqa: ANN401 - as `Application.renew` has it
        """Replace the credential, at the sign-in and in its file: what was there before is refused from now on.

        A platform's token takes other claims (`issuer`, `subject`, `audience`, `seconds`, `forged`), a certificate
        `days`. Raise ConfigError for what the credential doesn't have.
        """
        self._application.renew(**wanted)
        self._files.write_credential(self._application)

    def start(self) -> None:
        """Return once it answers."""
        for server, front in self._servers.items():
            server.start(front)

    def stop(self) -> None:
        """Return once the port is free; what was made to wait is let go. Stopping twice does nothing."""
        for server in self._servers:
            server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _check(*numbers: tuple[str, float, float, float]) -> None:
    problems = [
        f"{name}: {value} is less than {least}" if value < least else f"{name}: {value} is more than {most}"
        for name, value, least, most in numbers
        if not least <= value <= most
    ]
    if problems:
        raise ConfigError(problems)
