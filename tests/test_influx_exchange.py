"""The sinks: what goes over the wire, by whose hands, and within which time."""

import gc
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import urllib3
from columns import columns
from origins import Authority, Origin, Reply, Request

from collector.batch import NO_ROWS
from collector.errors import Unauthorized, Unavailable
from collector.http import Http
from collector.influx import V1, V2, open_sink
from collector.point import Point, Series
from collector.settings import Influx, Secret

POINTS = [Point(Series("exposure_score", (("tenant", "contoso"),)), 1700000000123, {"score": 33.5})]
LINE = b"exposure_score,tenant=contoso score=33.5 1700000000123\n"
SETTINGS: dict[str, dict[str, Any]] = {
    "v1": {"api": "v1", "database": "my db&=ä"},
    "v2": {"api": "v2", "org": "my org&=ä", "bucket": "my bucket&=ä"},
}
SIGNED: dict[str, dict[str, Any]] = {"v1": {"username": "collector", "password": None}, "v2": {"token": None}}
SECRET = Secret("secret", inline="s3cret")
STORED = Reply(status=204)

Build = Callable[..., V1 | V2]
"""Returns a sink at a URL; the secret, the ca_file and more settings can be named."""


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(name="api", params=SETTINGS)
def _api(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="build")
def _build(api: str) -> Iterator[Build]:
    opened: list[Http] = []

    def build(url: str, secret: Secret | None = SECRET, ca_file: Path | None = None, **more: Any) -> V1 | V2:
        opened.append(Http(ca_file))
        signed = SIGNED[api] if secret else {}
        signed = {key: value or secret for key, value in signed.items()}
        return open_sink("main", Influx(url=url, **SETTINGS[api], **signed, **more), opened[-1])

    yield build
    for http in opened:
        http.close()


@pytest.fixture(name="origin")
def _origin() -> Iterator[Origin]:
    with Origin(lambda *_: STORED) as origin:
        yield origin


def test_a_write_is_a_post_of_lines(api: str, build: Build, origin: Origin) -> None:
    """Lines go out as plain text, with database or bucket by name, and the precision of their times."""
    build(f"{origin.url}/influx").write(columns(POINTS))
    (asked,) = origin.requests
    targets = {
        "v1": "/influx/write?db=my+db%26%3D%C3%A4&precision=ms",
        "v2": "/influx/api/v2/write?org=my+org%26%3D%C3%A4&bucket=my+bucket%26%3D%C3%A4&precision=ms",
    }
    assert (asked.method, asked.target, asked.body) == ("POST", targets[api], LINE)
    assert asked.headers["content-type"].startswith("text/plain")


def test_a_retention_policy_is_named_in_the_write(origin: Origin) -> None:
    """A retention policy of the settings is asked for; without one the database's default stands."""
    settings = Influx(api="v1", url=origin.url, database="exposure", retention_policy="two years")
    http = Http()
    sink = open_sink("main", settings, http)
    sink.write(columns(POINTS))
    http.close()
    assert origin.requests[0].target == "/write?db=exposure&rp=two+years&precision=ms"
    assert sink.target == f"v1 {origin.url}/ database exposure, retention policy two years"


def test_asking_sends_a_comment(build: Build, origin: Origin) -> None:
    """A write without points sends a line that stores nothing, so that the server still looks at all the rest."""
    build(origin.url).write(NO_ROWS)
    assert origin.requests[0].body.startswith(b"#")


def test_a_sink_says_what_it_is(api: str, build: Build) -> None:
    """A sink has its name, its target without secrets, and the filters of the settings."""
    sink = build("http://influx:8086/prefix/", measurements=["*_daily"], tenants=["contoso"])
    assert (sink.name, sink.measurements, sink.tenants) == ("main", ("*_daily",), ("contoso",))
    targets = {
        "v1": "v1 http://influx:8086/prefix/ database my db&=ä",
        "v2": "v2 http://influx:8086/prefix/ bucket my bucket&=ä of organization my org&=ä",
    }
    assert sink.target == targets[api]


def test_a_renewed_secret_is_used_at_the_next_write(api: str, build: Build, origin: Origin, tmp_path: Path) -> None:
    """A secret's file is read anew for each write, so a renewed token needs no restart."""
    file = tmp_path / "secret"
    sink = build(origin.url, Secret("secret", file=file))
    for secret in ("old", "new"):
        file.write_text(secret)
        sink.write(columns(POINTS))
    signed = {
        "v1": ["Basic Y29sbGVjdG9yOm9sZA==", "Basic Y29sbGVjdG9yOm5ldw=="],
        "v2": ["Token old", "Token new"],
    }
    assert [asked.headers["authorization"] for asked in origin.requests] == signed[api]


def test_a_secret_that_is_gone_keeps_the_points(build: Build, origin: Origin, tmp_path: Path) -> None:
    """A secret's file that is missing is Unauthorized, and nothing is sent without it."""
    with pytest.raises(Unauthorized, match="gone"):
        build(origin.url, Secret("secret", file=tmp_path / "gone")).write(columns(POINTS))
    assert origin.requests == []


def test_no_secret_sends_no_sign_in(build: Build, origin: Origin) -> None:
    """A sink without token or user signs nothing."""
    build(origin.url, None).write(columns(POINTS))
    assert "authorization" not in origin.requests[0].headers


def test_the_secret_is_in_no_log_and_no_object(
    build: Build, origin: Origin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A secret is kept nowhere: not in a log, even a library's at the debug level, and not in what a sink holds."""
    for name in ("", "influxdb_client.client.http", "influxdb_client.client.exceptions", "httpcore", "urllib3"):
        caplog.set_level(logging.DEBUG, name)
    (tmp_path / "secret").write_text("s3cret")
    sink = build(origin.url, Secret("secret", file=tmp_path / "secret"))
    sink.write(columns(POINTS))
    origin.talk = lambda *_: Reply(b"no", 401)
    with pytest.raises(Unauthorized) as caught:
        sink.write(columns(POINTS))
    shown = [caplog.text, repr(caught.value), *held(sink, set())]
    assert sink.target in shown
    assert not any(secret in text for text in shown for secret in ("s3cret", "Y29sbGVjdG9yOnMzY3JldA"))


def held(thing: object, seen: set[int]) -> Iterator[str]:
    """Yield each text that can be reached from `thing`."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, str | bytes):
        yield thing if isinstance(thing, str) else thing.decode("latin-1")
    elif isinstance(thing, Mapping):
        for pair in thing.items():
            yield from held(pair, seen)
    elif isinstance(thing, list | tuple | set | frozenset):
        for each in thing:
            yield from held(each, seen)
    elif not isinstance(thing, type):
        yield from held(getattr(thing, "__dict__", {}), seen)
        yield from held([getattr(thing, name, None) for name in getattr(thing, "__slots__", ())], seen)


def test_the_library_opens_no_connection_of_its_own(
    build: Build, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """influxdb_client makes the request, but every connection is the collector's, with its deadline and its proxy."""

    def opened(*_: object, **__: object) -> None:
        raise AssertionError("urllib3 was asked")

    monkeypatch.setattr(urllib3.PoolManager, "request", opened)
    monkeypatch.setattr(urllib3.PoolManager, "urlopen", opened)
    monkeypatch.setattr(urllib3.HTTPConnectionPool, "urlopen", opened)
    sink = build(origin.url)
    for _ in range(3):
        sink.write(columns(POINTS))
    assert (len(origin.requests), origin.connections) == (3, 1)


def test_a_sink_that_is_dropped_leaves_nothing_behind(build: Build, origin: Origin) -> None:
    """A sink that is no longer used ends without a warning, a thread or a request of its own."""
    sink = build(origin.url)
    sink.write(columns(POINTS))
    before = set(threading.enumerate())
    del sink
    gc.collect()
    assert set(threading.enumerate()) <= before
    assert len(origin.requests) == 1


def test_an_answer_that_drips_ends_in_time(build: Build, origin: Origin) -> None:
    """A server that sends a byte now and then holds a write no longer than the timeout, which is total."""

    def drip(_: Request, connection: Any) -> None:
        for byte in b"HTTP/1.1 204 No Content\r\nX-Long: " + b"x" * 2000:
            connection.sendall(bytes([byte]))
            time.sleep(0.02)

    origin.talk = drip
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"within 0\.4 s"):
        build(origin.url, timeout_seconds=0.4).write(columns(POINTS))
    assert time.monotonic() - began < 5


def test_a_broken_connection_is_unavailable(build: Build, origin: Origin) -> None:
    """A connection that ends without an answer keeps the points."""
    origin.talk = lambda *_: None
    with pytest.raises(Unavailable) as caught:
        build(origin.url).write(columns(POINTS))
    assert type(caught.value) is Unavailable


def test_https_with_an_authority_of_ones_own(build: Build, tmp_path: Path) -> None:
    """A server whose certificate comes from the authority in ca_file is written to over TLS."""
    authority = Authority(tmp_path)
    with Origin(lambda *_: STORED, authority.context()) as origin:
        build(origin.url, ca_file=authority.pem).write(columns(POINTS))
    assert origin.requests[0].body == LINE


def test_https_with_an_authority_that_nobody_trusts(build: Build, tmp_path: Path) -> None:
    """A certificate that isn't trusted is Unauthorized, names ca_file, and the token is not sent."""
    with (
        Origin(lambda *_: STORED, Authority(tmp_path).context()) as origin,
        pytest.raises(Unauthorized, match="certificate") as caught,
    ):
        build(origin.url).write(columns(POINTS))
    assert "ca_file" in caught.value.mend
    assert origin.requests == []


def test_a_write_goes_by_the_proxy_of_the_environment(
    build: Build, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write over HTTP goes by the proxy that HTTP_PROXY names."""
    monkeypatch.setenv("HTTP_PROXY", origin.url)
    build("http://influx.invalid:8086").write(columns(POINTS))
    (asked,) = origin.requests
    assert asked.target.startswith("http://influx.invalid:8086/")
    assert asked.body == LINE


def test_a_write_over_tls_asks_the_proxy_for_a_tunnel(
    build: Build, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write over HTTPS asks the proxy that HTTPS_PROXY names for a tunnel; a refusal there keeps the points."""
    monkeypatch.setenv("HTTPS_PROXY", origin.url)
    origin.talk = lambda *_: Reply(b"no", 403)
    with pytest.raises(Unauthorized, match=r"influx\.invalid:8086 by the proxy 127\.0\.0\.1"):
        build("https://influx.invalid:8086").write(columns(POINTS))
    (asked,) = origin.requests
    assert (asked.method, asked.target) == ("CONNECT", "influx.invalid:8086")
    assert "authorization" not in asked.headers


def test_a_sink_of_1x_does_without_the_client_of_2x() -> None:
    """A sink of 1.x never loads influxdb_client, and one of 2.x only at its first write."""
    program = (
        "import sys; from collector.http import Http; from collector.influx import open_sink; "
        "from collector.settings import Influx; http = Http(); "
        "open_sink('a', Influx(api='v1', url='http://h', database='d'), http).target; "
        "open_sink('b', Influx(api='v2', url='http://h', bucket='b'), http).target; "
        "print('influxdb_client' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
