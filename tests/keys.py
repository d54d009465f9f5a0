"""Certificates and keys as people have them: made by `cryptography`, in every form that a file can hold them in."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID
from leaks import know

PASSWORD = know("Pass~word of the k\u00e9y, 1")


@dataclass(frozen=True)
class Made:
    """A self-signed certificate and its key."""

    certificate: x509.Certificate
    key: Any

    @property
    def cert(self) -> bytes:
        """The certificate as PEM."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def der(self) -> bytes:
        """The certificate as DER."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def thumbprint(self) -> str:
        """Its SHA-1, as the portal shows it."""
        return self.certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 - a name, and no protection

    def pem(self, password: str | None = None, form: PrivateFormat = PrivateFormat.PKCS8) -> bytes:
        """Return the key as PEM."""
        return bytes(self.key.private_bytes(Encoding.PEM, form, _locked(password)))

    def pfx(self, password: str | None = None) -> bytes:
        """Return both as PFX."""
        return pkcs12.serialize_key_and_certificates(b"name", self.key, self.certificate, None, _locked(password))


def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return a new RSA key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def made(key: Any = None, *, begins: float = -1, ends: float = 365) -> Made:
    """Return a certificate that is good from `begins` to `ends`, in days from now."""
    key = key or rsa_key()
    now = dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "collector")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=begins))
        .not_valid_after(now + dt.timedelta(days=ends))
    )
    return Made(built.sign(key, hashes.SHA256()), key)


def ec_key() -> ec.EllipticCurvePrivateKey:
    """Return a new key that isn't RSA."""
    return ec.generate_private_key(ec.SECP256R1())


def _locked(password: str | None) -> KeySerializationEncryption:
    return BestAvailableEncryption(password.encode()) if password else NoEncryption()
