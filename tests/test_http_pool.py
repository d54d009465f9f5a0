"""collector.http: connections are kept, used again, and never more than they may be."""

import threading
import time
from collections.abc import Iterator

import httpcore
import pytest
from origins import Origin, Reply

from collector.http import Http
from collector.http.pool import KEEP_SECONDS, Pool

HERE = httpcore.URL("https://here.example/").origin
THERE = httpcore.URL("https://there.example/").origin


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


class Connection(httpcore.ConnectionInterface):
    """Never opened; `looks` counts how often its socket was looked at."""

    def __init__(self) -> None:
        self.looks = 0
        self.old = self.closed = False

    def has_expired(self) -> bool:
        self.looks += 1
        return self.old

    def is_idle(self) -> bool:
        return not self.closed

    def close(self) -> None:
        self.closed = True


class Pooled:
    """A pool of such connections, and all that it has made."""

    def __init__(self, most: int) -> None:
        self.made: list[Connection] = []
        self.pool = Pool(self._make, most)

    def take(self, origin: httpcore.Origin = HERE) -> Connection:
        found = self.pool.take(origin, lambda: 5.0)
        assert isinstance(found, Connection)
        return found

    def _make(self, _: httpcore.Origin) -> Connection:
        self.made.append(Connection())
        return self.made[-1]


def test_an_exchange_looks_at_the_connection_that_it_gets_and_at_no_other() -> None:
    """A hundred idle connections cost the next exchange no more than one does, and the newest of them is used."""
    pooled = Pooled(100)
    for connection in [pooled.take() for _ in range(100)]:
        pooled.pool.give_back(HERE, connection)
    assert pooled.take() is pooled.made[-1]
    assert [connection.looks for connection in pooled.made] == [0] * 99 + [1]


def test_a_connection_serves_its_own_origin_alone() -> None:
    """What was opened to one host is never used for another."""
    pooled = Pooled(2)
    here = pooled.take()
    pooled.pool.give_back(HERE, here)
    there = pooled.take(THERE)
    assert there is not here
    assert not here.closed
    pooled.pool.give_back(THERE, there)
    assert (pooled.take(), pooled.take(THERE)) == (here, there)


def test_where_there_is_no_room_another_hosts_idle_connection_makes_some() -> None:
    """The one that has been idle for longest is closed, and no exchange waits for it to grow old."""
    pooled = Pooled(2)
    for origin in (HERE, THERE):
        pooled.pool.give_back(origin, pooled.take(origin))
    pooled.take(httpcore.URL("https://third.example/").origin)
    assert [connection.closed for connection in pooled.made] == [True, False, False]


def test_a_connection_that_can_serve_no_more_is_closed_and_makes_room() -> None:
    """One that the server has closed, that broke, or that was cut off is not used again, and counts no longer."""
    pooled = Pooled(1)
    pooled.pool.give_back(HERE, pooled.take())
    pooled.made[0].old = True
    second = pooled.take()
    assert pooled.made[0].closed
    second.closed = True
    pooled.pool.give_back(HERE, second)
    pooled.pool.drop(pooled.take())
    assert [pooled.take(), len(pooled.made)] == [pooled.made[3], 4]


def test_what_nobody_uses_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that has been idle for 5 seconds is closed as soon as any other is given back."""
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    pooled = Pooled(3)
    old, newer, used = (pooled.take() for _ in range(3))
    pooled.pool.give_back(HERE, old)
    now += KEEP_SECONDS / 2
    pooled.pool.give_back(THERE, newer)
    now += KEEP_SECONDS / 2 + 0.1
    pooled.pool.give_back(HERE, used)
    assert [connection.closed for connection in (old, newer, used)] == [True, False, False]
    pooled.pool.close()
    assert [connection.closed for connection in (old, newer, used)] == [True] * 3


@pytest.fixture(name="http")
def _http() -> Iterator[Http]:
    http = Http(connections=4)
    yield http
    http.close()


def test_many_threads_share_few_connections(http: Http) -> None:
    """However many ask at once, no more connections are open than may be, and each of them gets its own answer."""
    got: list[tuple[str, bytes]] = []

    def ask(number: int) -> None:
        for turn in range(10):
            path = f"/{number}/{turn}"
            got.append((path, http.send("GET", f"{origin.url}{path}", seconds=20).body))

    with Origin(lambda request, _: Reply(request.target.encode())) as origin:
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert origin.connections <= 4
    assert len(got) == 200
    assert all(path.encode() == body for path, body in got)
