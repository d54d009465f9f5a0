"""collector.http: what is said of a way that doesn't lead there: which host and port, by which proxy, and the mend."""

import contextlib
import errno
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from leaks import know
from origins import Authority, Origin, Reply, crowded
from servers import free_ports

from collector.errors import CollectorError, Unauthorized, Unavailable
from collector.http import Answer, Http
from collector.http.faults import Way, translated
from collector.http.streams import NoConnection
from collector.http.transport import proxy_for

PASSWORD = know("the-proxy's-s3cret")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(name="http")
def _http() -> Iterator[Http]:
    http = Http()
    yield http
    http.close()


def failure(http: Http, url: str, seconds: float = 5) -> CollectorError:
    """Return what asking there raises."""
    with pytest.raises(CollectorError) as caught:
        http.send("GET", url, seconds=seconds)
    assert PASSWORD not in f"{caught.value} {caught.value.mend}"
    return caught.value


def test_a_name_that_nobody_knows(http: Http) -> None:
    """A host without an address is named, with the port, and the mend is the name and DNS."""
    error = failure(http, "https://api.invalid:8443/path")
    assert type(error) is Unavailable
    assert str(error).startswith("api.invalid:8443: the name api.invalid is not found: ")
    assert "DNS" in error.mend


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".test"])
def test_a_name_that_no_host_can_have(http: Http, name: str) -> None:
    """A name that DNS can't carry is a name that isn't found, and no crash."""
    assert f"the name {name} is not found" in str(failure(http, f"http://{name}/"))


def test_a_port_where_nobody_listens(http: Http) -> None:
    """A refused connection is said so, with host and port."""
    [port] = free_ports(1)
    error = failure(http, f"http://127.0.0.1:{port}/")
    assert type(error) is Unavailable
    assert str(error) == f"127.0.0.1:{port}: the connection was refused"
    assert "the server runs there" in error.mend


def test_a_host_that_takes_no_connection(http: Http) -> None:
    """A connection that is never taken is said so, with the seconds that were waited."""
    with crowded() as port:
        error = failure(http, f"http://127.0.0.1:{port}/", seconds=0.3)
    assert str(error) == f"127.0.0.1:{port}: the connection was not taken within 0.3 s"
    assert "firewall" in error.mend


@pytest.mark.parametrize(
    ("code", "words", "mend"),
    [
        (errno.EHOSTUNREACH, "there is no way there: No route to host", "network"),
        (errno.ENETUNREACH, "there is no way there: Network is unreachable", "network"),
        (errno.EMFILE, "no connection: Too many open files", "host and port"),
    ],
)
def test_other_reasons_of_the_system_are_said(code: int, words: str, mend: str) -> None:
    """A route that is missing, and whatever else the system says, is told in its words."""
    error = translated(NoConnection(OSError(code, "")), Way("https://[::1]:8443/", None), 5, "ca_file")
    assert str(error) == f"[::1]:8443: {words}"
    assert mend in error.mend


def test_an_answer_that_never_comes(http: Http) -> None:
    """A server that takes the connection and is silent is told apart from one that doesn't take it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = failure(http, f"http://127.0.0.1:{silent.getsockname()[1]}/", seconds=0.3)
    assert "no whole answer within 0.3 s" in str(error)


@pytest.mark.parametrize(
    ("reply", "words", "mend"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "wrong version number", "whether the URL is http, not https"),
        (b"", "unexpected eof", "whether http or https is meant"),
    ],
)
def test_tls_to_a_plain_port(http: Http, reply: bytes, words: str, mend: str) -> None:
    """A server that speaks no TLS, or ends the handshake, is said to, and the mend speaks of http."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with server.accept()[0] as connection:
                connection.recv(65536)
                connection.sendall(reply)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        port = server.getsockname()[1]
        error = failure(http, f"https://127.0.0.1:{port}")
        thread.join(5)
    assert type(error) is Unavailable
    assert f"127.0.0.1:{port}: no TLS with 127.0.0.1: {words}" in str(error)
    assert mend in error.mend


@contextlib.contextmanager
def resetting() -> Iterator[int]:
    """Yield a port whose every connection is reset as soon as something was asked."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def reset() -> None:
            with server.accept()[0] as connection:
                connection.recv(65536)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

        thread = threading.Thread(target=reset, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(5)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_connection_that_is_reset(http: Http, scheme: str) -> None:
    """A reset, in the handshake or after, is a connection that broke; the mend is what may cut it."""
    with resetting() as port:
        error = failure(http, f"{scheme}://127.0.0.1:{port}/")
    assert type(error) is Unavailable
    assert f"127.0.0.1:{port}: the connection broke: " in str(error)
    assert "reset" in str(error)
    assert "firewall" in error.mend


def test_a_proxy_that_can_not_be_reached_is_not_taken_for_the_host(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a proxy stands between, it is the proxy that refuses or isn't found: the mend is its variable."""
    [port] = free_ports(1)
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{PASSWORD}@127.0.0.1:{port}")
    error = failure(http, "https://api.example/")
    assert str(error) == f"api.example:443 by the proxy 127.0.0.1:{port}: the connection was refused by the proxy"
    assert "whether the proxy runs there" in error.mend
    assert "NO_PROXY" in error.mend
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{PASSWORD}@proxy.invalid:3128")
    error = failure(http, "https://api.example/")
    assert "api.example:443 by the proxy proxy.invalid:3128: the name proxy.invalid is not found" in str(error)
    assert "HTTPS_PROXY" in error.mend
    with crowded() as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        assert "was not taken by the proxy within 0.3 s" in str(failure(http, "https://api.example/", seconds=0.3))


def test_a_proxy_that_does_not_get_through_is_said_so(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy's 502 is not the host's: the mend is whoever runs it."""
    with Origin(lambda *_: Reply(status=502)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:{PASSWORD}@127.0.0.1:{proxy.port}")
        error = failure(http, "https://api.example/")
    assert f"by the proxy 127.0.0.1:{proxy.port}: the proxy refused: 502" in str(error)
    assert "whoever runs the proxy" in error.mend


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["127.0.0.1:8086", "influxdb:8086", "[::1]:8086", "10.1.2.3:8086"])
def test_a_proxy_that_wants_a_sign_in_for_a_host_nearby(
    http: Http, monkeypatch: pytest.MonkeyPatch, scheme: str, host: str
) -> None:
    """A proxy's 407 is never the host's, whatever the scheme; for a host nearby the first mend is to ask no proxy."""
    with Origin(lambda *_: Reply(status=407)) as proxy:
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", f"http://127.0.0.1:{proxy.port}")
        error = failure(http, f"{scheme}://{host}/write")
    name = host.removesuffix(":8086").strip("[]")
    assert type(error) is Unauthorized
    assert str(error).startswith(f"{host} by the proxy 127.0.0.1:{proxy.port}: the proxy refused: 407")
    assert error.mend.startswith(f"ask {name} without a proxy: add it to NO_PROXY (NO_PROXY={name}); else put user and")
    monkeypatch.setenv("NO_PROXY", name)
    assert proxy_for(f"{scheme}://{host}/write") is None


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_does_not_take_its_user_and_password(
    http: Http, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """A proxy's 407 to a user and a password says that it doesn't take them, and shows neither."""
    with Origin(lambda *_: Reply(status=407)) as proxy:
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", f"http://pr0xy-us3r:{PASSWORD}@127.0.0.1:{proxy.port}")
        error = failure(http, f"{scheme}://api.example/")
    assert error.mend.startswith(f"correct user and password in the proxy's URL ({scheme.upper()}_PROXY): the proxy ")
    assert "pr0xy-us3r" not in f"{error} {error.mend}"


def test_a_407_that_no_proxy_of_ours_gave_is_the_hosts(http: Http) -> None:
    """Where no proxy is asked a 407 is an answer like any other: who asked judges it."""
    with Origin(lambda *_: Reply(status=407)) as origin:
        assert http.send("GET", origin.url, seconds=5).status == 407


def test_the_key_of_ca_file_is_that_of_who_is_served(http: Http, tmp_path: Path) -> None:
    """Clients over the same connections each name the ca_file of their own table of the settings."""
    with Origin(lambda *_: Reply(b""), Authority(tmp_path).context()) as origin:
        for table in ("tenants.contoso", "influxdb.main"):
            error = failure(http.serving(table), origin.url)
            assert type(error) is Unauthorized
            assert f"PEM file as {table}.ca_file, or add it to the system's store" in error.mend
        assert "PEM file as ca_file" in failure(http, origin.url).mend


def test_who_is_served_is_shown_each_answer(http: Http) -> None:
    """An answer of any status is shown with the seconds that it took; another's are not."""
    shown: list[tuple[int, float]] = []
    client = http.serving("tenants.contoso", lambda answer, took: shown.append((answer.status, took)))
    with Origin(lambda *_: Reply(status=404)) as origin:
        client.send("GET", origin.url, seconds=5)
        http.send("GET", origin.url, seconds=5)
    [(status, took)] = shown
    assert status == 404
    assert 0 <= took < 5


@pytest.mark.parametrize(
    ("headers", "date"),
    [
        ({"Date": "Wed, 01 Jul 2026 12:00:00 GMT"}, 1_782_907_200),
        ({"Date": "Wed, 01 Jul 2026 12:00:00 -0000"}, 1_782_907_200),
        ({"Date": "Wed, 01 Jul 2026 12:00:00 GMT", "Age": "60"}, 1_782_907_260),
        ({"Date": "Wed, 01 Jul 2026 12:00:00 GMT", "Age": "old"}, None),
        ({"Date": "yesterday"}, None),
        ({}, None),
    ],
)
def test_the_date_of_an_answer(headers: dict[str, str], date: float | None) -> None:
    """An answer's time is its Date, and the age that a cache adds; None where it can't be told."""
    assert Answer(200, httpx.Headers(headers), b"").date() == date
