"""collector.http: what a server says beyond the end of an answer is never the answer to another request."""

import socket
import threading
from collections.abc import Iterator

import pytest
from columns import columns
from origins import Authority, Origin, Reply, Request

from collector.errors import Unavailable
from collector.http import Http, transport
from collector.influx import open_sink
from collector.point import Point, Series
from collector.settings import Influx

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmine"
FORGED = b"HTTP/1.1 204 No Content\r\n\r\n"
POINT = Point(Series("exposure_score", (("tenant", "contoso"),)), 1_700_000_000_000, {"score": 5.5})


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture(name="http")
def _http(authority: Authority) -> Iterator[Http]:
    http = Http(authority.pem)
    yield http
    http.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "pieces",
    [
        [ANSWER + FORGED],
        [ANSWER, FORGED],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nmine\r\n0\r\n\r\n" + FORGED],
        [ANSWER + b"HTTP/1.1 204 No Content\r\nX-Rest: "],
        [ANSWER + b"\r\n"],
        [ANSWER + b"garbage"],
    ],
    ids=["at once", "in pieces", "after chunks", "a head's first half", "an empty line", "no HTTP"],
)
def test_bytes_beyond_an_answer_are_not_the_next_answer(
    http: Http, authority: Authority, pieces: list[bytes], scheme: str
) -> None:
    """An answer forged behind a true one is given to nobody: the next request gets its own, on a new connection."""
    sent, asked = threading.Event(), threading.Event()

    def talk(request: Request, connection: socket.socket) -> Reply | None:
        if request.target != "/first":
            return Reply(b"own")
        for piece in pieces:
            connection.sendall(piece)
        sent.set()
        asked.wait(10)
        return None

    with Origin(talk, authority.context() if scheme == "https" else None) as origin:
        assert http.send("GET", f"{origin.url}/first", seconds=10).body == b"mine"
        assert sent.wait(10)
        second = http.send("GET", f"{origin.url}/second", seconds=10)
        asked.set()
        assert (second.status, second.body) == (200, b"own")
        assert origin.connections > 1


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_sound_connection_serves_again(http: Http, authority: Authority, scheme: str) -> None:
    """Answers that end where they say share one connection, with a body and without."""
    replies = [Reply(b"x" * 40000), Reply(status=204), Reply(b"")] * 3
    with Origin(lambda *_: replies.pop(0), authority.context() if scheme == "https" else None) as origin:
        for _ in range(len(replies)):
            http.send("GET", origin.url, seconds=10)
        assert origin.connections == 1


def test_where_it_can_not_be_told_no_connection_serves_twice(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the parser hide what it holds, each request gets a connection of its own rather than a doubtful one."""

    class Strange:
        stream = object()

    real = transport._goes_on
    monkeypatch.setattr(transport, "_goes_on", lambda _: real(Strange()))  # type: ignore[arg-type]
    with Origin(lambda *_: Reply(b"own")) as origin:
        assert [http.send("GET", origin.url, seconds=10).body for _ in range(3)] == [b"own"] * 3
        assert origin.connections == 3


def test_a_sink_is_not_told_stored_by_an_earlier_answer(http: Http) -> None:
    """A 204 that came behind the answer to one write does not pass for the answer to the next, which failed."""

    def talk(_: Request, connection: socket.socket) -> Reply | None:
        if len(origin.requests) > 1:
            return Reply(status=503)
        connection.sendall(FORGED + FORGED)
        return None

    with Origin(talk) as origin:
        sink = open_sink("main", Influx(api="v1", url=origin.url, database="exposure"), http)
        sink.write(columns([POINT]))
        with pytest.raises(Unavailable, match="503"):
            sink.write(columns([POINT]))
