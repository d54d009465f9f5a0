"""Names: a number stands for one series or shape for ever, whatever fails and whoever else writes."""

import json
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import DAY, HOUR, MIDNIGHT, every, group, look, org
from salvages import note

from collector.errors import JournalError
from collector.journal import Journal
from collector.journal.database import Database
from collector.journal.named import decoded, row_of
from collector.point import Point, Series, carried


def _fail(journal: Journal, *points: Point) -> None:
    """Append points in a transaction that comes to nothing."""
    connection = journal._database._connection
    connection.execute("CREATE TRIGGER planted BEFORE INSERT ON point BEGIN SELECT RAISE(ABORT, 'planted'); END")
    with pytest.raises(JournalError, match="planted"):
        journal.append(points)
    connection.execute("DROP TRIGGER planted")


def test_numbers_of_a_failed_append_do_no_harm(journal: Journal) -> None:
    """Points that are appended again after a failure are kept under their own names."""
    _fail(journal, group("a"), org())
    points = [group("b"), org(), group("a")]
    journal.append(points)
    with Journal(journal.path, readonly=True) as reader:
        assert every(reader) == points


def test_names_of_a_failed_append_are_taken_back_alone(journal: Journal) -> None:
    """What came to nothing leaves no number behind, and those that stand in the file need no second look."""
    journal.append([group("a"), org()])
    journal.append([group("b")])
    for _ in range(2):
        _fail(journal, group("failed"), group("failed too"))
    asked = _asked(journal)
    points = [group("new"), group("b", MIDNIGHT + HOUR), group("failed too"), group("failed")]
    journal.append(points)
    assert not any("id > 0 ORDER BY id" in sql for sql in asked), "and not all names are learnt anew"
    asked.clear()
    journal.append([group("b", MIDNIGHT + 2 * HOUR)])
    assert asked == [], "that they stand is looked at once"
    with Journal(journal.path, readonly=True) as reader:
        stands = [group("a"), org(), group("b"), *points, group("b", MIDNIGHT + 2 * HOUR)]
        assert every(reader) == every(journal) == stands
        for point in points:
            assert point in reader.history(point.series, 0, MIDNIGHT + DAY)


def test_names_are_forgotten_before_another_thread_can_use_them(tmp_path: Path) -> None:
    """Between a failure and the forgetting of what it learnt no other append can begin."""
    free: list[bool] = []

    def try_the_lock() -> None:
        free.append(database._lock.acquire(blocking=False))

    def stale() -> None:
        if armed:
            thread = threading.Thread(target=try_the_lock)
            thread.start()
            thread.join()

    armed = False
    database = Database(tmp_path / "journal.db", stale=stale)
    armed = True
    with pytest.raises(JournalError, match="syntax error"), database.writing() as connection:
        connection.execute("planted")
    database.close()
    assert free == [False]


def test_two_writers_of_one_file_share_its_names(tmp_path: Path) -> None:
    """A series that another process wrote first has one number, and one history."""
    path = tmp_path / "journal.db"
    with Journal(path) as one, Journal(path) as other:
        one.append([group("a"), org()])
        other.append([group("b"), group("a", MIDNIGHT + HOUR), org(MIDNIGHT + HOUR)])
        one.append([group("b", MIDNIGHT + HOUR), group("c"), org(value=1.0)])
        assert look(path, "SELECT count(*) FROM series") == [(4,)]
        assert look(path, "SELECT count(*) FROM shape") == [(2,)]
        for journal in (one, other):
            assert journal.history(group("a").series, 0, MIDNIGHT + 2 * HOUR) == [
                group("a"),
                group("a", MIDNIGHT + HOUR),
            ]
            assert [point.time for point in journal.history(group("b").series, 0, MIDNIGHT + 2 * HOUR)] == [
                MIDNIGHT,
                MIDNIGHT + HOUR,
            ]


def test_names_that_another_process_took_out_are_not_used_any_more(tmp_path: Path) -> None:
    """A tenant that was taken out of the file beside a running service is kept anew under new names."""
    path = tmp_path / "journal.db"
    with Journal(path) as service:
        service.append([group("a"), org()])
        look(path, "DELETE FROM point")
        look(path, "DELETE FROM series")
        look(path, "DELETE FROM shape")
        service.append([org(MIDNIGHT + HOUR), group("a", MIDNIGHT + HOUR)])
    with Journal(path, readonly=True) as reader:
        assert every(reader) == [org(MIDNIGHT + HOUR), group("a", MIDNIGHT + HOUR)]


@pytest.mark.parametrize(
    ("harm", "old", "new"),
    [
        ("DELETE FROM series WHERE id = 2", group("old"), group("new")),
        ("DELETE FROM shape WHERE id = 2", org(), note("new")),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_a_number_that_can_not_be_read_any_more_is_not_given_again(
    journal: Journal, harm: str, old: Point, new: Point, *, together: bool
) -> None:
    """The points of the newest name don't become another's where damage hides it: a flipped bit in a page's count."""
    for points in [[group("first"), old]] if together else [[group("first")], [old]]:
        journal.append(points)
    look(journal.path, harm)
    journal.append([new])
    assert every(journal) == [group("first"), new]


@pytest.mark.parametrize("record", ["1 << 60", "-1", "'x'", "NULL"])
def test_a_record_of_numbers_that_is_damaged_keeps_no_new_name(journal: Journal, record: str) -> None:
    """Which numbers were given is told by the names then, and is on record again, where every version looks for it."""
    journal.append([group("a")])
    look(journal.path, f"UPDATE sqlite_sequence SET seq = {record} WHERE name = 'series'")  # noqa: S608 - from above
    journal.append([group("b")])
    look(journal.path, "DELETE FROM series WHERE id = 2")
    journal.append([group("c")])
    assert every(journal) == [group("a"), group("c")]
    recorded = look(journal.path, "SELECT name, max(seq) FROM sqlite_sequence WHERE typeof(seq) = 'integer' GROUP BY 1")
    assert {name: seq for name, seq in recorded if seq < 1 << 60} == {"point": 3, "series": 3, "shape": 1}


def _asked(journal: Journal) -> list[str]:
    """Return a list that grows by each look at names that this journal takes in its file."""
    asked: list[str] = []
    journal._database._connection.set_trace_callback(
        lambda sql: asked.append(sql) if " FROM series" in sql or " FROM shape" in sql else None
    )
    return asked


def test_a_name_is_learnt_once(journal: Journal) -> None:
    """A poll of many groups looks no names up that it has seen, and only at what is new for one that it hasn't."""
    polls = [
        [group("a", MIDNIGHT + n * HOUR), group("b", MIDNIGHT + n * HOUR), org(MIDNIGHT + n * HOUR)] for n in range(4)
    ]
    journal.append(polls[0])
    asked = _asked(journal)
    for poll in polls[1:]:
        journal.append(poll)
    found = every(journal)
    assert found == [point for poll in polls for point in poll]
    assert len(journal.history(group("a").series, 0, MIDNIGHT + DAY)) == 4
    assert asked == []
    journal.append([group("c")])
    (new,) = asked
    assert new.endswith("WHERE id > 3 ORDER BY id")
    with Journal(journal.path, readonly=True) as reader:
        asked = _asked(reader)
        for _ in range(2):
            assert every(reader) == [*found, group("c")]
            assert len(reader.history(group("a").series, 0, MIDNIGHT + DAY)) == 4
        assert len(asked) == 2 + 2, "the first series, at once those behind it, and each shape"


def test_what_was_just_appended_is_read_without_a_look_at_names(journal: Journal) -> None:
    """Whether its names are new, or were learnt from what another process had written."""
    points = [group("a"), org()]
    for appending in (journal, Journal(journal.path)):
        with appending:
            appending.append(points)
            asked = _asked(appending)
            assert every(appending) == points
            assert [sql for sql in asked if " FROM series" in sql] == []


def test_shapes_are_learnt_together(tmp_path: Path) -> None:
    """A service whose file another process has written to looks at them once for all that it appends."""
    with Journal(tmp_path / "journal.db") as service:
        service.append([group("a"), org(), note("a")])
        with Journal(service.path) as beside:
            beside.append([group("b")])
        asked = _asked(service)
        service.append([group("a", MIDNIGHT + HOUR), org(MIDNIGHT + HOUR), note("b")])
        assert len([sql for sql in asked if " FROM shape" in sql]) == 1
        assert look(service.path, "SELECT count(*) FROM shape") == [(3,)]


def test_names_take_the_room_of_their_letters(journal: Journal) -> None:
    """There are 200,000 of them: no spaces between, and a letter of another alphabet is one."""
    journal.append([group("Ünïts")])
    assert look(journal.path, "SELECT tags FROM series") == [('[["rbacGroupName","Ünïts"],["rbacGroupId","7"]]',)]
    assert look(journal.path, "SELECT fields FROM shape") == [('[["score","float"]]',)]


def _tags(letters: st.SearchStrategy[str] | str) -> st.SearchStrategy[list[tuple[str, str]]]:
    return st.lists(
        st.tuples(st.text(letters, max_size=4), st.text(letters, min_size=1, max_size=12).filter(carried)), max_size=3
    )


# What JSON escapes is rare among all letters.
@settings(max_examples=80, deadline=None)
@given(_tags(st.characters()) | _tags('ab"') | _tags("ab\\") | _tags("ab\n"))
def test_names_stand_in_the_file_as_json(rest: list[tuple[str, str]]) -> None:
    """Whatever letters the tags have, quotes and backslashes among them, any reader of JSON reads them."""
    series = Series("exposure_score_by_group", (("tenant", "contoso"), *rest))
    number, *row = row_of(7, series)
    assert row[2] == json.dumps(rest, ensure_ascii=False, separators=(",", ":"))
    assert decoded(number, row) == series


def test_whom_the_journal_knows_is_told_whoever_named_him(tmp_path: Path) -> None:
    """A series is known once any process has a point of it: the first of a tenant, and of a measurement, too."""
    path = tmp_path / "journal.db"
    every_one = [point.series for point in (org(), org(tenant="fabrikam"), group("a"), group("a", tenant="fabrikam"))]
    with Journal(path) as one, Journal(path) as other:
        one.append([org()])
        assert one.across.named(every_one) == every_one[:1]
        other.append([org(tenant="fabrikam")])
        assert one.across.named(every_one) == every_one[:2]
        _fail(one, group("a"))
        assert one.across.named(every_one) == every_one[:2]
        other.append([group("a", tenant="fabrikam")])
        assert one.across.named(every_one) == [*every_one[:2], every_one[3]]


def test_a_name_that_can_be_read_again_is_known_again(tmp_path: Path) -> None:
    """A tenant whose name was damaged when all names were learnt is asked for with the others once it is read."""
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        journal.append([org(), group("a", tenant="fabrikam")])
    look(path, "UPDATE series SET tenant = 'contosX' WHERE id = 1")
    with Journal(path) as service:
        service.append([group("b", tenant="fabrikam")])
        assert org() not in every(service)
        look(path, "UPDATE series SET tenant = 'contoso' WHERE id = 1")
        assert org() in every(service)
        service.append([org(MIDNIGHT + HOUR)])
        asked = [org().series]
        assert service.history(asked[0], 0, MIDNIGHT + DAY) == [org(), org(MIDNIGHT + HOUR)]
        assert list(service.across.named(asked)) == asked
        assert service.across.newest(asked) == [org(MIDNIGHT + HOUR)]
        assert service.across.histories(asked, 0, MIDNIGHT + DAY) == [org(), org(MIDNIGHT + HOUR)]


def test_one_measurement_may_have_several_shapes(journal: Journal) -> None:
    """One that gains a field, or whose field changes its name, its type or its place, is read as it was written."""
    series = Series("exposure_trend", (("tenant", "contoso"),))
    points = [
        Point(series, 1, {"score": 1.0, "level": 2}),
        Point(series, 2, {"score": 1.0, "level": 2, "change_1d": -0.5}),
        Point(series, 3, {"score": 1, "level": "low"}),
        Point(series, 4, {"level": 2, "score": 1.0}),
        Point(series, 5, {"spike": 2, "score": 1.0}),
    ]
    journal.append(points)
    with Journal(journal.path, readonly=True) as reader:
        assert every(reader) == points
        assert [type(point.fields["score"]) for point in every(reader)] == [float, float, int, float, float]


def test_a_series_without_a_tenant_is_refused_whole(journal: Journal) -> None:
    """A point that belongs to no tenant is a fault of the collector: nothing of its append is kept."""
    with pytest.raises(ValueError, match="tenant"):
        journal.append([org(), Point(Series("exposure_score", (("subject", "x"),)), 1, {"score": 1.0})])
    assert (every(journal), journal.tail()) == ([], 1)
