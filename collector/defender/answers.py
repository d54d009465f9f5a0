"""What a status other than 200 means, as the error that its catcher can act on. Pure.

Decided by the status and the body's `code` alone; its `message` is free text, and stays unread. Its `target` is the
correlation id that Microsoft's support asks for, so it is always said.
"""

from typing import Any
from urllib.parse import urlsplit

from collector.defender import document
from collector.defender.clouds import Endpoints, clouds_of
from collector.defender.permission import Permission
from collector.errors import BadResponse, CollectorError, Unauthorized, Unavailable
from collector.http import Answer

_SHOWN = 80
"""Characters of a stranger's word in a message."""
_PRODUCT = "Microsoft Defender for Endpoint with vulnerability management"


def refusal(answer: Answer, where: str, token: str, endpoints: Endpoints, permission: Permission) -> CollectorError:
    """Return the error that this answer stands for. `where`: what was asked, without its query.

    `permission`: what the token needs.
    """
    code, target = _said(answer)
    named = f"{where}: {answer.status}{f' {code}' if code else ''}"
    trace = f" (target {target})" if target else ""
    match answer.status:
        case 401:
            return Unauthorized(
                f"{named}: the API takes no token of this sign-in (asked as {endpoints.asked}){trace}",
                mend="the token is for another audience or tenant: see scope, cloud, api_url and tenant_id",
            )
        case 403:
            lacking, mend = _denied(code, token, permission)
            return Unauthorized(f"{named}: {lacking}{trace}", mend=mend)
        case 408 | 429:
            throttled = answer.status == 429  # noqa: PLR2004 - HTTP's own number
            words = "asked too often" if throttled else "the API waited in vain"
            return Unavailable(
                f"{named}: {words}{trace}",
                mend="it is asked again by itself, as late as it wants; does something else ask for this tenant too?",
                retry_after=answer.retry_after(),
                throttled=throttled,
            )
        case status if status >= 500:  # noqa: PLR2004 - HTTP's own number
            return Unavailable(
                f"{named}: the API is not available{trace}",
                mend="it is asked again by itself; Microsoft's service health says whether the outage is known",
                retry_after=answer.retry_after(),
            )
        case status if 300 <= status < 500:  # noqa: PLR2004 - HTTP's own numbers
            # Also 400, 409, 410 and the like: a fixed GET without parameters gives the API nothing to object to, so a
            # person has to look; and as it costs little, it is asked again while the slot lasts.
            said = f"not what the API answers{_elsewhere(answer)} (asked as {endpoints.asked})"
            return Unauthorized(f"{named}: {said}{trace}", mend=endpoints.mend, elsewhere=True)
        case _:
            return BadResponse(f"{named}: no answer with scores{trace}")


def _denied(code: str, token: str, permission: Permission) -> tuple[str, str]:
    if code == "DisabledFeature":
        return "the tenant lacks the product", f"the tenant needs a licence of {_PRODUCT}"
    return permission.words(token), permission.mend(token)


def _elsewhere(answer: Answer) -> str:
    """Return where a redirect leads: its host alone, and whose that is."""
    try:
        host = urlsplit(answer.headers.get("Location", "")).hostname
    except ValueError:
        host = None
    if not host:
        return ""
    clouds = clouds_of(host)
    return f" but a redirect to {_word(host)}{f', the host of cloud {clouds[0]}' if clouds else ''}"


def _said(answer: Answer) -> tuple[str, str]:
    try:
        error: Any = document.read(answer.body).get("error")
    except BadResponse:
        error = None
    return (_word(error.get("code")), _word(error.get("target"))) if isinstance(error, dict) else ("", "")


def _word(said: object) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in said[:_SHOWN]) if isinstance(said, str) else ""
