"""The pages: live, ready, metrics, and the score card. Each reads facts, and changes nothing."""

import socket
from collections.abc import Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from collector.errors import JournalError
from collector.web import card, frame
from collector.web.facts import Facts
from collector.web.guard import Guard, Token
from collector.web.links import Asked, Unknown, asked
from collector.web.metrics import exposition

_LONGEST_RANKED = 365


def application(
    facts: Facts, allowed_hosts: Sequence[str] = (), token: Token | None = None, *, card_served: bool = True
) -> ASGIApp:
    """Return the pages over `facts`, behind their guard; with a token all but live and ready need it.

    `card_served`: whether the card is shown to whoever comes that far; where not, its page says what it takes.
    """

    async def livez(_: Request) -> Response:  # on no worker: pages that wait for the journal must not make it wait
        turns = facts.turns()
        return PlainTextResponse("ok\n" if turns else "the clock stands still\n", 200 if turns else 503)

    def readyz(_: Request) -> Response:
        reasons = list(facts.reasons())
        told = {"ready": not reasons, "reasons": reasons, "warnings": list(facts.warnings())}
        return JSONResponse(told, 503 if reasons else 200)

    def metrics(request: Request) -> Response:
        body, content_type = exposition(facts, request.headers.get("Accept", ""))
        return Response(body, headers={"Content-Type": content_type})

    def front(request: Request) -> Response:
        if not card_served:
            text = "Beyond loopback the score card wants a token, since it shows how open an organization is to attack."
            return _page(frame.trouble("No score card without a token", text, "Name a web.token_file."), 403)
        try:
            return _page(_card(facts, asked(request.query_params)))
        except Unknown as unknown:
            return _page(frame.trouble("There is no such page", f"{unknown}."), 404)
        except JournalError as error:
            return _page(frame.trouble("The journal can't be read", f"{error}.", error.mend), 503)

    pages: dict[str, Callable[[Request], Any]] = {
        "/": front,
        "/livez": livez,
        "/readyz": readyz,
        "/metrics": metrics,
    }
    names = frozenset({"localhost", socket.gethostname().lower(), *(name.lower() for name in allowed_hosts)})
    routed = Starlette(routes=[Route(path, page) for path, page in pages.items()])
    # A path is the page's own or none: no redirect to one with or without a slash.
    routed.router.redirect_slashes = False
    return Guard(routed, names, token)


def _card(facts: Facts, wanted: Asked) -> str:
    """Return the page that is asked for; raise Unknown where there is none."""
    tenants = facts.tenants()
    if wanted.tenant is None and len(tenants) != 1:
        # A trend of all that there is would cost by all that there is, once a tenant.
        return card.ranking(facts.ranking(wanted.days or _LONGEST_RANKED, wanted.place), wanted)
    tenant = tenants[0] if wanted.tenant is None else wanted.tenant
    view = facts.view(tenant, wanted.days, wanted.group, wanted.place)
    if view is None:
        raise Unknown("there is no tenant of that name, or it has no device group of that name or id")
    return card.card(view, wanted, several=len(tenants) != 1, former=tenant not in tenants)


def _page(text: str, status: int = 200) -> Response:
    headers = {"Content-Security-Policy": frame.POLICY, "Refresh": str(frame.REFRESH_SECONDS)}
    # A name can't hold half a character; what can't be written is none.
    return HTMLResponse(text.encode("utf-8", "replace"), status, headers)
