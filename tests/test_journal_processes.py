"""Many at once: processes and threads lose nothing, and see nothing in part."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from journals import HOUR, MIDNIGHT, append_numbered, every, group, hear, look, org, other

from collector.batch import Cursor
from collector.journal import Journal
from collector.point import Point

_APPENDS = 15


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal will be."""
    return tmp_path / "journal.db"


def test_two_processes_and_a_reader_share_a_journal(path: Path) -> None:
    """Two writers lose nothing of each other's; a reader beside them sees every poll whole and in its order."""
    seen: list[Point] = []
    with (
        other(append_numbered, path, "contoso", _APPENDS) as (_, one),
        other(append_numbered, path, "fabrikam", _APPENDS) as (_, two),
    ):
        assert (hear(one), hear(two)) == ("open", "open")
        one.send("go")
        two.send("go")
        with Journal(path, readonly=True) as reader:
            cursor = Cursor("reader", 1, 0)
            for n in range(_APPENDS):
                assert (hear(one), hear(two)) == (n, n)
                batch = reader.read(cursor, 10_000)
                assert len(batch.rows) % 5 == 0
                seen += [row.point for row in batch.rows]
                cursor = Cursor("reader", batch.after, 0)
                assert len(seen) >= 10 * (n + 1)
    expected = [[float(n)] * 5 for n in range(_APPENDS)]
    for tenant in ("contoso", "fabrikam"):
        values = [point.fields["score"] for point in seen if point.series.tag("tenant") == tenant]
        assert values == [value for poll in expected for value in poll]
    ids = [row_id for (row_id,) in look(path, "SELECT id FROM point ORDER BY id")]
    assert ids == list(range(1, 10 * _APPENDS + 1))


def test_two_collectors_of_one_tenant_leave_one_point_a_series_and_slot(path: Path) -> None:
    """Of two processes that poll the same the later answer stands, once."""
    with (
        other(append_numbered, path, "contoso", _APPENDS) as (_, one),
        other(append_numbered, path, "contoso", _APPENDS) as (_, two),
    ):
        assert (hear(one), hear(two)) == ("open", "open")
        one.send("go")
        two.send("go")
        for n in range(_APPENDS):
            assert (hear(one), hear(two)) == (n, n)
    with Journal(path) as journal:
        points = every(journal)
        assert len(points) == 5 * _APPENDS
        assert len({(point.series, point.time) for point in points}) == 5 * _APPENDS
        assert journal.tail() == 10 * _APPENDS + 1


def test_eight_threads_append_and_read(path: Path) -> None:
    """Any thread may append, read, move its cursor and ask of the past, all on one journal."""
    barrier = threading.Barrier(8)

    def work(journal: Journal, thread: int) -> int:
        barrier.wait()
        cursor, taken = journal.cursor(f"sink {thread}"), 0
        for n in range(8):
            journal.append([group(f"g{thread} {k}", MIDNIGHT + n * HOUR, float(n)) for k in range(3)])
            batch = journal.read(cursor, 1000)
            taken += len(batch.rows)
            moved = journal.advance(cursor, batch.after)
            assert moved is not None
            cursor = moved
            history = journal.history(group(f"g{thread} 1").series, 0, MIDNIGHT + 9 * HOUR)
            assert [point.fields["score"] for point in history] == [float(past) for past in range(n + 1)]
        return taken + len(journal.read(cursor, 1000).rows)

    with Journal(path) as journal, ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda thread: work(journal, thread), range(8)))
        points = every(journal)
        assert len(points) == len({(point.series, point.time) for point in points}) == 8 * 8 * 3
        assert max(taken) == 8 * 8 * 3
        for thread in range(8):
            mine = [point for point in points if point.series.tag("rbacGroupName").startswith(f"g{thread} ")]
            assert [point.fields["score"] for point in mine] == [float(n) for n in range(8) for _ in range(3)]


def test_a_view_is_of_one_moment(path: Path) -> None:
    """What one question sees was all there at one time: never the half of another's append."""
    with Journal(path) as writer, Journal(path, readonly=True) as reader:
        writer.append([org(value=1.0), group("a", value=1.0)])
        with reader._database.reading() as connection:
            before = connection.execute("SELECT count(*) FROM point").fetchone()
            thread = threading.Thread(target=writer.append, args=([group("b"), group("c")],))
            thread.start()
            thread.join(0.05)
            assert connection.execute("SELECT count(*) FROM point").fetchone() == before
        thread.join()
        assert reader.summary().points == 4


def test_a_journal_is_closed_and_copied_between_two_writes(path: Path) -> None:
    """Threads of one process take turns: what one is writing is whole before another copies it, or ends it for all."""
    copy, journal = path.with_name("copy.db"), Journal(path)
    journal.append([org()])
    copy.touch()
    appending = threading.Thread(target=journal.append, args=([group("a")],))

    def seen(_done: int, _of: int) -> None:
        appending.start()
        appending.join(0.05)
        assert appending.is_alive()

    journal.copy(copy, seen)
    appending.join()
    assert every(journal) == [org(), group("a")]
    closing = threading.Thread(target=journal.close)
    with journal._database.writing() as connection:
        closing.start()
        closing.join(0.05)
        connection.execute("UPDATE point SET time = time + 1 WHERE id = 2")
    closing.join()
    assert look(path, "SELECT time FROM point") == [(MIDNIGHT,), (MIDNIGHT + 1,)]
    assert look(copy, "SELECT time FROM point") == [(MIDNIGHT,)]
