"""Sign-in by a client secret, which the application shares with Microsoft Entra."""

from datetime import UTC, datetime

from collector.defender.clouds import Endpoints
from collector.defender.entra import Told
from collector.defender.sign_in.application import granted
from collector.defender.sign_in.grant import Grant
from collector.defender.sign_in.wire import Wires
from collector.settings import ClientSecret, Tenant


class BySecret:
    """Reads the secret at each sign-in, so that a new one in its file counts at once."""

    def __init__(self, tenant: Tenant, credential: ClientSecret, endpoints: Endpoints, wires: Wires) -> None:
        self._tenant = tenant
        self._credential = credential
        self._endpoints = endpoints
        self._wires = wires

    def token(self, until: float) -> Grant:
        """Return a new token for the application."""
        secret = self._credential.client_secret.read()
        return granted(self._tenant, self._endpoints, self._wires(until, self._told()), secret)

    def expires(self) -> datetime | None:
        """Return the first moment of the day that the settings name, in UTC: on that day it ends, whenever that is."""
        day = self._credential.client_secret_expires
        return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None

    def _told(self) -> Told:
        secret = self._credential.client_secret
        place = f"{secret.key} ({secret.file})" if secret.file else secret.key
        return Told(
            usual=f"see {place}, client_id and tenant_id",
            mends={
                7000215: f"put the secret's value, not the secret's id, into {place}",
                7000222: f"make a new client secret, and put its value into {place}",
            },
        )
