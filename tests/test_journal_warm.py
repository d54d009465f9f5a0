"""The names that memory holds: as many as were in use, no more, and the rest comes from the file by its number."""

import sqlite3
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from journals import DAY, HOUR, MIDNIGHT, every, group, hear, look, org, other
from names_beside import change_names

from collector.batch import Cursor
from collector.journal import Journal, names
from collector.journal.learnt import Learnt
from collector.journal.names import Names
from collector.journal.warm import Warm
from collector.point import Point, Series

ORG, GROUPS = "exposure_score", "exposure_score_by_group"


@given(st.lists(st.tuples(st.integers(0, 11), st.booleans()), max_size=100), st.integers(1, 8))
@example([(0, True), (1, True), (2, True), (3, True), (0, True), (4, True), (0, True)], 2)
@example([(0, True), (1, True), (2, True), (3, True), (0, False), (4, True), (0, False)], 2)
def test_who_was_in_use_last_is_held(asked: list[tuple[int, bool]], most: int) -> None:
    """Of the last so many that were asked for all are held, each by its number and back, and never many more."""
    warm, every_series = Warm(most), [group(f"g{n}").series for n in range(12)]
    last: list[int] = []
    for n, by_number in asked:
        series = every_series[n]
        known = warm.series(n) if by_number else warm.number(series)
        assert known == (series if by_number else n) or (known is None and n not in last[:most])
        if known is None:
            warm.keep(n, series)
        last = [n, *(each for each in last if each != n)]
        held = {**warm._old_series, **warm._series}
        assert {**warm._old_numbers, **warm._numbers} == {every_series[n]: n for n in held}
        assert len(held) <= 2 * most
    for n in range(12):
        warm.drop(n)
    assert not any(warm.number(series) or warm.series(n) for n, series in enumerate(every_series))


def test_more_series_than_are_held_keep_their_numbers(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal of more groups than memory holds appends, reads and asks as one that holds them all."""
    monkeypatch.setattr(names, "_WARM", 3)
    monkeypatch.setattr(names, "_ANSWERED", 2)
    points = [group(f"g{n}", MIDNIGHT + hour * HOUR, float(hour)) for hour in range(3) for n in range(20)]
    with Journal(journal.path) as small:
        for hour in range(3):
            small.append(points[hour * 20 : hour * 20 + 20])
        assert every(small) == points
        assert look(small.path, "SELECT count(*) FROM series") == [(20,)]
        assert list(small.latest("exposure_score_by_group", 0)) == points[40:]
        assert [len(small.history(group(f"g{n}").series, 0, MIDNIGHT + DAY)) for n in range(20)] == [3] * 20
    with Journal(journal.path, readonly=True) as reader:
        assert [len(reader.history(group(f"g{n}").series, 0, MIDNIGHT + DAY)) for n in range(20)] == [3] * 20


def test_a_damaged_name_hides_its_own_points_alone(journal: Journal) -> None:
    """Names are read some at once: one that doesn't prove takes none of its neighbours along, nor one that is gone."""
    points = [group(f"g{n}") for n in range(9)]
    journal.append(points)
    look(journal.path, "UPDATE series SET tags = replace(tags, 'g4', 'g5') WHERE id = 5")
    look(journal.path, "DELETE FROM series WHERE id = 7")
    with Journal(journal.path, readonly=True) as reader:
        assert every(reader) == [*points[:4], points[5], *points[7:]]


def test_where_names_can_not_be_read_at_once_each_is_read_alone(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of names that the file has lost holds up no row whose own name is on another."""
    points = [group(f"g{n}") for n in range(9)]
    journal.append(points)
    read = Names._read

    def torn(self: Names, connection: sqlite3.Connection, number: int, most: int) -> Series:
        if most > 1:
            raise sqlite3.DatabaseError("database disk image is malformed")
        return read(self, connection, number, most)

    monkeypatch.setattr(Names, "_read", torn)
    with Journal(journal.path, readonly=True) as reader:
        assert every(reader) == points


def test_where_not_all_new_names_can_be_read_one_still_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that the file has lost hides no row of another process whose own name is on another page."""

    def torn(*_: object) -> NoReturn:
        raise sqlite3.DatabaseError("database disk image is malformed")

    with Journal(tmp_path / "journal.db") as service, Journal(tmp_path / "journal.db") as beside:
        service.append([org()])
        beside.append([group("theirs")])
        monkeypatch.setattr(Learnt, "go_on", torn)
        assert every(service) == [org(), group("theirs")]


def test_a_name_that_json_escapes_is_the_same_from_the_file(journal: Journal) -> None:
    """A group's name with quotes and backslashes, learnt from the file, is no other series than the one that came."""
    odd = ['"', 'a","b', "\\x", 'x"]],[["y', "a b,c=d", "日本", "\u2028"]
    journal.append([group(name) for name in odd])
    with Journal(journal.path) as later:
        later.append([group(name, MIDNIGHT + HOUR) for name in odd])
        assert look(journal.path, "SELECT count(*) FROM series") == [(len(odd),)]
        assert [point.series for point in every(later)] == [group(name).series for name in odd * 2]


def test_what_is_held_of_a_series_is_its_fingerprint(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal that has learnt 5,000 names holds under 100 bytes of each."""
    journal.append([group(f"Clients of site {n}") for n in range(5_000)])
    monkeypatch.setattr(names, "_WARM", 100)
    with Journal(journal.path) as later:
        later.tail()
        tracemalloc.start()
        try:
            later.append([org()])
            held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert held / 5_000 < 100
        later.append([group("Clients of site 4999", MIDNIGHT + HOUR)])
        assert look(journal.path, "SELECT count(*) FROM series") == [(5_001,)]


def _learning(journal: Journal) -> list[str]:
    """Return a list that grows by each time that this journal reads names from its file, by their first number."""
    asked: list[str] = []
    journal._database._connection.set_trace_callback(
        lambda sql: asked.append(sql.partition(" WHERE ")[2]) if "tags, crc FROM series" in sql else None
    )
    return asked


def test_after_another_process_has_written_only_what_is_new_is_learnt(tmp_path: Path) -> None:
    """A note from the command line costs a service of many groups no look at all their names, and new ones are found.

    A tenant that the other process forgets is gone for the service too, though it holds its names.
    """
    path = tmp_path / "journal.db"
    with Journal(path) as service, other(change_names, path) as (_, pipe):
        service.append([org(), group("a"), group("b"), group("a", tenant="fabrikam")])
        asked = _learning(service)
        assert hear(pipe) == "open"
        for word, learnt in (("note", ["id > 4 ORDER BY id"]), ("nothing", ["id > 6 ORDER BY id"])):
            pipe.send(word)
            assert hear(pipe) == word
            asked.clear()
            service.append([org(MIDNIGHT + HOUR), group("a", MIDNIGHT + HOUR), group(word)])
            assert asked == learnt, "behind the last that was known"
        pipe.send("forget")
        assert hear(pipe) == "forget"
        asked.clear()
        service.append([group("a", MIDNIGHT + HOUR, tenant="fabrikam"), group("a", MIDNIGHT + 2 * HOUR)])
        assert asked == ["id > 0 ORDER BY id"], "names have gone: all are learnt anew"
        again = look(path, "SELECT id, tenant FROM series WHERE tenant = 'fabrikam'")
        assert [number > 4 for number, _ in again] == [True], "a forgotten number never comes again"
        assert len(service.history(group("a").series, 0, MIDNIGHT + DAY)) == 3
        assert len(service.history(group("a", tenant="fabrikam").series, 0, MIDNIGHT + DAY)) == 1


@pytest.mark.parametrize(
    "ask",
    [every, lambda journal: [*journal.latest("exposure_score", 0), *journal.latest("exposure_score_by_group", 0)]],
)
def test_a_name_from_beside_is_held_no_longer_than_it_stands(
    tmp_path: Path, ask: Callable[[Journal], Sequence[Point]]
) -> None:
    """Points of a series that another process was the first to append are read, and are nobody's once it is forgotten.

    So it is for who has learnt all names, and for who only reads.
    """
    path = tmp_path / "journal.db"
    theirs = group("theirs", tenant="fabrikam")
    with Journal(path) as service, Journal(path) as beside, Journal(path, readonly=True) as reader:
        service.append([org()])
        beside.append([theirs])
        for journal in (service, reader):
            assert ask(journal) == [org(), theirs]
            assert journal.history(theirs.series, 0, MIDNIGHT + DAY) == [theirs]
        beside.forget("fabrikam")
        for journal in (service, reader):
            assert ask(journal) == [org()]
            assert journal.history(theirs.series, 0, MIDNIGHT + DAY) == []
            assert journal.series("exposure_score_by_group") == []
        service.append([theirs])
        assert every(service) == every(reader) == [org(), theirs]
        assert look(path, "SELECT id FROM series WHERE tenant = 'fabrikam'") == [(3,)]


def test_a_name_that_was_read_ahead_is_held_no_longer_than_it_stands(tmp_path: Path) -> None:
    """With the names that were asked for others come from the file, also of what came since all were learnt."""
    path, points = tmp_path / "journal.db", [group("a"), group("b"), group("c")]
    theirs = group("theirs", tenant="fabrikam")
    with Journal(path) as beside:
        beside.append(points)
        with Journal(path) as service:
            service.append([org()])
            beside.append([theirs])
            assert service.read(Cursor("x", 1, 0), 2).columns.series == [points[0].series, points[1].series]
            beside.forget("fabrikam")
            service.append([theirs])
            assert every(service) == every(beside) == [*points, org(), theirs]


def test_names_from_beside_are_read_once(tmp_path: Path) -> None:
    """Also by who has learnt but one name before: what is read again costs no look at names."""
    path = tmp_path / "journal.db"
    with Journal(path) as service, Journal(path) as beside:
        service.append([org()])
        beside.append([group(name, MIDNIGHT + hour * HOUR) for hour in range(3) for name in "abc"])
        found = every(service)
        asked = _learning(service)
        assert every(service) == found
        assert asked == []


def test_what_failed_costs_no_look_at_all_names(journal: Journal) -> None:
    """A full disk doesn't make the service learn its names anew each time: at most those of its last append."""
    journal.append([org(), group("a")])
    journal.append([group("b")])
    connection = journal._database._connection
    asked = _learning(journal)
    for points in ([org(MIDNIGHT + HOUR)], [group("new"), group("newer"), org(MIDNIGHT + HOUR)]):
        asked.clear()
        connection.execute("PRAGMA query_only = ON")
        with pytest.raises(Exception, match="readonly"):
            journal.append(points)
        connection.execute("PRAGMA query_only = OFF")
        journal.append(points)
        assert "id > 0 ORDER BY id" not in asked
    assert [name for (name,) in look(journal.path, "SELECT tags FROM series WHERE id > 3")] == [
        '[["rbacGroupName","new"],["rbacGroupId","7"]]',
        '[["rbacGroupName","newer"],["rbacGroupId","7"]]',
    ]
