"""The simulator as one ASGI application: finds out who asks for what, and sees the answer off.

Is not a server (`server.py`), and knows nothing of scores or secrets.
"""

import functools
import re
from collections.abc import Callable

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from collector.simulator.answer import Answer, not_found, problem
from collector.simulator.api import SUBJECT_OF, Api
from collector.simulator.fault_answers import Instead
from collector.simulator.fault_sending import Sending
from collector.simulator.fault_sign_in import SignInRoles
from collector.simulator.faults import Faults
from collector.simulator.line import Line
from collector.simulator.record import Record
from collector.simulator.server import Server
from collector.simulator.sign_in import SignIn, Token
from collector.simulator.steering import PREFIX, Steering
from collector.simulator.visit import Visit

_SIGN_IN = re.compile(
    r"/(?P<tenant_id>[^/]+)/(?:(?P<token>oauth2/v2\.0/token)|v2\.0/\.well-known/openid-configuration)"
)


class Front:
    """Every request of the API and of the sign-in takes `latency` seconds, is recorded, and meets the faults."""

    def __init__(
        self,
        *,
        api: Api,
        sign_in: SignIn,
        steering: Steering,
        faults: Faults,
        record: Record,
        latency: float,
        server: Server,
    ) -> None:
        self._api = api
        self._sign_in = sign_in
        self._steering = steering
        self._faults = faults
        self._record = record
        self._latency = latency
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what isn't HTTP is none of it."""
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        path = request.url.path
        if path.startswith(PREFIX):
            answer = self._steering.answer(request.method, path, request.query_params, body)
            await self._line(scope, receive, send).send(answer)
            return
        token = self._sign_in.read(request.headers.get("Authorization", ""))
        visit = self._visit(request, token)
        line = self._line(scope, receive, send, functools.partial(self._record.answered, visit.exchange))
        await line.pause(self._latency)
        answer = self._answer(request, body, visit, token)
        sending = visit.take(Sending)
        await (sending.send(answer, line) if sending else line.send(answer))

    def _visit(self, request: Request, token: Token | None) -> Visit:
        path = request.url.path
        tenant = token.tenant if token else None
        subject = SUBJECT_OF.get(path, "unknown")
        if found := _SIGN_IN.fullmatch(path):
            subject = "sign_in" if found["token"] else "discovery"
            known = self._sign_in.tenant(found["tenant_id"])
            tenant = known.name if known else None
        asked = f"{path}?{request.url.query}" if request.url.query else path
        exchange = self._record.begin(tenant=tenant, subject=subject, method=request.method, path=asked)
        return Visit(exchange, self._faults, self._record)

    def _answer(self, request: Request, body: bytes, visit: Visit, token: Token | None) -> Answer:
        path = request.url.path
        if visit.exchange.subject == "unknown":
            return not_found()
        wanted = "POST" if visit.exchange.subject == "sign_in" else "GET"
        if request.method != wanted:
            message = f"The requested resource does not support http method '{request.method}'."
            return problem(405, "MethodNotAllowed", message, {"Allow": wanted})
        # The name that the client used: it takes another for another origin.
        origin = f"https://{request.headers.get('Host', 'localhost')}"
        if path in SUBJECT_OF:
            return self._api.answer(visit, token, skip=request.query_params.get("$skip", "0"), url=f"{origin}{path}")
        instead = visit.take(Instead)
        if instead is not None:
            return instead.answer()
        tenant_id = path.split("/")[1]
        if visit.exchange.subject == "discovery":
            return self._sign_in.discovery(tenant_id, origin)
        granted = visit.take(SignInRoles)
        return self._sign_in.token(tenant_id, body, granted.roles) if granted else self._sign_in.token(tenant_id, body)

    def _line(
        self, scope: Scope, receive: Receive, send: Send, on_status: Callable[[int], None] = lambda _: None
    ) -> Line:
        cut = functools.partial(self._server.cut, scope)
        return Line(receive, send, stopping=self._server.stopping, cut=cut, on_status=on_status)
