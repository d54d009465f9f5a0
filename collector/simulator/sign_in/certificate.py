"""The application's certificate: made, written in the forms that people have, and asked for in assertions.

Is not the server's own certificate (`tls.py`).
"""

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from collector.simulator.sign_in.assertion import Assertion
from collector.simulator.sign_in.refusals import Refused

_ALGORITHMS = ("RS256", "PS256")
_BITS = 2048
_NAME = "exposure-collector of the simulator"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A self-signed certificate with its key, registered with the application."""

    public: x509.Certificate
    key: rsa.RSAPrivateKey = field(repr=False)

    @classmethod
    def made(cls, *, days: float, now: float) -> "Certificate":
        """Return a new one that ends `days` after `now` (Unix seconds), before it when they are negative."""
        end = datetime.fromtimestamp(now, UTC) + timedelta(days=days)
        begin = min(end, datetime.fromtimestamp(now, UTC)) - timedelta(days=1)
        key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
        built = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
        )
        return cls(built.sign(key, hashes.SHA256()), key)

    @property
    def thumbprint(self) -> str:
        """The SHA-1 of the certificate in hexadecimal, by which the portal lists it."""
        # The thumbprint is a name here, not a proof.
        return self.public.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303

    def pem(self) -> bytes:
        """Return certificate and key, the key unencrypted."""
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return self.public.public_bytes(Encoding.PEM) + key

    def pfx(self, password: str) -> bytes:
        """Return certificate and key as PKCS #12, encrypted."""
        encryption = BestAvailableEncryption(password.encode())
        return pkcs12.serialize_key_and_certificates(_NAME.encode(), self.key, self.public, None, encryption)

    def verify(self, assertion: Assertion, now: float) -> None:
        """Return if the assertion names this certificate and its key has signed it; else raise Refused (700027)."""
        named = {name: assertion.header[name] for name in ("x5t", "x5t#S256") if name in assertion.header}
        if not named:
            raise Refused(50027, "No certificate thumbprint specified in token header.")
        if any(value not in (wanted := self._encoded(name), wanted.rstrip("=")) for name, value in named.items()):
            raise unregistered()
        if not assertion.signed_by(self.key.public_key(), _ALGORITHMS):
            raise Refused(700027, "[Reason - Key was found, but use of the key to verify the signature failed.]")
        if now >= self.public.not_valid_after_utc.timestamp():
            raise Refused(700027, "[Reason - The key used is expired.]")

    def _encoded(self, name: str) -> str:
        digest = self.public.fingerprint(hashes.SHA1() if name == "x5t" else hashes.SHA256())  # noqa: S303 - as above
        return base64.urlsafe_b64encode(digest).decode()


def unregistered() -> Refused:
    """Return what an assertion gets whose certificate the application doesn't have."""
    return Refused(700027, "[Reason - The key was not found.]")
