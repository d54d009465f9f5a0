"""What was learnt of names: nothing is taken for known that may not stand in the file."""

import sqlite3

import pytest
from journals import group, org

from collector.journal import Journal
from collector.journal.learnt import Learnt
from collector.journal.named import row_of


def test_what_can_not_be_read_is_not_known_to_stand() -> None:
    """Where the file can't be asked whether names have gone, they are learnt anew: nothing is in doubt any more."""
    learnt = Learnt()
    empty = sqlite3.connect(":memory:")
    try:
        for _ in range(2):
            assert learnt.stands(empty), "nothing was learnt"
            learnt.last, learnt.doubted = 1, True
            assert not learnt.stands(empty)
            learnt.last, learnt.doubted = 1, True
            learnt.forget()
    finally:
        empty.close()


def test_who_has_forgotten_has_nothing_to_take_back(journal: Journal) -> None:
    """A transaction that fails after all was forgotten leaves no number as the last that was learnt."""
    journal.append([org(), group("a")])
    learnt, connection = Learnt(), journal._database._connection
    learnt.go_on(connection)
    connection.execute("BEGIN")
    learnt.begin()
    series = group("b").series
    assert learnt.add(connection, {series: learnt.fingerprint(series)}) == {series: 3}
    learnt.forget()
    connection.execute("ROLLBACK")
    assert (learnt.take_back(), learnt.last) == ([], 0)
    assert learnt.go_on(connection)
    assert learnt.number(learnt.fingerprint(org().series)) == 1


def test_what_one_transaction_adds_is_taken_back_together(journal: Journal) -> None:
    """Also where it came in two parts: what was learnt is again what stands in the file, and the next goes on there."""
    journal.append([org(), group("a")])
    learnt, connection = Learnt(), journal._database._connection
    learnt.go_on(connection)
    connection.execute("BEGIN")
    learnt.begin()
    for n, name in enumerate("bc", 3):
        series = group(name).series
        assert learnt.add(connection, {series: learnt.fingerprint(series)}) == {series: n}
    connection.execute("ROLLBACK")
    assert (learnt.take_back(), learnt.last) == ([3, 4], 2)
    learnt.doubted = True
    assert learnt.stands(connection)
    assert not any(learnt.number(learnt.fingerprint(group(name).series)) for name in "bc")


@pytest.mark.parametrize("crc", [None, "text", b"", 1.5])
def test_a_checksum_that_is_no_number_hides_its_own_name_alone(crc: object) -> None:
    """A flipped bit can make anything of it: all other names are learnt, those behind it too."""
    every = [group(name).series for name in "abc"]
    rows = [list(row_of(number, series)) for number, series in enumerate(every, 1)]
    rows[1][-1] = crc
    # The file's own table takes none of these; damage asks it not.
    damaged = sqlite3.connect(":memory:")
    try:
        damaged.execute("CREATE TABLE series (id, measurement, tenant, tags, crc)")
        damaged.executemany("INSERT INTO series VALUES (?, ?, ?, ?, ?)", rows)
        learnt = Learnt()
        assert learnt.go_on(damaged)
    finally:
        damaged.close()
    assert [learnt.number(learnt.fingerprint(series)) for series in every] == [1, None, 3]
    assert learnt.last == 3
