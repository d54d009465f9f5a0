"""collector.http: whose certificates are trusted, and which proxy is asked."""

import base64
import datetime as dt
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from origins import Authority, Origin, Reply, Request

from collector.errors import ConfigError, Unauthorized, Unavailable
from collector.http import Http
from collector.http.transport import proxy_for
from collector.http.trust import Trust

WELL = Reply(b"well")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(name="authority", scope="module")
def _authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(name="http")
def _http(authority: Authority) -> Iterator[Http]:
    http = Http(authority.pem)
    yield http
    http.close()


def test_a_ca_file_is_trusted_beside_the_systems_store(http: Http, authority: Authority) -> None:
    """A server whose certificate was issued by the authority in ca_file is asked, over TLS."""
    with Origin(lambda *_: WELL, authority.context()) as origin:
        for _ in range(3):
            assert http.send("GET", origin.url, seconds=5).body == b"well"
    assert origin.connections == 1


def test_a_large_body_crosses_tls_both_ways(http: Http, authority: Authority) -> None:
    """Bodies of many TLS records arrive whole in both directions."""
    body = bytes(range(256)) * 8000
    with Origin(lambda request, _: Reply(request.body), authority.context()) as origin:
        assert http.send("POST", origin.url, seconds=20, content=body).body == body


def test_a_body_that_ends_with_the_connection_arrives_over_tls(http: Http, authority: Authority) -> None:
    """An answer without a length, whose end is the connection's end, is whole."""

    def until_the_end(_: Request, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nall of it")

    with Origin(until_the_end, authority.context()) as origin:
        assert http.send("GET", origin.url, seconds=5).body == b"all of it"


def test_an_unknown_authority_is_a_persons_to_mend(authority: Authority) -> None:
    """A certificate from an authority that nobody named is Unauthorized, and says whose it is."""
    http = Http()
    with Origin(lambda *_: WELL, authority.context()) as origin, pytest.raises(Unauthorized) as caught:
        http.send("GET", f"{origin.url}/secret-path", seconds=5)
    assert str(caught.value).startswith(f"127.0.0.1:{origin.port}: the certificate of 127.0.0.1 is not trusted: ")
    assert "ca_file" in caught.value.mend
    assert "secret" not in str(caught.value)
    assert origin.requests == []


def test_an_expired_certificate_is_a_persons_to_mend(http: Http, authority: Authority) -> None:
    """An expired certificate is Unauthorized, and the mend is to renew it."""
    past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    context = authority.context("127.0.0.1", not_before=past, not_after=past + dt.timedelta(days=90))
    with Origin(lambda *_: WELL, context) as origin, pytest.raises(Unauthorized, match="expired") as caught:
        http.send("GET", origin.url, seconds=5)
    assert "renew" in caught.value.mend


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_another_hosts_certificate_is_a_persons_to_mend(http: Http, authority: Authority, host: str) -> None:
    """A certificate for another name is Unauthorized, and the mend is the name."""
    refused = pytest.raises(Unauthorized, match=f"the certificate of {host} is not trusted")
    with Origin(lambda *_: WELL, authority.context("other.example")) as origin, refused as caught:
        http.send("GET", f"https://{host}:{origin.port}", seconds=5)
    assert "name" in caught.value.mend


def test_plain_http_where_tls_was_expected_is_asked_again_later(http: Http) -> None:
    """A server that speaks no TLS on that port is Unavailable, and is told nothing."""
    with Origin(lambda *_: WELL) as origin, pytest.raises(Unavailable):
        http.send("GET", origin.url.replace("http:", "https:"), seconds=5)
    assert origin.requests == []


def test_a_connection_that_ends_in_the_handshake_is_asked_again_later(http: Http) -> None:
    """A server that hangs up in the midst of the handshake is Unavailable."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        # An answer is half a TLS record: the handshake has begun when it breaks off.
        def hang_up() -> None:
            with server.accept()[0] as connection:
                connection.sendall(b"\x16\x03\x03\x40")

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(Unavailable):
            http.send("GET", f"https://127.0.0.1:{server.getsockname()[1]}", seconds=5)
        thread.join()


@pytest.mark.parametrize("content", [b"", b"no certificate", b"\x30\x82\x01\x0a"])
def test_a_ca_file_without_a_certificate_is_a_wrong_setting(tmp_path: Path, content: bytes) -> None:
    """A ca_file that holds no PEM certificate, or that isn't there, is a ConfigError that names the file."""
    file = tmp_path / "ca.pem"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=f"^ca_file: {re.escape(str(file))}: holds no certificate in PEM form"):
        Http(file)
    for absent, why in ((tmp_path / "absent.pem", "no such file"), (tmp_path, "can't be read")):
        with pytest.raises(ConfigError) as caught:
            Trust(absent)
        assert str(caught.value).startswith(f"ca_file: {absent}: {why}")
        assert not any(raw in str(caught.value) for raw in ("Errno", "_ssl.c", "[X509"))
        assert "PEM file" in caught.value.mend


def test_a_proxy_of_the_environment_is_asked_for_a_tunnel(
    http: Http, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTPS goes through the proxy's tunnel: the proxy learns the host, and its password, but no path and no token."""
    with Proxy() as proxy, Origin(lambda *_: WELL, authority.context()) as origin:
        monkeypatch.setenv("HTTPS_PROXY", f"http://us%40er:p%3Ass@127.0.0.1:{proxy.port}")
        answer = http.send("GET", f"{origin.url}/path", seconds=5, headers={"Authorization": "Bearer t"})
        assert answer.body == b"well"
    [asked] = proxy.requests
    assert (asked.method, asked.target) == ("CONNECT", f"127.0.0.1:{origin.port}")
    assert base64.b64decode(asked.headers["proxy-authorization"].removeprefix("Basic ")) == b"us@er:p:ss"
    assert "authorization" not in asked.headers
    assert "proxy-authorization" not in origin.requests[0].headers


def test_a_proxy_that_speaks_tls_itself_is_asked_too(
    http: Http, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy behind https:// is asked over TLS, and the tunnel through it is TLS within TLS."""
    with Proxy(authority.context()) as proxy, Origin(lambda *_: WELL, authority.context()) as origin:
        monkeypatch.setenv("HTTPS_PROXY", f"https://127.0.0.1:{proxy.port}")
        assert http.send("GET", origin.url, seconds=5).body == b"well"


def test_plain_http_goes_through_the_proxy_whole(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain HTTP is handed to the proxy of HTTP_PROXY, without a scheme in it too."""
    with Origin(lambda *_: WELL) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"127.0.0.1:{proxy.port}")
        assert http.send("GET", "http://api.invalid/path", seconds=5).body == b"well"
    assert proxy.requests[0].target == "http://api.invalid/path"


@pytest.mark.parametrize(
    ("reply", "kind", "mend"),
    [
        (Reply(status=407), Unauthorized, "password"),
        (Reply(status=403), Unauthorized, "allow"),
        (Reply(status=502), Unavailable, ""),
    ],
)
def test_a_proxy_that_refuses_says_what_to_do(
    http: Http, monkeypatch: pytest.MonkeyPatch, reply: Reply, kind: type[Unavailable], mend: str
) -> None:
    """A proxy that wants a sign-in or forbids the host is a person's to mend; one that fails is asked again later."""
    with Origin(lambda *_: reply) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:s3cret@127.0.0.1:{proxy.port}")
        with pytest.raises(Unavailable, match=f"api.invalid:443 by the proxy 127.0.0.1:{proxy.port}") as caught:
            http.send("GET", "https://api.invalid/", seconds=5)
    assert type(caught.value) is kind
    assert mend in caught.value.mend
    assert "s3cret" not in f"{caught.value} {caught.value.mend}"


@pytest.mark.parametrize(
    "proxy", ["socks4://u:s3cret@h", "http://u:s3cret@h:port", "http://u:s3cret@[", "http://", "ftp://h"]
)
def test_a_proxy_that_is_none_is_a_persons_to_mend(http: Http, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    """A proxy's URL that can't be used is Unauthorized, not a crash, and the password in it is not shown."""
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(Unauthorized) as caught:
        http.send("GET", "https://api.invalid/", seconds=5)
    assert "HTTPS_PROXY" in caught.value.mend
    assert "s3cret" not in f"{caught.value} {caught.value.__cause__} {caught.value.mend}"


@pytest.mark.parametrize(
    ("url", "no_proxy", "asked"),
    [
        ("https://api.example/x", "", True),
        ("https://api.example/x", "example", False),
        ("https://api.example/x", ".example, other", False),
        ("https://api.example/x", "ample", True),
        ("https://api.example/x", "*", False),
        ("http://127.0.0.1:8086/x", "127.0.0.1", False),
        ("http://127.0.0.1:8086/x", "127.0.0.1:8086", False),
        ("http://127.0.0.1:8086/x", "127.0.0.1:9999", True),
        ("http://[::1]:8086/x", "::1", False),
    ],
)
def test_no_proxy_names_the_hosts_that_are_asked_directly(
    monkeypatch: pytest.MonkeyPatch, url: str, no_proxy: str, *, asked: bool
) -> None:
    """NO_PROXY holds names, endings of names, with or without a port, or * for all."""
    monkeypatch.setenv("ALL_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert proxy_for(url) == ("http://proxy:3128" if asked else None)


class Proxy(Origin):
    """Joins whoever asks for a tunnel with the host that is asked for."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(self._join, tls)

    def _join(self, request: Request, near: socket.socket) -> None:
        host, port = request.target.split(":")
        with socket.create_connection((host, int(port))) as far:
            near.sendall(b"HTTP/1.1 200 Joined\r\n\r\n")
            back = threading.Thread(target=_pump, args=(far, near), daemon=True)
            back.start()
            _pump(near, far)
            back.join(5)


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


def test_a_proxy_is_looked_for_anew_where_the_environment_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever names a proxy, or takes it back, counts from the next exchange on; under CGI HTTP_PROXY never does."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
    asked: list[str | None] = []
    for name, value in (
        *(
            ("HTTP_PROXY", "http://one:1"),
            ("REQUEST_METHOD", "GET"),
            ("http_proxy", "two:2"),
            ("NO_PROXY", "api.example"),
        ),
        *(("no_proxy", "other"), ("http_proxy", ""), ("ALL_PROXY", "http://three:3")),
    ):
        monkeypatch.setenv(name, value)
        asked.append(proxy_for("http://api.example/x"))
    assert asked == ["http://one:1", None, "http://two:2", None, "http://two:2", None, "http://three:3"]
