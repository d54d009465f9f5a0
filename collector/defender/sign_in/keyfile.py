"""A certificate and its key from one file: PEM in any order, or PFX, told apart by what is in it. Asks nobody.

The errors of `cryptography` end here: what is said names the file's key in the settings, its path and the mend, and
never what is in it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from collector.errors import Unauthorized

LEAST_BITS = 2048
"""Of a key: Microsoft Entra takes no shorter one."""

_BLOCK = re.compile(
    # None holds the beginning of another: what was cut off is passed over, and looked at once.
    rb"-----BEGIN (?P<what>[A-Z0-9 ]+)-----(?:(?!-----BEGIN ).)*?-----END (?P=what)-----",
    re.DOTALL,
)
_VERSION_3 = b"\x02\x01\x03"
"""What a PFX begins with, after the head of its sequence: no certificate and no key does."""

_BOTH = "put the certificate and its private key into one PEM file, or name a PFX file"
_OPEN = "name the right password as password_file"
_RENEW = "make a certificate with an RSA key of 2048 bits or more, and register it with the application"


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and the key that belongs to it."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey = field(repr=False)

    @property
    def thumbprint(self) -> str:
        """The SHA-1 thumbprint, by which the portal names a certificate."""
        return self.certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 - a name, and no protection

    @property
    def pem(self) -> str:
        """The certificate alone."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A file that the settings name under `key`."""

    key: str
    path: Path

    def pair(self, held: bytes, password: str | None) -> Pair:
        """Return what the file holds; raise Unauthorized when that is no certificate with its RSA key.

        A password that nothing in the file needs is not used.
        """
        if _BLOCK.search(held):
            certificates, keys = self._pem(held, password)
        else:
            certificates, keys = self._pfx(held, password)
        if not keys:
            raise self.unusable("holds no private key", _BOTH)
        if not certificates:
            raise self.unusable("holds no certificate", _BOTH)
        for key in keys:
            if not isinstance(key, rsa.RSAPrivateKey):
                kind = "EC" if isinstance(key, ec.EllipticCurvePrivateKey) else "other than RSA"
                raise self.unusable(f"holds a key that is {kind}: Microsoft Entra takes RSA keys alone", _RENEW)
        pairs = [(made, key) for key in keys for made in certificates if _belong(made, key)]
        if not pairs:
            raise self.unusable("holds the key of another certificate", _BOTH)
        made, key = pairs[0]
        if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < LEAST_BITS:
            raise self.unusable("holds a key under 2048 bits, which Microsoft Entra refuses", _RENEW)
        return Pair(made, key)

    def unusable(self, fault: str, mend: str) -> Unauthorized:
        """Return the error that says so."""
        return Unauthorized(f"{self.key}: {self.path} {fault}", mend=mend)

    def _pem(self, held: bytes, password: str | None) -> tuple[Sequence[x509.Certificate], Sequence[object]]:
        blocks = [(found["what"], found[0]) for found in _BLOCK.finditer(held)]
        certificates = [self._certificate(block) for what, block in blocks if what.endswith(b"CERTIFICATE")]
        keys = [self._key(block, password) for what, block in blocks if what.endswith(b"PRIVATE KEY")]
        return certificates, keys

    def _certificate(self, block: bytes) -> x509.Certificate:
        try:
            return x509.load_pem_x509_certificate(block)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise self.unusable("holds a certificate that can't be read", "export the certificate anew") from error

    def _key(self, block: bytes, password: str | None) -> object:
        try:
            try:
                return serialization.load_pem_private_key(block, None)
            except TypeError:
                # It is encrypted; only then does the password count.
                if password is None:
                    raise self.unusable("holds a key with a password", _OPEN) from None
            return serialization.load_pem_private_key(block, password.encode())
        except (ValueError, TypeError) as error:
            if "password" in str(error).lower() or "decrypt" in str(error).lower():
                raise self.unusable("holds a key that this password does not open", _OPEN) from error
            raise self.unusable("holds a private key that can't be read", "export the key anew") from error
        except UnsupportedAlgorithm as error:
            raise self.unusable("holds a key of a kind that can't be read", _RENEW) from error

    def _pfx(self, held: bytes, password: str | None) -> tuple[Sequence[x509.Certificate], Sequence[object]]:
        if _VERSION_3 not in held[:12] or not held.startswith(b"\x30"):
            raise self.unusable(f"holds {_other(held)}", _BOTH)
        # Without a password a PFX can have none, or an empty one; it can't be seen which.
        for each in (None, b"") if password is None else (password.encode(), None):
            try:
                key, certificate, more = pkcs12.load_key_and_certificates(held, each)
            except ValueError:
                continue
            except UnsupportedAlgorithm as error:
                raise self.unusable("holds a PFX that is encrypted in a way that can't be read", _BOTH) from error
            found = [*([certificate] if certificate else []), *more]
            return found, [key] if key else []
        if password is None:
            raise self.unusable("holds a PFX with a password, or a damaged one", _OPEN)
        raise self.unusable("holds a PFX that this password does not open, or a damaged one", _OPEN)


def _belong(certificate: x509.Certificate, key: object) -> bool:
    try:
        return isinstance(key, rsa.RSAPrivateKey) and certificate.public_key() == key.public_key()
    except (ValueError, UnsupportedAlgorithm):
        # Of a kind that can't be read: no RSA key's.
        return False


def _other(held: bytes) -> str:
    """Return what it is that is neither PEM nor PFX."""
    try:
        x509.load_der_x509_certificate(held)
    except (ValueError, UnsupportedAlgorithm):
        pass
    else:
        return "a certificate in DER form, without its key"
    try:
        serialization.load_der_private_key(held, None)
    except TypeError:
        return "a key in DER form, without its certificate"
    except (ValueError, UnsupportedAlgorithm):
        return "neither PEM nor PFX"
    return "a key in DER form, without its certificate"
