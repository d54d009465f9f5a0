"""The kinds of value that settings are made of, each with the words for what would be right. Looks nothing up."""

import fnmatch
import ipaddress
import re
from collections.abc import Collection
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from collector.batch import DERIVE
from collector.measurements import MEASUREMENTS
from collector.point import MAX_ID_BYTES, carried
from collector.settings.mistakes import mistake, nearest, shown
from collector.settings.secret import BROKEN, Located, path_fault
from collector.settings.shard import Shard, shard

_Number = TypeVar("_Number", int, float)
_Several = TypeVar("_Several", bound=Collection[object])

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"({_LABEL}\.)+{_LABEL}", re.IGNORECASE)
_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]|\.(?!\.))*(?<![.-])", re.IGNORECASE)
"""With `_`: services of Docker Compose are called so."""
_URL_HOST = re.compile(r"[^\s/\\?#@<>\"{}|^`%\x00-\x1f\x7f]+")
_HIGHEST_PORT = 65535
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def between(least: _Number, most: _Number) -> AfterValidator:
    """Return a check of a number: `least` to `most`, both included."""

    def check(value: _Number) -> _Number:
        # Asked this way round, NaN fails too.
        if least <= value <= most:
            return value
        raise mistake(f"must be {least} to {most}{shown(value)}")

    return AfterValidator(check)


def over_zero(most: float) -> AfterValidator:
    """Return a check of a number: over 0, and at most `most`."""

    def check(value: float) -> float:
        if 0 < value <= most:
            return value
        raise mistake(f"must be over 0 and at most {most:g}{shown(value)}")

    return AfterValidator(check)


def _line(value: str) -> str:
    if BROKEN.search(value):
        raise mistake("must be one line of valid text, without control characters")
    return value


def _text(value: str) -> str:
    if not value:
        raise mistake("must not be empty")
    return value


def _scope(value: str) -> str:
    if re.search(r"\s", value):
        raise mistake("must be one scope, without white space, like https://HOST/.default")
    return value


def _guid(value: str) -> str:
    if value and not _GUID.fullmatch(value):
        raise mistake("must be a GUID, like 00000000-0000-0000-0000-000000000000")
    return value


def _tenant_id(value: str) -> str:
    if value and not _GUID.fullmatch(value) and not _DOMAIN.fullmatch(value):
        raise mistake("must be the tenant's GUID or one of its domain names, like contoso.onmicrosoft.com")
    return value


def _tenant_name(value: str) -> str:
    if not carried(value, MAX_ID_BYTES):
        raise mistake("the name must be one that every InfluxDB carries: not empty, no control character, no final \\")
    return value


def _sink_name(value: str) -> str:
    if not value or BROKEN.search(value):
        raise mistake("the name must be one line of valid text, and not empty")
    if value == DERIVE:
        raise mistake("the name is taken by the collector's own consumer of the journal; choose another one")
    return value


def _path(value: object) -> Path:
    if isinstance(value, Located):
        return value.path
    if not isinstance(value, str | Path):
        raise mistake("must be a path, in quotes")
    if fault := path_fault(str(value)):
        raise mistake(fault)
    return Path(value)


def _day(value: object) -> date:
    """Return the day; text is taken too, which is all that a variable can hold."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise mistake("must be a day, like 2027-01-31")


def _distinct(values: _Several) -> _Several:
    if not values:
        raise mistake("must name at least one; leave the key out for the default")
    if len(set(values)) < len(values):
        raise mistake("must name each one once")
    return values


def _url(value: str, *schemes: str) -> str:
    """Return the URL without a final slash. No message repeats any of it: it may hold a password."""
    right = f"must be a URL like {schemes[0]}://HOST"
    if "@" in value:
        raise mistake("must not hold a user or a password; give them under the keys that are for them")
    if "?" in value or "#" in value:
        raise mistake("must not hold a query (?) or a fragment (#)")
    if re.search(r"[\s\\]", value):
        raise mistake(f"{right}, without white space and backslashes")
    try:
        parts = urlsplit(value)
        sound = parts.port != 0 and bool(_URL_HOST.fullmatch(parts.hostname or ""))
    except ValueError:
        sound = False
    if not sound:
        raise mistake(right)
    if parts.scheme not in schemes:
        raise mistake(f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    return f"{parts.scheme}{value[len(parts.scheme) :]}".rstrip("/")


def _measurement(value: str) -> str:
    if not any(fnmatch.fnmatchcase(name, value) for name in MEASUREMENTS):
        near = nearest(value, MEASUREMENTS)
        raise mistake(f"matches no measurement{f'; did you mean {near}?' if near else ''}")
    return value


def _web_url(value: str) -> str:
    return _url(value, "http", "https")


def _https_url(value: str) -> str:
    return _url(value, "https")


def _api_url(value: str) -> str:
    url = _url(value, "https", "http")
    if url.startswith("http:") and not is_loopback(urlsplit(url).hostname or ""):
        raise mistake("must begin with https://; http:// is for loopback alone, since the token travels with each call")
    return url


def is_loopback(host: str) -> bool:
    """Whether `host` is `localhost` or an address of this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return bool(_HOST_NAME.fullmatch(text))
    return True


def _host(value: str) -> str:
    if not _is_host(value):
        raise mistake("must be a host name or an address, without scheme and port")
    return value.lower()


def split_listen(value: str) -> tuple[str, int]:
    """Return host and port of `HOST:PORT` or `[ADDRESS]:PORT`; raise ValueError for all else."""
    host, _, port = value.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    if not _is_host(host) or bracketed != (":" in host) or not re.fullmatch(r"[0-9]{1,5}", port):
        raise ValueError("not HOST:PORT")
    if int(port) > _HIGHEST_PORT:
        raise ValueError("no such port")
    return host, int(port)


def _listen(value: str) -> str:
    try:
        if value:
            split_listen(value)
    except ValueError:
        raise mistake('must be HOST:PORT, like "127.0.0.1:9470" or "[::1]:9470", or "" for none') from None
    return value


distinct = AfterValidator(_distinct)
"""A check of a list: at least one, and none of them twice."""
Line = Annotated[str, AfterValidator(_line)]
Text = Annotated[Line, AfterValidator(_text)]
Guid = Annotated[str, AfterValidator(_guid)]
"""Or empty; whether it may be is for its table to say."""
TenantId = Annotated[str, AfterValidator(_tenant_id)]
"""Or empty; whether it may be is for its table to say."""
TenantName = Annotated[str, AfterValidator(_tenant_name)]
SinkName = Annotated[str, AfterValidator(_sink_name)]
Scope = Annotated[Text, AfterValidator(_scope)]
Host = Annotated[str, AfterValidator(_host)]
Listen = Annotated[str, AfterValidator(_listen)]
File = Annotated[Path, BeforeValidator(_path)]
Day = Annotated[date, BeforeValidator(_day)]
Share = Annotated[Shard | None, BeforeValidator(shard)]
Measurements = Annotated[tuple[Annotated[Text, AfterValidator(_measurement)], ...], Field(strict=False), distinct]
WebUrl = Annotated[str, AfterValidator(_web_url)]
HttpsUrl = Annotated[str, AfterValidator(_https_url)]
ApiUrl = Annotated[str, AfterValidator(_api_url)]
Texts = Annotated[tuple[Text, ...], Field(strict=False), distinct]
