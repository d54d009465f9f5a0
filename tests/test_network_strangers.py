"""Whoever stands where a server should: no secret reaches it before its certificate is trusted, on either side."""

import datetime as dt
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from columns import columns
from leaks import know
from origins import Authority, Origin, Reply, Request
from tenants import SECRET, settings

from collector.defender import Defender
from collector.errors import Unauthorized, Unavailable
from collector.http import Http
from collector.influx import open_sink
from collector.point import Point, Series
from collector.settings import Influx, Secret

TOKEN = know("the-sink's-s3cret")
POINT = Point(Series("exposure_score", (("tenant", "contoso"),)), 1_700_000_000_123, {"score": 33.5})
DAY = dt.timedelta(days=1)
NOW = dt.datetime.now(dt.UTC)
SINKS: dict[str, dict[str, Any]] = {
    "v1": {"api": "v1", "database": "exposure", "username": "collector", "password": Secret("password", inline=TOKEN)},
    "v2": {"api": "v2", "org": "security", "bucket": "exposure", "token": Secret("token", inline=TOKEN)},
}

Ask = Callable[[str], object]
"""Asks a URL what this side asks first, with what is secret where it has it."""


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(name="ask", params=["sign-in", "v1", "v2"])
def _ask(request: pytest.FixtureRequest, authority: Authority) -> Iterator[Ask]:
    http = Http(authority.pem)
    if request.param == "sign-in":
        yield lambda url: Defender("contoso", settings(url), http, dict).sign_in(1)
    else:
        sink = SINKS[request.param]
        yield lambda url: open_sink("main", Influx(url=url, timeout_seconds=1, **sink), http).write(columns([POINT]))
    http.close()


def old(authority: Authority) -> ssl.SSLContext:
    """Return what a server needs that speaks nothing newer than TLS 1.1."""
    context = authority.context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1 is deprecated"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


@pytest.mark.parametrize(
    ("shown", "kind", "words"),
    [
        (lambda ours, _: ours.context(not_before=NOW - 9 * DAY, not_after=NOW - DAY), Unauthorized, "expired"),
        (lambda ours, _: ours.context(not_before=NOW + DAY, not_after=NOW + 9 * DAY), Unauthorized, "not yet valid"),
        (lambda _, folder: Authority(folder).context(), Unauthorized, "not trusted"),
        (lambda ours, _: ours.context("other.invalid"), Unauthorized, "ismatch"),
        (lambda ours, _: old(ours), Unavailable, "no TLS with 127.0.0.1"),
        (lambda *_: None, Unavailable, "no TLS with 127.0.0.1"),
    ],
    ids=["expired", "not yet valid", "foreign", "another name", "old TLS", "no TLS"],
)
def test_a_stranger_is_told_nothing(
    ask: Ask, authority: Authority, tmp_path: Path, shown: Any, kind: type[Unavailable], words: str
) -> None:
    """Nothing is asked of who shows a bad certificate, old TLS or none: the error says why, and what to mend."""
    with Origin(lambda *_: Reply(status=204), shown(authority, tmp_path)) as origin:
        with pytest.raises(Unavailable, match=words) as caught:
            ask(f"https://127.0.0.1:{origin.port}")
        assert origin.requests == []
    assert type(caught.value) is kind
    assert caught.value.mend
    assert not any(secret in f"{caught.value}{caught.value.mend}" for secret in (TOKEN, SECRET))


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", Unauthorized),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n<html>sign in</html>", Unavailable),
        (b"HTTP/1.1 302 Found\r\nLocation: https://portal.invalid/\r\nContent-Length: 0\r\n\r\n", Unavailable),
        (b"garbage\r\n\r\n", Unavailable),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000, Unavailable),
        (b"", Unavailable),
        (None, Unavailable),
    ],
    ids=["407", "a page", "a redirect", "garbage", "endless headers", "the end", "nothing"],
)
def test_a_proxy_that_opens_no_tunnel_learns_the_host_alone(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, said: bytes | None, kind: type[Unavailable]
) -> None:
    """A proxy that answers CONNECT with anything but a tunnel, or not at all, gets no secret and is named."""

    def talk(_: Request, connection: Any) -> None:
        if said is None:
            connection.recv(1)
        else:
            connection.sendall(said)

    with Origin(talk) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(Unavailable) as caught:
            ask("https://server.invalid")
        assert {(request.method, request.target) for request in proxy.requests} == {("CONNECT", "server.invalid:443")}
        heard = repr(proxy.requests)
    assert type(caught.value) is kind
    assert f"server.invalid:443 by the proxy 127.0.0.1:{proxy.port}" in str(caught.value)
    assert not any(secret in f"{caught.value}{heard}" for secret in (TOKEN, SECRET))
