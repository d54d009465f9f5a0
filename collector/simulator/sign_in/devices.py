"""Sign-in by device code: a person types a code elsewhere, and the application asks until that has happened.

Is not the person: who decides is told to `decide`, or is imitated after a while.
"""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from collector.errors import ConfigError
from collector.simulator.sign_in.refusals import Refused
from collector.simulator.tenants import Tenant

_LETTERS = "BCDFGHJKLMNPQRSTVWXZ23456789"
"""Without vowels, so that no code is a word; without what looks alike."""
_LENGTH = 9
_SLOWER_SECONDS = 5
_TOLERANCE = 0.5
"""The part of the interval that a client's poll may come too soon: the network isn't even."""


@dataclass(slots=True, kw_only=True)
class _Device:
    user_code: str
    tenant: Tenant
    began: float
    interval: float
    approved: bool | None = None
    polled: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How a device waits: `interval` between its polls, until the code ends after `seconds`.

    `approve_after`: seconds until a person is imitated who approves, None for never.
    """

    interval: int = 5
    seconds: int = 900
    approve_after: float | None = None


class Devices:
    """The codes that are out, and the refresh tokens that came of them. Any thread may decide and look."""

    def __init__(self, patience: Patience, clock: Callable[[], float]) -> None:
        self._patience = patience
        self._clock = clock
        self._lock = threading.Lock()
        self._devices: dict[str, _Device] = {}
        self._refresh: dict[str, Tenant] = {}
        self._spent: set[str] = set()
        self._refreshed = 0
        self._reused = 0

    def begin(self, tenant: Tenant, verification_uri: str) -> dict[str, Any]:
        """Return a new code, as the device-code endpoint answers it."""
        user_code = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
        device_code = secrets.token_urlsafe(48)
        now, interval = self._clock(), self._patience.interval
        with self._lock:
            self._devices = {code: device for code, device in self._devices.items() if not self._over(device, now)}
            self._devices[device_code] = _Device(user_code=user_code, tenant=tenant, began=now, interval=interval)
        return {
            "user_code": user_code,
            "device_code": device_code,
            "verification_uri": verification_uri,
            "expires_in": self._patience.seconds,
            "interval": interval,
            "message": f"To sign in, use a web browser to open the page {verification_uri} and enter the code "
            f"{user_code} to authenticate.",
        }

    def decide(self, user_code: str | None, *, approve: bool) -> None:
        """Let the person approve or decline that code, None: every one that waits. Raise ConfigError without any."""
        with self._lock:
            waiting = [
                device
                for device in self._devices.values()
                if device.approved is None
                and not self._over(device, self._clock())
                and user_code in (None, device.user_code)
            ]
            for device in waiting:
                device.approved = approve
        if not waiting:
            raise ConfigError([f"user_code: no {user_code or 'code'} waits for a person"])

    def redeem(self, tenant: Tenant, device_code: str) -> str:
        """Return a refresh token once the person has approved; until then, and ever after, raise Refused."""
        now = self._clock()
        with self._lock:
            device = self._devices.get(device_code)
            if device is None or device.tenant != tenant:
                raise Refused(70018)
            if self._over(device, now):
                raise Refused(70020)
            after = self._patience.approve_after
            if device.approved is None and after is not None and now >= device.began + after:
                device.approved = True
            if device.approved is None:
                self._keep_waiting(device, now)
            del self._devices[device_code]
            if not device.approved:
                raise Refused(65004)
            return self._new_refresh(tenant)

    def refresh(self, tenant: Tenant, refresh_token: str) -> str:
        """Return the refresh token that comes after this one, which stays good for a while; Refused for a stranger."""
        with self._lock:
            if self._refresh.get(refresh_token) != tenant:
                raise Refused(70000)
            self._refreshed += 1
            self._reused += refresh_token in self._spent
            self._spent.add(refresh_token)
            return self._new_refresh(tenant)

    def seen(self) -> dict[str, Any]:
        """Return the codes that wait, and how often was renewed, and with a refresh token that had been used before."""
        with self._lock:
            now = self._clock()
            waiting = [
                {"user_code": device.user_code, "tenant": device.tenant.name}
                for device in self._devices.values()
                if device.approved is None and not self._over(device, now)
            ]
            return {"waiting": waiting, "refreshed": self._refreshed, "reused": self._reused}

    def _over(self, device: _Device, now: float) -> bool:
        return now >= device.began + self._patience.seconds

    def _keep_waiting(self, device: _Device, now: float) -> None:
        before, device.polled = device.polled, now
        if before is not None and now - before < device.interval * _TOLERANCE:
            device.interval += _SLOWER_SECONDS
            raise Refused(70016, "Polled too soon.", error="slow_down")
        raise Refused(70016)

    def _new_refresh(self, tenant: Tenant) -> str:
        token = f"1.{secrets.token_urlsafe(64)}"
        self._refresh[token] = tenant
        return token
