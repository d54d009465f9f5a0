"""What a status other than 200 means, as the error that its catcher can act on. Pure.

Decided by the status and the body's `code` alone; its `message` is free text, and stays unread. Its `target` is the
correlation id that Microsoft's support asks for, so it is always said.
"""

from typing import Any

from collector.defender import document
from collector.defender.auth import claims
from collector.errors import BadResponse, CollectorError, Unauthorized, Unavailable
from collector.http import Answer

APPLICATION = "Score.Read.All"
"""The permission of an application: in the token's claim `roles`."""
DELEGATED = "Score.Read"
"""The permission of a signed-in person: in the token's claim `scp`."""

_SHOWN = 80
"""Characters of a stranger's word in a message."""
_HOST = "probably the wrong cloud or host, or a proxy answers: see cloud, region and api_url"


def refusal(answer: Answer, where: str, token: str) -> CollectorError:
    """Return the error that this answer stands for. `where`: what was asked, without its query."""
    code, target = _said(answer)
    named = f"{where}: {answer.status}{f' {code}' if code else ''}"
    trace = f" (target {target})" if target else ""
    match answer.status:
        case 401:
            return Unauthorized(
                f"{named}: the API takes no token of this sign-in{trace}",
                mend="see cloud, scope, api_url and tenant_id",
            )
        case 403:
            return Unauthorized(f"{named}: {_permission(token)}{trace}", mend=_grant(code, token))
        case 408 | 429:
            throttled = answer.status == 429  # noqa: PLR2004 - HTTP's own number
            words = "asked too often" if throttled else "the API waited in vain"
            return Unavailable(f"{named}: {words}{trace}", retry_after=answer.retry_after(), throttled=throttled)
        case status if status >= 500:  # noqa: PLR2004 - HTTP's own number
            return Unavailable(f"{named}: the API is not available{trace}", retry_after=answer.retry_after())
        case status if 300 <= status < 500:  # noqa: PLR2004 - HTTP's own numbers
            # Also 400, 409, 410 and the like: a fixed GET without parameters gives the API nothing to object to, so a
            # person has to look; and as it costs little, it is asked again while the slot lasts.
            return Unauthorized(f"{named}: not what the API answers{trace}", mend=_HOST)
        case _:
            return BadResponse(f"{named}: no answer with scores{trace}")


def lacks_permission(token: str) -> bool:
    """Whether the token itself says that it hasn't the permission that scores need."""
    needed, held = permissions(token)
    return needed not in held


def permissions(token: str) -> tuple[str, list[str]]:
    """Return the permission that scores need, and those that the token says it has."""
    said = claims(token)
    scopes, roles = said.get("scp"), said.get("roles")
    if isinstance(scopes, str):
        return DELEGATED, scopes.split()
    return APPLICATION, [role for role in roles if isinstance(role, str)] if isinstance(roles, list) else []


def _permission(token: str) -> str:
    needed, held = permissions(token)
    claim = "scp" if needed == DELEGATED else "roles"
    listed = ", ".join(_word(one) for one in held[:20])
    return f"{needed} is needed, and the token has {f'the {claim} {listed}' if listed else f'no {claim}'}"


def _grant(code: str, token: str) -> str:
    if code == "DisabledFeature":
        return "the tenant lacks the product: it needs Microsoft Defender for Endpoint with vulnerability management"
    needed, held = permissions(token)
    kind = "delegated" if needed == DELEGATED else "application"
    grant = f"add the {kind} permission {needed} of WindowsDefenderATP to the application, and grant admin consent"
    return f"{grant}; where both is done, see what the tenant's Defender roles allow" if needed in held else grant


def _said(answer: Answer) -> tuple[str, str]:
    try:
        error: Any = document.read(answer.body).get("error")
    except BadResponse:
        error = None
    return (_word(error.get("code")), _word(error.get("target"))) if isinstance(error, dict) else ("", "")


def _word(said: object) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in said[:_SHOWN]) if isinstance(said, str) else ""
