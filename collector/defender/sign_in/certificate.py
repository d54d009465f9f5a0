"""Sign-in by a certificate: msal signs an assertion with its key, and names it by its thumbprint."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from collector.defender.clouds import Endpoints
from collector.defender.entra import Told
from collector.defender.sign_in.application import granted
from collector.defender.sign_in.grant import Grant
from collector.defender.sign_in.keyfile import KeyFile, Pair
from collector.defender.sign_in.wire import Wires
from collector.errors import Unauthorized
from collector.settings import Certificate, Tenant, content


class ByCertificate:
    """Reads the file and its password at each sign-in. `clock`: ns since the epoch."""

    def __init__(
        self,
        tenant: Tenant,
        credential: Certificate,
        endpoints: Endpoints,
        wires: Wires,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._tenant = tenant
        self._credential = credential
        self._endpoints = endpoints
        self._wires = wires
        self._clock = clock
        self._file = KeyFile(credential.called("certificate_file"), credential.certificate_file)

    def token(self, until: float) -> Grant:
        """Return a new token for the application."""
        pair = self._pair()
        self._in_time(pair)
        # From the certificate msal takes the SHA-256 thumbprint, and with that PS256. It sends the certificate along
        # (x5c), which is public, and lets an application trust it by its name and issuer as well.
        proof = {"private_key": pair.key, "public_certificate": pair.pem}
        wire = self._wires(until, self._told(pair.thumbprint))
        return granted(self._tenant, self._endpoints, wire, proof)

    def expires(self) -> datetime | None:
        """Return the certificate's own end; None where the file can't be read, which sign-in says."""
        with suppress(Unauthorized):
            return self._pair().certificate.not_valid_after_utc
        return None

    def _pair(self) -> Pair:
        password = self._credential.password
        held = content(self._file.key, self._file.path)
        return self._file.pair(held, password.read() if password else None)

    def _in_time(self, pair: Pair) -> None:
        now = datetime.fromtimestamp(self._clock() / 1e9, UTC)
        begins, ends = pair.certificate.not_valid_before_utc, pair.certificate.not_valid_after_utc
        if now > ends:
            raise self._file.unusable(
                f"holds a certificate that ended at {_moment(ends)} (thumbprint {pair.thumbprint})",
                "make a new certificate, register it with the application, and put it and its key into that file",
            )
        if now < begins:
            raise self._file.unusable(
                f"holds a certificate that begins at {_moment(begins)}, and by this machine's clock it is"
                f" {_moment(now)} (thumbprint {pair.thumbprint})",
                "set this machine's clock right, or wait",
            )

    def _told(self, thumbprint: str) -> Told:
        place = f"{self._file.key} ({self._file.path}, thumbprint {thumbprint})"
        return Told(
            usual=f"see {place}, client_id and tenant_id",
            facts={700027: f"the certificate that signed it has the thumbprint {thumbprint}"},
            mends={700027: f"register the certificate of {place} with the application, or name the one that is"},
        )


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
