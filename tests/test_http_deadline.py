"""collector.http: a timeout is total, in every part of an exchange and for each thread its own."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, Self

import pytest
from origins import Authority, Origin, Reply, Request, Talk, crowded

from collector.errors import Unavailable
from collector.http import Http

SECONDS = 0.4
LATE = 5.0
"""Seconds in which an exchange of SECONDS has to be over on a slow machine; a dripping server would take minutes."""


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture(name="http")
def _http() -> Iterator[Http]:
    http = Http()
    yield http
    http.close()


@pytest.fixture(name="authority", scope="module")
def _authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(name="trusting")
def _trusting(authority: Authority) -> Iterator[Http]:
    http = Http(authority.pem)
    yield http
    http.close()


@contextlib.contextmanager
def ends_in_time() -> Iterator[None]:
    """Hold that what is done inside is Unavailable for want of time, and in time."""
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"within 0\.4 s"):
        yield
    assert SECONDS / 2 < time.monotonic() - began < LATE


def resolve(monkeypatch: pytest.MonkeyPatch, ports: Sequence[int]) -> None:
    """Make every name under .invalid have these ports of loopback as its addresses."""
    real = socket.getaddrinfo
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]

    def fake(host: str, *more: Any, **named: Any) -> Any:
        return found if host.endswith(".invalid") else real(host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", fake)


def fail(http: Http, url: str, seconds: float) -> None:
    """Ask what won't be answered."""
    with pytest.raises(Unavailable):
        http.send("GET", url, seconds=seconds)


def drip(answer: bytes) -> Talk:
    """Return a talk that sends a byte every 20 ms."""

    def talk(_: Request, connection: socket.socket) -> None:
        for byte in answer:
            connection.sendall(bytes([byte]))
            time.sleep(0.02)

    return talk


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 " + b"O" * 9000,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 9000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 9000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"x" * 9000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 9000,
    ],
    ids=["status", "headers", "continues", "body", "chunks"],
)
def test_an_answer_that_drips_ends_at_the_deadline(http: Http, answer: bytes) -> None:
    """A server that sends a byte now and then holds nobody past the timeout, in whichever part of its answer."""
    with Origin(drip(answer)) as origin, ends_in_time():
        http.send("GET", origin.url, seconds=SECONDS)


def test_an_answer_that_drips_over_tls_ends_at_the_deadline(trusting: Http, authority: Authority) -> None:
    """The same behind TLS, where a record may drip as well as a body."""
    body = b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"x" * 9000
    with Origin(drip(body), authority.context()) as origin, ends_in_time():
        trusting.send("GET", origin.url, seconds=SECONDS)


def test_a_server_that_never_answers_ends_at_the_deadline(http: Http) -> None:
    """A server that takes the request and says nothing holds nobody past the timeout."""
    never = threading.Event()

    def hang(*_: object) -> None:
        never.wait(30)

    with Origin(hang) as origin:
        with ends_in_time():
            http.send("GET", origin.url, seconds=SECONDS)
        never.set()


def test_a_host_that_takes_no_connection_ends_at_the_deadline(http: Http) -> None:
    """Connecting ends with the timeout."""
    with crowded() as port, ends_in_time():
        http.send("GET", f"http://127.0.0.1:{port}/", seconds=SECONDS)


def test_a_host_with_many_dead_addresses_ends_at_the_deadline(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many addresses a name has, connecting ends with the one timeout."""
    with contextlib.ExitStack() as stack:
        resolve(monkeypatch, [stack.enter_context(crowded()) for _ in range(5)])
        with ends_in_time():
            http.send("GET", "http://many.invalid/", seconds=SECONDS)


def test_a_dead_address_leaves_time_for_the_one_that_lives(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a name's first address is dead (a broken IPv6 route, say), the next is tried in time."""
    with crowded() as dead, Origin(lambda *_: Reply(b"here")) as origin:
        resolve(monkeypatch, [dead, origin.port])
        assert http.send("GET", "http://two.invalid/", seconds=1).body == b"here"


def test_a_tls_handshake_that_hangs_ends_at_the_deadline(http: Http) -> None:
    """A server that takes a connection and answers no handshake holds nobody past the timeout."""
    with Silent() as silent, ends_in_time():
        http.send("GET", silent.url, seconds=SECONDS)


def test_a_tls_handshake_that_drips_ends_at_the_deadline(http: Http) -> None:
    """Nor does one whose handshake comes byte by byte."""
    with Silent(b"\x16\x03\x03\x40\x00" + b"\x02" * 9000) as silent, ends_in_time():
        http.send("GET", silent.url, seconds=SECONDS)


def test_a_server_that_reads_nothing_ends_at_the_deadline(http: Http) -> None:
    """Sending ends with the timeout too, also when the other side takes a little now and then."""
    with Silent() as silent, ends_in_time():
        url = silent.url.replace("https", "http")
        http.send("POST", url, seconds=SECONDS, content=b"x" * 50_000_000)


def test_one_servers_hanging_handshake_delays_no_other(trusting: Http, authority: Authority) -> None:
    """While one server hangs in its handshake, exchanges with every other go on through the same Http."""
    with Silent() as silent, Origin(lambda *_: Reply(b"well"), authority.context()) as origin:
        hanging = threading.Thread(target=fail, args=(trusting, silent.url, 8))
        hanging.start()
        assert silent.greeted.wait(5)
        assert trusting.send("GET", origin.url, seconds=5).body == b"well"
        assert hanging.is_alive()
        silent.hang_up()
        hanging.join()


def test_each_thread_has_a_deadline_of_its_own(http: Http) -> None:
    """Two threads that share one Http and one slow server end each at its own time."""
    ended: dict[float, float] = {}
    began = time.monotonic()

    def ask(url: str, seconds: float) -> None:
        with pytest.raises(Unavailable, match=f"within {seconds:.3g} s"):
            http.send("GET", url, seconds=seconds)
        ended[seconds] = time.monotonic() - began

    with Origin(drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"x" * 9000)) as origin:
        threads = [threading.Thread(target=ask, args=(origin.url, seconds)) for seconds in (0.3, 1.2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert ended[0.3] + 0.4 < ended[1.2] < LATE


def test_waiting_for_a_free_connection_ends_at_the_deadline() -> None:
    """When every connection is in use, waiting for one ends with the timeout."""
    http = Http(connections=1)
    with Origin(drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"x" * 9000)) as origin:
        first = threading.Thread(target=fail, args=(http, origin.url, 3 * LATE))
        first.start()
        while not origin.requests:
            time.sleep(0.01)
        with ends_in_time():
            http.send("GET", origin.url, seconds=SECONDS)
        assert first.is_alive()
    first.join()
    http.close()


def test_no_time_at_all_asks_nothing(http: Http) -> None:
    """An exchange without a second left sends nothing and is Unavailable."""
    with Origin(lambda *_: Reply()) as origin:
        for seconds in (0.0, -1.0):
            with pytest.raises(Unavailable):
                http.send("GET", origin.url, seconds=seconds)
        assert origin.requests == []


class Silent:
    """Takes connections and never reads; sends `words`, a byte every 20 ms. `greeted` is set with the first."""

    def __init__(self, words: bytes = b"") -> None:
        self.greeted = threading.Event()
        self._words = words
        self._stack = contextlib.ExitStack()
        self._server = self._stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.url = f"https://127.0.0.1:{self._server.getsockname()[1]}/"
        self._connection: socket.socket | None = None
        self._thread = threading.Thread(target=self._take, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        self._thread.join(5)
        self._stack.close()

    def hang_up(self) -> None:
        """End the connection that was taken."""
        if self._connection:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)

    def _take(self) -> None:
        with contextlib.suppress(OSError):
            self._connection = self._stack.enter_context(self._server.accept()[0])
            self.greeted.set()
            for byte in self._words:
                self._connection.sendall(bytes([byte]))
                time.sleep(0.02)
