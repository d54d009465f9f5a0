"""A tenant's token: kept until it is old, forgotten when the API refuses it. How it is got is `sign_in`'s to know."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from collector.defender.clouds import Endpoints
from collector.defender.permission import permission_of
from collector.defender.sign_in import Logins, sign_in_of
from collector.errors import BadResponse, Unavailable
from collector.http import Http
from collector.log import logger
from collector.settings import Tenant

RENEW_SECONDS = 300.0
"""A token is renewed when it ends within this; one that lives less than twice as long, after half its life."""
RETRY_SECONDS = 60.0
"""After a renewal that failed, the old token serves at least this much longer before the next try, while it lives."""

_log = logger()


@dataclass(frozen=True, slots=True)
class _Token:
    """A token and its times, by the monotonic clock: renewed from `renew` on, dead from `ends` on."""

    text: str = field(repr=False)
    renew: float
    ends: float


class Auth:
    """The token of one tenant, for any thread.

    `monotonic` is the clock that its life is measured by, in seconds; `clock` (ns since the epoch) tells whether a
    certificate is in its time. `logins`: see `Logins`.
    """

    def __init__(
        self,
        name: str,
        tenant: Tenant,
        endpoints: Endpoints,
        http: Http,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], int] = time.time_ns,
        logins: Logins | None = None,
    ) -> None:
        self._name = name
        self.permission = permission_of(tenant)
        """What a token of this tenant has to have."""
        self._way = sign_in_of(name, tenant, endpoints, http, clock, logins)
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._token: _Token | None = None

    def token(self) -> str | None:
        """Return the token, None when there is none or it is time for a new one. Asks nobody."""
        held = self._token
        return held.text if held and self._monotonic() < held.renew else None

    def refused(self, token: str) -> None:
        """Forget this token. One that has taken its place meanwhile is kept."""
        with self._lock:
            if self._token and self._token.text == token:
                self._token = None

    def expires(self) -> datetime | None:
        """Return when the credential ends; None where it doesn't, or this machine can't tell. Asks nobody."""
        return self._way.expires()

    def sign_in(self, seconds: float) -> None:
        """Get a new token within `seconds`, all exchanges together. Raise Unavailable, Unauthorized or BadResponse.

        Where it is a renewal that fails, and the old token still lives, the old one serves on, and nothing is raised.
        """
        try:
            token = self._new(seconds)
        except (Unavailable, BadResponse) as error:
            if not self._serves_on(error):
                raise
        else:
            with self._lock:
                self._token = token

    def _serves_on(self, error: Unavailable | BadResponse) -> bool:
        asked = error.retry_after if isinstance(error, Unavailable) else None
        with self._lock:
            held, now = self._token, self._monotonic()
            if held is None or now >= held.ends:
                return False
            self._token = replace(held, renew=min(held.ends, now + max(RETRY_SECONDS, asked or 0.0)))
        _log.warning(
            "token.kept",
            tenant=self._name,
            seconds_left=round(held.ends - now),
            error=error.name,
            message=str(error),
            mend=error.mend,
        )
        return True

    def _new(self, seconds: float) -> _Token:
        asked = self._monotonic()
        grant = self._way.token(time.monotonic() + seconds)
        return _Token(
            grant.text,
            renew=asked + grant.seconds - min(RENEW_SECONDS, grant.seconds / 2),
            ends=asked + grant.seconds,
        )
