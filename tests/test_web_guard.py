"""The pages' guard: own paths alone, strict headers on every answer, a checked Host, bounded requests, a token."""

import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from leaks import know, want_none
from test_web import Known

from collector.errors import Unauthorized
from collector.web import Web, serving
from collector.web.guard import HEADERS

TOKEN = know("the token of the pages, ä")


@pytest.fixture
def web() -> Iterator[Web]:
    """The pages, which allow the name a.test."""
    web = Web("127.0.0.1", 0, ("a.test",), Known())
    web.start()
    yield web
    web.stop()


@pytest.fixture
def pages(web: Web) -> Iterator[httpx.Client]:
    """A client of the pages."""
    with httpx.Client(base_url=web.url, trust_env=False) as client:
        yield client


@pytest.fixture
def guarded() -> Iterator[httpx.Client]:
    """A client of pages that want a token."""
    web = Web("127.0.0.1", 0, (), Known(), lambda: TOKEN)
    web.start()
    with httpx.Client(base_url=web.url, trust_env=False) as client:
        yield client
    web.stop()


def connected(web: Web, sent: bytes = b"") -> socket.socket:
    """Return a connection on which so much was sent."""
    host, port = web.url.removeprefix("http://").rstrip("/").split(":")
    connection = socket.create_connection((host, int(port)), timeout=20)
    connection.sendall(sent)
    return connection


def answer(web: Web, sent: bytes) -> bytes:
    """Return all that is answered to these bytes, to the end of the connection."""
    with connected(web, sent) as connection:
        return to_the_end(connection)


def to_the_end(connection: socket.socket) -> bytes:
    """Say that nothing more will come, and return all that still does."""
    connection.shutdown(socket.SHUT_WR)
    found = b""
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            found += part
    want_none("a page", found)
    return found


@pytest.mark.parametrize(
    "host", ["127.0.0.1:9470", "localhost", "LOCALHOST:1", "[::1]:9470", "10.2.3.4:9470", "a.test"]
)
def test_a_host_that_is_ours_is_served(pages: httpx.Client, host: str) -> None:
    """Addresses, localhost, and names that the settings allow."""
    assert pages.get("/livez", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "a.test.evil", "", "[", "localhost@evil", "e@localhost", "localhost/x"],
)
def test_a_host_that_is_not_ours_is_refused(pages: httpx.Client, host: str) -> None:
    """A page elsewhere that has its own name resolve to this machine gets nothing."""
    answer = pages.get("/metrics", headers={"Host": host})
    assert answer.status_code == 400
    assert "defender" not in answer.text


def strict(answer: httpx.Response) -> bool:
    """Whether an answer has every header that it must have, and does not say what serves it."""
    return all(answer.headers.get_list(name) == [value] for name, value in HEADERS) and "server" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/livez", 200),
        ("HEAD", "/metrics", 200),
        ("GET", "/readyz?verbose", 200),
        ("POST", "/metrics", 405),
        ("OPTIONS", "/metrics", 405),
        ("DELETE", "/livez", 405),
        ("BREW", "/livez", 405),
        ("GET", "/other", 404),
        ("POST", "/", 405),
        ("GET", "/index.html", 404),
        ("GET", "/livez/", 404),
        ("GET", "/%2flivez", 404),
        ("GET", "/./livez", 200),  # as the client sends it: /livez
        ("GET", "/metrics/..%2flivez", 404),
        ("GET", "/%2e%2e/etc/passwd", 404),
        ("GET", "/livez%00", 404),
        ("GET", "/LIVEZ", 404),
    ],
)
def test_own_paths_alone_are_served_and_only_read(pages: httpx.Client, method: str, path: str, status: int) -> None:
    """There is nothing to post and no other page; every answer forbids to be framed, kept, guessed at or told on."""
    found = pages.request(method, path)
    assert (found.status_code, strict(found)) == (status, True)
    assert (found.headers.get("Allow") is not None) == (status == 405)
    assert "Location" not in found.headers


def test_a_host_that_is_refused_gets_the_headers_too(pages: httpx.Client) -> None:
    """Also who is turned away."""
    found = pages.get("/metrics", headers={"Host": "evil.example"})
    assert (found.status_code, strict(found)) == (400, True)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /metrics HTTP/1.1\r\n\r\n",
        b"GET /metrics HTTP/1.0\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"GET http://evil.example/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"GET /met rics HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /metrics HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n" + b"X: x\r\n" * 10_000 + b"\r\n",
        b"GET /" + b"m" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 100 + b"\r\n\r\n",
    ],
)
def test_what_is_no_plain_request_of_ours_gets_nothing(web: Web, request_bytes: bytes) -> None:
    """No Host, two, another's; a smuggler's lengths; headers without end: refused, and nothing of the facts is told."""
    found = answer(web, request_bytes)
    status = found.split(b" ", 2)[1:2]
    assert status in ([], [b"400"], [b"404"], [b"431"])
    assert b"defender" not in found
    for name, value in HEADERS if status else ():
        assert f"{name}: {value}".lower().encode() in found.lower()
    assert httpx.get(f"{web.url}livez", trust_env=False).text == "ok\n"


def test_a_body_is_not_waited_for(web: Web) -> None:
    """Whoever sends one gets the answer at once, and what follows it is never the next request."""
    head = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n"
    with connected(web, head + b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n") as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        assert b"defender" not in to_the_end(connection)


def test_a_request_has_to_arrive_in_time(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that dawdles, before its first request or after an answer, is closed."""
    monkeypatch.setattr(serving, "_REQUEST_SECONDS", 0.3)
    whole = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for sent in (b"", b"GET /liv", whole + b"GET /li"):
        with connected(web, sent) as connection:
            end = time.monotonic() + 20
            with suppress(ConnectionResetError):
                while connection.recv(65536):
                    assert time.monotonic() < end


def test_connections_that_only_stand_open_shut_nobody_out(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many wait, who asks gets an answer: the oldest that waits makes room."""
    monkeypatch.setattr(serving, "_CONNECTIONS", 20)
    waiting = [connected(web, b"GET /li") for _ in range(60)]
    try:
        assert httpx.get(f"{web.url}livez", trust_env=False).text == "ok\n"
        waiting[0].settimeout(10)
        with suppress(ConnectionResetError):
            assert waiting[0].recv(1) == b""
    finally:
        for connection in waiting:
            connection.close()


def test_without_the_token_only_the_probes_are_answered(guarded: httpx.Client) -> None:
    """What restarts or routes asks freely; scores and group names are for who brings the token, however it can."""
    assert (guarded.get("/livez").status_code, guarded.get("/readyz").status_code) == (200, 200)
    for path in ("/metrics", "/", "/other", "/livez/"):
        found = guarded.get(path)
        assert (found.status_code, strict(found)) == (401, True)
        assert "Bearer" in found.headers["WWW-Authenticate"]
        assert TOKEN not in found.text
    bearer = [(b"Authorization", f"Bearer {TOKEN}".encode())]
    assert guarded.get("/metrics", headers=bearer).status_code == 200
    assert guarded.get("/metrics", auth=httpx.BasicAuth("anybody", TOKEN)).status_code == 200
    assert guarded.get("/other", headers=bearer).status_code == 404


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-4]}", "Basic !!", "Basic eA==", TOKEN],
)
def test_another_token_is_none(guarded: httpx.Client, authorization: str) -> None:
    """Nothing, half of it, more than it, or no such thing at all."""
    found = guarded.get("/metrics", headers=[(b"Authorization", authorization.encode())])
    assert found.status_code == 401


def test_a_token_that_can_not_be_read_lets_nobody_in() -> None:
    """The file of the token is gone: the pages say so, the probes answer, and a renewed file counts at once."""
    there = threading.Event()

    def read() -> str:
        if not there.is_set():
            raise Unauthorized("web.token_file: gone", mend="put it there")
        return "new"

    web = Web("127.0.0.1", 0, (), Known(), read)
    web.start()
    with httpx.Client(base_url=web.url, trust_env=False, headers={"Authorization": "Bearer new"}) as client:
        assert client.get("/metrics").status_code == 503
        assert client.get("/livez").status_code == 200
        there.set()
        assert client.get("/metrics").status_code == 200
    web.stop()


_PARTS = [b"GET ", b"POST ", b"/livez", b"/metrics", b" HTTP/1.1", b"\r\n", b"Host: ", b"localhost", b"\r\n\r\n"]
_BYTES = st.lists(st.one_of(st.sampled_from(_PARTS), st.binary(max_size=12)), max_size=14).map(b"".join)


@pytest.fixture(scope="module")
def lasting() -> Iterator[Web]:
    """Pages that many requests are tried on."""
    web = Web("127.0.0.1", 0, (), Known())
    web.start()
    yield web
    web.stop()


@given(_BYTES)
@settings(max_examples=150, deadline=None)
def test_whatever_bytes_come_the_pages_live(lasting: Web, sent: bytes) -> None:
    """No bytes end the server, and none but a whole request of ours get facts."""
    found = answer(lasting, sent)
    if b"defender" in found:
        assert b"GET /metrics" in sent
        assert b"Host" in sent
    if random.Random(sent).random() < 0.1:  # noqa: S311 - now and then
        assert httpx.get(f"{lasting.url}livez", trust_env=False).text == "ok\n"
