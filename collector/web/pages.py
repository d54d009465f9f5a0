"""The pages: live, ready, metrics. Each reads facts, and changes nothing."""

import socket
from collections.abc import Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from collector.web.facts import Facts
from collector.web.guard import Guard, Token
from collector.web.metrics import exposition


def application(facts: Facts, allowed_hosts: Sequence[str] = (), token: Token | None = None) -> ASGIApp:
    """Return the pages over `facts`, behind their guard; with a token all but live and ready need it."""

    async def livez(_: Request) -> Response:  # on no worker: pages that wait for the journal must not make it wait
        turns = facts.turns()
        return PlainTextResponse("ok\n" if turns else "the clock stands still\n", 200 if turns else 503)

    def readyz(_: Request) -> Response:
        reasons = list(facts.reasons())
        return JSONResponse({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)

    def metrics(request: Request) -> Response:
        body, content_type = exposition(facts, request.headers.get("Accept", ""))
        return Response(body, headers={"Content-Type": content_type})

    pages: dict[str, Callable[[Request], Any]] = {"/livez": livez, "/readyz": readyz, "/metrics": metrics}
    names = frozenset({"localhost", socket.gethostname().lower(), *(name.lower() for name in allowed_hosts)})
    routed = Starlette(routes=[Route(path, page) for path, page in pages.items()])
    # A path is the page's own or none: no redirect to one with or without a slash.
    routed.router.redirect_slashes = False
    return Guard(routed, names, token)
