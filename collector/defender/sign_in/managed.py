"""Sign-in by the identity that Azure gives a machine, asked of the platform on the machine itself.

The platform speaks plain http on an address of this machine or of its link: no proxy is ever asked, whatever the
environment names. Which platform it is, msal tells by the variables that the platform sets.
"""

import json
import re
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msal
from msal.exceptions import MsalError
from msal.managed_identity import AZURE_ARC, SERVICE_FABRIC

from collector.defender import document, entra
from collector.defender.claims import claims
from collector.defender.clouds import Endpoints
from collector.defender.entra import Told
from collector.defender.sign_in.grant import Grant
from collector.defender.sign_in.wire import Exchanges, Said, bearer, whole
from collector.errors import BadResponse, Unauthorized, Unavailable
from collector.http import Answer, Http
from collector.settings import Tenant

_PASSING = frozenset({408, 410, 429})
"""Statuses after which the metadata service asks to be asked again; 410 while it is renewed, which takes a minute."""
_ABSENT = "this machine has no managed identity, or nothing that gives one out"
_GIVE = "give this machine a managed identity; outside Azure there is none: use another kind of credential"
_CHALLENGE = "WWW-Authenticate"
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_WORDS = 200
"""Characters of the platform's words in a message."""


class ByManagedIdentity:
    """The identity that `client_id` names; without one, the machine's own."""

    def __init__(self, tenant: Tenant, endpoints: Endpoints, http: Http) -> None:
        self._tenant = tenant
        self._resource = endpoints.scope.removesuffix("/.default")
        self._mends = endpoints.mends
        self._http = http.direct()

    def token(self, until: float) -> Grant:
        """Return a token for the machine's identity; the platform may have handed it out before."""
        named = self._tenant.client_id
        identity = msal.UserAssignedManagedIdentity(client_id=named) if named else msal.SystemAssignedManagedIdentity()
        source = msal.managed_identity.get_managed_identity_source()
        if source is SERVICE_FABRIC:
            raise Unauthorized(
                "managed identity: Service Fabric gives it out in a way that is not supported",
                mend="use the kind workload_identity, certificate or client_secret",
            )
        told = Told(usual="see client_id, cloud and scope", mends=self._mends)
        wire = _Platform(Exchanges(self._http, until), self._whose(), told, challenged=source is AZURE_ARC)
        try:
            client = msal.ManagedIdentityClient(identity, http_client=wire)
            result = client.acquire_token_for_client(resource=self._resource)
            grant = Grant(result["access_token"], float(result["expires_in"]))
        except OSError as error:
            # Azure Arc proves by a file that who asks may read what its agent writes.
            raise Unauthorized(
                f"managed identity: Azure Arc's key can't be read ({error.strerror or type(error).__name__})",
                mend="add the collector's user to the group himds, and start the collector anew",
            ) from error
        except (ValueError, KeyError, MsalError) as error:
            raise Unauthorized(
                f"managed identity: what answers gives no token for {self._whose()}",
                mend="see which identity this machine has, and client_id",
            ) from error
        self._want_tenant(grant.text)
        return grant

    def expires(self) -> datetime | None:
        """Return None: Azure renews it."""
        return None

    def _whose(self) -> str:
        named = self._tenant.client_id
        return f"the user-assigned identity {named}" if named else "the machine's system-assigned identity"

    def _want_tenant(self, token: str) -> None:
        wanted, theirs = self._tenant.tenant_id, claims(token).get("tid")
        if not isinstance(theirs, str) or not _GUID.fullmatch(theirs) or not _GUID.fullmatch(wanted):
            return
        if theirs.lower() != wanted.lower():
            raise Unauthorized(
                f"managed identity: tenant_id is {wanted}, and the token is of the tenant {theirs}",
                mend="a managed identity is good for its own tenant alone: see tenant_id, or use another kind"
                " of credential for that tenant",
            )


class _Platform:
    """msal's HTTP client over ours: of an answer it gets what was looked at here."""

    def __init__(self, exchanges: Exchanges, whose: str, told: Told, *, challenged: bool) -> None:
        self._exchanges = exchanges
        self._whose = whose
        self._told = told
        self._challenged = challenged

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> Said:
        """Return a token's text and its life; or, once, Azure Arc's challenge."""
        try:
            answer, where = self._exchanges.send("GET", f"{url}?{urlencode(params or {})}", headers)
        except Unauthorized:
            raise
        except Unavailable as error:
            raise Unauthorized(f"{error}: {_ABSENT}", mend=_GIVE) from error
        if answer.status == 401 and self._challenged:  # noqa: PLR2004 - HTTP's own number
            self._challenged = False
            return Said("", 401, {_CHALLENGE: answer.headers.get(_CHALLENGE, "")})
        if answer.status != 200:  # noqa: PLR2004 - a token comes with this one alone
            raise self._refusal(answer, where)
        try:
            said = document.read(answer.body)
        except BadResponse as error:
            raise self._foreign(answer, where) from error
        ends = whole(said.get("expires_on"))
        life = {} if "expires_in" in said or ends is None else {"expires_in": ends - int(time.time())}
        token = bearer({**said, **life}, where)
        # Some platforms are read by the one, some by the other.
        return Said(json.dumps({**token, "expires_on": int(time.time()) + int(token["expires_in"])}))

    def post(self, url: str, **_: object) -> Said:
        """Raise: no platform that is supported is asked so."""
        raise Unauthorized(f"managed identity: {url} is of a platform that is not supported")

    def close(self) -> None:
        """Close nothing: the connections are everybody's."""

    def _refusal(self, answer: Answer, where: str) -> Unavailable:
        if answer.status in _PASSING or answer.status >= 500:  # noqa: PLR2004 - HTTP's own number
            return Unavailable(
                f"{where}: {answer.status}: the managed identity is not available now",
                retry_after=answer.retry_after(),
                throttled=answer.status == 429,  # noqa: PLR2004 - HTTP's own number
            )
        said = _read(answer)
        if "AADSTS" in str(said.get("error_description")):
            return entra.refusal(answer, where, self._told, (), time.time())
        if not said or answer.status == 404:  # noqa: PLR2004 - HTTP's own number
            return self._foreign(answer, where)
        words = " ".join(str(said.get("error_description") or said.get("message") or said.get("error")).split())
        return Unauthorized(
            f"{where}: {answer.status}: no token for {self._whose}: {entra.printable(words[:_WORDS])}",
            mend="assign that identity to this machine, or see client_id: it names a user-assigned identity, and left"
            " out it means the system-assigned one",
        )

    def _foreign(self, answer: Answer, where: str) -> Unauthorized:
        return Unauthorized(f"{where}: {answer.status}: {_ABSENT}", mend=_GIVE)


def _read(answer: Answer) -> dict[str, Any]:
    try:
        return document.read(answer.body)
    except BadResponse:
        return {}
