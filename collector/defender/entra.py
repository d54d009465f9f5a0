"""What Microsoft's sign-in says when it gives no token, as the error that its catcher acts on. Pure: signs nobody in.

The codes, their meaning and their mend are Microsoft's (AADSTS). Its free text is shown for unknown codes alone, cut
short: it may repeat what it was sent.
"""

import re
from typing import Any
from urllib.parse import quote_plus

from collector.defender import document
from collector.errors import BadResponse, Unauthorized, Unavailable
from collector.http import Answer

_CONSENT = "an administrator of the tenant must grant admin consent to the application"
_FEDERATED = (
    "no federated identity matches",
    "make issuer, subject and audience of the application's federated credential those of the token",
)
_REFRESH = ("the refresh token has expired", "sign in again with the command login")

_MEANINGS = {
    7000215: ("wrong client secret", "put the secret's value into the settings, not the secret's id"),
    7000222: ("the client secret has expired", "make a new client secret, and put its value into the settings"),
    700016: (
        "the application is not found in this tenant",
        f"see client_id and tenant_id; in a customer's tenant, {_CONSENT}",
    ),
    90002: ("the tenant is not found", "see tenant_id, and whether the tenant is in another cloud"),
    700027: ("the assertion's signature is not valid", "register this certificate with the application"),
    700024: ("the assertion is outside its time", "set this machine's clock right"),
    70021: _FEDERATED,
    700213: _FEDERATED,
    500011: (
        "the resource is not found in the tenant",
        "the tenant needs Defender for Endpoint; see cloud and scope, which may be another cloud's",
    ),
    65001: ("nobody has consented to the application", _CONSENT),
    53003: (
        "blocked by Conditional Access",
        "device-code sign-in is often forbidden: use an application's credential, or have the policy changed",
    ),
    700082: _REFRESH,
    70043: _REFRESH,
}
_PASSING = frozenset({90006, 90024, 90033, 90055})
"""Microsoft calls these transient: it is overloaded, or a part of it is away."""

_CODE = re.compile(r"AADSTS([0-9]{1,9})")
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_LONG = re.compile(r"[^\s'\"]{37,}")
"""Longer than a GUID: it could be a secret, an assertion or a token."""
_WORDS = 200
"""Characters of Microsoft's free text in a message."""
_ELSEWHERE = "this is not Microsoft's sign-in: see cloud and login_url, and the proxy"


def refusal(answer: Answer, where: str, secret: str) -> Unavailable:
    """Return the error that an answer without a token stands for. Nothing in it holds `secret`."""
    said = _read(answer)
    code, error = _code(said), said.get("error")
    correlation = said.get("correlation_id")
    trace = f" (correlation id {correlation})" if isinstance(correlation, str) and _ID.fullmatch(correlation) else ""
    named = f"{where}: {answer.status}{f' AADSTS{code}' if code else ''}"
    passing = answer.status in (408, 429) or answer.status >= 500  # noqa: PLR2004 - HTTP's own numbers
    if passing or code in _PASSING or error == "temporarily_unavailable":
        throttled = answer.status == 429  # noqa: PLR2004
        return Unavailable(
            f"{named}: the sign-in is not available{trace}", retry_after=answer.retry_after(), throttled=throttled
        )
    if code in _MEANINGS:
        meaning, mend = _MEANINGS[code]
        return Unauthorized(f"{named}: {meaning}{trace}", mend=mend)
    if code or isinstance(error, str):
        return Unauthorized(f"{named}: {_words(said, secret)}{trace}", mend="see the credential and tenant_id")
    return Unauthorized(f"{named}: no answer of a sign-in ({_form(answer)})", mend=_ELSEWHERE)


def foreign(answer: Answer, where: str) -> Unauthorized:
    """Return the error for an answer that says it is well, and isn't what a sign-in answers."""
    return Unauthorized(f"{where}: {answer.status}: no answer of a sign-in ({_form(answer)})", mend=_ELSEWHERE)


def _read(answer: Answer) -> dict[str, Any]:
    try:
        return document.read(answer.body)
    except BadResponse:
        return {}


def _code(said: dict[str, Any]) -> int | None:
    listed = said.get("error_codes")
    codes = [code for code in listed if isinstance(code, int)] if isinstance(listed, list) else []
    description = said.get("error_description")
    codes += [int(found) for found in _CODE.findall(description)] if isinstance(description, str) else []
    known = [code for code in codes if code in _MEANINGS or code in _PASSING]
    return next(iter(known or codes), None)


def _words(said: dict[str, Any], secret: str) -> str:
    text = str(said.get("error_description") or said.get("error"))
    for hidden in (secret, quote_plus(secret)):
        text = text.replace(hidden, "…")
    text = _LONG.sub("…", text).partition("Trace ID:")[0]
    return " ".join(text.split())[:_WORDS]


def _form(answer: Answer) -> str:
    return f"{answer.headers.get('Content-Type', 'no Content-Type')[:60]}, {len(answer.body)} bytes"
