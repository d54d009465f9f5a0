"""A name that can't be read for a while, and can be again: a series with two numbers, which become one."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from sqlite3 import Connection

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import DAY, HOUR, MIDNIGHT, every, group, look, org, steps
from pytest_structlog import StructuredLogCapture

from collector.batch import DeadLetter
from collector.journal import Journal
from collector.journal.database import Database
from collector.point import Point
from collector.service.soundness import Soundness

NOW = MIDNIGHT + 2 * DAY
A = group("a").series


def opened(path: Path) -> Journal:
    """Return the journal at a fixed time."""
    return Journal(path, clock=lambda: NOW / 1000)


def unreadable(path: Path, *, again: bool = False) -> None:
    """Let the name of the first series not prove itself, or be as it was."""
    look(path, "UPDATE series SET crc = crc + ? WHERE id = 1", -1 if again else 1)


def two_numbers(path: Path, before: Sequence[Point], after: Sequence[Point]) -> None:
    """Make a journal of points, and of others that came while the name of the first group could not be read."""
    with opened(path) as journal:
        journal.append(before)
    unreadable(path)
    with opened(path) as journal:
        journal.append(after)
    unreadable(path, again=True)


@settings(max_examples=40, deadline=None)
@given(*[st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([0, 1, 2, 24, 25])), max_size=8)] * 3)
def test_what_came_under_either_number_is_one_history(
    tmp_path_factory: pytest.TempPathFactory,
    before: list[tuple[str, int]],
    meanwhile: list[tuple[str, int]],
    after: list[tuple[str, int]],
) -> None:
    """Of one identity the later point is left, at its own place in the order, and each series has one newest point."""
    path = tmp_path_factory.mktemp("twins") / "journal.db"
    values = itertools.count()
    drawn = [
        [group(name, MIDNIGHT + hour * HOUR, float(next(values))) for name, hour in one]
        for one in ([("a", 0), *before], meanwhile, after)
    ]
    for points, again in zip(drawn, (False, True, None), strict=True):
        with opened(path) as journal:
            journal.append(points)
        if again is not None:
            unreadable(path, again=again)
    with opened(path) as journal:
        journal.unite()
        assert journal.unite() == 0
        last = {(point.series, point.time): point for points in drawn for point in points}
        order = [point for points in drawn for point in points if point is last[point.series, point.time]]
        assert every(journal) == order
        assert len(journal.latest("exposure_score_by_group", 0)) == len({series for series, _ in last})
        mine = sorted((point for point in order if point.series == A), key=lambda point: point.time)
        assert journal.history(A, 0, NOW) == mine
        journal.append([group("a", MIDNIGHT, 99.0)])
        assert journal.history(A, 0, NOW)[0].fields == {"score": 99.0}
        assert len(every(journal)) == len(order)


@pytest.mark.parametrize("after", [1, 2])
def test_what_comes_between_its_steps_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Another thread appends after one of them, also under the number that the series no longer has."""
    path = tmp_path / "journal.db"
    two_numbers(path, [group("a", MIDNIGHT)], [group("a", MIDNIGHT + HOUR)])
    points = [group("a", MIDNIGHT + hour * HOUR) for hour in range(12)]
    turns = itertools.count(1)
    with opened(path) as journal:
        journal.append(points[2:3])
        assert len(every(journal)) == 3  # the first number was read last
        writing = Database.writing

        @contextmanager
        def between(self: Database) -> Iterator[Connection]:
            with writing(self) as connection:
                yield connection
            if next(turns) == after:
                journal.append(points[3:6])

        monkeypatch.setattr(Database, "writing", between)
        assert journal.unite() == 1
        monkeypatch.undo()
        journal.append(points[6:])
        journal.unite()
        assert journal.history(A, 0, NOW) == points
        assert len(every(journal)) == len(points)


def test_the_later_point_stands_whichever_number_it_has(tmp_path: Path) -> None:
    """A service that knew the first number before goes on with it: its newer value is not lost to an older one."""
    path = tmp_path / "journal.db"
    with opened(path) as service:
        service.append([group("a")])
        unreadable(path)
        with opened(path) as beside:
            beside.append([group("a", MIDNIGHT + HOUR, 1.0), group("a", MIDNIGHT + 2 * HOUR)])
        unreadable(path, again=True)
        service.append([group("a", MIDNIGHT + HOUR, 5.0)])
        assert look(path, "SELECT series FROM point ORDER BY id") == [(1,), (2,), (2,), (1,)]
        assert service.unite() == 1
        assert every(service) == [group("a"), group("a", MIDNIGHT + 2 * HOUR), group("a", MIDNIGHT + HOUR, 5.0)]
        assert service.unite() == 0


@pytest.mark.parametrize("moment", [1, 2, 3, 4])
def test_what_another_process_appends_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    """It has known the first number since before, and brings a single point under it before or after a step."""
    path = tmp_path / "journal.db"
    points = [group("a", MIDNIGHT + hour * HOUR) for hour in range(4)]
    turns = itertools.count(1)
    with opened(path) as beside:
        beside.append(points[:1])
        unreadable(path)
        with opened(path) as journal:
            journal.append(points[1:2])
        unreadable(path, again=True)
        with opened(path) as journal:
            writing = Database.writing

            @contextmanager
            def between(self: Database) -> Iterator[Connection]:
                turn(self)
                with writing(self) as connection:
                    yield connection
                turn(self)

            def turn(database: Database) -> None:
                if database is journal._database and next(turns) == moment:
                    beside.append(points[2:3])

            monkeypatch.setattr(Database, "writing", between)
            assert journal.unite() == 1
            monkeypatch.undo()
            assert every(journal) == points[:3]
            journal.unite()
            beside.append(points[3:])
            assert every(journal) == journal.history(A, 0, NOW) == points


def test_a_dead_letter_keeps_its_name(tmp_path: Path) -> None:
    """A letter of the first number is still one of the group, whose points have the second."""
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        journal.append([group("a"), org()])
        cursor = journal.cursor("main")
        row = journal.read(cursor, 1).rows[0]
        journal.advance(cursor, 2, [DeadLetter(row, "refused")])
    unreadable(path)
    with opened(path) as journal:
        journal.append([group("a", MIDNIGHT + HOUR)])
    unreadable(path, again=True)
    with opened(path) as journal:
        assert journal.unite() == 1
        assert [letter.row.point for letter in journal.letters.every(["main"], 0)] == [group("a")]
        assert journal.history(A, 0, NOW) == [group("a"), group("a", MIDNIGHT + HOUR)]
        assert journal.unite() == 0


def test_a_letter_that_can_not_be_read_keeps_its_name(tmp_path: Path) -> None:
    """A letter that is damaged for a while is the group's again when it can be read: its number is still there."""
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        journal.append([group("a")])
        cursor = journal.cursor("main")
        journal.advance(cursor, 2, [DeadLetter(journal.read(cursor, 1).rows[0], "refused")])
    unreadable(path)
    with opened(path) as journal:
        journal.append([group("a", MIDNIGHT + HOUR)])
    unreadable(path, again=True)
    ((data,),) = look(path, "SELECT data FROM dead_letter")
    look(path, "UPDATE dead_letter SET data = zeroblob(12)")
    with opened(path) as journal:
        journal.unite()
        look(path, "UPDATE dead_letter SET data = ?", data)
        assert [letter.row.point for letter in journal.letters.every(["main"], 0)] == [group("a")]


def test_what_can_not_be_read_keeps_its_name(tmp_path: Path) -> None:
    """A row that is damaged for a while is the series' again when it can be read: its number is still there."""
    path = tmp_path / "journal.db"
    two_numbers(path, [group("a"), group("a", MIDNIGHT + HOUR)], [group("a", MIDNIGHT + 2 * HOUR)])
    ((data,),) = look(path, "SELECT data FROM point WHERE id = 1")
    with opened(path) as journal:
        look(path, "UPDATE point SET data = zeroblob(12) WHERE id = 1")
        journal.unite()
        look(path, "UPDATE point SET data = ? WHERE id = 1", data)
        journal.unite()
        assert journal.history(A, 0, NOW) == [group("a", MIDNIGHT + hour * HOUR) for hour in range(3)]


def test_no_writer_waits_for_a_look_at_every_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many rows others have, each transaction looks at those of the series alone."""
    longest = []
    for count in (100, 4_000):
        path = tmp_path / f"{count}.db"
        two_numbers(
            path, [group("a"), *(group("b", MIDNIGHT + n * 1000) for n in range(count))], [group("a", MIDNIGHT + HOUR)]
        )
        with opened(path) as journal:
            taken, each = steps(journal), [0]
            writing = Database.writing

            @contextmanager
            def counted(
                self: Database,
                writing: Callable[[Database], AbstractContextManager[Connection]] = writing,
                taken: list[None] = taken,
                each: list[int] = each,
            ) -> Iterator[Connection]:
                with writing(self) as connection:
                    before = len(taken)
                    yield connection
                    each.append(len(taken) - before)

            with monkeypatch.context() as patch:
                patch.setattr(Database, "writing", counted)
                assert journal.unite() == 1
            longest.append(max(each))
    assert longest[1] < 2 * longest[0] + 10


def test_who_remembers_what_was_read_is_told(tmp_path: Path) -> None:
    """More is the past of a series when its two numbers are one: what was made of less holds no more."""
    path = tmp_path / "journal.db"
    two_numbers(path, [group("a")], [group("a", MIDNIGHT + HOUR)])
    with opened(path) as journal:
        before = journal.file
        journal.unite()
        united = journal.file
        journal.unite()
        assert (united > before, journal.file) == (True, united)


def test_a_name_that_stays_unreadable_is_left(tmp_path: Path) -> None:
    """What could be another's is united with nothing."""
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        journal.append([group("a")])
    unreadable(path)
    with opened(path) as journal:
        journal.append([group("a", MIDNIGHT + HOUR)])
        assert journal.unite() == 0
        assert journal.history(A, 0, NOW) == [group("a", MIDNIGHT + HOUR)]


def test_the_service_unites_at_its_look(tmp_path: Path, log: StructuredLogCapture) -> None:
    """At the start and daily; it is said once."""
    path = tmp_path / "journal.db"
    two_numbers(path, [group("a")], [group("a", MIDNIGHT + HOUR)])
    with opened(path) as journal:
        soundness = Soundness(journal)
        soundness.look()
        soundness.look()
        assert journal.history(A, 0, NOW) == [group("a"), group("a", MIDNIGHT + HOUR)]
    assert len([event for event in log.events if event["event"] == "journal.united"]) == 1
