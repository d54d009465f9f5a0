"""collector.http: what is done while an answer is waited for takes no time of the exchange's, and harms none."""

import ssl
import threading
import time
from collections.abc import Iterator

import pytest
from origins import Authority, Origin, Reply

from collector.errors import Unavailable
from collector.http import Http

BODY = b"line\n" * 200_000


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture(name="origin", params=["http", "https"])
def _origin(request: pytest.FixtureRequest, authority: Authority) -> Iterator[Origin]:
    tls: ssl.SSLContext | None = authority.context() if request.param == "https" else None
    with Origin(lambda *_: Reply(status=204), tls) as origin:
        yield origin


@pytest.fixture(name="http")
def _http(authority: Authority) -> Iterator[Http]:
    http = Http(authority.pem)
    yield http
    http.close()


def test_it_is_done_when_the_body_is_out_and_no_answer_is_in(origin: Origin, http: Http) -> None:
    """A server that has a whole body to work on keeps nobody waiting meanwhile."""
    done = threading.Event()
    origin.talk = lambda *_: Reply(status=204 if done.wait(10) else 500)
    answer = http.send("POST", origin.url, seconds=20, content=BODY, meanwhile=done.set)
    assert answer.status == 204
    (asked,) = origin.requests
    assert asked.body == BODY
    assert asked.headers["content-length"] == str(len(BODY))
    assert "transfer-encoding" not in asked.headers


def test_its_time_is_not_the_exchanges(origin: Origin, http: Http) -> None:
    """An answer in time is in time, however long something else took beside it."""
    assert http.send("POST", origin.url, seconds=1.0, content=BODY, meanwhile=lambda: time.sleep(1.5)).status == 204
    never = threading.Event()
    origin.talk = lambda *_: Reply() if never.wait(3) else None
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"within 0\.6 s"):
        http.send("POST", origin.url, seconds=0.6, content=BODY, meanwhile=lambda: time.sleep(0.2))
    assert 0.7 < time.monotonic() - began < 2.5


def test_its_fault_comes_through_and_is_over(origin: Origin, http: Http) -> None:
    """What fails there is told as it is; the next exchange gets its own answer."""
    with pytest.raises(ZeroDivisionError):
        http.send("POST", origin.url, seconds=10, content=BODY, meanwhile=lambda: 1 // 0)
    origin.talk = lambda *_: Reply(b"mine")
    assert http.send("POST", origin.url, seconds=10, content=b"x").body == b"mine"


def test_with_nothing_to_send_there_is_no_meanwhile(origin: Origin, http: Http) -> None:
    """What has no body is asked as ever."""
    assert http.send("GET", origin.url, seconds=10, meanwhile=lambda: 1 // 0).status == 204
