"""A poll that can't be stored by a fault of ours: it waits alone, is said, and costs nobody else anything."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from fakes import score
from pytest_structlog import StructuredLogCapture
from stages import SLOT

from collector.batch import Cursor
from collector.errors import JournalError
from collector.journal import Journal
from collector.pipeline import Hold
from collector.point import Point

HOUR = 3_600_000


@pytest.fixture(name="faulty")
def _faulty(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Tenants whose points the journal can't store, by a fault of ours."""
    real: Callable[..., bool] = journal.append
    faulty: set[str] = set()

    def append(points: Sequence[Point]) -> bool:
        if any(point.series.tag("tenant") in faulty for point in points):
            raise RuntimeError("a fault of ours")
        return real(points)

    monkeypatch.setattr(journal, "append", append)
    return faulty


@contextmanager
def full(journal: Journal) -> Iterator[None]:
    """Let the journal's disk be full."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal, "append", lambda _: (_ for _ in ()).throw(JournalError("full")))
        yield


def stored(journal: Journal) -> Sequence[Point]:
    """Return what the journal has, in its order."""
    return [row.point for row in journal.read(Cursor("test", 1, 0), 1000).rows]


def lines(log: StructuredLogCapture, event: str) -> list[dict[str, object]]:
    """Return what was said of an event."""
    return [{**line} for line in log.events if line["event"] == event]


def some(tenant: str, count: int) -> Sequence[Point]:
    """Return points of a tenant."""
    return [score(tenant, SLOT + n * HOUR) for n in range(count)]


def test_it_waits_alone_and_each_other_poll_is_safe_at_once(
    journal: Journal, faulty: set[str], log: StructuredLogCapture
) -> None:
    """It is said once, with whose it is, and is appended when the fault is gone; nobody else waits for a flush."""
    faulty.add("fabrikam")
    appended: list[int] = []
    hold = Hold(journal, appended=lambda: appended.append(1))
    assert not hold.keep(some("fabrikam", 1))
    assert (hold.held, hold.faulty, hold.error, appended) == (1, 1, None, [])
    assert hold.keep(some("contoso", 1))
    assert not hold.flush()
    assert (hold.held, hold.lost, appended) == (1, 0, [1])
    (said,) = lines(log, "points.unstored")
    assert (said["tenant"], said["count"], said["exc_info"]) == ("fabrikam", 1, True)
    faulty.clear()
    assert hold.flush()
    assert (hold.held, hold.faulty, hold.error, appended) == (0, 0, None, [1, 1])
    assert stored(journal) == [*some("contoso", 1), *some("fabrikam", 1)]


def test_of_those_that_came_together_all_others_are_safe(journal: Journal, faulty: set[str]) -> None:
    """What waited with it for a full disk is appended, in order, and so is another faulty one that no longer is."""
    hold = Hold(journal, appended=lambda: None)
    with full(journal):
        for tenant in ("a", "x", "b", "y", "c"):
            assert not hold.keep(some(tenant, 2))
    faulty |= {"x", "y"}
    assert not hold.flush()
    assert (hold.held, hold.faulty, hold.error) == (4, 4, None)
    assert stored(journal) == [*some("a", 2), *some("b", 2), *some("c", 2)]
    faulty.discard("y")
    for _ in range(2):
        assert not hold.flush()
    assert stored(journal)[6:] == some("y", 2), "one that still can't be stored doesn't stand before it"
    assert (hold.held, hold.faulty) == (2, 2)


def test_each_flush_tries_one_that_can_not_be_stored(
    journal: Journal, faulty: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are: to try them all would keep every other poll waiting, each time longer."""
    hold = Hold(journal, appended=lambda: None)
    faulty.add("x")
    for n in range(5):
        hold.keep([score("x", SLOT + n * HOUR)])
    asked: list[int] = []
    append: Callable[..., bool] = journal.append

    def counted(points: Sequence[Point]) -> bool:
        asked.append(points[0].time)
        return append(points)

    monkeypatch.setattr(journal, "append", counted)
    for _ in range(6):
        hold.flush()
    assert asked == [SLOT + n * HOUR for n in (0, 1, 2, 3, 4, 0)]


def test_it_takes_no_room_from_others(journal: Journal, faulty: set[str], log: StructuredLogCapture) -> None:
    """Where memory is full of such points the first of them are lost, and said; what can be stored is stored."""
    hold = Hold(journal, appended=lambda: None, most=4)
    faulty.add("x")
    assert not hold.keep(some("x", 2))
    assert not hold.keep(some("x", 2))
    assert hold.keep(some("contoso", 4))
    assert (hold.held, hold.faulty, hold.lost) == (0, 0, 4)
    assert [line["count"] for line in lines(log, "points.lost")] == [2, 2]
    assert not hold.keep(some("x", 2))
    with full(journal):
        assert not hold.keep(some("contoso", 3))
        assert (hold.held, hold.faulty, hold.lost) == (3, 0, 6)
        assert not hold.keep(some("fabrikam", 2))
    assert (hold.held, hold.faulty, hold.lost) == (3, 0, 8)


def test_what_finds_no_room_anyway_takes_nothing_else_with_it(journal: Journal, faulty: set[str]) -> None:
    """Points that would not fit beside those that wait for a full disk are lost alone."""
    hold = Hold(journal, appended=lambda: None, most=4)
    faulty.add("x")
    hold.keep(some("x", 1))
    with full(journal):
        hold.keep(some("contoso", 2))
        assert not hold.keep(some("fabrikam", 3))
        assert (hold.held, hold.faulty, hold.lost) == (3, 1, 3)


def test_a_disk_that_fails_while_it_is_tried_again_is_a_disk_that_fails(journal: Journal, faulty: set[str]) -> None:
    """Then it waits on with all that came since, and is appended with them when there is room. No sink looks before."""
    appended: list[int] = []
    hold = Hold(journal, appended=lambda: appended.append(1))
    faulty.add("x")
    hold.keep(some("x", 1))
    faulty.clear()
    with full(journal):
        assert not hold.flush()
        assert (hold.held, hold.faulty, str(hold.error), appended) == (1, 1, "full", [])
    assert hold.flush(), "also where nothing else waits"
    assert (hold.held, hold.faulty, hold.error, appended) == (0, 0, None, [1])
    faulty.add("x")
    hold.keep(some("x", 1))
    faulty.clear()
    with full(journal):
        assert not hold.flush()
        assert not hold.keep(some("contoso", 1))
    assert hold.flush()
    assert (hold.held, hold.faulty, hold.error) == (0, 0, None)
    assert stored(journal) == [*some("contoso", 1), *some("x", 1)]


def test_a_full_disk_is_asked_once_a_flush(journal: Journal, faulty: set[str], log: StructuredLogCapture) -> None:
    """What is set aside does not ask it again after what waits: each time may take as long as a disk that is dying."""
    hold = Hold(journal, appended=lambda: None)
    faulty.add("x")
    hold.keep(some("x", 1))
    with full(journal):
        hold.keep(some("contoso", 1))
        assert not hold.flush()
    assert len(lines(log, "journal.failed")) == 2
    assert (hold.held, hold.faulty) == (2, 1)


def test_a_disk_that_fails_while_each_poll_is_tried_alone_is_a_disk_that_fails(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a fault of ours the journal may fail as ever: what is not in it waits, in its order."""
    errors = [RuntimeError("a fault of ours"), None, JournalError("full")]
    real: Callable[..., bool] = journal.append

    def append(points: Sequence[Point]) -> bool:
        error = errors.pop(0)
        if error:
            raise error
        return real(points)

    hold = Hold(journal, appended=lambda: None)
    with monkeypatch.context() as patch:
        patch.setattr(journal, "append", lambda _: (_ for _ in ()).throw(JournalError("full")))
        for n in range(3):
            hold.keep([score("contoso", SLOT + n * 3_600_000)])
    with monkeypatch.context() as patch:
        patch.setattr(journal, "append", append)
        assert not hold.flush()
    assert (hold.held, str(hold.error)) == (2, "full")
    assert hold.flush()
    times = [row.point.time for row in journal.read(Cursor("test", 1, 0), 10).rows]
    assert times == [SLOT, SLOT + 3_600_000, SLOT + 7_200_000]


def test_what_gives_way_while_it_is_tried_again_is_lost_once(
    journal: Journal, faulty: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its room is another's by then: it is counted as lost, is not set aside anew, and costs nobody else anything."""
    hold = Hold(journal, appended=lambda: None, most=3)
    faulty.add("x")
    hold.keep(some("x", 2))
    append: Callable[..., bool] = journal.append
    with ThreadPoolExecutor(1) as pool:

        def meanwhile(points: Sequence[Point]) -> bool:
            if points[0].series.tag("tenant") == "x":
                kept.append(pool.submit(hold.keep, some("contoso", 3)))
                while not hold.lost:
                    time.sleep(0.01)
            return append(points)

        kept: list[Future[bool]] = []
        monkeypatch.setattr(journal, "append", meanwhile)
        hold.flush()
        assert [one.result(10) for one in kept] == [True]
    assert (hold.held, hold.faulty, hold.lost) == (0, 0, 2)
    assert stored(journal) == some("contoso", 3)


def test_many_threads_lose_nothing(journal: Journal, faulty: set[str]) -> None:
    """Whoever keeps, flushes and meets faults at once: what was said to be safe is safe, and the counts are right."""
    hold = Hold(journal, appended=lambda: None)
    faulty.add("x")
    polls = [[score(tenant, SLOT + n * HOUR)] for n in range(30) for tenant in ("a", "x", "b")]

    def keep(points: Sequence[Point]) -> bool:
        hold.flush()
        return hold.keep(points)

    with ThreadPoolExecutor(8) as pool:
        safe = list(pool.map(keep, polls))
    assert [points for points, kept in zip(polls, safe, strict=True) if not kept] == [
        points for points in polls if points[0].series.tag("tenant") == "x"
    ]
    assert (hold.held, hold.faulty, hold.lost, hold.error) == (30, 30, 0, None)
    faulty.clear()
    assert hold.flush()
    assert (hold.held, hold.faulty) == (0, 0)
    assert {(point.series, point.time) for point in stored(journal)} == {
        (point.series, point.time) for (point,) in polls
    }
