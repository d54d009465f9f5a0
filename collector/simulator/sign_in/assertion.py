"""A client assertion: a signed JWT in the place of a secret. Is not a judge of who may sign one.

Read as Entra does: what is malformed is 50027, what is too old or too new 700024.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from collector.simulator.sign_in.refusals import Refused

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_SKEW_SECONDS = 300
"""How far a client's clock may be off, as with Entra."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """What was sent: nothing in it is verified by its being here."""

    text: str = field(repr=False)
    header: dict[str, Any]
    claims: dict[str, Any]

    @classmethod
    def read(cls, text: str) -> "Assertion":
        """Return it in its parts; raise Refused (50027) for what is no JWT."""
        try:
            whole = jwt.decode_complete(text, options={"verify_signature": False})
        except jwt.InvalidTokenError as error:
            raise Refused(50027) from error
        return cls(text=text, header=whole["header"], claims=whole["payload"])

    def said(self, claim: str) -> str:
        """Return a claim that must be a text; raise Refused (50027) when it isn't there."""
        value = self.claims.get(claim)
        if not isinstance(value, str) or not value:
            raise Refused(50027, f"It does not contain the claim '{claim}'.")
        return value

    @property
    def audiences(self) -> list[str]:
        """For whom it is; a JWT names one or several. Raise Refused (50027) where one of them is no text."""
        named = self.claims.get("aud", [])
        audiences = named if isinstance(named, list) else [named]
        if not all(isinstance(one, str) for one in audiences):
            raise Refused(50027, "The claim 'aud' is no text.")
        return audiences

    def signed_by(self, key: RSAPublicKey, algorithms: Sequence[str]) -> bool:
        """Whether this key's owner signed it."""
        try:
            jwt.PyJWS().decode(self.text, key, algorithms)
        except jwt.InvalidTokenError:
            return False
        return True

    def in_time(self, now: float) -> None:
        """Raise Refused (700024) for what has ended or has yet to begin, 50027 for what never ends."""
        end, begin = self._time("exp"), self._time("nbf") if "nbf" in self.claims else now
        if not begin - _SKEW_SECONDS <= now < end + _SKEW_SECONDS:
            raise Refused(
                700024,
                f"Current time: {_written(now)}, assertion valid from {_written(begin)}, "
                f"expiry time of assertion {_written(end)}.",
            )

    def _time(self, claim: str) -> float:
        value = self.claims.get(claim)
        # Entra reads no time after the year 9999 either; a bool is an int to Python alone.
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 253402300800:  # noqa: PLR2004
            raise Refused(50027, f"The claim '{claim}' is no time.")
        return float(value)


def _written(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
