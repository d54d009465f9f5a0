"""The words of Entra ID when it says no. Is not where that is decided: that raises `Refused`."""

import time
import uuid
from dataclasses import dataclass
from types import MappingProxyType

from collector.simulator.answer import Answer, as_json


@dataclass(frozen=True, slots=True)
class Refusal:
    """What goes with an AADSTS code: the OAuth error, the status, a sentence."""

    error: str
    status: int
    text: str


_NO_RECORD = "No matching federated identity record found for presented assertion"

REFUSALS = MappingProxyType(
    {
        50027: Refusal("invalid_request", 400, "JWT token is invalid or malformed."),
        50034: Refusal("invalid_grant", 400, "The user account does not exist in the directory."),
        50173: Refusal("invalid_grant", 400, "The provided grant has expired due to it being revoked."),
        53003: Refusal("invalid_grant", 400, "Access has been blocked by Conditional Access policies."),
        65001: Refusal("invalid_grant", 400, "The user or administrator has not consented to use the application."),
        65004: Refusal("authorization_declined", 400, "The user declined to sign in with this code."),
        70000: Refusal("invalid_grant", 400, "Provided grant is invalid or malformed."),
        70003: Refusal("unsupported_grant_type", 400, "The app requested an unsupported grant type."),
        70016: Refusal("authorization_pending", 400, "Authorization is pending. Continue polling."),
        70018: Refusal("bad_verification_code", 400, "The device code was not recognized."),
        70020: Refusal("expired_token", 400, "This device code has expired."),
        70021: Refusal("invalid_request", 400, f"{_NO_RECORD}."),
        70043: Refusal("invalid_grant", 400, "The refresh token has expired or is invalid due to sign-in frequency."),
        90002: Refusal("invalid_request", 400, "Tenant not found. Check to make sure you have the correct tenant ID."),
        500011: Refusal("invalid_resource", 400, "The resource principal was not found in the tenant."),
        700016: Refusal("unauthorized_client", 400, "Application was not found in the directory."),
        700021: Refusal("invalid_client", 401, "Client assertion application identifier doesn't match 'client_id'."),
        700023: Refusal("invalid_client", 401, "Client assertion audience claim does not match Realm issuer."),
        700024: Refusal("invalid_client", 401, "Client assertion is not within its valid time range."),
        700025: Refusal("invalid_client", 401, "Client is public: neither an assertion nor a secret may be presented."),
        700027: Refusal("invalid_client", 401, "The certificate used to sign the assertion is not registered."),
        700082: Refusal("invalid_grant", 400, "The refresh token has expired due to inactivity."),
        700211: Refusal("invalid_client", 401, f"{_NO_RECORD} issuer."),
        700212: Refusal("invalid_client", 401, f"{_NO_RECORD} audience."),
        700213: Refusal("invalid_client", 401, f"{_NO_RECORD} subject."),
        900144: Refusal("invalid_request", 400, "The request body must contain a parameter that is missing."),
        1002012: Refusal("invalid_scope", 400, "Client credential flows need a scope that ends in /.default."),
        7000215: Refusal("invalid_client", 401, "Invalid client secret: not the client secret ID, but its value."),
        7000216: Refusal("invalid_client", 401, "A client assertion or client secret is required for this grant."),
        7000222: Refusal("invalid_client", 401, "The provided client secret keys are expired."),
    }
)
"""By AADSTS code; the ones that owners meet, and those that a wrong request gets."""

_OTHER = Refusal("invalid_request", 400, "The request could not be served.")


class Refused(Exception):
    """A request that Entra refuses: the AADSTS `code`, more words, and the OAuth `error` where it isn't the code's."""

    def __init__(self, code: int, detail: str = "", *, error: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.error = error

    def answer(self) -> Answer:
        """Return it as the documented body."""
        return refusal(self.code, self.detail, error=self.error)


def refusal(code: int, detail: str = "", *, error: str | None = None) -> Answer:
    """Return the error body that is documented for an AADSTS code; one that isn't listed is an `invalid_request`."""
    known = REFUSALS.get(code, _OTHER)
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    moment = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())
    words = f"{known.text} {detail}".rstrip()
    return as_json(
        {
            "error": error or known.error,
            "error_description": (
                f"AADSTS{code}: {words} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {moment}"
            ),
            "error_codes": [code],
            "timestamp": moment,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={code}",
        },
        status=known.status,
        headers={"Cache-Control": "no-store", "Pragma": "no-cache"},
    )


def metadata_refusal(error: str, description: str) -> Answer:
    """Return the error body of the instance-metadata service."""
    return as_json({"error": error, "error_description": description}, status=400)
