"""Tenants of the simulator as the collector meets them: settings that it wrote, read by the collector's own reader."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, Self

from collector.defender import Defender, Login, Person
from collector.errors import BadResponse, Unavailable
from collector.http import Http
from collector.settings import DeviceCode, Tenant, load
from collector.simulator import Credential, Simulator
from collector.step import Step

CONTOSO = "contoso"


@contextmanager
def simulator(folder: Path, credential: Credential, **more: Any) -> Iterator[Simulator]:
    """Yield a simulator of one tenant of that kind."""
    with Simulator(folder=folder, credential=credential, groups=2, **more) as simulated:
        yield simulated


def tenant(simulated: Simulator, **more: Any) -> Tenant:
    """Return the tenant's settings, as they were written, with `more` over them."""
    settings = load(simulated.settings_file, {}).tenants[CONTOSO]
    return settings.model_copy(update=more)


class Sources:
    """Makes sources, and closes their connections at the end."""

    def __init__(self) -> None:
        self._clients: list[Http] = []

    def __call__(self, simulated: Simulator, **more: Any) -> Defender:
        """Return the tenant as a source."""
        return self.of(tenant(simulated, **more))

    def of(self, settings: Tenant) -> Defender:
        """Return a tenant with these settings as a source."""
        self._clients.append(Http(settings.ca_file))
        return Defender(CONTOSO, settings, self._clients[-1], dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients:
            client.close()


def polled(defender: Defender) -> float:
    """Return the organization's score, asked for by whatever token there is."""
    asking = defender.ask("organization", 0)
    assert asking.step(10) is Step.DONE
    (point,) = asking.points
    return float(point.fields["score"])


class SigningIn(Protocol):
    """A source, or its token alone."""

    def sign_in(self, seconds: float) -> None: ...


def failure(source: SigningIn, seconds: float = 10) -> Unavailable | BadResponse:
    """Return the error that a sign-in ends with."""
    try:
        source.sign_in(seconds)
    except (Unavailable, BadResponse) as error:
        return error
    raise AssertionError("it brought a token")


def shown(error: BaseException) -> str:
    """Return all that a log could show of an error, and of those behind it."""
    text = f"{error} {error!r} {getattr(error, 'mend', '')}"
    behind = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return text + (shown(behind) if behind else "")


def cache_of(simulated: Simulator) -> Path:
    """Return the file that the sign-in is kept in."""
    credential = tenant(simulated).credential
    assert isinstance(credential, DeviceCode)
    return credential.cache_file


def signed_in(simulated: Simulator, login: Callable[..., Login]) -> Person:
    """Let a person sign in."""
    sign_in = login()
    sign_in.begin(10)
    simulated.devices.decide(None, approve=True)
    person = sign_in.ask(10)
    assert person
    return person


def refresh_token(cache: Path) -> str:
    """Return the one refresh token that a cache holds."""
    ((entry),) = json.loads(cache.read_text(encoding="utf-8"))["RefreshToken"].values()
    return str(entry["secret"])
