"""collector.http: one exchange, its size, its words."""

import gzip
import socket
import time
import tracemalloc
import zlib
from collections.abc import Iterator

import httpx
import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from origins import Origin, Reply, Request

from collector.errors import BadResponse, Unauthorized, Unavailable
from collector.http import MAX_BODY, MAX_RETRY_AFTER, Answer, Http


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture(name="http")
def _http() -> Iterator[Http]:
    http = Http()
    yield http
    http.close()


def echo(request: Request, _: socket.socket) -> Reply:
    """Answer with the body that came."""
    return Reply(request.body)


def test_an_exchange_brings_status_headers_and_body(http: Http) -> None:
    """Whatever the status, the whole answer comes back; and no header but these is sent."""
    with Origin(lambda *_: Reply(b"so", 418, {"X-Word": "tea"})) as origin:
        answer = http.send("POST", f"{origin.url}/pot?full=1", seconds=5, headers={"X-Mine": "ü"}, content=b"water")
    assert (answer.status, answer.headers["x-word"], answer.body, answer.text) == (418, "tea", b"so", "so")
    [request] = origin.requests
    assert (request.method, request.target, request.body) == ("POST", "/pot?full=1", b"water")
    assert request.headers == {
        "host": f"127.0.0.1:{origin.port}",
        "accept-encoding": "gzip",
        "user-agent": "exposure-collector",
        "x-mine": "ü",
        "content-length": "5",
    }


def test_one_tenants_cookie_never_reaches_the_next_request(http: Http) -> None:
    """A cookie that one answer sets is not sent with any later request, on the same connection or another."""
    with Origin(lambda *_: Reply(headers={"Set-Cookie": "who=contoso; Path=/"})) as origin:
        for _ in range(3):
            http.send("GET", origin.url, seconds=5)
    assert [request.headers.get("cookie") for request in origin.requests] == [None] * 3
    assert origin.connections == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["/elsewhere", "http://[no-url", "//\x7f", ""])
def test_a_redirect_is_an_answer_and_is_never_followed(http: Http, status: int, location: str) -> None:
    """A redirect is handed back as it came, also when it points nowhere that can be read."""
    with Origin(lambda *_: Reply(status=status, headers={"Location": location})) as origin:
        answer = http.send("GET", f"{origin.url}/here", seconds=5)
    assert answer.status == status
    assert [request.target for request in origin.requests] == ["/here"]


def test_a_compressed_body_comes_out_whole(http: Http) -> None:
    """A gzip body is unfolded, whatever the pieces that it comes in."""
    text = b"exposure " * 50_000

    def pieces(_: Request, connection: socket.socket) -> None:
        body = gzip.compress(text)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: GZIP\r\nTransfer-Encoding: chunked\r\n\r\n")
        for start in range(0, len(body), 100):
            piece = body[start : start + 100]
            connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        connection.sendall(b"0\r\n\r\n")

    with Origin(pieces) as origin:
        assert http.send("GET", origin.url, seconds=10).body == text


@pytest.mark.parametrize(
    ("encoding", "body", "said"),
    [
        ("br", b"x", "was not asked for"),
        ("gzip, gzip", b"x", "was not asked for"),
        ("gzip", b"no gzip at all", "not the gzip"),
        ("gzip", gzip.compress(b"x" * 1000)[:-9], "ends too soon"),
        ("gzip", gzip.compress(b"x") + b"y" * 1_000_000, "goes on after its end"),
    ],
    ids=["foreign", "twice", "broken", "short", "long"],
)
def test_a_body_that_cannot_be_unfolded_is_a_bad_response(http: Http, encoding: str, body: bytes, said: str) -> None:
    """A compressed body that is foreign, broken, cut short or longer than it says is never handed on in part."""
    reply = Reply(body, headers={"Content-Encoding": encoding})
    with Origin(lambda *_: reply) as origin, pytest.raises(BadResponse, match=said):
        http.send("GET", origin.url, seconds=5)


def test_a_body_at_the_cap_comes_through_and_one_byte_more_does_not(http: Http) -> None:
    """The cap is exact, and counts what is unfolded, not what is sent."""
    for encoding in ("identity", "gzip"):
        for size in (MAX_BODY, MAX_BODY + 1):
            body = b"\0" * size if encoding == "identity" else gzip.compress(b"\0" * size, 1)
            with Origin(lambda *_, b=body, e=encoding: Reply(b, headers={"Content-Encoding": e})) as origin:
                if size == MAX_BODY:
                    assert len(http.send("GET", origin.url, seconds=30).body) == MAX_BODY
                else:
                    with pytest.raises(BadResponse, match="over 16 MiB"):
                        http.send("GET", origin.url, seconds=30)


def test_ten_gigabytes_in_ten_megabytes_stay_small_in_memory(http: Http) -> None:
    """A body of 10 MB that would unfold to 10 GB is given up at the cap: memory holds a few caps, not the body."""
    pack = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    head = pack.compress(b"\0" * (1 << 20)) + pack.flush(zlib.Z_FULL_FLUSH)
    again = pack.compress(b"\0" * (1 << 20)) + pack.flush(zlib.Z_FULL_FLUSH)
    assert len(again) * 10_000 < 11_000_000

    def bomb(_request: Request, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + head)
        for _ in range(10_000):
            connection.sendall(again)

    with Origin(bomb) as origin:
        tracemalloc.start()
        try:
            with pytest.raises(BadResponse, match="over 16 MiB"):
                http.send("GET", origin.url, seconds=30)
            assert tracemalloc.get_traced_memory()[1] < 4 * MAX_BODY
        finally:
            tracemalloc.stop()


def test_a_body_without_an_end_is_given_up_at_the_cap(http: Http) -> None:
    """A server that never stops sending is left at the cap, long before the deadline."""

    def endless(_: Request, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"\0" * 65536)

    with Origin(endless) as origin, pytest.raises(BadResponse, match="over 16 MiB"):
        http.send("GET", origin.url, seconds=60)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal",
        b"not http at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n",
    ],
)
def test_an_answer_that_breaks_off_is_asked_again_later(http: Http, answer: bytes) -> None:
    """A connection that is cut, or that speaks no HTTP, is Unavailable: half a body is never an answer."""

    def half(_: Request, connection: socket.socket) -> None:
        connection.sendall(answer)

    with Origin(half) as origin, pytest.raises(Unavailable, match=f"127.0.0.1:{origin.port}") as caught:
        http.send("GET", origin.url, seconds=5)
    assert not isinstance(caught.value, Unauthorized)


def test_a_connection_that_is_reset_midway_is_asked_again_later(http: Http) -> None:
    """A reset in the midst of a body is Unavailable."""

    def reset(_: Request, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with Origin(reset) as origin, pytest.raises(Unavailable):
        http.send("GET", origin.url, seconds=5)


def test_nobody_there_is_asked_again_later(http: Http) -> None:
    """A refused connection and a name without an address are Unavailable, and say which host and port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for host in ("127.0.0.1", "a" * 64 + ".invalid"):
        with pytest.raises(Unavailable, match=rf"{host}:{port}"):
            http.send("GET", f"http://{host}:{port}/", seconds=5)


def test_a_broken_connection_does_not_spoil_the_next_exchange(http: Http) -> None:
    """After a failure the same Http works again: nothing of it stays behind."""
    replies: list[Reply | None] = [None, Reply(b"well")]
    with Origin(lambda *_: replies.pop(0)) as origin:
        with pytest.raises(Unavailable):
            http.send("GET", origin.url, seconds=5)
        assert http.send("GET", origin.url, seconds=5).body == b"well"


@pytest.mark.parametrize("token", ["s3cret\n", "s3cret\r\nX-Evil: 1", "s3cret\0"])
def test_a_token_that_no_header_carries_is_a_persons_to_mend_and_is_not_shown(http: Http, token: str) -> None:
    """A line break in a token is Unauthorized; neither the message nor anything behind it shows the token."""
    with Origin(echo) as origin, pytest.raises(Unauthorized, match="can't carry") as caught:
        http.send("GET", origin.url, seconds=5, headers={"Authorization": f"Bearer {token}"})
    assert origin.requests == []
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "line break" in caught.value.mend


@pytest.mark.parametrize("url", ["https://me:s3cret@[::", "https://me:s3cret@h:99999/", "https://me:s3cret@h\x00/"])
def test_a_url_that_cannot_be_asked_is_a_persons_to_mend_and_is_not_shown(http: Http, url: str) -> None:
    """A URL that isn't one is Unauthorized, not a crash, and the password in it is not shown."""
    with pytest.raises(Unauthorized) as caught:
        http.send("GET", url, seconds=5)
    assert "s3cret" not in f"{caught.value} {caught.value.mend}"
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("1.5", 1.5),
        (" 30 ", 30.0),
        ("0", 0.0),
        ("-5", 0.0),
        ("86400", MAX_RETRY_AFTER),
        ("1e400", MAX_RETRY_AFTER),
        ("Wed, 01 Jul 2026 12:00:10 GMT", 10.0),
        ("Wed, 01 Jul 2026 12:00:10 -0000", 10.0),
        ("Wed, 01 Jul 2026 14:00:10 +0200", 10.0),
        ("Wed, 01 Jul 2026 11:00:00 GMT", 0.0),
        ("Wed, 01 Jul 2099 11:00:00 GMT", MAX_RETRY_AFTER),
        ("nan", None),
        ("soon", None),
        ("", None),
        ("Wed, 99 Jul 2026 12:00:10 GMT", None),
    ],
)
def test_retry_after_is_read_as_a_count_or_a_date(
    header: str, seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retry-After in seconds or as a date becomes seconds, six hours at the most; nonsense is no answer."""
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    with time_machine.travel("2026-07-01T12:00:00Z", tick=False):
        assert Answer(429, httpx.Headers({"retry-after": header}), b"").retry_after() == seconds
    monkeypatch.undo()
    time.tzset()


def test_no_retry_after_is_none() -> None:
    """Without the header, nothing was asked for."""
    assert Answer(429, httpx.Headers(), b"").retry_after() is None


@given(st.text(st.characters(codec="ascii")) | st.text("0123456789:,+- JanMonGMT", max_size=40))
def test_any_retry_after_is_read_without_a_crash(header: str) -> None:
    """Whatever a server writes there, it comes out as 0 to six hours, or as nothing."""
    seconds = Answer(429, httpx.Headers({"retry-after": header}), b"").retry_after()
    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER


def test_the_body_as_text_replaces_what_is_no_text() -> None:
    """A body that isn't UTF-8 can still be shown."""
    assert Answer(200, httpx.Headers(), b"caf\xe9").text == "caf\ufffd"
