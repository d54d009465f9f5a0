"""What Microsoft's sign-in says when it gives no token, as the error that its catcher acts on. Pure: signs nobody in.

Its free text is shown for unknown codes alone, cut short: it may repeat what it was sent.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

from collector.defender import document
from collector.defender.meanings import DECLINED, MEANINGS, PASSING
from collector.errors import BadResponse, Unauthorized, Unavailable
from collector.http import Answer

_CLOCK = 700024
_CODE = re.compile(r"AADSTS([0-9]{1,9})")
_HIGHEST = 999_999_999
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_LONG = re.compile(r"[^\s'\"]{37,}")
"""Longer than a GUID: it could be a secret, an assertion or a token."""
_WORDS = 200
"""Characters of Microsoft's free text in a message."""
_NOTICED = 2.0
"""Seconds by which two clocks differ at the least for it to be said: `Date` has whole ones."""
_ELSEWHERE = "this is not Microsoft's sign-in: see cloud and login_url, and the proxy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the kind of credential adds: by code, a fact that helps and a mend that fits; none of it secret.

    `usual`: the mend where the code isn't known.
    """

    usual: str = "see the credential and tenant_id"
    facts: Mapping[int, str] = field(default_factory=dict)
    mends: Mapping[int, str] = field(default_factory=dict)


def refusal(answer: Answer, where: str, told: Told, hidden: Collection[str], now: float) -> Unavailable:
    """Return the error that an answer without a token stands for. Nothing in it holds what is `hidden`.

    `now`: this machine's time, in seconds since the epoch, when the answer came.
    """
    said = _read(answer)
    code, error = _code(said), said.get("error")
    correlation = said.get("correlation_id")
    trace = f" (correlation id {correlation})" if isinstance(correlation, str) and _ID.fullmatch(correlation) else ""
    named = f"{where}: {answer.status}{f' AADSTS{code}' if code else ''}"
    passing = answer.status in (408, 429) or answer.status >= 500  # noqa: PLR2004 - HTTP's own numbers
    if passing or code in PASSING or error == "temporarily_unavailable":
        throttled = answer.status == 429  # noqa: PLR2004
        return Unavailable(
            f"{named}: the sign-in is not available{trace}", retry_after=answer.retry_after(), throttled=throttled
        )
    known = MEANINGS.get(code or 0) or DECLINED.get(str(error))
    if known:
        meaning, mend = known
        facts = [told.facts.get(code or 0, ""), _clocks(answer, now) if code == _CLOCK else ""]
        added = "".join(f"; {fact}" for fact in facts if fact)
        return Unauthorized(f"{named}: {meaning}{added}{trace}", mend=told.mends.get(code or 0, mend))
    if code or isinstance(error, str):
        return Unauthorized(f"{named}: {_words(said, hidden)}{trace}", mend=told.usual)
    return Unauthorized(f"{named}: no answer of a sign-in ({_form(answer)})", mend=_ELSEWHERE)


def foreign(answer: Answer, where: str) -> Unauthorized:
    """Return the error for an answer that says it is well, and isn't what a sign-in answers."""
    return Unauthorized(f"{where}: {answer.status}: no answer of a sign-in ({_form(answer)})", mend=_ELSEWHERE)


def oauth_error(answer: Answer) -> str:
    """Return OAuth's own word for why there is no token, empty where the answer has none."""
    error = _read(answer).get("error")
    return error if isinstance(error, str) else ""


def printable(text: str) -> str:
    """Return another's words as a message can hold them: with a question mark for what is no print."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def _clocks(answer: Answer, now: float) -> str:
    date = answer.date()
    if date is None:
        return ""
    ahead = now - date
    if abs(ahead) < _NOTICED:
        return "this machine's clock agrees with the answer's Date"
    return f"this machine's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the answer's Date"


def _read(answer: Answer) -> dict[str, Any]:
    try:
        return document.read(answer.body)
    except BadResponse:
        return {}


def _code(said: dict[str, Any]) -> int | None:
    listed = said.get("error_codes")
    codes = [code for code in listed if type(code) is int and 0 < code <= _HIGHEST] if isinstance(listed, list) else []
    description = said.get("error_description")
    codes += [int(found) for found in _CODE.findall(description)] if isinstance(description, str) else []
    known = [code for code in codes if code in MEANINGS or code in PASSING]
    return next(iter(known or codes), None)


def _words(said: dict[str, Any], hidden: Collection[str]) -> str:
    texts = [said[key] for key in ("error_description", "error") if isinstance(said.get(key), str)]
    text = next(filter(None, texts), "")
    for secret in hidden:
        for form in (secret, quote_plus(secret)):
            text = text.replace(form, "…")
    text = _LONG.sub("…", text).partition("Trace ID:")[0]
    return printable(" ".join(text.split())[:_WORDS])


def _form(answer: Answer) -> str:
    return f"{printable(answer.headers.get('Content-Type', 'no Content-Type')[:60])}, {len(answer.body)} bytes"
