"""What it costs to make points of an answer, held against reading its JSON at all. Is not about the network."""

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from benchmarks.figures import Spread, interleaved, short
from benchmarks.size import Size
from benchmarks.table import Row

from collector.defender import Defender
from collector.http import Answer, Http
from collector.settings import ClientSecret, Secret, Tenant
from collector.step import Step

_SLOT = 1_699_999_200_000
_URL = "https://localhost"
_ID = "11111111-1111-1111-1111-111111111111"


def measure(size: Size, folder: Path) -> Iterator[Row]:
    """Yield a row for the first answer of a tenant, and one for those that follow it."""
    del folder  # all of it happens in memory
    body = _payload(size.payload)
    usual = _signed_in(body)
    _take(usual, size.payload)
    reading, first, later = interleaved(
        size.times,
        lambda: _read(body),
        lambda: _take(_signed_in(body), size.payload),
        lambda: _take(usual, size.payload),
    )
    yield _row(f"{size.payload:,} groups to points, a tenant's first answer: CPU", first, reading, size)
    yield _row(f"{size.payload:,} groups to points, every later answer: CPU", later, reading, size)


def _row(what: str, taking: Spread, reading: Spread, size: Size) -> Row:
    each = short(taking.median / size.payload * 1e6)
    return Row(
        what=what,
        measured=f"{taking.said('s')}, {each} µs a point",
        against=f"{reading.said('s')}, json.loads",
        figure=taking.over(reading).said("x"),
        goal="4 x at most",
    )


def _read(body: bytes) -> float:
    began = time.thread_time()
    json.loads(body)
    return time.thread_time() - began


def _take(defender: Defender, expected: int) -> float:
    """Return the seconds of CPU of one poll, from the bytes of the answer to its points."""
    began = time.thread_time()
    asking = defender.ask("device_groups", _SLOT)
    step = asking.step(30)
    points = asking.points
    seconds = time.thread_time() - began
    if step is not Step.DONE or len(points) != expected:
        raise RuntimeError(f"the poll came to {step} with {len(points)} points, not {expected}")
    return seconds


def _signed_in(body: bytes) -> Defender:
    tenant = Tenant(
        tenant_id=_ID,
        client_id=_ID,
        credential=ClientSecret(kind="client_secret", client_secret=Secret("client_secret", inline="made up")),
        api_url=_URL,
        login_url=_URL,
    )
    defender = Defender("contoso", tenant, _AtOnce(body), dict)
    defender.sign_in(30)
    return defender


class _AtOnce(Http):
    """Has every answer at hand, and no connection."""

    def __init__(self, body: bytes) -> None:
        login = f"{_URL}/{_ID}"
        endpoints = {"issuer": f"{login}/v2.0", "authorization_endpoint": f"{login}/a", "token_endpoint": f"{login}/t"}
        self._bodies = {
            f"{login}/v2.0/.well-known/openid-configuration": json.dumps(endpoints).encode(),
            f"{login}/t": json.dumps({"access_token": "made.up", "expires_in": 3600}).encode(),
        }
        self._body = body

    def send(self, method: str, url: str, **_: Any) -> Answer:
        """Return the answer to this URL: the sign-in's, else the groups'."""
        del method
        return Answer(200, httpx.Headers(), self._bodies.get(url, self._body))


def _payload(groups: int) -> bytes:
    """Return an answer of ByMachineGroups as the API words it."""
    draw = random.Random(20)  # noqa: S311 - scores, not secrets; the same ones in each run
    rows = [
        {
            "time": f"2019-12-03T09:51:28.{2143380 + n:07}Z",
            "score": draw.uniform(0.0, 100.0),
            "rbacGroupName": f"Clients of site {n}",
            "rbacGroupId": 1000 + n,
        }
        for n in range(groups)
    ]
    context = "https://api.securitycenter.microsoft.com/api/$metadata#ExposureScore"
    return json.dumps({"@odata.context": context, "value": rows}, separators=(",", ":")).encode()
