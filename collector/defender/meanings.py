"""What Microsoft's sign-in codes (AADSTS) mean, and what their owner does about them. Is a table, from its pages."""

from collections.abc import Mapping
from types import MappingProxyType

CONSENT = "an administrator of the tenant must grant admin consent to the application"
_FEDERATED = (
    "no federated identity matches",
    "make issuer, subject and audience of the application's federated credential those of the token",
)
_REFRESH = ("the refresh token has expired", "sign in again with the command login")
_PERSON = ("a person has to sign in again, with what the tenant now asks for", "sign in again with the command login")
_CODE = ("the code was not used in time", "start login again, and enter the new code")

MEANINGS: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        7000215: ("wrong client secret", "put the secret's value into the settings, not the secret's id"),
        7000222: ("the client secret has expired", "make a new client secret, and put its value into the settings"),
        700016: (
            "the application is not found in this tenant",
            f"see client_id and tenant_id; in a customer's tenant, {CONSENT}",
        ),
        90002: ("the tenant is not found", "see tenant_id, and whether the tenant is in another cloud"),
        700027: ("the assertion's signature is not valid", "register this certificate with the application"),
        700024: (
            "the assertion is outside its time",
            "set this machine's clock right, and let it be kept right (see `timedatectl`)",
        ),
        70021: _FEDERATED,
        700211: ("no federated identity matches: another issuer", _FEDERATED[1]),
        700212: ("no federated identity matches: another audience", _FEDERATED[1]),
        700213: _FEDERATED,
        500011: (
            "the resource is not found in the tenant",
            "the tenant needs Defender for Endpoint; see cloud and scope, which may be another cloud's",
        ),
        65001: ("nobody has consented to the application", CONSENT),
        53003: (
            "blocked by Conditional Access",
            "the tenant's sign-in log names the policy, and what it asks for: meet it, or have it changed",
        ),
        700082: _REFRESH,
        70043: _REFRESH,
        50173: ("the sign-in was revoked, or the password changed", _REFRESH[1]),
        50076: _PERSON,
        50079: _PERSON,
        50078: _PERSON,
        50057: ("the person's account is disabled", "sign in with another account, by the command login"),
        50105: ("the application is not open to this person", "assign the person to the enterprise application"),
        65004: ("the sign-in was declined", "start login again, and accept what the application asks for"),
        70018: ("the code is not known", "start login again, and enter the new code"),
        70019: _CODE,
        70020: _CODE,
        7000218: (
            "the application takes no sign-in without a secret",
            "let the application's registration allow public client flows (Authentication), or use another kind",
        ),
        700025: (
            "the application is a public client, which has no secret and no certificate",
            "add the credential to an application of the kind Web, or use the kind device_code",
        ),
    }
)
"""By code: what it means, and the mend where the kind of credential knows no better one."""

PASSING = frozenset({90006, 90024, 90033, 90055})
"""Microsoft calls these transient: it is overloaded, or a part of it is away."""

DECLINED = MappingProxyType(
    {
        "authorization_declined": MEANINGS[65004],
        "access_denied": MEANINGS[65004],
        "expired_token": _CODE,
        "bad_verification_code": MEANINGS[70018],
    }
)
"""By OAuth's own word, where an answer has no code that is known."""
