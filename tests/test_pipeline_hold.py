"""The way into the journal: in order, together, and what waits while it can't be written."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from fakes import score
from stages import SLOT, many

from collector.batch import Cursor
from collector.errors import JournalError
from collector.journal import Journal
from collector.pipeline import Hold
from collector.pipeline.deliver import SUSPECT
from collector.point import Point


def test_what_the_journal_will_not_take_waits_in_order_and_is_appended_later(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the journal can't be written polls wait in memory, are counted, and are appended in order when it can."""
    appended = []
    hold = Hold(journal, appended=lambda: appended.append(1), most=5)
    real: Callable[..., bool] = journal.append

    def full(*_: object) -> bool:
        raise JournalError("disk full", mend="make room")

    monkeypatch.setattr(journal, "append", full)
    assert not hold.keep([score("contoso", SLOT)])
    assert not hold.keep([score("contoso", SLOT + 3_600_000), score("fabrikam", SLOT)])
    assert (hold.held, str(hold.error)) == (3, "disk full")
    assert not hold.keep([score("contoso", SLOT + n) for n in range(3)]), "over the bound: lost, and said"
    assert (hold.held, hold.lost) == (3, 3)
    monkeypatch.setattr(journal, "append", real)
    assert hold.flush()
    assert (hold.held, hold.error, len(appended)) == (0, None, 1)
    rows = journal.read(Cursor("test", 1, 0), 10).rows
    assert [row.point for row in rows] == [
        score("contoso", SLOT),
        score("contoso", SLOT + 3_600_000),
        score("fabrikam", SLOT),
    ]


def test_polls_that_meet_at_the_journal_share_a_transaction(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one append is on its way to the disk others gather, and each is told only when its own points are safe."""
    real: Callable[..., bool] = journal.append
    sizes: list[int] = []
    first, rest = threading.Event(), threading.Event()

    def slow(points: Sequence[Point]) -> bool:
        sizes.append(len(points))
        if len(sizes) == 1:
            first.set()
            assert rest.wait(10)
        return real(points)

    monkeypatch.setattr(journal, "append", slow)
    hold = Hold(journal, appended=lambda: None)
    with ThreadPoolExecutor(6) as pool:
        told = [pool.submit(hold.keep, [score("contoso", SLOT)])]
        assert first.wait(10)
        told += [pool.submit(hold.keep, [score("contoso", SLOT + n * 3_600_000)]) for n in range(1, 6)]
        while hold.held < 6:
            time.sleep(0.01)
        assert not any(one.done() for one in told)
        rest.set()
        assert all(one.result(10) for one in told)
    assert sizes == [1, 5]
    assert len(journal.read(Cursor("test", 1, 0), 10).rows) == 6


def test_before_points_are_lost_the_journal_is_asked_once_more(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory that is full is no reason to lose points when the journal is well again."""
    hold = Hold(journal, appended=lambda: None, most=2)
    with monkeypatch.context() as patch:
        patch.setattr(journal, "append", lambda *_: (_ for _ in ()).throw(JournalError("full")))
        hold.keep([score("contoso", SLOT), score("fabrikam", SLOT)])
    assert hold.keep([score("northwind", SLOT)])
    assert (hold.held, hold.lost, hold.error) == (0, 0, None)


def test_the_last_place_in_memory_is_used(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many points wait as the bound says, not one less; a full disk isn't asked once for each of them."""
    asked: list[int] = []

    def full(_: object) -> bool:
        asked.append(1)
        raise JournalError("full")

    hold = Hold(journal, appended=lambda: None, most=3)
    monkeypatch.setattr(journal, "append", full)
    hold.keep(many(2))
    hold.keep(many(1))
    assert (hold.held, hold.lost, len(asked)) == (3, 0, 1)


def test_nobody_waits_for_room_that_will_never_be(journal: Journal) -> None:
    """More points at once than memory may hold are lost, and counted; those that come behind them are safe."""
    hold = Hold(journal, appended=lambda: None, most=2)
    assert not hold.keep(many(3))
    assert (hold.held, hold.lost, hold.error) == (0, 3, None)
    assert hold.keep(many(2))
    assert (hold.held, hold.lost) == (0, 3)


def test_who_waited_for_a_journal_that_failed_does_not_ask_it_again(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Polls that meet at a full disk fail together: one asks, and who keeps the house is not made to wait for it."""
    real: Callable[..., bool] = journal.append
    asking, rest = threading.Event(), threading.Event()
    asked: list[int] = []

    def full(_: object) -> bool:
        asked.append(1)
        asking.set()
        assert rest.wait(10)
        raise JournalError("full")

    monkeypatch.setattr(journal, "append", full)
    hold = Hold(journal, appended=lambda: None)
    with ThreadPoolExecutor(2) as pool:
        told = [pool.submit(hold.keep, many(1))]
        assert asking.wait(10)
        told.append(pool.submit(hold.keep, many(2)))
        while hold.held < 3:
            threading.Event().wait(0.01)
        assert not hold.flush(), "another is at it"
        rest.set()
        assert [one.result(10) for one in told] == [False, False]
    assert asked == [1]
    monkeypatch.setattr(journal, "append", real)
    assert hold.flush()
    assert len(journal.read(journal.cursor("main"), SUSPECT).rows) == 2, "of one identity the later stands"


def test_a_poll_does_not_wait_for_a_journal_that_is_asked_whether_it_is_well_again(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that failed may take long to answer anew: whoever keeps the house waits for it, and no poll does."""
    asking, rest = threading.Event(), threading.Event()

    def full(_: object) -> bool:
        asking.set()
        assert rest.wait(10)
        raise JournalError("full")

    monkeypatch.setattr(journal, "append", full)
    hold = Hold(journal, appended=lambda: None)
    with ThreadPoolExecutor(2) as pool:
        rest.set()
        assert not hold.keep(many(1))
        asking.clear()
        rest.clear()
        pool.submit(hold.flush)
        assert asking.wait(10)
        try:
            assert pool.submit(hold.keep, many(1)).result(5) is False
        finally:
            rest.set()


def test_who_flushes_nothing_tells_nobody(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing waits the journal isn't asked, and no sink is sent to look for what was appended."""
    told: list[str] = []
    monkeypatch.setattr(journal, "append", lambda _: told.append("the journal"))
    hold = Hold(journal, appended=lambda: told.append("a sink"))
    assert hold.flush()
    assert told == []


def test_a_journal_that_is_read_only_for_a_while_loses_nothing(journal: Journal) -> None:
    """A disk that the system has made read-only is waited for as one that is full: all is appended, in order."""
    hold = Hold(journal, appended=lambda: None)
    hold.keep(many(1))
    connection = journal._database._connection
    connection.execute("PRAGMA query_only = ON")
    later = [score("contoso", SLOT + n * 3_600_000) for n in (1, 2)]
    assert [hold.keep([point]) for point in later] == [False, False]
    assert "readonly" in str(hold.error)
    connection.execute("PRAGMA query_only = OFF")
    assert hold.flush()
    assert [row.point for row in journal.read(Cursor("", 1, 0), 10).rows] == [*many(1), *later]


def test_a_journal_that_is_well_is_waited_for_and_nothing_is_lost(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Polls that find memory full of one that is just being appended wait for it: none of them is lost."""
    real: Callable[..., bool] = journal.append
    first, rest = threading.Event(), threading.Event()

    def slow(points: Sequence[Point]) -> bool:
        first.set()
        assert rest.wait(10)
        return real(points)

    monkeypatch.setattr(journal, "append", slow)
    hold = Hold(journal, appended=lambda: None, most=3)
    with ThreadPoolExecutor(6) as pool:
        told = [pool.submit(hold.keep, many(1))]
        assert first.wait(10)
        told += [pool.submit(hold.keep, [score(f"t{n}", SLOT + m) for m in range(3)]) for n in range(5)]
        time.sleep(0.1)
        assert not any(one.done() for one in told)
        rest.set()
        assert all(one.result(10) for one in told)
    assert (hold.held, hold.lost, hold.error) == (0, 0, None)
    assert len(journal.read(Cursor("test", 1, 0), 100).rows) == 16
