"""What Microsoft has on the internet: the API, and the sign-in before it. Is not what it answers: it is where.

Both are one origin here.
"""

import re
from types import MappingProxyType

from starlette.requests import Request

from collector.simulator.answer import Answer, not_found
from collector.simulator.api import SUBJECT_OF, Api
from collector.simulator.fault_answers import Instead
from collector.simulator.fault_sign_in import OtherCloud, SignInRoles
from collector.simulator.place import Place, disallowed
from collector.simulator.sign_in import SignIn
from collector.simulator.visit import Visit

_SUBJECTS = MappingProxyType(
    {
        "oauth2/v2.0/token": "sign_in",
        "oauth2/v2.0/devicecode": "device_code",
        "v2.0/.well-known/openid-configuration": "discovery",
    }
)
_SIGN_IN = re.compile(rf"/(?P<tenant_id>[^/]+)/(?P<what>{'|'.join(map(re.escape, _SUBJECTS))})")
_POSTED = ("sign_in", "device_code")


class Microsoft:
    """Sends each request to where it belongs; of the faults, those that stand for an answer strike here."""

    def __init__(self, api: Api, sign_in: SignIn) -> None:
        self._api = api
        self._sign_in = sign_in

    def place(self, request: Request) -> Place:
        """Return what is asked for, and by whom."""
        path = request.url.path
        token = self._sign_in.read(request.headers.get("Authorization", ""))
        if found := _SIGN_IN.fullmatch(path):
            known = self._sign_in.tenant(found["tenant_id"])
            return Place(known.name if known else None, _SUBJECTS[found["what"]], token)
        return Place(token.tenant if token else None, SUBJECT_OF.get(path, "unknown"), token)

    def answer(self, request: Request, body: bytes, place: Place, visit: Visit) -> Answer:
        """Answer what was placed."""
        path = request.url.path
        if place.subject == "unknown":
            return not_found()
        wanted = "POST" if place.subject in _POSTED else "GET"
        if request.method != wanted:
            return disallowed(request.method, wanted)
        # The name that the client used: it takes another for another origin.
        origin = f"https://{request.headers.get('Host', 'localhost')}"
        if path in SUBJECT_OF:
            skip = request.query_params.get("$skip", "0")
            return self._api.answer(visit, place.token, skip=skip, url=f"{origin}{path}")
        instead = visit.take(Instead)
        if instead is not None:
            return instead.answer()
        return self._signed_in(path.split("/")[1], body, origin, visit)

    def _signed_in(self, tenant_id: str, body: bytes, origin: str, visit: Visit) -> Answer:
        match visit.exchange.subject:
            case "discovery":
                elsewhere = visit.take(OtherCloud)
                return self._sign_in.discovery(tenant_id, origin, elsewhere.cloud if elsewhere else "global")
            case "device_code":
                return self._sign_in.device(tenant_id, body, origin)
            case _:
                granted = visit.take(SignInRoles)
                return self._sign_in.token(tenant_id, body, origin, granted.roles if granted else None)
