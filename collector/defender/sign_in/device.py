"""Sign-in in the name of a person who has signed in by device code: renewed from a cache, without that person."""

import json
import shlex
from datetime import datetime
from typing import Any

import msal

from collector.defender.clouds import Endpoints
from collector.defender.entra import Told
from collector.defender.sign_in.application import authority, translated
from collector.defender.sign_in.cache import CacheFile
from collector.defender.sign_in.grant import Grant
from collector.defender.sign_in.wire import Wire
from collector.http import Http
from collector.log import logger
from collector.settings import DeviceCode, Tenant

_PERMISSION = "Score.Read"
_FORBIDDEN = (
    "a tenant often forbids sign-in by device code: use a kind of credential that is an application's own, or have the"
    " policy changed, which the tenant's sign-in log names"
)
_LOGIN_AGAIN = (50057, 50076, 50078, 50079, 50173, 70043, 700082)

_log = logger()


class ByDeviceCode:
    """Renews the sign-in that `login` has begun, and keeps what comes of it for the next renewal."""

    def __init__(self, name: str, tenant: Tenant, credential: DeviceCode, endpoints: Endpoints, http: Http) -> None:
        self._name = name
        self._tenant = tenant
        self._endpoints = endpoints
        self._http = http
        self._file = cache_file(name, credential)

    def token(self, until: float) -> Grant:
        """Return a new token in the person's name; raise Unauthorized where the person is needed again."""
        with self._file.held(until):
            before = self._file.read()
            cache = msal.SerializableTokenCache()
            cache.deserialize(before)
            grant = self._renewed(cache, until)
            self._keep(cache, before)
        return grant

    def expires(self) -> datetime | None:
        """Return None: when the sign-in ends is Microsoft's to decide, at any time."""
        return None

    def _renewed(self, cache: Any, until: float) -> Grant:  # noqa: ANN401 - msal carries no types
        wire = Wire(self._http, self._endpoints, until, told(self._name))
        with translated(self._endpoints):
            application = public(self._tenant, self._endpoints, wire, cache)
            person = account(application)
            # The token in the cache may be the one that the API has refused.
            result = person and application.acquire_token_silent_with_error(
                scopes(self._endpoints), person, force_refresh=True
            )
            if not result:
                raise self._file.unusable("holds the sign-in of another tenant or application")
            return Grant(result["access_token"], float(result["expires_in"]))

    def _keep(self, cache: Any, before: str) -> None:  # noqa: ANN401 - msal carries no types
        after = kept(cache)
        if json.loads(after) == json.loads(before):
            return
        try:
            self._file.write(after)
        except OSError as error:
            # The token is good all the same; but the sign-in that is kept grows old, and ends one day.
            _log.error(
                "sign_in.not_kept",
                tenant=self._name,
                file=str(self._file.path),
                error=error.strerror or type(error).__name__,
                mend=f"let the collector's user write to {self._file.path.parent}",
            )


def cache_file(name: str, credential: DeviceCode) -> CacheFile:
    """Return the file that the tenant's sign-in is kept in."""
    return CacheFile(credential.called("cache_file"), credential.cache_file, f"sign in: {command(name)}")


def command(name: str) -> str:
    """Return what a person types to sign in."""
    return f"`exposure-collector login --tenant {shlex.quote(name)}`"


def told(name: str) -> Told:
    """Return what a refusal is told with: where only a person can mend it, the command that the person types."""
    again = f"sign in again: {command(name)}"
    return Told(
        usual=again,
        mends=dict.fromkeys(_LOGIN_AGAIN, again) | {53003: _FORBIDDEN},
    )


def public(tenant: Tenant, endpoints: Endpoints, wire: Wire, cache: Any) -> Any:  # noqa: ANN401 - msal carries no types
    """Return msal's application without a secret, which a person signs in to."""
    return msal.PublicClientApplication(
        tenant.client_id,
        authority=authority(tenant, endpoints),
        instance_discovery=False,
        token_cache=cache,
        http_client=wire,
    )


def account(application: Any) -> dict[str, Any] | None:  # noqa: ANN401 - msal carries no types
    """Return who has signed in to this tenant, None where nobody has."""
    realm = application.authority.tenant.lower()
    return next((each for each in application.get_accounts() if str(each.get("realm")).lower() == realm), None)


def scopes(endpoints: Endpoints) -> list[str]:
    """Return what a person is asked for: the one permission that scores need, or what the settings say in its place."""
    resource = endpoints.scope.removesuffix("/.default")
    return [f"{resource}/{_PERMISSION}" if resource != endpoints.scope else endpoints.scope]


def kept(cache: Any) -> str:  # noqa: ANN401 - msal carries no types
    """Return the cache as text, without its access tokens: nobody reads them, and they are secrets too."""
    for entry in list(cache.search(msal.TokenCache.CredentialType.ACCESS_TOKEN)):
        cache.remove_at(entry)
    return str(cache.serialize())
