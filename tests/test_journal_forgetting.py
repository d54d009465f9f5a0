"""Forgetting: a tenant goes whole, the bytes too, beside whoever else uses the journal, and nothing else changes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from journals import DAY, HOUR, MIDNIGHT, every, group, look, org, steps

from collector.batch import DERIVE, Cursor, DeadLetter
from collector.journal import Holdings, Journal, forgetting, rows
from collector.point import Point

_GONE = "fabrikam-and-nobody-else"
_OTHERS = [
    point for n in range(3) for point in (org(MIDNIGHT + n * DAY), group("shared name", MIDNIGHT + n * DAY, float(n)))
]
_FORGOTTEN = [
    point
    for n in range(3)
    for point in (org(MIDNIGHT + n * DAY, tenant=_GONE), group(f"their-secret-group-{n}", MIDNIGHT, tenant=_GONE))
]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal of two tenants, each with points of three days; a sink has refused one point of each."""
    with Journal(tmp_path / "journal.db") as journal:
        journal.append([point for pair in zip(_OTHERS, _FORGOTTEN, strict=True) for point in pair])
        cursor = journal.cursor("main")
        rows = journal.read(cursor, 2).rows
        words = "field type conflict: exposure_score,tenant={}"
        letters = [DeadLetter(row, words.format(row.point.series.tag("tenant"))) for row in rows]
        assert journal.advance(cursor, 3, letters)
        yield journal


def test_a_tenant_goes_whole_and_no_other(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its points of all times, its dead letters and its names are gone; everything else is as it was."""
    monkeypatch.setattr(forgetting, "CHUNK", 2)
    journal.append([org(0, tenant=_GONE), org(DAY, tenant=_GONE)])
    assert journal.holdings(_GONE) == Holdings(points=8, dead_letters=1, series=4)
    went: list[int] = []
    assert journal.forget(_GONE, went.append) == Holdings(points=8, dead_letters=1, series=4)
    assert (sum(went), max(went)) == (8, 2), "some a transaction: no writer waits long"
    assert every(journal) == _OTHERS
    assert [letter.row.point for letter in journal.letters.every(["main"])] == _OTHERS[:1]
    assert journal.tenants() == ["contoso"]
    assert journal.holdings(_GONE) == Holdings(points=0, dead_letters=0, series=0)
    assert journal.latest("exposure_score", 0, _GONE) == []
    assert journal.history(_FORGOTTEN[0].series, 0, MIDNIGHT + 9 * DAY) == []


def test_a_tenant_costs_what_it_holds(journal: Journal) -> None:
    """Its rows are found by index, in one transaction a day that has any of them: other tenants' are not looked at."""
    journal.append([group("shared name", MIDNIGHT + n) for n in range(1, 5_000)])
    taken = steps(journal)
    assert journal.holdings(_GONE).points == 6
    assert len(taken) < 20, "instructions by the hundred, where there are 5,000 rows"
    went: list[int] = []
    journal.forget(_GONE, went.append)
    assert went == [4, 1, 1]
    assert len(taken) < 40


def test_tenants_are_named_in_order(journal: Journal) -> None:
    """By name, not by when they came."""
    journal.append([org(tenant="zulu"), org(tenant="adatum")])
    assert journal.tenants() == ["adatum", "contoso", _GONE, "zulu"]


def test_the_bytes_go_too(journal: Journal) -> None:
    """Neither the tenant's name, nor its groups' names, nor what a server said of it can be found in the file."""
    journal.note("main", f"Unauthorized: v1 http://i: 400: exposure_score,tenant={_GONE} score=1")
    many = [group(f"their-secret-group-{n}", MIDNIGHT + n * HOUR, tenant=_GONE) for n in range(500)]
    journal.append(many)
    assert b"their-secret-group-499" in journal.path.read_bytes()
    journal.forget(_GONE)
    content = journal.path.read_bytes()
    assert _GONE.encode() not in content
    assert b"their-secret-group" not in content
    assert journal.noted("main") == "Unauthorized: words about a forgotten tenant"
    assert every(journal) == _OTHERS


def test_the_words_about_a_tenant_go_however_a_server_wrote_its_name(journal: Journal) -> None:
    """Line protocol puts a backslash before a comma, a space and an equals sign: those words are found too."""
    journal.append([org(tenant="big corp, inc")])
    journal.note("main", r"Unauthorized: v1 http://i: 400: exposure_score,tenant=big\ corp\,\ inc score=1")
    journal.forget("big corp, inc")
    assert b"corp" not in journal.path.read_bytes()


def test_no_id_and_no_number_comes_again(journal: Journal) -> None:
    """Rows and series that come after a tenant was forgotten are new ones: no reader can take one for the other."""
    tail = journal.tail()
    journal.forget(_GONE)
    journal.append([org(MIDNIGHT, 7.0, "tailspin"), org(MIDNIGHT, 8.0, _GONE)])
    assert [row.id for row in journal.read(Cursor("", tail, 0), 9).rows] == [tail, tail + 1]
    numbers = look(journal.path, "SELECT id, tenant FROM series ORDER BY id")
    assert [number for number, _ in numbers] == list(range(1, len(numbers) + 1))
    assert numbers[-2:] == [(7, "tailspin"), (8, _GONE)]
    assert journal.holdings(_GONE) == Holdings(points=1, dead_letters=0, series=1)


def test_another_process_that_knows_the_names_takes_it(journal: Journal) -> None:
    """A service that has polled the tenant goes on: what it appends then is its own, under the right name."""
    with Journal(journal.path) as service:
        service.append(_FORGOTTEN)
        assert len(every(service)) == 12
        cursor = service.cursor("main")
        under_way = service.read(cursor, 100)
        journal.forget(_GONE)
        assert service.latest("exposure_score_by_group", 0, _GONE) == []
        refused = [DeadLetter(row, "no") for row in under_way.rows if row.point.series.tag("tenant") == _GONE]
        assert refused
        moved = service.advance(cursor, under_way.after, refused)
        assert moved is not None, "the cursor of a batch that was under way moves"
        assert service.letters.counts() == {"main": 1}, "and no letter is left of what was forgotten"
        service.append([group("new", tenant="tailspin"), group("shared name", MIDNIGHT, 5.0, tenant=_GONE)])
        expected = [*_OTHERS, group("new", tenant="tailspin"), group("shared name", MIDNIGHT, 5.0, tenant=_GONE)]
        assert every(service) == expected
    with Journal(journal.path) as later:
        assert every(later) == expected


def test_what_is_appended_while_it_goes_goes_too(journal: Journal) -> None:
    """Points that a service appends between two transactions, and what sinks refuse, are gone at the end as well."""
    late = group("their-late-group", MIDNIGHT - 5 * DAY, tenant=_GONE)
    with Journal(journal.path) as service:

        def meanwhile(_: int) -> None:
            if service.tail() == tail:
                service.append([late, org(MIDNIGHT + 9 * DAY)])
                cursor = service.cursor("second")
                (row,) = (row for row in service.read(cursor, 99).rows if row.point == late)
                assert service.advance(cursor, service.tail(), [DeadLetter(row, "no")])

        tail = journal.tail()
        assert journal.forget(_GONE, meanwhile) == Holdings(points=7, dead_letters=2, series=5)
    assert every(journal) == [*_OTHERS, org(MIDNIGHT + 9 * DAY)]
    assert look(journal.path, "SELECT (SELECT count(*) FROM point), (SELECT count(*) FROM dead_letter)") == [(7, 1)]


def test_what_was_being_made_of_its_points_does_not_come_back(journal: Journal) -> None:
    """Who has read them, and appends what follows from them when they are gone, is told that its cursor was moved."""
    cursor = journal.cursor(DERIVE)
    after = journal.read(cursor, 99).after
    journal.forget(_GONE)
    follows = group("their-secret-group-1", MIDNIGHT, 1.0, _GONE)
    assert not journal.append([follows], taken=(cursor, after))
    assert journal.tenants() == ["contoso"]
    assert journal.cursor(DERIVE).next == cursor.next, "and it reads on where it stood"


def test_broken_off_it_leaves_no_old_value_to_be_sent_again(journal: Journal) -> None:
    """A point that was refused, and superseded since, doesn't come back when its newer value has gone before it."""
    journal.append([Point(_FORGOTTEN[0].series, _FORGOTTEN[0].time, {"score": 99.0, "api_time": 1})])

    def broken_off(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        journal.forget(_GONE, broken_off)
    assert [letter.row.point for letter in journal.letters.every(["main"])] == _OTHERS[:1]
    assert journal.forget(_GONE).dead_letters == 0


@pytest.mark.parametrize("chunk", [1, 4, 10_000])
def test_a_row_that_can_not_be_deleted_is_nobodys(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    """A damaged row of the tenant is counted, holds up no other, and is never read as a point of another."""
    monkeypatch.setattr(forgetting, "CHUNK", chunk)
    (damaged,) = (row for row in journal.read(Cursor("", 1, 0), 20).rows if row.point == _FORGOTTEN[2])
    monkeypatch.setattr(
        forgetting,
        "delete",
        lambda connection, ids: rows.delete(connection, [id_ for id_ in ids if id_ != damaged.id]),
    )
    assert journal.forget(_GONE) == Holdings(points=5, dead_letters=1, series=4, stuck=1)
    for n in range(6):
        journal.append([Point(group(f"new {n}").series, MIDNIGHT, {"score": 1.0, "api_time": 5})])
    found = every(journal)
    assert len(found) == len(_OTHERS) + 6
    assert {point.series.tag("tenant") for point in found} == {"contoso"}
