"""One of the simulator's servers as an ASGI application: sees each request in, and its answer off.

Is not a server (`server.py`), and knows nothing of scores or secrets.
"""

import email.utils
import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from collector.simulator.answer import Answer
from collector.simulator.fault_sending import Clock, Sending
from collector.simulator.faults import Faults
from collector.simulator.line import Line
from collector.simulator.place import Place
from collector.simulator.record import Record
from collector.simulator.server import Server
from collector.simulator.steering import PREFIX, Steering
from collector.simulator.visit import Visit


class Site(Protocol):
    """What answers on a server."""

    def place(self, request: Request) -> Place:
        """Return what is asked for, and by whom."""
        ...

    def answer(self, request: Request, body: bytes, place: Place, visit: Visit) -> Answer:
        """Answer it; faults that stand for an answer have struck."""
        ...


class Front:
    """Every request of `site` takes `latency` seconds, is recorded, and meets the faults; those of `steering` don't.

    `clock` (Unix seconds) makes the `Date` of each answer.
    """

    def __init__(
        self,
        *,
        site: Site,
        steering: Steering,
        faults: Faults,
        record: Record,
        latency: float,
        server: Server,
        clock: Callable[[], float],
    ) -> None:
        self._site = site
        self._steering = steering
        self._faults = faults
        self._record = record
        self._latency = latency
        self._server = server
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what isn't HTTP is none of it."""
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        if request.url.path.startswith(PREFIX):
            answer = self._steering.answer(request.method, request.url.path, request.query_params, body)
            await self._line(scope, receive, send).send(self._dated(answer))
            return
        place = self._site.place(request)
        visit = self._visit(request, place)
        line = self._line(scope, receive, send, functools.partial(self._record.answered, visit.exchange))
        await line.pause(self._latency)
        answer = self._site.answer(request, body, place, visit)
        off = visit.take(Clock)
        answer = self._dated(answer, off.seconds if off else 0.0)
        sending = visit.take(Sending)
        await (sending.send(answer, line) if sending else line.send(answer))

    def _visit(self, request: Request, place: Place) -> Visit:
        path = request.url.path
        asked = f"{path}?{request.url.query}" if request.url.query else path
        exchange = self._record.begin(tenant=place.tenant, subject=place.subject, method=request.method, path=asked)
        return Visit(exchange, self._faults, self._record)

    def _dated(self, answer: Answer, off: float = 0.0) -> Answer:
        date = email.utils.formatdate(self._clock() + off, usegmt=True)
        return replace(answer, headers={"Date": date, **answer.headers})

    def _line(
        self, scope: Scope, receive: Receive, send: Send, on_status: Callable[[int], None] = lambda _: None
    ) -> Line:
        cut = functools.partial(self._server.cut, scope)
        return Line(receive, send, stopping=self._server.stopping, cut=cut, on_status=on_status)
