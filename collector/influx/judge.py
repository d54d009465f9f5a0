"""What a server's answer means for the points that were sent. Is not an exchange (`server.py`), and never retries.

Only 204 is success: a proxy or a sign-in page answers 200. Where an answer can be read in two ways, it is read as the
error that loses less: kept before dead-lettered, dead-lettered before passed over.
"""

import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import quote_plus

from collector.errors import Expired, Missing, Rejected, TooLarge, Unauthorized, Unavailable
from collector.http import Answer

MAX_WORDS = 300
"""Characters of the server's words in a message."""

_PASSING = frozenset({408, 429, *range(500, 600)})
# InfluxDB 1.11 and 2.7 end every partial write with "for retention policy: …", that of a field conflict too: only what
# speaks of a point beyond the retention makes it an expired one.
_EXPIRED = re.compile(r"\b(?:beyond|outside)(?: of)?(?: the)? retention|\bviolates a retention policy", re.IGNORECASE)
_DROPPED = re.compile(r"\bdropped=(\d{1,18})\b")
_MISSING = re.compile(
    r"\b(database|bucket|retention policy|organization)(?: name)?(?: \"[^\"]*\")? not found", re.IGNORECASE
)
_TLS_WANTED = re.compile(r"\bHTTP request (?:was sent )?to (?:an )?HTTPS\b", re.IGNORECASE)
"""Go's words and nginx's, with a 400: it isn't the points that are wrong."""
_LIMIT = re.compile(r"\bmax-(?:series-per-database|values-per-tag)(?= limit exceeded)", re.IGNORECASE)
"""A 1.x's own limits, with a 400: the point is good, and is taken once a person has raised them."""
_NO_POINTS = re.compile(r"\bwriting requires points\b|\bwrite was empty\b", re.IGNORECASE)
_MENDS = {
    401: "correct {credential}: the server does not take what it was given",
    403: "grant {right} on the {place} (see {credential}); {provision}",
    404: "see {table}.url and {table}.api: another may answer there; {provision}",
    405: "see {table}.url and {table}.api: something else answers there",
    407: "put user and password into the proxy's URL, as HTTP_PROXY and HTTPS_PROXY have it",
}
_VERSION = re.compile(r"v?(\d{1,4})\.(\d{1,4})")
_ANOTHER_API = 'set {table}.api = "{api}", with {keys}: the server is an InfluxDB {version}'
_KEYS = {"v1": "database, username and password_file", "v2": "org, bucket and token_file"}
_PROVISION = "`exposure-collector provision` creates the {place} where it is missing"
_ECHO = "unable to parse"
"""What stands before a line of ours that the server says back; the line's text is no word of the server's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an error about an answer speaks of, and what it never shows even where the server says it back."""

    target: str
    """Who was asked, as in the sink's `target`."""
    place: str
    """What has to exist there: `bucket exposure`."""
    credential: str
    """The settings by which the server knows us: `token`."""
    table: str = "influxdb.NAME"
    """The sink's table in the settings."""
    api: str = "v2"
    """What it is taken for, as the settings have it."""
    nameless: str = ""
    """The settings that would name whoever asks, where there are none."""
    right: str = "write"
    hidden: tuple[str, ...] = field(default=(), repr=False)


def judge(answer: Answer, asked: Asked) -> None:
    """Return when every point is stored; else raise Rejected, Expired, TooLarge or the error of `refusal`."""
    said = words(answer)
    match answer.status:
        case 204:
            return
        case 413:
            raise TooLarge(message(answer.status, said, asked))
        case 400 | 422 if not (_missing(said) or _TLS_WANTED.search(_own(said)) or _LIMIT.search(_own(said))):
            if not _EXPIRED.search(_own(said)):
                raise Rejected(message(answer.status, said, asked))
            dropped = _DROPPED.search(said)
            raise Expired(message(answer.status, said, asked), dropped=int(dropped[1]) if dropped else None)
    raise refusal(answer, asked)


def refusal(answer: Answer, asked: Asked) -> Unavailable:
    """Return the error of an answer after which everything is kept.

    That is Missing when the server lacks the place, Unauthorized, or Unavailable when it may pass.
    """
    said = words(answer)
    text = message(answer.status, said, asked)
    missing = _missing(said)
    if answer.status in _PASSING and not missing:
        return Unavailable(
            text, retry_after=answer.retry_after(), throttled=answer.status == HTTPStatus.TOO_MANY_REQUESTS
        )
    kind = Missing if missing else Unauthorized
    return kind(text, mend=_another_api(answer, said, asked) or _full(said, asked) or _mend(answer.status, said, asked))


def version(answer: Answer) -> tuple[int, int] | None:
    """Return the version that a server says it has; None where it says none, and for Cloud, which isn't numbered."""
    if answer.headers.get("X-Influxdb-Build", "").lower() == "cloud":
        return None
    found = _VERSION.match(answer.headers.get("X-Influxdb-Version", ""))
    return (int(found[1]), int(found[2])) if found else None


def lacks_points(answer: Answer) -> bool:
    """Whether all that the server missed is points: InfluxDB 2.x and 3.x answer 400 to a write without one."""
    return answer.status == HTTPStatus.BAD_REQUEST and _NO_POINTS.search(words(answer)) is not None


def words(answer: Answer) -> str:
    """Return the server's own words, whole and as they came: JSON's errors and messages, else the body's text."""
    try:
        found = "; ".join(_errors(json.loads(answer.body)))
    except (ValueError, RecursionError):
        found = ""
    return found or answer.text or str(answer.headers.get("X-Influxdb-Error", ""))


def message(status: int, said: str, asked: Asked) -> str:
    """Return one line of at most `MAX_WORDS` of what was said, without control characters and secrets."""
    for secret in filter(None, asked.hidden):
        said = _any_form(secret).sub("***", said)
    # Cut early, since a body may have megabytes, but after the secrets went: a cut could leave the half of one.
    said = _ends(said, 10 * MAX_WORDS)
    said = "".join(char if char.isprintable() else " " for char in said)
    said = _ends(" ".join(said.split()), MAX_WORDS)
    return f"{asked.target}: {status}: {said}" if said else f"{asked.target}: {status}"


def _another_api(answer: Answer, said: str, asked: Asked) -> str:
    """Return the mend where a path is not known to a server which says that it is of the other kind; else nothing."""
    found = version(answer)
    if answer.status != HTTPStatus.NOT_FOUND or _missing(said) or found is None:
        return ""
    api = "v1" if found[0] == 1 else "v2"
    if api == asked.api:
        return ""
    numbers = ".".join(map(str, found))
    return _ANOTHER_API.format(table=asked.table, api=api, keys=_KEYS[api], version=numbers)


def _full(said: str, asked: Asked) -> str:
    """Return the mend where the server has as many series as it takes, else nothing."""
    limit = _LIMIT.search(_own(said))
    if limit is None:
        return ""
    less = f"let {asked.table} take less (measurements, tenants)"
    return f"raise {limit[0]} in [data] of the server's own settings (0: no limit) and restart it, or {less}"


def _ends(text: str, most: int) -> str:
    """Return the first and the last of a long text: servers say a line back first, and what is wrong with it after."""
    half = (most - 1) // 2
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"


def _missing(said: str) -> str:
    """Return what the server says it does not have, nothing when it says no such thing."""
    found = _MISSING.search(_own(said))
    return found[1].lower() if found else ""


def _own(said: str) -> str:
    return said.partition(_ECHO)[0]


def _mend(status: int, said: str, asked: Asked) -> str:
    missing = _missing(said)
    if missing == "organization":
        return f"correct {asked.table}.org: it is the organization's name or id, and the token has to be of it"
    if missing:
        return f"create the {asked.place} with `exposure-collector provision`, or correct its name in {asked.table}"
    if _TLS_WANTED.search(_own(said)):
        return f"write {asked.table}.url with https://: the server speaks TLS there"
    if status < HTTPStatus.BAD_REQUEST:
        return (
            f"see {asked.table}.url (http or https, host, path): what answers there, or a proxy before it, is no"
            " InfluxDB"
        )
    if status == HTTPStatus.UNAUTHORIZED and asked.nameless:
        return f"set {asked.nameless}: the server wants to know who asks"
    mend = _MENDS.get(status, "see what the server says; everything is kept until it takes it")
    provision = _PROVISION.format(place=asked.place)
    return mend.format(
        place=asked.place, credential=asked.credential, right=asked.right, table=asked.table, provision=provision
    )


def _errors(document: object) -> Iterator[str]:
    """Yield what JSON says of errors, and never the lines of ours that 3.x says back beside them."""
    if not isinstance(document, dict):
        return
    for key in ("error", "message", "error_message"):
        if isinstance(said := document.get(key), str):
            yield said
    for key in ("data", "results"):
        inner = document.get(key)
        for item in inner if isinstance(inner, list) else (inner,):
            yield from _errors(item)


def _any_form(secret: str) -> re.Pattern[str]:
    """Return what finds a secret, each of its characters as it is or as JSON, HTML or a URL may write it."""
    return re.compile("".join(f"(?:{'|'.join(map(re.escape, _forms(char)))})" for char in secret), re.IGNORECASE)


def _forms(char: str) -> Iterable[str]:
    percent = "".join(f"%{byte:02x}" for byte in char.encode())
    return {char, f"\\{char}", json.dumps(char)[1:-1], html.escape(char), quote_plus(char), percent}
