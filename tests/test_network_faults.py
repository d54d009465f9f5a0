"""Whatever the network does, on either side: the error says come back, in time, and afterwards all is as before."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from columns import columns
from leaks import know
from origins import Authority, Origin, Reply
from servers import Influxd
from tenants import SECRET, TENANT_ID, FakeTenant, as_json
from wires import HANGING, Fault, Wire, misbehaving

from collector.defender import Defender
from collector.errors import Unavailable
from collector.http import Http
from collector.influx import open_sink
from collector.point import Point, Series
from collector.settings import Influx, Secret
from collector.step import Step

HURRIED = 0.5
PATIENT = 30.0
LATE = 15.0
"""Seconds in which a failure has to be over on a slow machine: no fault here ends by itself before `PATIENT`."""
TOKEN = know("the-sink's-s3cret")
POINT = Point(Series("exposure_score", (("tenant", "contoso"),)), 1_700_000_000_123, {"score": 33.5})
SINKS: dict[str, dict[str, Any]] = {
    "v1": {"api": "v1", "database": "exposure", "username": "collector", "password": Secret("password", inline=TOKEN)},
    "v2": {"api": "v2", "org": "security", "bucket": "exposure", "token": Secret("token", inline=TOKEN)},
}


@dataclass(frozen=True, slots=True)
class Side:
    """What is asked over a wire. `ask`: with so many seconds; `done` counts what the other side was asked."""

    wire: Wire
    ask: Callable[[float], object]
    done: Callable[[], int]


def sink_at(url: str, api: str, http: Http, seconds: float) -> Any:
    """Return a sink that gives an exchange so many seconds."""
    return open_sink("main", Influx(url=url, timeout_seconds=seconds, **SINKS[api]), http)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture(name="http")
def _http(authority: Authority) -> Iterator[Http]:
    http = Http(authority.pem)
    yield http
    http.close()


@pytest.fixture(name="side", params=["v1 http", "v1 https", "v2 http", "v2 https", "sign-in", "api"])
def _side(request: pytest.FixtureRequest, authority: Authority, http: Http) -> Iterator[Side]:
    kind = request.param
    if kind in ("sign-in", "api"):
        fake = FakeTenant(authority)
        with fake.origin, Wire(fake.origin.port) as wire:
            url = f"https://127.0.0.1:{wire.port}"
            login = f"{url}/{TENANT_ID}"
            said = {"issuer": f"{login}/v2.0", "authorization_endpoint": f"{login}/a"}
            fake.entra.discover = lambda: as_json({**said, "token_endpoint": f"{login}/oauth2/v2.0/token"})
            settings = fake.settings(api_url=url, login_url=url)
            signed = Defender("contoso", settings, http, dict)

            def poll(seconds: float) -> None:
                if signed.ask("organization", 0).step(seconds) is Step.SIGN_IN:
                    signed.sign_in(PATIENT)
                    assert signed.ask("organization", 0).step(seconds) is Step.DONE

            def sign_in(seconds: float) -> None:
                # Anew each time: where a token is held a renewal that fails says nothing.
                Defender("contoso", settings, http, dict).sign_in(seconds)

            yield Side(wire, poll if kind == "api" else sign_in, lambda: len(fake.origin.requests))
    else:
        api, scheme = kind.split()
        tls = authority.context() if scheme == "https" else None
        with Origin(lambda *_: Reply(status=204), tls) as origin, Wire(origin.port) as wire:
            url = f"{scheme}://127.0.0.1:{wire.port}"
            yield Side(wire, lambda s: sink_at(url, api, http, s).write(columns([POINT])), lambda: len(origin.requests))


def fails(side: Side, seconds: float) -> Unavailable:
    """Return what asking raises, and hold that it is over in time."""
    began = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        side.ask(seconds)
    assert time.monotonic() - began < LATE
    return caught.value


def told(error: BaseException | None) -> str:
    """Return all that an error and what is behind it say."""
    words = ""
    while error:
        words += f"{error} {error!r} {error.args} {getattr(error, 'mend', '')}\n"
        error = error.__cause__ or error.__context__
    return words


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name.lower())
@pytest.mark.parametrize("connection", ["new", "kept"])
def test_a_network_that_fails_is_asked_again_later(side: Side, fault: Fault, connection: str) -> None:
    """On a new connection and on one that was kept, the failure is Unavailable, with where and a mend and no secret.

    Nothing is left behind: as soon as the network is well the next request is, on the same client.
    """
    side.ask(PATIENT)
    if connection == "new":
        side.wire.hang_up()
    before = side.done()
    with misbehaving(side.wire, fault):
        error = fails(side, HURRIED if fault in HANGING else PATIENT)
        assert type(error) is Unavailable
        assert f"127.0.0.1:{side.wire.port}" in str(error)
        assert error.mend
        assert not any(secret in told(error) for secret in (TOKEN, SECRET, "Bearer", "Token "))
        # A retry is the caller's: what may have been taken is not sent a second time in its back.
        assert side.done() - before <= 1
    for _ in range(3):
        side.ask(PATIENT)


def test_every_connection_lost_to_silence_is_given_back(authority: Authority) -> None:
    """With two connections at the most, five requests into silence one after the other leave both for the sixth."""
    http = Http(authority.pem, connections=2)
    with Origin(lambda *_: Reply(status=204)) as origin, Wire(origin.port) as wire:
        url = f"http://127.0.0.1:{wire.port}"
        with misbehaving(wire, Fault.SILENT):
            for _ in range(5):
                with pytest.raises(Unavailable):
                    http.send("GET", url, seconds=0.1)
        assert http.send("GET", url, seconds=PATIENT).status == 204
    http.close()


def test_a_write_whose_answer_is_lost_is_stored_once(influxd: Influxd, database: str, http: Http) -> None:
    """InfluxDB has stored what nobody heard of; the same points sent again are one point each, by identity."""
    port = int(influxd.url.rpartition(":")[2])
    with Wire(port) as wire:
        url = f"http://127.0.0.1:{wire.port}"

        def sink(seconds: float) -> Any:
            settings = Influx(api="v1", url=url, database=database, timeout_seconds=seconds)
            return open_sink("main", settings, http)

        with misbehaving(wire, Fault.DEAF), pytest.raises(Unavailable):
            sink(2).write(columns([POINT]))
        stored = influxd.points("exposure_score", database)
        sink(PATIENT).write(columns([POINT]))
    assert stored == influxd.points("exposure_score", database)
    assert [row["score"] for row in stored] == [33.5]
