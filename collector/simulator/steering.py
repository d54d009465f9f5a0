"""The handle for tests in another process: `/simulator/...` sets faults and shows requests and scores.

Is not part of what Microsoft has, and is never struck by a fault itself.

    PUT    /simulator/faults     {"fault": "throttle", "tenant": "contoso", "times": 3, "retry_after": 2}
    GET    /simulator/faults     what is set
    DELETE /simulator/faults     all of them, or those of ?fault=…&tenant=…
    GET    /simulator/requests   ?tenant=…&subject=…: those requests one by one, and the counts of all
    DELETE /simulator/requests   forgets them
    GET    /simulator/world      ?tenant=…&at=… (ms since the epoch; now): what the API answers without a fault, and
                                 what is to be seen in the 90 days before the start
    GET    /simulator/device     the codes that wait for a person, and how often a sign-in was renewed
    POST   /simulator/device     {"approve": true, "user_code": "…"}: the person decides; without a code about all
    POST   /simulator/credential {…}: a new secret, certificate or platform's token in the file, see `Application.renew`
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from collector.errors import ConfigError
from collector.simulator.answer import Answer, as_json
from collector.simulator.faults import KINDS, Faults, parameters_of
from collector.simulator.record import Record
from collector.simulator.sign_in.devices import Devices
from collector.simulator.world import World

PREFIX = "/simulator/"


class Steering:
    """Answers in JSON: 200; 400 with `problems` (a text each) and the `known` faults with their parameters; 404."""

    def __init__(
        self,
        *,
        faults: Faults,
        record: Record,
        world: World,
        devices: Devices,
        renew: Callable[..., None],
        clock: Callable[[], float],
    ) -> None:
        self._faults = faults
        self._record = record
        self._world = world
        self._devices = devices
        self._renew = renew
        self._clock = clock

    def answer(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Answer:
        """Do what is asked; whatever can't be done has changed nothing."""
        try:
            payload = self._payload(method, path.removeprefix(PREFIX), query, body)
        except ConfigError as error:
            known = {name: parameters_of(kind) for name, kind in KINDS.items()}
            return as_json({"problems": error.problems, "known": known}, status=400)
        if payload is None:
            return as_json({"problems": [f"there is no {method} {path}"]}, status=404)
        return as_json(payload)

    def _payload(self, method: str, what: str, query: Mapping[str, str], body: bytes) -> dict[str, object] | None:
        tenant = query.get("tenant")
        match method, what:
            case "GET", "world":
                return self._scores(query)
            case "GET" | "PUT" | "DELETE", "faults":
                if method == "PUT":
                    self._set(body)
                if method == "DELETE":
                    self._faults.clear(query.get("fault"), tenant=tenant)
                return {"faults": self._faults.active()}
            case "GET" | "DELETE", "requests":
                if method == "DELETE":
                    self._record.clear()
                requests = self._record.requests(tenant=tenant, subject=query.get("subject"))
                return {"requests": requests, "counts": self._record.counts()}
            case "GET" | "POST", "device":
                if method == "POST":
                    self._decide(body)
                return self._devices.seen()
            case "POST", "credential":
                self._renew(**_object(body, 'the body is an object, such as {} or {"days": 20}'))
                return {}
        return None

    def _set(self, body: bytes) -> None:
        says = 'the body is an object with the name of a fault: {"fault": "throttle"}'
        wanted = _object(body, says)
        if not isinstance(wanted.get("fault"), str):
            raise ConfigError([says])
        self._faults.set(wanted.pop("fault"), **wanted)

    def _decide(self, body: bytes) -> None:
        says = 'the body says what the person decides: {"approve": true, "user_code": "…"}'
        wanted = _object(body, says)
        code, approve = wanted.pop("user_code", None), wanted.pop("approve", None)
        if wanted or not isinstance(approve, bool) or not isinstance(code, str | None):
            raise ConfigError([says])
        self._devices.decide(code, approve=approve)

    def _scores(self, query: Mapping[str, str]) -> dict[str, object]:
        tenant = query.get("tenant", "")
        if tenant not in self._world.tenants:
            raise ConfigError([f"tenant: there is no {tenant!r}; the first of them is {self._world.tenants[0]!r}"])
        at = query.get("at", str(int(self._clock() * 1000)))
        if not (at.isascii() and at.isdigit() and len(at) < 15):  # noqa: PLR2004 - the year 5138 has 15 digits
            raise ConfigError([f"at: milliseconds since the Unix epoch are wanted, not {at!r}"])
        return {
            "tenant": tenant,
            "at": int(at),
            "organization": self._world.organization(tenant, int(at)),
            "device_groups": self._world.groups(tenant, int(at)),
            "device_secure_score": self._world.secure_score(tenant, int(at)),
            "events": [{"at": one.at, "kind": one.kind, "text": one.text} for one in self._world.events(tenant)],
        }


def _object(body: bytes, otherwise: str) -> dict[str, Any]:
    try:
        wanted = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ConfigError([f"the body is not JSON: {error}"]) from error
    if not isinstance(wanted, dict):
        raise ConfigError([otherwise])
    return wanted
