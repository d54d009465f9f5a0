"""Sign-in by workload identity: a token of the platform (Kubernetes, say) that a federated credential trusts."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime

from collector.defender.claims import claims
from collector.defender.clouds import Endpoints
from collector.defender.entra import Told, printable
from collector.defender.meanings import MEANINGS
from collector.defender.sign_in.application import granted
from collector.defender.sign_in.grant import Grant
from collector.defender.sign_in.wire import Wires
from collector.errors import Unauthorized
from collector.settings import Tenant, WorkloadIdentity, content

_CODES = (70021, 700211, 700212, 700213)
_JWT = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}")
_SHOWN = 200
"""Characters of one claim in a message."""


class ByFederation:
    """Reads the platform's token at each sign-in: it lives for an hour or less, and the platform renews its file.

    `clock`: ns since the epoch.
    """

    def __init__(
        self,
        tenant: Tenant,
        credential: WorkloadIdentity,
        endpoints: Endpoints,
        wires: Wires,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._tenant = tenant
        self._credential = credential
        self._endpoints = endpoints
        self._wires = wires
        self._clock = clock
        self._key = credential.called("token_file")

    def token(self, until: float) -> Grant:
        """Return a new token for the application."""
        assertion = self._assertion()
        wire = self._wires(until, self._told(assertion))
        return granted(self._tenant, self._endpoints, wire, {"client_assertion": lambda: assertion})

    def expires(self) -> datetime | None:
        """Return None: the platform renews it."""
        return None

    def _assertion(self) -> str:
        file = self._credential.token_file
        text = content(self._key, file).decode("ascii", "replace").strip()
        if not _JWT.fullmatch(text) or not claims(text):
            raise Unauthorized(
                f"{self._key}: {file} holds no token of a platform, which is a JWT",
                mend="name the file that the platform writes the token to, as AZURE_FEDERATED_TOKEN_FILE has it",
            )
        return text

    def _told(self, assertion: str) -> Told:
        said = claims(assertion)
        sent = f"the token has issuer {_shown(said, 'iss')}, subject {_shown(said, 'sub')}, audience"
        fact = f"{sent} {_shown(said, 'aud')}"
        mend = f"{MEANINGS[70021][1]} in {self._credential.token_file}"
        facts, mends = dict.fromkeys(_CODES, fact), dict.fromkeys(_CODES, mend)
        ends = said.get("exp")
        if isinstance(ends, int) and 0 < ends < self._clock() / 1e9:
            moment = datetime.fromtimestamp(ends, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            facts[700024] = f"the token in {self._credential.token_file} ended at {moment}"
            mends[700024] = f"see why the platform doesn't renew {self._credential.token_file} ({self._key})"
        return Told(
            usual=f"see {self._key} ({self._credential.token_file}), client_id and tenant_id",
            facts=facts,
            mends=mends,
        )


def _shown(said: dict[str, object], claim: str) -> str:
    value = said.get(claim)
    # One audience or several: both are allowed.
    texts = [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]
    text = " ".join(texts) or "none"
    return printable(text[:_SHOWN])
