"""The three calls of the Defender API, for whoever brings a token. Is not the world's scores (`world.py`)."""

from collections.abc import Callable
from types import MappingProxyType

from collector.simulator.answer import Answer, as_json, problem
from collector.simulator.fault_answers import Instead, forbidden
from collector.simulator.fault_rows import Pages, Spoiling
from collector.simulator.fault_sign_in import ExpiredToken
from collector.simulator.sign_in import Token
from collector.simulator.visit import Visit
from collector.simulator.world import Payload, World

SUBJECT_OF = MappingProxyType(
    {
        "/api/exposureScore": "organization",
        "/api/exposureScore/ByMachineGroups": "device_groups",
        "/api/configurationScore": "device_secure_score",
    }
)
"""The subject of each path."""

_CROWD_MS = 1000
"""How far the times of many calls in one millisecond may run ahead."""


class Api:
    """Answers from `world` at the moment that `clock` (Unix seconds) tells; `page_size` None: one page has all rows."""

    def __init__(self, world: World, *, page_size: int | None, clock: Callable[[], float]) -> None:
        self._world = world
        self._pages = Pages(size=page_size) if page_size else None
        self._clock = clock
        self._last = 0

    def answer(self, visit: Visit, token: Token | None, *, skip: str, url: str) -> Answer:
        """Answer a GET of one of the three paths; `skip`: the text of `$skip`, `url`: the call's, without a query."""
        if token is None or token.expired or visit.take(ExpiredToken, lambda fault: fault.since > token.issued):
            headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            return problem(401, "Unauthorized", "The token is missing, expired or for another audience.", headers)
        instead = visit.take(Instead)
        if instead is not None:
            return instead.answer()
        if not token.reads_scores:
            return forbidden()
        if not (skip.isascii() and skip.isdigit()):
            return problem(400, "ODataError", "The value of $skip is not a non-negative integer.")
        payload = self._payload(visit.exchange.subject, token.tenant)
        bad = visit.take(Spoiling)
        if bad is not None:
            payload = bad.spoil(payload)
        return as_json(self._page(visit, payload, int(skip), url) if "value" in payload else payload)

    def _payload(self, subject: str, tenant: str) -> Payload:
        at = self._moment()
        match subject:
            case "organization":
                return self._world.organization(tenant, at)
            case "device_groups":
                return self._world.groups(tenant, at)
            case _:
                return self._world.secure_score(tenant, at)

    def _moment(self) -> int:
        """Return now, in milliseconds since the Unix epoch: as with the real API no two calls have the same time."""
        now = int(self._clock() * 1000)
        # Only what is just ahead of the clock was made so here; a clock that was set back is believed.
        self._last = self._last + 1 if now <= self._last < now + _CROWD_MS else now
        return self._last

    def _page(self, visit: Visit, payload: Payload, skip: int, url: str) -> Payload:
        rows = payload["value"]
        pages = visit.take(Pages) or self._pages
        page, link = pages.page(rows, skip, url) if pages else (rows[skip:], None)
        return {**payload, "value": page, **({"@odata.nextLink": link} if link else {})}
