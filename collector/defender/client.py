"""A Defender tenant as a source of points: its exposure scores, one answer a subject and slot.

Is not a client for the rest of the API. Meets the pipeline's `Source` without knowing it.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import partial

from collector.defender import scores
from collector.defender.asking import Asking, Read
from collector.defender.auth import Auth
from collector.defender.clock import ServerClock
from collector.defender.clouds import endpoints
from collector.defender.groups import Groups
from collector.defender.sign_in import Logins
from collector.defender.whereabouts import Whereabouts, find
from collector.http import Http
from collector.point import Series
from collector.settings import Tenant

_PATHS = {
    "organization": "/api/exposureScore",
    "device_groups": "/api/exposureScore/ByMachineGroups",
    "device_secure_score": "/api/configurationScore",
}


class Defender:
    """One tenant. `name`: as the settings call it. `known_ids`: the last id of each group name in the journal, as tags.

    `http` may be shared with any other tenant, and with it `logins`. `monotonic` (seconds) measures the token's life,
    `clock` (ns since the epoch) says when an answer came.
    """

    def __init__(
        self,
        name: str,
        tenant: Tenant,
        http: Http,
        known_ids: Callable[[], Mapping[str, str]],
        *,
        logins: Logins | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        table = f"tenants.{name}"
        self._name = name
        self._tenant_id = tenant.tenant_id
        self._clock = clock
        self._server_clock = ServerClock(clock)
        self._http = http.serving(table, self._server_clock.see)
        self._endpoints = endpoints(tenant, table)
        self._auth = Auth(name, tenant, self._endpoints, self._http, monotonic, clock, logins)
        self._groups = Groups(name, known_ids)

    @property
    def tenant(self) -> str:
        """The tenant's name in the settings."""
        return self._name

    @property
    def clock_ahead(self) -> float | None:
        """Seconds by which this machine's clock is ahead of the servers', negative when behind; None until one said."""
        return self._server_clock.ahead

    def ask(self, subject: str, slot: int) -> Asking:
        """Return a new poll of a subject (`organization`, `device_groups` or `device_secure_score`), nothing sent yet.

        `slot`: ms since the Unix epoch, the time of every point.
        """
        return Asking(
            url=f"{self._endpoints.api}{_PATHS[subject]}",
            read=self._reader(subject, slot),
            auth=self._auth,
            http=self._http,
            endpoints=self._endpoints,
            whole=self._groups.keep if subject == "device_groups" else _forget,
            clock=self._clock,
        )

    def sign_in(self, seconds: float) -> None:
        """Get a new token within `seconds`; raise Unavailable, Unauthorized or BadResponse.

        A renewal that fails while the old token lives raises nothing: that one serves on.
        """
        self._auth.sign_in(seconds)

    def expires(self) -> datetime | None:
        """Return when the credential ends: a certificate by its file, a secret by the settings; None: can't be told.

        Reads what the settings name, and asks nobody.
        """
        return self._auth.expires()

    def permissions(self) -> tuple[str, Sequence[str]]:
        """Return the permission that scores need, and those that the present token has, as it says itself."""
        needed = self._auth.permission
        return needed.name, needed.held(self._auth.token() or "")

    def grant(self) -> str:
        """Return how somebody grants that permission to a credential of this kind."""
        return self._auth.permission.grant

    def whereabouts(self, seconds: float) -> Whereabouts | None:
        """Return which cloud the tenant is in, as sign-in tells everybody; None when it doesn't."""
        return find(self._tenant_id, self._endpoints, self._http, seconds) if self._tenant_id else None

    def _reader(self, subject: str, slot: int) -> Read:
        match subject:
            case "organization":
                return partial(scores.organization, self._name, slot)
            case "device_secure_score":
                return lambda answer, _, say: scores.device_secure_score(self._name, slot, answer, say)
            case _:
                return lambda answer, _, say: scores.device_groups(slot, answer, self._groups, say)


def _forget(_series: Collection[Series], _repeated: Collection[Series]) -> None:
    """A single object's series needs no memory."""
