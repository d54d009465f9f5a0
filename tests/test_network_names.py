"""collector.http: a resolver that hangs holds nobody past the timeout, and no thread a request."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from columns import columns
from origins import Origin, Reply

from collector.errors import Unavailable
from collector.http import Http
from collector.influx import open_sink
from collector.point import Point, Series
from collector.settings import Influx

LATE = 10.0
POINT = Point(Series("exposure_score", (("tenant", "contoso"),)), 1_700_000_000_123, {"score": 33.5})


class Names:
    """A resolver that hangs until it is `freed`, for every name under .invalid; what it then says is `said`."""

    def __init__(self, real: Callable[..., Any]) -> None:
        self.freed = threading.Event()
        self.said: Callable[..., Any] = real
        self.looked: list[str] = []
        self._real = real

    def __call__(self, host: str, *more: Any, **named: Any) -> Any:
        if not host.endswith(".invalid"):
            return self._real(host, *more, **named)
        self.looked.append(host)
        self.freed.wait(60)
        return self.said(host, *more, **named)


@pytest.fixture(name="names")
def _names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    monkeypatch.setenv("NO_PROXY", "*")
    names = Names(socket.getaddrinfo)
    monkeypatch.setattr(socket, "getaddrinfo", names)
    yield names
    names.freed.set()


@pytest.fixture(name="http")
def _http() -> Iterator[Http]:
    http = Http()
    yield http
    http.close()


def test_a_resolver_that_hangs_ends_at_the_deadline(names: Names, http: Http) -> None:
    """Whoever asks by a name that nobody resolves is Unavailable in time; the name, the port and DNS are named."""
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"login\.invalid:443: .*does not answer in time") as caught:
        http.send("GET", "https://login.invalid/", seconds=0.3)
    assert time.monotonic() - began < LATE
    assert "getent hosts login.invalid" in caught.value.mend
    assert names.looked == ["login.invalid"]


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize(
    "more", [{"api": "v1", "database": "d"}, {"api": "v2", "org": "o", "bucket": "b"}], ids=["v1", "v2"]
)
def test_a_sink_whose_name_hangs_keeps_its_points(http: Http, more: dict[str, Any]) -> None:
    """A sink by such a name is Unavailable within its own timeout."""
    sink = open_sink("main", Influx(url="http://db.invalid:8086", timeout_seconds=0.3, **more), http)
    with pytest.raises(Unavailable, match=r"db\.invalid:8086"):
        sink.write(columns([POINT]))


def test_one_thread_a_name_hangs_and_not_one_a_request(names: Names, http: Http) -> None:
    """However often is asked while a name hangs, one thread waits for it, and other names are looked up beside it."""
    for _ in range(5):
        for host in ("one.invalid", "two.invalid"):
            with pytest.raises(Unavailable):
                http.send("GET", f"http://{host}/", seconds=0.05)
    assert sorted(names.looked) == ["one.invalid", "two.invalid"]


def test_a_name_that_is_found_again_is_asked_again(names: Names, http: Http) -> None:
    """Once the resolver answers the host is reached; what it said of a name before is not kept."""
    with Origin(lambda *_: Reply(b"here")) as origin:
        url = f"http://api.invalid:{origin.port}/"
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", origin.port))]

        def gone(*_: Any, **__: Any) -> Any:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        names.said = gone
        with pytest.raises(Unavailable):
            http.send("GET", url, seconds=0.1)
        names.freed.set()
        with pytest.raises(Unavailable, match="is not found: Name or service not known"):
            # The look-up that hung may end in between: both it and a new one say so.
            http.send("GET", url, seconds=20)
        names.said = lambda *_, **__: found
        assert http.send("GET", url, seconds=20).body == b"here"
