"""A person's first sign-in, by device code: a code here, a browser anywhere. Waits for nobody: its caller does."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msal

from collector.defender.claims import claims
from collector.defender.clouds import endpoints
from collector.defender.permission import permission_of
from collector.defender.sign_in.application import translated
from collector.defender.sign_in.device import account, cache_file, kept, public, scopes, told
from collector.defender.sign_in.wire import PENDING, Wire
from collector.errors import BadResponse, ConfigError, Unauthorized
from collector.http import Http
from collector.settings import DeviceCode, Tenant

_SHOWN = 200
"""Characters of a person's name."""


@dataclass(frozen=True, slots=True)
class Code:
    """What the person opens and types, and the seconds that it is good for."""

    url: str
    text: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Person:
    """Who has signed in (empty where that isn't told), where that is kept, and where what was there before is now.

    `lack`: that the token hasn't the permission that scores need; None where it has, or can't be read.
    """

    name: str
    file: Path
    before: Path | None
    lack: Unauthorized | None


class Login:
    """One sign-in to a tenant. Raise ConfigError for a tenant whose credential is of another kind."""

    def __init__(self, name: str, tenant: Tenant, http: Http) -> None:
        credential = tenant.credential
        if not isinstance(credential, DeviceCode):
            raise ConfigError(
                [f"tenants.{name}.credential: its kind is {credential.kind}, and nobody signs in to that"],
                mend='login is for the kind "device_code"',
            )
        self._name = name
        self._tenant = tenant
        self._endpoints = endpoints(tenant, f"tenants.{name}")
        self._file = cache_file(name, credential)
        self._cache: Any = msal.SerializableTokenCache()
        self._wire = Wire(http, self._endpoints, 0.0, told(name))
        self._application: Any = None
        self._flow: dict[str, Any] = {}

    @property
    def interval(self) -> float:
        """Seconds to wait before asking, and between two times."""
        return float(self._flow["interval"])

    def begin(self, seconds: float) -> Code:
        """Return the code within `seconds`. Raise Unauthorized where what comes of it could not be kept."""
        self._file.probe()
        self._wire.extend(time.monotonic() + seconds)
        with translated(self._endpoints):
            self._application = public(self._tenant, self._endpoints, self._wire, self._cache)
            self._flow = self._application.initiate_device_flow(scopes(self._endpoints))
            return Code(self._flow["verification_uri"], self._flow["user_code"], int(self._flow["expires_in"]))

    def ask(self, seconds: float) -> Person | None:
        """Return who has signed in, once that is kept; None as long as nobody has answered.

        Raise Unauthorized when it was declined, forbidden or too late, and what any sign-in raises.
        """
        until = time.monotonic() + seconds
        self._wire.extend(until)
        # By this msal would complain of a clock that was set back; when to ask again is the caller's to know.
        self._flow.pop("latest_attempt_at", None)
        with translated(self._endpoints):
            result = self._application.acquire_token_by_device_flow(self._flow, exit_condition=lambda _: True)
            if result.get("error") in PENDING:
                return None
            person = account(self._application)
        text = kept(self._cache)
        if person is None or not list(self._cache.search(msal.TokenCache.CredentialType.REFRESH_TOKEN)):
            raise BadResponse("the sign-in's answer holds nothing that it could be renewed by")
        with self._file.held(until):
            try:
                before = self._file.put_by()
                self._file.write(text)
            except OSError as error:
                raise self._file.unusable(f"can't be written ({error.strerror})") from error
        name = "".join(sign for sign in str(person.get("username") or "")[:_SHOWN] if sign.isprintable())
        return Person(name, self._file.path, before, self._lack(result["access_token"]))

    def _lack(self, token: str) -> Unauthorized | None:
        needed = permission_of(self._tenant)
        if not claims(token) or not needed.lacking(token):
            return None
        mend = f"{needed.grant}; the sign-in is kept: once that is done, nobody has to sign in again"
        return Unauthorized(f"{self._name}: signed in, but not to any score: {needed.words(token)}", mend=mend)
