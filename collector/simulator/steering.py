"""The handle for tests in another process: `/simulator/...` sets faults and shows requests and scores.

Is not part of what Microsoft has, and is never struck by a fault itself.

    PUT    /simulator/faults     {"fault": "throttle", "tenant": "contoso", "times": 3, "retry_after": 2}
    GET    /simulator/faults     what is set
    DELETE /simulator/faults     all of them, or those of ?fault=…&tenant=…
    GET    /simulator/requests   ?tenant=…&subject=…: those requests one by one, and the counts of all
    DELETE /simulator/requests   forgets them
    GET    /simulator/world      ?tenant=…&at=… (ms since the epoch; now): what the API answers without a fault
"""

import json
from collections.abc import Callable, Mapping

from collector.errors import ConfigError
from collector.simulator.answer import Answer, as_json
from collector.simulator.faults import KINDS, Faults, parameters_of
from collector.simulator.record import Record
from collector.simulator.world import World

PREFIX = "/simulator/"


class Steering:
    """Answers in JSON: 200; 400 with `problems` (a text each) and the `known` faults with their parameters; 404."""

    def __init__(self, *, faults: Faults, record: Record, world: World, clock: Callable[[], float]) -> None:
        self._faults = faults
        self._record = record
        self._world = world
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
        return None

    def _set(self, body: bytes) -> None:
        try:
            wanted = json.loads(body)
        except ValueError as error:
            raise ConfigError([f"the body is not JSON: {error}"]) from error
        if not isinstance(wanted, dict) or not isinstance(wanted.get("fault"), str):
            raise ConfigError(['the body is an object with the name of a fault: {"fault": "throttle"}'])
        self._faults.set(wanted.pop("fault"), **wanted)

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
        }
