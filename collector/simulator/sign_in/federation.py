"""The platform whose tokens the application trusts, as a Kubernetes cluster: it gives them out, and judges them here.

Is not a cluster: it has one service account, and no endpoint for its keys, since who verifies is in the same process.
"""

from collections.abc import Callable

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from collector.simulator.sign_in.assertion import Assertion
from collector.simulator.sign_in.refusals import Refused

AUDIENCE = "api://AzureADTokenExchange"
SUBJECT = "system:serviceaccount:monitoring:exposure-collector"

_ALGORITHM = "RS256"
_BITS = 2048
_DOCUMENTED = "Please check your federated identity credential Subject, Audience and Issuer."


class Federation:
    """A federated credential: `issuer` (a URL), `SUBJECT` and `AUDIENCE`; `clock` in Unix seconds."""

    def __init__(self, issuer: str, clock: Callable[[], float]) -> None:
        self.issuer = issuer
        self._clock = clock
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)

    def token(
        self,
        *,
        issuer: str | None = None,
        subject: str = SUBJECT,
        audience: str = AUDIENCE,
        seconds: float = 3600,
        forged: bool = False,
    ) -> str:
        """Return a token of the service account; other claims than the usual ones, or a `forged` signature, are lies.

        `seconds`: how long it lives; it has ended already when they are negative.
        """
        now = int(self._clock())
        claims = {
            "iss": issuer or self.issuer,
            "sub": subject,
            "aud": [audience],
            "iat": now,
            "nbf": min(now, now + int(seconds)),
            "exp": now + int(seconds),
        }
        key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS) if forged else self._key
        return jwt.encode(claims, key, _ALGORITHM)

    def verify(self, assertion: Assertion) -> None:
        """Return for a token of the service account; raise Refused with what differs for any other.

        All comparisons are case-sensitive, as Entra's are.
        """
        issuer, subject, audiences = assertion.said("iss"), assertion.said("sub"), assertion.audiences
        if issuer != self.issuer:
            raise Refused(700211, f"Presented: '{issuer}'. {_DOCUMENTED}")
        if audiences != [AUDIENCE]:
            raise Refused(700212, f"Presented: '{', '.join(audiences)}'. {_DOCUMENTED}")
        if subject != SUBJECT:
            raise Refused(700213, f"Presented: '{subject}'. {_DOCUMENTED}")
        if not assertion.signed_by(self._key.public_key(), [_ALGORITHM]):
            raise Refused(700027, "[Reason - The key was not found.]")
        assertion.in_time(self._clock())


def unmatched(assertion: Assertion) -> Refused:
    """Return what a token gets whose application trusts no platform at all."""
    return Refused(
        70021,
        f"Assertion Issuer: '{assertion.said('iss')}'. Assertion Subject: '{assertion.said('sub')}'. "
        f"Assertion Audience: '{', '.join(assertion.audiences)}'.",
    )
