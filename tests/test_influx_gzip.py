"""Compressed bodies: sent where a network lies between, given up where something there refuses them, never judged."""

import gzip
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from columns import columns
from origins import Origin, Reply, Request
from servers import Influxd, Victoria

from collector.errors import Rejected, Unavailable
from collector.http import Http
from collector.influx import V1, V2, open_sink
from collector.point import Point, Series
from collector.settings import Influx

SETTINGS: dict[str, dict[str, Any]] = {
    "v1": {"api": "v1", "database": "exposure"},
    "v2": {"api": "v2", "org": "security", "bucket": "exposure"},
}
SLOT = 1_700_000_000_000
SERIES = Series("exposure_score", (("tenant", "contoso"),))
MANY = columns(Point(SERIES, SLOT + n * 1000, {"score": n + 0.5}) for n in range(200))
ONE = columns([Point(SERIES, SLOT, {"score": 0.5})])
STORED = Reply(status=204)

Build = Callable[[str], V1 | V2]
"""Returns a sink of a server by its URL, which stands on another machine by its name."""


@pytest.fixture(name="afar")
def _afar(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Return what names a server of loopback as if it were on another machine."""
    monkeypatch.setenv("NO_PROXY", "*")
    real = socket.getaddrinfo

    def near(host: str, *more: Any, **named: Any) -> Any:
        return real("127.0.0.1" if host == "influx.invalid" else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", near)
    return lambda url: f"http://influx.invalid:{urlsplit(url).port}"


@pytest.fixture(name="build", params=SETTINGS)
def _build(request: pytest.FixtureRequest, afar: Callable[[str], str]) -> Iterator[Build]:
    http = Http()
    yield lambda url: open_sink("main", Influx(url=afar(url), timeout_seconds=10, **SETTINGS[request.param]), http)
    http.close()


@pytest.fixture(name="origin")
def _origin() -> Iterator[Origin]:
    with Origin(lambda *_: STORED) as origin:
        yield origin


def encodings(origin: Origin) -> list[str]:
    """Return how each body came, and forget them."""
    found = [asked.headers.get("content-encoding", "as it is") for asked in origin.requests]
    origin.requests.clear()
    return found


def test_bodies_go_compressed_over_a_network(build: Build, origin: Origin) -> None:
    """A tenth of the bytes go out, and they unfold to the lines."""
    build(origin.url).write(MANY)
    (asked,) = origin.requests
    assert asked.headers["content-encoding"] == "gzip"
    assert asked.headers["content-type"].startswith("text/plain")
    lines = gzip.decompress(asked.body)
    assert lines.startswith(b"exposure_score,tenant=contoso score=0.5 1700000000000\n")
    assert lines.count(b"\n") == len(MANY)
    assert len(asked.body) * 5 < len(lines)


def test_what_fits_in_a_packet_goes_as_it_is(build: Build, origin: Origin) -> None:
    """A few lines, and a question without any, are sent in plain text."""
    sink = build(origin.url)
    sink.write(ONE)
    sink.write(columns([]))
    assert encodings(origin) == ["as it is"] * 2


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "influx.localhost", "[::1]"])
def test_on_this_machine_bodies_go_as_they_are(host: str) -> None:
    """Where no network lies between, compressing would spare nothing."""
    http = Http()
    sink = V1("main", Influx(api="v1", url=f"http://{host}:8086", database="exposure"), http)
    assert sink.server.body(b"line\n" * 1000).packed is None
    http.close()


def test_influxdb_stores_what_came_compressed(influxd: Influxd, database: str, afar: Callable[[str], str]) -> None:
    """InfluxDB 1.6.7 takes gzip, and refuses a bad point among the lines as ever."""
    http = Http()
    sink = V1("main", Influx(api="v1", url=afar(influxd.url), database=database), http)
    sink.write(MANY)
    assert len(influxd.points("exposure_score", database)) == len(MANY)
    bad = Point(Series("exposure_score", (("tenant", "bad"),)), SLOT, {"score": 5})
    with pytest.raises(Rejected, match="conflict"):
        sink.write(columns([*(row.point for row in MANY.rows()), bad]))
    assert sink.server.packing.wanted
    http.close()


def test_victoria_metrics_stores_what_came_compressed(victoria: Victoria, afar: Callable[[str], str]) -> None:
    """VictoriaMetrics takes gzip by the v2 API."""
    http = Http()
    sink = V2("main", Influx(url=afar(victoria.url), org="o", bucket="b"), http)
    series = Series("compressed_score", (("tenant", "contoso"),))
    sink.write(columns(Point(series, SLOT + n * 1000, {"score": n + 0.5}) for n in range(200)))
    stored = victoria.query("compressed_score_score")
    assert [(row["time"], row["value"]) for row in stored] == [(SLOT + n * 1000, n + 0.5) for n in range(200)]
    http.close()


@pytest.mark.parametrize("status", [200, 302, 400, 403, 406, 408, 411, 415, 422, 500, 501, 502, 504])
def test_a_server_that_refuses_the_encoding_gets_its_lines_as_they_are(
    status: int, build: Build, origin: Origin
) -> None:
    """Whatever it, or a proxy before it, says to gzip: the same lines go in plain text, and so does all after them."""

    def talk(asked: Request, _: object) -> Reply:
        return Reply(b"unable to parse '\x1f'", status) if "content-encoding" in asked.headers else STORED

    origin.talk = talk
    sink = build(origin.url)
    sink.write(MANY)
    assert encodings(origin) == ["gzip", "as it is"]
    sink.write(MANY)
    assert encodings(origin) == ["as it is"]


def test_a_connection_that_breaks_at_the_first_compressed_body_is_a_refusal_too(build: Build, origin: Origin) -> None:
    """Something on the way that says nothing and hangs up is believed when it lets the same lines pass."""
    origin.talk = lambda asked, _: None if "content-encoding" in asked.headers else STORED
    sink = build(origin.url)
    for _ in range(2):
        sink.write(MANY)
    assert encodings(origin) == ["gzip", "as it is", "as it is"]


@pytest.mark.parametrize("reply", [*(Reply(status=status) for status in (408, 429, 500, 502, 503, 504)), None])
def test_an_outage_of_a_server_that_takes_gzip_is_asked_once_and_changes_nothing(
    reply: Reply | None, build: Build, origin: Origin
) -> None:
    """A server that is down or busy isn't asked twice, and gets compressed bodies again when it is back."""
    sink = build(origin.url)
    sink.write(MANY)
    origin.talk = lambda *_: reply
    with pytest.raises(Unavailable):
        sink.write(MANY)
    origin.talk = lambda *_: STORED
    sink.write(MANY)
    assert encodings(origin) == ["gzip"] * 3


@pytest.mark.parametrize("reply", [Reply(status=503), Reply(status=500), None])
def test_a_server_that_is_down_at_first_is_no_refusal(reply: Reply | None, build: Build, origin: Origin) -> None:
    """A service that starts before its server compresses once that is there."""
    sink = build(origin.url)
    origin.talk = lambda *_: reply
    with pytest.raises(Unavailable):
        sink.write(MANY)
    origin.requests.clear()
    origin.talk = lambda *_: STORED
    sink.write(MANY)
    assert encodings(origin) == ["gzip"]


def test_what_is_refused_either_way_is_refused_for_its_lines(build: Build, origin: Origin) -> None:
    """The words are those about plain lines, and the server still gets gzip: it refused the points."""
    origin.talk = lambda asked, _: Reply(b"zipped" if "content-encoding" in asked.headers else b"field type", 400)
    sink = build(origin.url)
    with pytest.raises(Rejected, match="field type"):
        sink.write(MANY)
    origin.talk = lambda *_: STORED
    sink.write(MANY)
    assert encodings(origin) == ["gzip", "as it is", "gzip"]


def test_what_is_done_meanwhile_is_done_once(build: Build, origin: Origin) -> None:
    """However often the lines are sent, what waits for its turn while they are on their way has one."""
    origin.talk = lambda asked, _: Reply(status=415) if "content-encoding" in asked.headers else STORED
    done: list[int] = []
    build(origin.url).prepare(MANY)(lambda: done.append(len(origin.requests)))
    assert len(done) == 1
