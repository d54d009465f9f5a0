"""Where the next page of a list is asked: at the configured origin, always. Is pure, and follows nothing itself."""

import re
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from collector.errors import BadResponse

MAX_PAGES = 100
MAX_LINK = 8 * 1024
"""Characters of a link; no server takes a longer request line."""

_URL = re.compile(r"[!-\[\]-~]+")
"""What a URL is written in: ASCII that prints. A backslash is read as a slash by some, and by others not."""
_PORTS = {"https": 443, "http": 80}


def following(answer: dict[str, Any], asked: str, hosts: frozenset[str]) -> str | None:
    """Return the URL of the page after this one, None when it is the last.

    It has the origin of `asked`, the URL of this page. A link to one of `hosts`, which are the same cloud's, keeps its
    path and query. Raise BadResponse for a link to any other origin, and for what is no link.
    """
    link = answer.get("@odata.nextLink")
    if link is None or link == "":
        return None
    if not isinstance(link, str) or len(link) > MAX_LINK or not _URL.fullmatch(link):
        raise BadResponse("@odata.nextLink is not a URL")
    here = urlsplit(asked)
    try:
        named, there = urlsplit(link), urlsplit(urljoin(asked, link))
        port = there.port or _PORTS.get(there.scheme)
        home = there.hostname == here.hostname and there.scheme == here.scheme and port == _port(here)
    except ValueError as error:
        raise BadResponse("@odata.nextLink is not a URL") from error
    same_cloud = there.scheme == "https" and port == _PORTS["https"] and there.hostname in hosts
    if (named.scheme and not named.netloc) or "@" in there.netloc or not (home or same_cloud):
        raise BadResponse(f"@odata.nextLink leads elsewhere: to {there.scheme}://{there.hostname}:{port}")
    return f"{here.scheme}://{here.netloc}{there.path or '/'}{'?' if there.query else ''}{there.query}"


def _port(parts: SplitResult) -> int | None:
    return parts.port or _PORTS.get(parts.scheme)
