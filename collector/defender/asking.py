"""One poll of one subject: a page a step, until the last page is in. Never waits, and never asks twice by itself."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from collector.defender import document
from collector.defender.answers import refusal
from collector.defender.auth import Auth
from collector.defender.clouds import Endpoints
from collector.defender.pages import MAX_PAGES, following
from collector.defender.scores import Say
from collector.errors import BadResponse
from collector.http import Answer, Http
from collector.point import Point, Series
from collector.step import Step

_SHOWN = 5
"""Faults that one message names; the others are counted."""

MAX_GROUPS = 200_000
"""Of one poll: more than one answer may hold. Who answers with more of them would fill the memory of all."""

_MEND = "if it stays so, see whether a proxy answers in the API's place, or whether the API has changed"

Read = Callable[[dict[str, Any], int, Say], Iterator[Sequence[Point]]]
"""A page, and the moment it came (ns since the epoch), as points; its faults are said. May raise BadResponse."""


class Asking:
    """A poll that starts at `url`. `whole` is told, once, the series of a whole answer and those that it repeated."""

    def __init__(
        self,
        *,
        url: str,
        read: Read,
        auth: Auth,
        http: Http,
        endpoints: Endpoints,
        whole: Callable[[Collection[Series], Collection[Series]], None],
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._url = url
        self._read = read
        self._auth = auth
        self._http = http
        self._endpoints = endpoints
        self._whole = whole
        self._clock = clock
        self._asked = {url}
        self._refused = False
        self._points: dict[Series, Point] = {}
        self._repeated: dict[Series, None] = {}
        self._faults: list[str] = []
        self._faulty = 0

    @property
    def points(self) -> Sequence[Point]:
        """What was collected so far, one point a series; it is good whatever the steps raise."""
        return list(self._points.values())

    def step(self, seconds: float) -> Step:
        """Ask one page within `seconds`; without a token ask nothing and return SIGN_IN.

        A page's first 401 forgets the token and returns SIGN_IN, its second raises. Raise Unavailable (also
        Unauthorized) when the poll has to be made again from its start; BadResponse, once, when it is over and some of
        it, or all of it, is unusable.
        """
        token = self._auth.token()
        if token is None:
            return Step.SIGN_IN
        try:
            answer = self._ask(token, seconds)
            if answer is None:
                return Step.SIGN_IN
            more = self._take(answer)
        except BadResponse as error:
            # It ends the poll: what was wrong in the pages before is said with it, or never.
            raise self._unusable(error) from error
        if more:
            self._url = more
            return Step.MORE
        self._whole(self._points.keys(), self._repeated.keys())
        if self._faulty:
            raise self._unusable()
        return Step.DONE

    def _ask(self, token: str, seconds: float) -> Answer | None:
        """Return the page's answer, None for its first 401; raise what any other status means."""
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        answer = self._http.send("GET", self._url, seconds=seconds, headers=headers)
        match answer.status:
            case 200:
                self._refused = False
                return answer
            case 401:
                self._auth.refused(token)
                if not self._refused:
                    self._refused = True
                    return None
            case 403 if self._auth.permission.lacking(token):
                # The permission may be granted at any moment: the next try asks for a token that has it.
                self._auth.refused(token)
        raise refusal(answer, self._where(), token, self._endpoints, self._auth.permission)

    def _take(self, answer: Answer) -> str | None:
        """Take a page in; return the URL of the next one, None when this was the last."""
        arrived = self._clock()
        try:
            page = document.read(answer.body)
            for points in self._read(page, arrived, self._fault):
                self._keep(points)
            more = following(page, self._url, self._endpoints.hosts)
        except BadResponse as error:
            raise BadResponse(f"{self._where()}: {error}") from error
        if more is None:
            return None
        if more in self._asked:
            raise BadResponse(f"{self._where()}: the next page is one that was asked before")
        if len(self._asked) == MAX_PAGES:
            raise BadResponse(f"{self._where()}: over {MAX_PAGES} pages")
        self._asked.add(more)
        return more

    def _keep(self, points: Sequence[Point]) -> None:
        new = {point.series: point for point in points}
        if len(new) == len(points) <= MAX_GROUPS - len(self._points) and self._points.keys().isdisjoint(new):
            self._points |= new
            return
        for point in points:
            known = len(self._points)
            self._points[point.series] = point
            if len(self._points) == known:
                self._repeated[point.series] = None
            elif known == MAX_GROUPS:
                del self._points[point.series]
                raise BadResponse(f"over {MAX_GROUPS:,} groups")

    def _fault(self, fault: str) -> None:
        self._faulty += 1
        if len(self._faults) < _SHOWN:
            page = f"page {len(self._asked)}, " if len(self._asked) > 1 else ""
            self._faults.append(f"{page}{fault}")

    def _unusable(self, end: BadResponse | None = None) -> BadResponse:
        """Return the error that says all that was wrong: how the poll ended, and the first faults of its rows."""
        more = self._faulty - len(self._faults)
        said = "; ".join([*self._faults, *([f"and {more} more like these"] if more else [])])
        if end is None:
            return BadResponse(f"{self._where()}: {said}", mend=_MEND)
        return BadResponse(f"{end}; {said}" if said else str(end), mend=end.mend or _MEND)

    def _where(self) -> str:
        parts = urlsplit(self._url)
        return f"{parts.netloc}{parts.path}"
