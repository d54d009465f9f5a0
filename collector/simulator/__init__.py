"""Defender tenants to run against, on loopback: their sign-in, their API, and every fault on demand.

Is not Microsoft: the scores are made up, the token is good here alone. Needs the extra `demo`.
"""

import math
import ssl
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme

from collector.errors import ConfigError
from collector.simulator.api import Api
from collector.simulator.faults import Faults
from collector.simulator.front import Front
from collector.simulator.record import Record
from collector.simulator.server import Server
from collector.simulator.settings import Files, new_secret, settings
from collector.simulator.sign_in import SCOPE, SignIn
from collector.simulator.steering import Steering
from collector.simulator.tenants import Tenant, residents
from collector.simulator.world import DEFAULT_SEED, Nameless, World

__all__ = ["SCOPE", "Faults", "Nameless", "Record", "Simulator", "Tenant", "World"]


class Simulator:
    """Once built it holds its port and its files are written; between `start` and `stop` it answers.

    `folder`: where `ca.pem`, `simulator.secret` and `collector.toml` are written. `tenants`, `groups`: how many, of
    groups a tenant. `seed` and `today` make the scores, see `World`. `latency`: seconds before each answer. `port`: 0
    for a free one. `token_seconds`: how long a token lives. `page_size`: rows a page, None for one page. `nameless`:
    whether devices are in no group. `clock`: Unix seconds. Raise ConfigError for what can't be.
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
        clock: Callable[[], float] = time.time,
    ) -> None:
        _check(
            ("tenants", tenants, 1, math.inf),
            ("groups", groups, 1, math.inf),
            ("latency", latency, 0, math.inf),
            ("port", port, 0, 65535),
            ("token_seconds", token_seconds, 1, math.inf),
            ("page_size", 1 if page_size is None else page_size, 1, math.inf),
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
        secret = new_secret()
        authority = trustme.CA(organization_name="exposure-collector", organization_unit_name="simulator")
        self._server = Server(port, _context(authority))
        self._front = Front(
            api=Api(self.world, page_size=page_size, clock=clock),
            sign_in=SignIn(self.tenants, secret=secret, token_seconds=token_seconds, clock=clock),
            steering=Steering(faults=self.faults, record=self.requests, world=self.world, clock=clock),
            faults=self.faults,
            record=self.requests,
            latency=latency,
            server=self._server,
        )
        files = Files(folder.absolute())
        self.url = f"https://localhost:{self._server.port}"
        self.ca_file = files.ca
        self.secret_file = files.secret
        self.settings_file = files.settings
        self.settings = settings(self.tenants, files, self.url)
        try:
            files.write(authority.cert_pem.bytes(), secret, self.settings)
        except ConfigError:
            self._server.stop()
            raise

    def start(self) -> None:
        """Return once it answers."""
        self._server.start(self._front)

    def stop(self) -> None:
        """Return once the port is free; what was made to wait is let go. Stopping twice does nothing."""
        self._server.stop()

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


def _context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1", "::1").configure_cert(context)
    return context
