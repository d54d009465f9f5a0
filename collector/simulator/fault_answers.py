"""Faults that answer in the place of the API, or of the sign-in when they are set for it.

Is not only what Microsoft sends: proxies, portals and captive networks answer too, with a 200 at times.
"""

import email.utils
import math
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from collector.simulator.answer import Answer, not_found, problem
from collector.simulator.fault_kind import Kind, is_number, is_one_of, need

_REDIRECTS = (301, 302, 303, 307, 308)
_WITH_BODY = frozenset(range(200, 600)) - {204, 205, 304}
_OUTAGES = {
    500: ("InternalServerError", "The service has met an internal error. Retry the request."),
    502: ("BadGateway", "The gateway got no valid answer from the service behind it."),
    503: ("ServiceUnavailable", "The service is not available now."),
    504: ("GatewayTimeout", "The gateway got no answer in time from the service behind it."),
}
_PORTAL = b"""<!DOCTYPE html>
<html><head><title>Sign in to the guest network</title></head>
<body><h1>Welcome</h1><form action="/accept"><button>Accept the terms of use</button></form></body></html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instead(Kind, ABC):
    """A fault whose answer stands in the place of the good one."""

    def answer(self) -> Answer:
        """Return it, with a new correlation id."""
        return self._answer()

    @abstractmethod
    def _answer(self) -> Answer: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle(Instead):
    """429. `retry_after`: seconds, None for no header; `as_date`: the header is an HTTP date."""

    name: ClassVar[str] = "throttle"
    retry_after: float | None = 1
    as_date: bool = False

    def __post_init__(self) -> None:
        _need_retry_after(self.retry_after)
        need(isinstance(self.as_date, bool), "as_date is true or false")

    def _answer(self) -> Answer:
        headers = _retry_after(self.retry_after)
        if self.retry_after is not None and self.as_date:
            # A date has whole seconds: one that is rounded down would have come too soon.
            headers = {"Retry-After": email.utils.formatdate(math.ceil(time.time() + self.retry_after), usegmt=True)}
        return problem(429, "TooManyRequests", "Too many requests from this application; retry later.", headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable(Instead):
    """500, 502, 503 or 504. `retry_after`: seconds, None for no header."""

    name: ClassVar[str] = "unavailable"
    status: int = 503
    retry_after: float | None = None

    def __post_init__(self) -> None:
        need(is_one_of(self.status, _OUTAGES), f"status is one of {', '.join(map(str, _OUTAGES))}")
        _need_retry_after(self.retry_after)

    def _answer(self) -> Answer:
        code, message = _OUTAGES[self.status]
        return problem(self.status, code, message, _retry_after(self.retry_after))


@dataclass(frozen=True, slots=True, kw_only=True)
class Forbidden(Instead):
    """403: the permission is missing, whatever the token says."""

    name: ClassVar[str] = "forbidden"

    def _answer(self) -> Answer:
        return forbidden()


@dataclass(frozen=True, slots=True, kw_only=True)
class DisabledFeature(Instead):
    """403: the tenant lacks the product."""

    name: ClassVar[str] = "disabled_feature"

    def _answer(self) -> Answer:
        return problem(403, "DisabledFeature", "The feature is not enabled for this tenant.")


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFound(Instead):
    """404, as from the wrong host or cloud."""

    name: ClassVar[str] = "not_found"

    def _answer(self) -> Answer:
        return not_found()


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect(Instead):
    """A redirect to `url`."""

    name: ClassVar[str] = "redirect"
    url: str
    status: int = 302

    def __post_init__(self) -> None:
        need(_is_header(self.url), "url is a text without line breaks")
        need(is_one_of(self.status, _REDIRECTS), f"status is one of {', '.join(map(str, _REDIRECTS))}")

    def _answer(self) -> Answer:
        return Answer(self.status, b"", {"Location": self.url})


@dataclass(frozen=True, slots=True, kw_only=True)
class NotJson(Instead):
    """200, said to be JSON, and broken off inside of it."""

    name: ClassVar[str] = "not_json"

    def _answer(self) -> Answer:
        return Answer(200, b'{"@odata.context": "https://', {"Content-Type": "application/json"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Html(Instead):
    """200 with a page that a portal put in between."""

    name: ClassVar[str] = "html"

    def _answer(self) -> Answer:
        return Answer(200, _PORTAL, {"Content-Type": "text/html; charset=utf-8"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Empty(Instead):
    """200 with nothing in it."""

    name: ClassVar[str] = "empty"

    def _answer(self) -> Answer:
        return Answer(200, b"", {"Content-Type": "application/json"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Body(Instead):
    """Whatever is wanted: `body` (a text, sent as UTF-8), its type and the status."""

    name: ClassVar[str] = "body"
    body: str
    content_type: str = "application/json"
    status: int = 200

    def __post_init__(self) -> None:
        need(isinstance(self.body, str), "body is a text")
        need(_is_header(self.content_type), "content_type is a text without line breaks")
        need(is_one_of(self.status, _WITH_BODY), "status is a number from 200 to 599 whose answer can have a body")

    def _answer(self) -> Answer:
        # A lone surrogate is a text that JSON can carry here, and that no client can decode.
        return Answer(self.status, self.body.encode("utf-8", "surrogatepass"), {"Content-Type": self.content_type})


def forbidden() -> Answer:
    """Return what an application without the permission gets."""
    message = "The application does not have any of the required application permissions (Score.Read.All)."
    return problem(403, "Forbidden", message)


def _need_retry_after(value: object) -> None:
    need(value is None or is_number(value), "retry_after is a number of seconds, 0 or more, or null for no header")


def _retry_after(seconds: float | None) -> dict[str, str]:
    return {} if seconds is None else {"Retry-After": f"{seconds:g}"}


def _is_header(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and value.isascii()
